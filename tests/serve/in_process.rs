//! Server and client as a library, with a clock of the test's own.

#[allow(dead_code, reason = "the server is for others")]
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clocked::Clock;
use crate::ports::port_nobody_takes;
use digest_ssp::digest::{Algorithm, Qop};
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::{AccountSource, AccountSourceUnavailable, MemoryAccounts};
use digest_ssp::package::configuration::{Configuration, Limits};
use digest_ssp::package::environment::SystemEnvironment;
use digest_ssp::serve::fetch::{Client, HttpUrl};
use digest_ssp::serve::gate::{Gate, GateError, Outcome, Refusal, RequestHead};
use digest_ssp::serve::initiator::{Initiator, OutgoingChannel, OutgoingRequest, ServerProof};
use digest_ssp::serve::tls::ServerIdentity;
use digest_ssp::serve::{CallRecord, HttpLimits, Server, SspiCall};
use digest_ssp::status::SecurityStatus;
use hyper::Method;
use hyper::body::Bytes;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long anything may take before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(120);

type Records = Arc<Mutex<Vec<CallRecord>>>;

fn recorder() -> (Records, impl Fn(&CallRecord) + Send + Sync + 'static) {
    let records = Records::default();
    let log = Arc::clone(&records);
    (records, move |record: &CallRecord| log.lock().expect("no panic before").push(record.clone()))
}

/// What happened on the way from challenge to authentication, and forgets it.
fn statuses(records: &Records) -> Vec<(SspiCall, SecurityStatus)> {
    let records = std::mem::take(&mut *records.lock().expect("no panic before"));
    let records = records.into_iter().map(|record| (record.call, record.status));
    records.filter(|(call, _)| matches!(call, SspiCall::AcceptSecurityContext | SspiCall::CompleteAuthToken)).collect()
}

fn alice() -> MemoryAccounts {
    let mut accounts = MemoryAccounts::new();
    accounts.insert("alice", "test", "secret");
    accounts
}

fn configuration(algorithm: Algorithm) -> Configuration {
    Configuration { realm: "test".to_owned(), algorithm, ..Configuration::default() }
}

#[tokio::test]
async fn a_client_outlives_its_nonces() {
    for (qop, algorithm, proof) in [
        (Qop::Auth, Algorithm::Md5, ServerProof::NotRequired),
        (Qop::AuthInt, Algorithm::Md5, ServerProof::Required),
        (Qop::AuthInt, Algorithm::Md5Sess, ServerProof::NotRequired),
    ] {
        let clock = Clock::new();
        let configuration = configuration(algorithm);
        let lifetime = configuration.nonce_lifetime;
        let (records, log) = recorder();
        let package = SecurityPackage::new(configuration, alice(), clock.clone());
        let gate = Gate::new(package, qop, log).expect("the realm is good");
        let anywhere = "127.0.0.1:0".parse().expect("an address");
        let server = Server::bind(anywhere, HttpLimits::default()).await.expect("a free port");
        let address = server.local_address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(gate, async {
            let _ = stopped.await;
        }));

        let initiator = Initiator::new("alice", "secret", qop, proof, |_: &CallRecord| ()).expect("a user");
        let mut client = Client::new(initiator);
        let url: HttpUrl = format!("http://{address}/a").parse().expect("a URL");
        let mut post = async || {
            let fetched = client.fetch(&url, &Method::POST, Bytes::from_static(b"hello")).await.expect("served");
            assert_eq!((fetched.status.as_u16(), &fetched.body[..]), (200, &b"alice: POST /a with 5 bytes\n"[..]));
        };
        let complete_needed = [
            (SspiCall::AcceptSecurityContext, SecurityStatus::SEC_I_COMPLETE_NEEDED),
            (SspiCall::CompleteAuthToken, SecurityStatus::SEC_E_OK),
        ];
        let initial = match qop {
            Qop::Auth => vec![(SspiCall::AcceptSecurityContext, SecurityStatus::SEC_E_OK)],
            Qop::AuthInt => complete_needed.to_vec(),
        };
        post().await;
        let challenge = (SspiCall::AcceptSecurityContext, SecurityStatus::SEC_I_CONTINUE_NEEDED);
        assert_eq!(statuses(&records), [&[challenge], initial.as_slice()].concat());
        // Exactly the lifetime is still fresh.
        clock.advance(lifetime);
        post().await;
        assert_eq!(statuses(&records), complete_needed);
        clock.advance(Duration::from_millis(1));
        post().await;
        let expired = [
            (SspiCall::AcceptSecurityContext, SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE),
            (SspiCall::CompleteAuthToken, SecurityStatus::SEC_E_OK),
        ];
        assert_eq!(statuses(&records), [&expired, initial.as_slice()].concat());
        post().await;
        assert_eq!(statuses(&records), complete_needed);

        stop.send(()).expect("the server runs");
        running.await.expect("the server does not panic");
        let last = records.lock().expect("no panic before").pop();
        assert!(last.is_some_and(|record| record.call == SspiCall::FreeCredentialsHandle));
    }
}

