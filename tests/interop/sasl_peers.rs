//! `digest-ssp sasl-server` for SASL clients of other makers, and `digest-ssp sasl-client` to their servers.
#![forbid(unsafe_code)]

use crate::case::{Case, Role};
use crate::lines::LinePeer;
use crate::ours::Ours;
use crate::peers::Peer;
use crate::sasl::{Agreed, Refusal, Side, authenticate, directive, talk};
use crate::sasl_witnesses::{ACCOUNTS, AUTH, AUTH_INT, Account, CIPHERS, Layer, has, seen_by, takes_empty_messages};

/// Those of [`ACCOUNTS`] with which a client of another maker gets into our server. With the others it leaves the rule of RFC 2831,
/// 2.1.2.1.
const OF_CLIENTS: [(Peer, &[Account]); 4] = [
    // It sends names in UTF-8 and does not say so.
    (Peer::Cyrus, &[Account::Latin1Password, Account::CyrillicPassword]),
    // It hashes names in UTF-8 always.
    (
        Peer::GnuSasl,
        &[Account::Latin1Password, Account::CyrillicName, Account::CyrillicPassword, Account::CyrillicBoth],
    ),
    (Peer::Jdk, &ACCOUNTS),
    // It hashes everything in UTF-8.
    (Peer::Perl, &[Account::CyrillicName, Account::CyrillicPassword, Account::CyrillicBoth]),
];

/// Those with which our client gets into a server of another maker.
const OF_SERVERS: [(Peer, &[Account]); 3] = [
    (Peer::Cyrus, &ACCOUNTS),
    (
        Peer::GnuSasl,
        &[Account::Latin1Password, Account::CyrillicName, Account::CyrillicPassword, Account::CyrillicBoth],
    ),
    (Peer::Jdk, &ACCOUNTS),
];

pub(crate) fn cases() -> Vec<Case> {
    let clients = OF_CLIENTS.into_iter().flat_map(|(peer, agreed)| of_client(peer, agreed));
    clients.chain(OF_SERVERS.into_iter().flat_map(|(peer, agreed)| of_server(peer, agreed))).collect()
}

/// What is common to both roles: `pair` starts the peer and `digest-ssp`, client and server in this order.
fn common(peer: Peer, role: Role, pair: fn(Peer, Layer, [&str; 2]) -> Pair) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: &str, shows: &str, run: Box<dyn FnOnce() + Send>| {
        cases.push(Case::new(peer, role, name, shows, run));
    };
    case("auth", "auth", Box::new(move || protects(peer, role, AUTH, pair)));
    case("auth_int", "auth-int", Box::new(move || protects(peer, role, AUTH_INT, pair)));
    for cipher in CIPHERS.into_iter().filter(|cipher| has(peer, ("auth-conf", Some(cipher)))) {
        let layer = ("auth-conf", Some(cipher));
        case(&cipher.replace('-', "_"), cipher, Box::new(move || protects(peer, role, layer, pair)));
    }
    cases
}

struct Pair {
    client: Box<dyn Side>,
    server: Box<dyn Side>,
}

impl Pair {
    fn authenticate(&mut self) -> Result<Agreed, Refusal> {
        authenticate(self.client.as_mut(), self.server.as_mut())
    }
}

fn settings(layer: Layer, [user, password]: [&str; 2], more: &[&str]) -> Vec<String> {
    let (qop, cipher) = layer;
    let mut settings = vec![format!("user={user}"), format!("password={password}"), format!("qop={qop}")];
    settings.extend(cipher.map(|cipher| format!("cipher={cipher}")));
    settings.extend(more.iter().map(|&setting| setting.to_owned()));
    settings
}

fn peer_client(peer: Peer, layer: Layer, account: [&str; 2]) -> Pair {
    Pair {
        client: Box::new(LinePeer::start(peer, "client", &settings(layer, account, &[]))),
        server: Box::new(Ours::server(layer, account)),
    }
}

fn peer_server(peer: Peer, layer: Layer, account: [&str; 2]) -> Pair {
    Pair {
        client: Box::new(Ours::client(layer, account)),
        server: Box::new(LinePeer::start(peer, "server", &settings(layer, account, &["realm=test"]))),
    }
}

