//! The server in this process, on a clock that stands until it is set: nobody waits for a nonce to expire, and none expires
//! because a machine is slow.
#![cfg_attr(not(feature = "cli"), allow(dead_code, reason = "what drives programs uses the rest"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use digest_ssp::digest::{Qop, Timestamp};
use digest_ssp::package::SecurityPackage;
use digest_ssp::package::accounts::MemoryAccounts;
use digest_ssp::package::configuration::Configuration;
use digest_ssp::package::environment::{Environment, EnvironmentError, SystemEnvironment};
use digest_ssp::serve::{CallRecord, Gate, HttpLimits, Server};
use tokio::sync::oneshot;

/// A clock that stands until it is set; entropy of the system.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_000_000)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).expect("a test is short"), Ordering::SeqCst);
    }
}

impl Environment for Clock {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        Ok(Timestamp(self.0.load(Ordering::SeqCst)))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        SystemEnvironment.fill(bytes)
    }
}

/// A server on a thread of its own, with alice:secret in realm `test`; it ends when this is dropped.
pub(crate) struct Running {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    clock: Clock,
    lifetime: Duration,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// A server that tells `log` a line for each call.
    pub(crate) fn start(qop: Qop, log: impl Fn(String) + Send + Sync + 'static) -> Self {
        let clock = Clock::new();
        let configuration = Configuration { realm: "test".to_owned(), ..Configuration::default() };
        let lifetime = configuration.nonce_lifetime;
        let mut accounts = MemoryAccounts::new();
        accounts.insert("alice", "test", "secret");
        let package = SecurityPackage::new(configuration, accounts, clock.clone());
        let gate = Gate::new(package, qop, move |record: &CallRecord| log(record.to_string()));
        let gate = gate.expect("the realm is good");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("an event loop");
        let anywhere = "127.0.0.1:0".parse().expect("an address");
        let server = runtime.block_on(Server::bind(anywhere, HttpLimits::default())).expect("a free port");
        let address = server.local_address().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            runtime.block_on(server.run(gate, async {
                let _ = stopped.await;
            }));
        });
        Self { address, clock, lifetime, stop: Some(stop), thread: Some(thread) }
    }

    /// Lets the lifetime of every nonce pass, and a moment more.
    pub(crate) fn expire(&self) {
        self.clock.advance(self.lifetime + Duration::from_millis(1));
    }

    /// Ends the server; whatever it logs is logged when this returns.
    pub(crate) fn stop(&mut self) {
        // A server that is gone already, or panicked, is told by its log.
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}