/// Sends `text` and reads until the server closes.
async fn ask(address: SocketAddr, text: String) -> String {
    let exchange = move || {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.write_all(text.as_bytes()).expect("the server reads");
        let mut answer = Vec::new();
        let started = Instant::now();
        // A reset is an end as well.
        let _ = stream.read_to_end(&mut answer);
        assert!(started.elapsed() < PATIENCE, "the server closes");
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(exchange).await.expect("it does not panic")
}

#[tokio::test]
async fn slow_clients_are_not_waited_for() {
    let short = Duration::from_millis(200);
    let long = Duration::MAX;
    let limits = HttpLimits { head_time: long, body_time: long, idle_time: long, ..HttpLimits::default() };
    let initiator = Initiator::new("alice", "secret", Qop::Auth, ServerProof::NotRequired, |_: &CallRecord| ());
    let context = initiator.expect("a user").begin(b"/").expect("a context");
    for (limits, answered) in [
        (HttpLimits { head_time: short, ..limits.clone() }, ""),
        (HttpLimits { idle_time: short, ..limits.clone() }, ""),
        (HttpLimits { body_time: short, ..limits.clone() }, "HTTP/1.1 408 "),
    ] {
        let package = SecurityPackage::new(configuration(Algorithm::Md5), alice(), SystemEnvironment);
        let gate = Gate::new(package, Qop::Auth, |_: &CallRecord| ()).expect("the realm is good");
        let address = SocketAddr::from(([127, 0, 0, 1], port_nobody_takes()));
        let server = Server::bind(address, limits).await.expect("a free port");
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(Arc::clone(&gate), async {
            let _ = stopped.await;
        }));
        let head = if answered.is_empty() {
            "GET / HTTP/1.1\r\n".to_owned()
        } else {
            let Outcome::Refused(Refusal::Challenge(challenge)) =
                gate.accept(&RequestHead { method: b"POST", target: b"/", token: b"" })
            else {
                panic!("nobody is authenticated yet")
            };
            let request =
                OutgoingRequest { method: b"POST", target: b"/", body: b"hello", channel: OutgoingChannel::default() };
            let token = context.answer(&challenge, &request).expect("the challenge is good");
            let token = String::from_utf8_lossy(&token).into_owned();
            format!("POST / HTTP/1.1\r\nAuthorization: Digest {token}\r\nContent-Length: 5\r\n\r\nhel")
        };
        let answer = ask(address, head).await;
        assert!(answer.starts_with(answered) && (answer.is_empty() || !answered.is_empty()), "{answer:?}");
        // A connection that goes on does not keep the server from stopping.
        let _open = TcpStream::connect(address).expect("the server listens");
        stop.send(()).expect("the server runs");
        timeout(PATIENCE, running).await.expect("it stops").expect("it does not panic");
        if answered.is_empty() {
            assert!(TcpStream::connect(address).is_err());
        }
    }
}

/// An authority that is down.
struct Down;

impl AccountSource for Down {
    fn lookup(
        &self,
        _: &str,
        _: &str,
    ) -> Result<Option<digest_ssp::package::accounts::Account>, AccountSourceUnavailable> {
        Err(AccountSourceUnavailable)
    }
}

const UNNAMED: &[u8] = b"username=\"alice\",realm=\"test\",nonce=\"n\",uri=\"/\",qop=auth,nc=00000001,cnonce=\"c\",\
    response=\"00000000000000000000000000000000\",opaque=\"o\"";

#[test]
fn what_is_not_the_clients_fault_is_no_challenge() {
    let (_, log) = recorder();
    let package = SecurityPackage::new(configuration(Algorithm::Md5), Down, SystemEnvironment);
    let gate = Gate::new(package, Qop::Auth, log).expect("the realm is good");
    let outcome = gate.accept(&RequestHead { method: b"GET", target: b"/", token: UNNAMED });
    assert!(matches!(outcome, Outcome::Refused(Refusal::Unavailable)), "{outcome:?}");

    let limits = Limits { contexts: 0, ..Limits::default() };
    let configuration = Configuration { limits, ..configuration(Algorithm::Md5) };
    let (records, log) = recorder();
    let gate = Gate::new(SecurityPackage::new(configuration, alice(), SystemEnvironment), Qop::Auth, log);
    let gate = gate.expect("the realm is good");
    let outcome = gate.accept(&RequestHead { method: b"GET", target: b"/", token: b"" });
    assert!(matches!(outcome, Outcome::Refused(Refusal::Unavailable)), "{outcome:?}");
    let short = (SspiCall::AcceptSecurityContext, SecurityStatus::SEC_E_INSUFFICIENT_MEMORY);
    assert_eq!(statuses(&records), [short]);
}