/// One layer, several messages each way, and none that was altered.
fn protects(peer: Peer, role: Role, layer: Layer, pair: fn(Peer, Layer, [&str; 2]) -> Pair) {
    let mut pair = pair(peer, layer, ["alice", "secret"]);
    let agreed = pair.authenticate().unwrap_or_else(|why| panic!("{why:?}"));
    let user = if role == Role::SaslServer { seen_by(peer, "alice") } else { "alice".to_owned() };
    assert_eq!(agreed.server.user, user);
    let [_, response, proof] = agreed.tokens.as_slice() else { panic!("{agreed:?}") };
    assert_eq!(directive(response, "cipher"), layer.1);
    assert!(proof.starts_with(b"rspauth="), "{agreed:?}");
    if layer == AUTH {
        return;
    }
    let lengths: &[usize] = &[1, 2, 7, 8, 9, 100, 1000, 20_000];
    talk(pair.client.as_mut(), pair.server.as_mut(), lengths);
    if takes_empty_messages(peer) {
        talk(pair.client.as_mut(), pair.server.as_mut(), &[0]);
    }
    let Pair { client, server } = &mut pair;
    let (theirs, ours) = if role == Role::SaslServer { (server, client) } else { (client, server) };
    forged(theirs.as_mut(), ours.as_mut());
    forged_to_the_peer(peer, theirs.as_mut(), ours.as_mut());
}

/// Our side delivers a message once, and not with another bit in it.
fn forged(theirs: &mut dyn Side, ours: &mut dyn Side) {
    let wrapped = theirs.wrap(b"amount=100").expect("it could before");
    assert_eq!(ours.unwrap(&wrapped).as_deref(), Ok(&b"amount=100"[..]));
    let replayed = ours.unwrap(&wrapped).expect_err("the number was used");
    assert!(replayed.starts_with("SEC_E_OUT_OF_SEQUENCE"), "{replayed}");
    let altered = ours.unwrap(&with_another_bit(theirs.wrap(b"amount=100"))).expect_err("the MAC covers it");
    assert!(altered.starts_with("SEC_E_MESSAGE_ALTERED"), "{altered}");
}

/// So does the peer; the JDK drops what was altered without a word.
fn forged_to_the_peer(peer: Peer, theirs: &mut dyn Side, ours: &mut dyn Side) {
    let result = theirs.unwrap(&with_another_bit(ours.wrap(b"amount=100")));
    assert!(if peer == Peer::Jdk { result == Ok(Vec::new()) } else { result.is_err() }, "{result:?}");
}

fn with_another_bit(wrapped: Result<Vec<u8>, String>) -> Vec<u8> {
    let mut wrapped = wrapped.expect("it could before");
    // The first octet after the length.
    wrapped[4] ^= 1;
    wrapped
}

fn of_client(peer: Peer, agreed: &'static [Account]) -> Vec<Case> {
    let role = Role::SaslClient;
    let mut cases = common(peer, role, peer_client);
    let mut case = |name: &str, shows: &str, run: Box<dyn FnOnce() + Send>| {
        cases.push(Case::new(peer, role, name, shows, run));
    };
    case("wrong_password", "wrong password refused", Box::new(move || our_server_refuses_a_guess(peer)));
    case("authzid", "authzid, also a stranger's", Box::new(move || authorisation_identities(peer)));
    let shows = charset_words(agreed);
    case("charset", &shows, Box::new(move || charset(peer, peer_client, agreed)));
    if peer == Peer::Cyrus {
        case("fast_reauthentication", "fast reauthentication", Box::new(|| fast_reauthentication(peer_client)));
        case("maxbuf", "maxbuf kept", Box::new(maxbuf_with_cyrus));
        case("fast_reauthentication_is_not_for_auth_conf", "auth-conf anew each time", Box::new(auth_conf_begins_anew));
    }
    cases
}

fn of_server(peer: Peer, agreed: &'static [Account]) -> Vec<Case> {
    let role = Role::SaslServer;
    let mut cases = common(peer, role, peer_server);
    let mut case = |name: &str, shows: &str, run: Box<dyn FnOnce() + Send>| {
        cases.push(Case::new(peer, role, name, shows, run));
    };
    case("wrong_password", "wrong password refused", Box::new(move || their_server_refuses_a_guess(peer)));
    let shows = charset_words(agreed);
    case("charset", &shows, Box::new(move || charset(peer, peer_server, agreed)));
    if peer == Peer::Cyrus {
        case("fast_reauthentication", "fast reauthentication", Box::new(|| fast_reauthentication(peer_server)));
    }
    cases
}

fn our_server_refuses_a_guess(peer: Peer) {
    let client = Box::new(LinePeer::start(peer, "client", &settings(AUTH, ["alice", "guess"], &[])));
    let mut pair = Pair { client, server: Box::new(Ours::server(AUTH, ["alice", "secret"])) };
    let refusal = pair.authenticate().expect_err("a guess");
    assert!(matches!(&refusal, Refusal::Server(why) if why.contains("SEC_E_LOGON_DENIED")), "{refusal:?}");
}

