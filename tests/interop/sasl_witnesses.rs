//! What the SASL peers do with each other, so that it is known what a case with `digest-ssp` tells.
#![forbid(unsafe_code)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::case::{Case, Role};
use crate::lines::LinePeer;
use crate::peers::Peer;
use crate::sasl::{Agreed, Delivered, Refusal, Side, authenticate, directive, talk};

const CLIENTS: [Peer; 4] = [Peer::Cyrus, Peer::GnuSasl, Peer::Jdk, Peer::Perl];
const SERVERS: [Peer; 3] = [Peer::Cyrus, Peer::GnuSasl, Peer::Jdk];

/// A quality of protection and, for auth-conf, its cipher.
pub(crate) type Layer = (&'static str, Option<&'static str>);
pub(crate) const AUTH: Layer = ("auth", None);
pub(crate) const AUTH_INT: Layer = ("auth-int", None);
pub(crate) const CIPHERS: [&str; 5] = ["rc4", "3des", "rc4-56", "rc4-40", "des"];

/// What a peer has of the layers.
pub(crate) fn has(peer: Peer, layer: Layer) -> bool {
    match layer {
        ("auth" | "auth-int", _) => true,
        // Cyrus fails to initialise 3des with OpenSSL 3; Perl wants a module that Debian has not.
        (_, Some("3des")) => peer == Peer::Jdk,
        // GNU SASL has no auth-conf.
        _ => peer != Peer::GnuSasl,
    }
}

/// Whether a peer takes an empty message: Cyrus refuses to wrap it and to unwrap it, the JDK makes nothing of it, Perl refuses to
/// unwrap it.
pub(crate) fn takes_empty_messages(peer: Peer) -> bool {
    peer == Peer::GnuSasl
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for client in CLIENTS {
        for server in SERVERS {
            let mut case = |name: &str, shows: &str, run: Box<dyn FnOnce() + Send>| {
                let name = format!("to_{}::{name}", server.slug());
                let shows = format!("{shows} with the server of {}", server.name());
                cases.push(Case::new(client, Role::Witness, &name, &shows, run).with(server));
            };
            let layers = common_layers(client, server);
            let names: Vec<_> = layers.iter().map(|(qop, cipher)| cipher.unwrap_or(qop)).collect();
            case("layers", &names.join(", "), Box::new(move || every_layer(client, server, &layers)));
            case("wrong_password", "wrong password refused", Box::new(move || wrong_password(client, server)));
            case("authzid", "authzid", Box::new(move || authorisation_identity(client, server)));
            let agreed = ACCOUNTS.into_iter().filter(|account| !disputed(client, server).contains(account));
            let agreed: Vec<_> = agreed.map(Account::as_str).collect();
            case("charset", &agreed.join(", "), Box::new(move || charset(client, server)));
        }
    }
    let mut case = |name, shows, run: fn()| {
        cases.push(Case::new(Peer::Cyrus, Role::Witness, name, shows, run).with(Peer::Cyrus));
    };
    case("fast_reauthentication", "fast reauthentication", fast_reauthentication);
    for (server, run) in
        [(Peer::GnuSasl, (|| starts_over(Peer::GnuSasl)) as fn()), (Peer::Jdk, || starts_over(Peer::Jdk))]
    {
        let name = format!("to_{}::starts_over", server.slug());
        let shows = format!("starting over where fast reauthentication is declined by {}", server.name());
        cases.push(Case::new(Peer::Cyrus, Role::Witness, &name, &shows, run).with(server));
    }
    cases
}

fn common_layers(client: Peer, server: Peer) -> Vec<Layer> {
    let all = [AUTH, AUTH_INT].into_iter().chain(CIPHERS.map(|cipher| ("auth-conf", Some(cipher))));
    all.filter(|layer| has(client, *layer) && has(server, *layer)).collect()
}

struct Pair {
    client: LinePeer,
    server: LinePeer,
}

fn pair(peers: [Peer; 2], (qop, cipher): Layer, account: [&str; 2], client_settings: &[&str]) -> Pair {
    let [user, password] = account;
    let mut settings = vec![format!("user={user}"), format!("password={password}"), format!("qop={qop}")];
    settings.extend(cipher.map(|cipher| format!("cipher={cipher}")));
    let mut server = settings.clone();
    server.push("realm=test".to_owned());
    settings.extend(client_settings.iter().map(|&setting| setting.to_owned()));
    let [client_peer, server_peer] = peers;
    Pair {
        client: LinePeer::start(client_peer, "client", &settings),
        server: LinePeer::start(server_peer, "server", &server),
    }
}

/// The server of Cyrus tells the user's realm too.
pub(crate) fn seen_by(server: Peer, user: &str) -> String {
    if server == Peer::Cyrus { format!("{user}@test") } else { user.to_owned() }
}

