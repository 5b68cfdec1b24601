//! What a context touches, as a value: a clock of two times, entropy that counts, and the accounts of two users.
#![forbid(unsafe_code)]

use core::sync::atomic::{AtomicU8, Ordering};
use core::time::Duration;
use std::sync::{Arc, LazyLock};

use zeroize::Zeroizing;

use crate::context::World;
use crate::context::configuration::Configuration;
use crate::context::environment::{Account, AccountSource, AccountSourceUnavailable, Environment, EnvironmentError};
use crate::context::http::Http;
use crate::context::initiator::OutboundCredentials;
use crate::context::sasl::Sasl;
use crate::context::sessions::Sessions;
use crate::digest::Timestamp;
use crate::sync::{Mutex, lock};

/// The users, and what only they and the acceptor know.
pub(super) const USERS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];

const REALM: &str = "model";
/// When everything begins, in milliseconds since 1970, and how much later it is after [`Action::Expire`](super::Action::Expire).
const BEGIN: u64 = 1_000_000;
const LIFETIME: Duration = Duration::from_secs(60);

static CONFIGURATION: LazyLock<Configuration> =
    LazyLock::new(|| Configuration { realm: REALM.to_owned(), nonce_lifetime: LIFETIME, ..Configuration::default() });

static ACCOUNTS: LazyLock<[Account; 2]> =
    LazyLock::new(|| USERS.map(|(user, password)| Account::from_password(user, REALM, password)));

static CREDENTIALS: LazyLock<[Arc<OutboundCredentials>; 2]> = LazyLock::new(|| {
    [0, 1].map(|number| {
        let (user, password) = USERS[number];
        let password = Zeroizing::new(password.to_owned());
        Arc::new(OutboundCredentials::new(number as u64, user.to_owned(), String::new(), password))
    })
});

/// The credentials of one of the [`USERS`].
pub(super) fn credentials(initiator: usize) -> &'static Arc<OutboundCredentials> {
    &CREDENTIALS[initiator]
}

/// What changes of the surroundings; nothing else does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Surroundings {
    /// Whether every nonce made before is older than its lifetime.
    pub(super) is_late: bool,
    /// How often entropy was drawn on account of each initiator, and of nobody in particular: so who came first makes no
    /// difference to what is drawn.
    drawn: [u8; 3],
    pub(super) sessions: Arc<Sessions<Http>>,
}

/// Whether the accounts can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    Up,
    Down,
}

impl Surroundings {
    /// Does what touches the world, on account of an initiator.
    pub(super) fn with<R>(
        &mut self,
        initiator: Option<usize>,
        authority: Authority,
        work: impl FnOnce(World<'_>) -> R,
    ) -> R {
        let account = initiator.unwrap_or(self.drawn.len() - 1);
        let environment =
            Now { is_late: self.is_late, account: account as u8, drawn: AtomicU8::new(self.drawn[account]) };
        let http_sessions = Mutex::new(Arc::unwrap_or_clone(core::mem::take(&mut self.sessions)));
        let sasl_sessions = Mutex::new(Sessions::<Sasl>::default());
        let done = work(World {
            environment: &environment,
            accounts: &authority,
            http_sessions: &http_sessions,
            sasl_sessions: &sasl_sessions,
            configuration: &CONFIGURATION,
        });
        self.drawn[account] = environment.drawn.into_inner();
        self.sessions = Arc::new(core::mem::take(&mut *lock(&http_sessions)));
        done
    }
}

/// The environment of one call.
struct Now {
    is_late: bool,
    account: u8,
    drawn: AtomicU8,
}

impl Environment for Now {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        let elapsed = if self.is_late { LIFETIME.as_millis() as u64 + 1 } else { 0 };
        Ok(Timestamp(BEGIN + elapsed))
    }

    /// Each draw is another one, and says so in every half: nonce and opaque come from one draw.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed) + 1;
        for (byte, value) in bytes.iter_mut().zip([self.account, drawn].into_iter().cycle()) {
            *byte = value;
        }
        Ok(())
    }
}

impl AccountSource for Authority {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        match self {
            Self::Down => Err(AccountSourceUnavailable),
            Self::Up if realm != REALM => Ok(None),
            Self::Up => Ok(USERS.iter().position(|(user, _)| *user == username).map(|number| ACCOUNTS[number].clone())),
        }
    }
}