fn their_server_refuses_a_guess(peer: Peer) {
    let server = Box::new(LinePeer::start(peer, "server", &settings(AUTH, ["alice", "secret"], &["realm=test"])));
    let mut pair = Pair { client: Box::new(Ours::client(AUTH, ["alice", "guess"])), server };
    let refusal = pair.authenticate().expect_err("a guess");
    assert!(matches!(refusal, Refusal::Server(_)), "{refusal:?}");
}

/// Nobody may act for another here; to act for oneself is nothing special.
fn authorisation_identities(peer: Peer) {
    for (authzid, allowed) in [("alice", true), ("bob", false)] {
        let asked = settings(AUTH, ["alice", "secret"], &[&format!("authzid={authzid}")]);
        let client = Box::new(LinePeer::start(peer, "client", &asked));
        let mut pair = Pair { client, server: Box::new(Ours::server(AUTH, ["alice", "secret"])) };
        let result = pair.authenticate();
        assert_eq!(result.is_ok(), allowed, "{authzid}: {result:?}");
    }
}

/// As the table of peers says it.
fn charset_words(agreed: &[Account]) -> String {
    if agreed.len() == ACCOUNTS.len() {
        return "names and passwords beyond ASCII".to_owned();
    }
    let words: Vec<_> = agreed.iter().map(|account| account.as_str()).collect();
    format!("of what is beyond ASCII: {}", words.join(", "))
}

fn charset(peer: Peer, pair: fn(Peer, Layer, [&str; 2]) -> Pair, expected: &[Account]) {
    let let_in =
        ACCOUNTS.into_iter().filter(|account| pair(peer, AUTH, account.name_and_password()).authenticate().is_ok());
    assert_eq!(let_in.collect::<Vec<_>>(), expected);
}

/// Two tokens instead of three, and layers that begin anew.
fn fast_reauthentication(pair: fn(Peer, Layer, [&str; 2]) -> Pair) {
    for layer in [AUTH, AUTH_INT] {
        let mut pair = pair(Peer::Cyrus, layer, ["alice", "secret"]);
        for (count, tokens) in [("00000001", 3), ("00000002", 2), ("00000003", 2)] {
            let agreed = pair.authenticate().unwrap_or_else(|why| panic!("{layer:?} {count}: {why:?}"));
            assert_eq!(agreed.tokens.len(), tokens, "{layer:?} {count}");
            let response = &agreed.tokens[tokens - 2];
            assert_eq!(directive(response, "nc"), Some(count), "{layer:?}");
            if layer != AUTH {
                talk(pair.client.as_mut(), pair.server.as_mut(), &[1, 100]);
            }
        }
    }
}

/// The keystream of a second session would be that of the first: our server asks for a new one.
fn auth_conf_begins_anew() {
    let mut pair = peer_client(Peer::Cyrus, ("auth-conf", Some("rc4")), ["alice", "secret"]);
    for _ in 0..2 {
        let agreed = pair.authenticate().unwrap_or_else(|why| panic!("{why:?}"));
        let response = &agreed.tokens[agreed.tokens.len() - 2];
        assert_eq!(directive(response, "nc"), Some("00000001"));
        talk(pair.client.as_mut(), pair.server.as_mut(), &[1, 100]);
    }
}

/// Each side has told the other how much it takes at a time: Cyrus makes several packets of what is longer, we refuse to send it.
fn maxbuf_with_cyrus() {
    let client = LinePeer::start(Peer::Cyrus, "client", &settings(AUTH_INT, ["alice", "secret"], &["maxbuf=300"]));
    let server = Ours::server_with(&["--maxbuf", "256"], AUTH_INT, ["alice", "secret"]);
    let mut pair = Pair { client: Box::new(client), server: Box::new(server) };
    pair.authenticate().unwrap_or_else(|why| panic!("{why:?}"));
    let wrapped = pair.client.wrap(&[b'x'; 1000]).expect("it makes packets");
    assert_eq!(wrapped[..4], 256_u32.to_be_bytes());
    assert_eq!(pair.server.unwrap(&wrapped), Ok(vec![b'x'; 1000]));
    let wrapped = pair.server.wrap(&[b'x'; 284]).expect("300 bytes with what protects it");
    assert_eq!(pair.client.unwrap(&wrapped), Ok(vec![b'x'; 284]));
    let refused = pair.server.wrap(&[b'x'; 285]).expect_err("one more than the client takes");
    assert!(refused.starts_with("SEC_E_"), "{refused}");
}