fn every_layer(client: Peer, server: Peer, layers: &[Layer]) {
    for &layer in layers {
        let mut pair = pair([client, server], layer, ["alice", "secret"], &[]);
        let agreed =
            authenticate(&mut pair.client, &mut pair.server).unwrap_or_else(|why| panic!("{layer:?}: {why:?}"));
        assert_eq!([agreed.client.qop.as_str(), &agreed.server.qop], [layer.0; 2], "{layer:?}");
        assert_eq!(agreed.server.user, seen_by(server, "alice"), "{layer:?}");
        let [_, response, proof] = agreed.tokens.as_slice() else { panic!("{layer:?}: {agreed:?}") };
        assert_eq!(directive(response, "cipher"), layer.1, "{layer:?}");
        assert!(proof.starts_with(b"rspauth="), "{layer:?}");
        let mut messages = Vec::new();
        if layer != AUTH {
            let lengths: &[usize] = if takes_empty_messages(client) && takes_empty_messages(server) {
                &[0, 1, 2, 7, 8, 100, 1000, 20_000]
            } else {
                &[1, 2, 7, 8, 100, 1000, 20_000]
            };
            messages = talk(&mut pair.client, &mut pair.server, lengths);
            altered(&mut pair.client, &mut pair.server, server);
        }
        let name = format!("{}-{}-{}", client.slug(), server.slug(), layer.1.unwrap_or(layer.0));
        transcript(&name, [client, server], layer, &agreed, &messages);
    }
}

/// Leaves what was said in `target/interop/transcripts`, for whoever needs tokens that nobody here made.
fn transcript(name: &str, [client, server]: [Peer; 2], layer: Layer, agreed: &Agreed, messages: &[Delivered]) {
    // Longer ones say nothing new.
    let short = messages.iter().filter(|delivered| delivered.message.len() <= 100);
    let messages = short.map(|Delivered { by_client, message, wrapped }| {
        json!({ "by_client": by_client, "message": STANDARD.encode(message), "wrapped": STANDARD.encode(wrapped) })
    });
    let document = json!({
        "client": [client.name(), client.version().ok()],
        "server": [server.name(), server.version().ok()],
        "user": "alice",
        "password": "secret",
        "realm": "test",
        "qop": layer.0,
        "cipher": layer.1,
        "tokens": agreed.tokens.iter().map(|token| String::from_utf8_lossy(token)).collect::<Vec<_>>(),
        "messages": messages.collect::<Vec<_>>(),
    });
    let directory = crate::report::directory().join("transcripts");
    std::fs::create_dir_all(&directory).expect("Cargo's directory is ours");
    std::fs::write(directory.join(format!("{name}.json")), format!("{document:#}\n")).expect("so is this one");
}

/// A message with one bit of another is refused, or with the JDK dropped, which RFC 2831 allows.
fn altered(client: &mut dyn Side, server: &mut dyn Side, peer: Peer) {
    let mut wrapped = client.wrap(b"amount=100").expect("it could before");
    // The first octet after the length.
    wrapped[4] ^= 1;
    let result = server.unwrap(&wrapped);
    if peer == Peer::Jdk {
        assert_eq!(result, Ok(Vec::new()));
    } else {
        assert!(result.is_err(), "{result:?}");
    }
}

fn wrong_password(client: Peer, server: Peer) {
    let Pair { mut client, .. } = pair([client, server], AUTH, ["alice", "guess"], &[]);
    let Pair { mut server, .. } = pair([Peer::Cyrus, server], AUTH, ["alice", "secret"], &[]);
    let refusal = authenticate(&mut client, &mut server).expect_err("a guess");
    assert!(matches!(refusal, Refusal::Server(_)), "{refusal:?}");
}

fn authorisation_identity(client: Peer, server: Peer) {
    let mut pair = pair([client, server], AUTH, ["alice", "secret"], &["authzid=bob"]);
    let agreed = authenticate(&mut pair.client, &mut pair.server).expect("anybody may be bob");
    assert_eq!(agreed.server.user, seen_by(server, "bob"));
}

/// Names and passwords of the charset cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Latin1Name,
    Latin1Password,
    Latin1Both,
    CyrillicName,
    CyrillicPassword,
    CyrillicBoth,
    /// A name in the range of ISO 8859-1 and a Cyrillic password.
    Mixed,
}

pub(crate) const ACCOUNTS: [Account; 7] = [
    Account::Latin1Name,
    Account::Latin1Password,
    Account::Latin1Both,
    Account::CyrillicName,
    Account::CyrillicPassword,
    Account::CyrillicBoth,
    Account::Mixed,
];

