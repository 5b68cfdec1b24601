//! Whatever is said to them in whatever order, `Acceptor` and `Initiator` keep few contexts and leave none behind.

use std::sync::{Arc, Mutex};

use digest_ssp::digest::sasl::Qop;
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::MemoryAccounts;
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::environment::SystemEnvironment;
use digest_ssp::sasl::{Acceptor, Initiator, Peer, Progress, SaslError, Service, User};
use digest_ssp::serve::{CallRecord, SspiCall};
use digest_ssp::status::SecurityStatus;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// One thing that is said. Indices count from the newest and wrap.
#[derive(Debug, Clone)]
enum Said {
    Challenge,
    Reauthenticate,
    /// An earlier token of the server, to the client.
    ToClient(usize),
    /// An earlier token of the client, to the server.
    ToServer(usize),
    /// Of somebody who has another password.
    Impostor(usize),
    Garbage(Vec<u8>),
    /// A message there, delivered or not.
    FromClient(Vec<u8>, bool),
    FromServer(Vec<u8>, bool),
}

fn said() -> impl Strategy<Value = Said> {
    let garbage = prop::collection::vec(any::<u8>(), 0..24);
    let token = "[a-z]{1,8}=[a-z0-9,=\"\\\\]{0,12}".prop_map(String::into_bytes);
    prop_oneof![
        2 => Just(Said::Challenge),
        2 => Just(Said::Reauthenticate),
        6 => (0..3_usize).prop_map(Said::ToClient),
        6 => (0..3_usize).prop_map(Said::ToServer),
        1 => (0..2_usize).prop_map(Said::Impostor),
        1 => prop_oneof![garbage.clone(), token].prop_map(Said::Garbage),
        1 => (garbage.clone(), any::<bool>()).prop_map(|(message, delivered)| Said::FromClient(message, delivered)),
        1 => (garbage, any::<bool>()).prop_map(|(message, delivered)| Said::FromServer(message, delivered)),
    ]
}

/// The contexts there are, as the calls tell it.
#[derive(Default)]
struct Live {
    now: i64,
    most: i64,
}

fn counting() -> (Arc<Mutex<Live>>, impl Fn(&CallRecord) + Send + Sync + 'static) {
    let live = Arc::new(Mutex::new(Live::default()));
    let log = Arc::clone(&live);
    (live, move |record: &CallRecord| {
        let mut live = log.lock().expect("no panic before");
        if record.call == SspiCall::DeleteSecurityContext {
            assert_eq!((record.after, record.status), ("none", SecurityStatus::SEC_E_OK));
            live.now -= i64::from(record.before != "none");
        } else {
            live.now += i64::from(record.before == "none" && record.after != "none");
        }
        live.most = live.most.max(live.now);
    })
}

fn initiator(password: &str, qop: Qop, log: impl Fn(&CallRecord) + Send + Sync + 'static) -> Initiator {
    let user = User { name: "alice", realm: "", password };
    let peer = Peer { service: "imap".to_owned(), host: "host".to_owned() };
    Initiator::new(Configuration::default(), &user, qop, &peer, log).expect("a user")
}

/// What either side said, and how often the client was believed.
#[derive(Default)]
struct Heard {
    of_server: Vec<Vec<u8>>,
    of_client: Vec<Vec<u8>>,
    authenticated: usize,
}

impl Heard {
    fn server(&mut self, said: Result<Progress, SaslError>) {
        match said {
            Ok(Progress::Token(token)) => self.of_server.push(token),
            Ok(Progress::Authenticated { proof, negotiated }) => {
                assert_eq!(negotiated.user, "alice");
                self.authenticated += 1;
                self.of_server.extend(proof);
            }
            Ok(Progress::PeerSpeaks) => panic!("a server always says something"),
            Err(_) => {}
        }
    }

    fn client(&mut self, said: Result<Progress, SaslError>) {
        if let Ok(Progress::Token(token)) = said {
            self.of_client.push(token);
        }
    }
}

fn newest(tokens: &[Vec<u8>], back: usize) -> Option<Vec<u8>> {
    let at = tokens.len().checked_sub(1 + back.checked_rem(tokens.len())?)?;
    tokens.get(at).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/serve_sasl_properties.txt"))),
        ..ProptestConfig::with_cases(400)
    })]

    #[test]
    fn contexts_are_few_and_none_is_left(
        script in prop::collection::vec(said(), 1..50),
        qop in prop::sample::select(&Qop::ALL),
    ) {
        let mut accounts = MemoryAccounts::new();
        accounts.insert("alice", "test", "secret");
        let configuration = Configuration { realm: "test".to_owned(), ..Configuration::default() };
        let package = SecurityPackage::new(configuration, accounts, SystemEnvironment);
        let ((server_live, server_log), (client_live, client_log)) = (counting(), counting());
        let mut server = Acceptor::new(package, qop, Service::default(), server_log).expect("a good realm");
        let mut client = initiator("secret", qop, client_log);
        let mut heard = Heard::default();
        heard.server(server.challenge().map(Progress::Token));
        for said in &script {
            match said {
                Said::Challenge => heard.server(server.challenge().map(Progress::Token)),
                Said::Reauthenticate => heard.client(client.reauthenticate()),
                Said::ToClient(back) => {
                    if let Some(token) = newest(&heard.of_server, *back) {
                        heard.client(client.take(&token));
                    }
                }
                Said::ToServer(back) => {
                    if let Some(token) = newest(&heard.of_client, *back) {
                        heard.server(server.respond(&token));
                    }
                }
                Said::Impostor(back) => {
                    let mut impostor = initiator("guess", qop, |_: &CallRecord| ());
                    let challenge = newest(&heard.of_server, *back);
                    if let Some(Ok(Progress::Token(token))) = challenge.map(|token| impostor.take(&token)) {
                        let before = heard.authenticated;
                        heard.server(server.respond(&token));
                        prop_assert_eq!(heard.authenticated, before);
                    }
                }
                Said::Garbage(token) => {
                    heard.server(server.respond(token));
                    heard.client(client.take(token));
                }
                Said::FromClient(message, delivered) => {
                    if let (Ok(wire), true) = (client.wrap(message), delivered)
                        && let Ok(unwrapped) = server.unwrap(&wire)
                    {
                        prop_assert_eq!(&unwrapped, message);
                    }
                }
                Said::FromServer(message, delivered) => {
                    if let (Ok(wire), true) = (server.wrap(message), delivered)
                        && let Ok(unwrapped) = client.unwrap(&wire)
                    {
                        prop_assert_eq!(&unwrapped, message);
                    }
                }
            }
            // A session that is kept, and an exchange.
            prop_assert!(server_live.lock().expect("no panic before").now <= 2);
            prop_assert!(client_live.lock().expect("no panic before").now <= 1);
        }
        drop((server, client));
        for live in [server_live, client_live] {
            let live = live.lock().expect("no panic before");
            prop_assert!(live.now == 0 && live.most <= 3, "{} left of {}", live.now, live.most);
        }
    }
}