#[test]
fn a_realm_that_no_challenge_can_carry_makes_no_gate() {
    for realm in [String::new(), "a\nb".to_owned(), "é".to_owned(), "\\".repeat(513)] {
        let configuration = Configuration { realm, ..Configuration::default() };
        let (_, log) = recorder();
        let gate = Gate::new(SecurityPackage::new(configuration, alice(), SystemEnvironment), Qop::Auth, log);
        assert!(matches!(gate, Err(GateError::Realm)));
    }
    // The longest one still leaves room, with every character escaped.
    let configuration = Configuration { realm: "\\".repeat(512), ..Configuration::default() };
    let (_, log) = recorder();
    let gate = Gate::new(SecurityPackage::new(configuration, alice(), SystemEnvironment), Qop::AuthInt, log);
    let outcome = gate.expect("the realm is good").accept(&RequestHead { method: b"GET", target: b"/", token: b"" });
    assert!(matches!(outcome, Outcome::Refused(Refusal::Challenge(_))), "{outcome:?}");
}

#[test]
fn a_request_that_ends_early_leaves_nothing_behind() {
    let (records, log) = recorder();
    let gate =
        Gate::new(SecurityPackage::new(configuration(Algorithm::Md5), alice(), SystemEnvironment), Qop::AuthInt, log);
    let gate = gate.expect("the realm is good");
    let initiator = Initiator::new("alice", "secret", Qop::AuthInt, ServerProof::NotRequired, |_: &CallRecord| ());
    let context = initiator.expect("a user").begin(b"/").expect("a context");
    let Outcome::Refused(Refusal::Challenge(challenge)) =
        gate.accept(&RequestHead { method: b"POST", target: b"/", token: b"" })
    else {
        panic!("nobody is authenticated yet")
    };
    let request =
        OutgoingRequest { method: b"POST", target: b"/", body: b"hello", channel: OutgoingChannel::default() };
    let token = context.answer(&challenge, &request).expect("the challenge is good");
    let head = RequestHead { method: b"POST", target: b"/", token: &token };
    for _ in 0..3 {
        records.lock().expect("no panic before").clear();
        let Outcome::BodyNeeded(pending) = gate.accept(&head) else { panic!("the body is covered") };
        drop(pending);
        let deleted = records.lock().expect("no panic before").pop();
        let deleted = deleted.map(|record| (record.call, record.before, record.after));
        assert_eq!(deleted, Some((SspiCall::DeleteSecurityContext, "complete-needed-initial", "none")));
    }
    let Outcome::BodyNeeded(pending) = gate.accept(&head) else { panic!("the body is covered") };
    let authenticated = gate.complete(pending, b"hello").expect("the body is the one that was covered");
    assert_eq!(authenticated.user(), "alice");
    assert!(authenticated.finish(b"answer").is_some_and(|info| info.starts_with(b"qop=auth-int,rspauth=")));
}

/// Who does not finish a handshake, or speaks no TLS at all, is gone after the time of a head.
#[tokio::test]
async fn handshakes_are_not_waited_for() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("rcgen makes certificates");
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let identity = ServerIdentity::from_pem(certificate.as_bytes(), key.as_bytes()).expect("they belong together");
    let long = Duration::MAX;
    let limits = HttpLimits {
        head_time: Duration::from_millis(200),
        body_time: long,
        idle_time: long,
        // One place: who comes next waits until it is free.
        connections: 1,
        ..HttpLimits::default()
    };
    let package = SecurityPackage::new(configuration(Algorithm::Md5), alice(), SystemEnvironment);
    let gate = Gate::new(package, Qop::Auth, |_: &CallRecord| ()).expect("the realm is good");
    let server = Server::bind("127.0.0.1:0".parse().expect("an address"), limits).await.expect("a free port");
    let server = server.with_tls(identity);
    let address = server.local_address();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(gate, async {
        let _ = stopped.await;
    }));
    for beginning in ["", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\u{16}\u{3}\u{1}", "\0"] {
        let answer = ask(address, beginning.to_owned()).await;
        assert!(!answer.contains("HTTP/1.1"), "{beginning:?}: {answer:?}");
    }
    let _open = TcpStream::connect(address).expect("the server listens");
    stop.send(()).expect("the server runs");
    timeout(PATIENCE, running).await.expect("it stops").expect("it does not panic");
}