impl Account {
    pub(crate) const fn name_and_password(self) -> [&'static str; 2] {
        const OLGA: &str = "\u{41e}\u{43b}\u{44c}\u{433}\u{430}";
        const PAROL: &str = "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}";
        match self {
            Self::Latin1Name => ["j\u{fc}rgen", "secret"],
            Self::Latin1Password => ["alice", "gr\u{fc}n"],
            Self::Latin1Both => ["j\u{fc}rgen", "gr\u{fc}n"],
            Self::CyrillicName => [OLGA, "secret"],
            Self::CyrillicPassword => ["alice", PAROL],
            Self::CyrillicBoth => [OLGA, PAROL],
            Self::Mixed => ["j\u{fc}rgen", PAROL],
        }
    }

    /// As the table of peers says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Latin1Name => "Latin-1 names",
            Self::Latin1Password => "Latin-1 passwords",
            Self::Latin1Both => "both in Latin-1",
            Self::CyrillicName => "Cyrillic names",
            Self::CyrillicPassword => "Cyrillic passwords",
            Self::CyrillicBoth => "both Cyrillic",
            Self::Mixed => "one of each",
        }
    }
}

/// Which of them a client and a server do not agree about, where there are any.
const DISPUTED: [(Peer, Peer, &[Account]); 6] = {
    use Account::{CyrillicBoth, CyrillicName, Latin1Both, Latin1Name, Latin1Password, Mixed};
    [
        // Cyrus sends UTF-8 and does not say so; GNU SASL then reads ISO 8859-1.
        (Peer::Cyrus, Peer::GnuSasl, &[Latin1Name, Latin1Both, CyrillicName, CyrillicBoth, Mixed]),
        // GNU SASL hashes names as they are and passwords in ISO 8859-1; Cyrus tries both ways, but not this mixture.
        (Peer::GnuSasl, Peer::Cyrus, &[Latin1Both]),
        // The JDK has RFC 2831's rule for names too.
        (Peer::GnuSasl, Peer::Jdk, &[Latin1Name, Latin1Both, Mixed]),
        (Peer::Jdk, Peer::GnuSasl, &[Latin1Name, Latin1Both, Mixed]),
        // Perl hashes UTF-8 as it is.
        (Peer::Perl, Peer::GnuSasl, &[Latin1Password, Latin1Both]),
        (Peer::Perl, Peer::Jdk, &[Latin1Name, Latin1Password, Latin1Both, Mixed]),
    ]
};

fn disputed(client: Peer, server: Peer) -> &'static [Account] {
    let mut known = DISPUTED.into_iter();
    known.find_map(|(one, other, accounts)| ((one, other) == (client, server)).then_some(accounts)).unwrap_or_default()
}

fn charset(client: Peer, server: Peer) {
    let refused = ACCOUNTS.into_iter().filter(|account| {
        let account = account.name_and_password();
        let mut pair = pair([client, server], AUTH, account, &[]);
        match authenticate(&mut pair.client, &mut pair.server) {
            Ok(agreed) => {
                assert_eq!(agreed.server.user, seen_by(server, account[0]));
                false
            }
            Err(_) => true,
        }
    });
    assert_eq!(refused.collect::<Vec<_>>(), disputed(client, server));
}

/// Two tokens instead of three, and layers that begin anew.
fn fast_reauthentication() {
    for layer in [AUTH, AUTH_INT, ("auth-conf", Some("rc4"))] {
        let mut pair = pair([Peer::Cyrus; 2], layer, ["alice", "secret"], &[]);
        for (count, tokens) in [("00000001", 3), ("00000002", 2), ("00000003", 2)] {
            let agreed = authenticate(&mut pair.client, &mut pair.server).expect("the password is right");
            assert_eq!(agreed.tokens.len(), tokens, "{layer:?}");
            let response = &agreed.tokens[tokens - 2];
            assert_eq!(directive(response, "nc"), Some(count), "{layer:?}");
            if layer != AUTH {
                talk(&mut pair.client, &mut pair.server, &[1, 100]);
            }
        }
    }
}

/// A server that knows no fast reauthentication answers with a challenge, and the client takes it.
fn starts_over(server: Peer) {
    let mut pair = pair([Peer::Cyrus, server], AUTH, ["alice", "secret"], &[]);
    for (responses, tokens) in [(1, 3), (2, 4)] {
        let agreed = authenticate(&mut pair.client, &mut pair.server).expect("the password is right");
        assert_eq!(agreed.tokens.len(), tokens);
        let counted = agreed.tokens.iter().filter(|token| directive(token, "nc").is_some());
        assert_eq!(counted.count(), responses);
        assert_eq!(directive(&agreed.tokens[tokens - 2], "nc"), Some("00000001"));
    }
}
