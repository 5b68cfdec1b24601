//! The initiator's states and InitializeSecurityContext (SASL).
//!
//! Order of checks: the descriptors (the caller's), flags, token form, a refusal of the server, target, algorithm, qop
//! and cipher, character set, length, output, room for a handle, entropy.
//!
//! A server always proves itself (RFC 2831 section 2.1.3), so a response never establishes by itself, whether or not
//! mutual authentication is asked for.
#![forbid(unsafe_code)]

use std::sync::Arc;

use super::InitializeInput;
use super::exchange::Exchange;
use super::layers::MessageProtection;
use crate::context::attributes::{ContextAttribute, Facts, Protected, query};
use crate::context::environment::World;
use crate::context::failure::{EnvironmentFailure, Failure, LogonFailure, Misuse, PeerMisbehaviour};
use crate::context::initiator::{OutboundCredentials, is_challenge};
use crate::context::input::required_room;
use crate::context::requirements::InitializeRequirements;
use crate::context::{Context, New, Rejected, Room};
use crate::digest::hash::equal;
use crate::digest::sasl::{Challenge, Layer, MAXIMUM_RESPONSE, OfferedAlgorithm, Qop, is_digest_uri};
use crate::digest::{AuthenticationInfo, Charset};

/// The role of a client.
#[derive(Debug, Clone)]
pub struct Initiator {
    credentials: Arc<OutboundCredentials>,
}

impl Initiator {
    /// The role with those credentials.
    pub fn new(credentials: Arc<OutboundCredentials>) -> Self {
        Self { credentials }
    }

    /// Whose role it is.
    pub fn credentials(&self) -> &OutboundCredentials {
        &self.credentials
    }
}

/// InitializeSecurityContext was called without a challenge (`initial`).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Initial(());

/// A response went out; the server's proof is awaited.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Responded {
    exchange: Exchange,
    /// The nonce count that went out; more than 1 is a fast reauthentication.
    count: u32,
}

/// The server proved itself.
#[derive(Debug)]
pub struct Established {
    exchange: Exchange,
    /// The last nonce count that went out.
    count: u32,
    protection: MessageProtection,
}

/// What became of InitializeSecurityContext. Bytes are for the output TOKEN.
#[derive(Debug)]
pub enum Initialization<C> {
    /// SEC_I_CONTINUE_NEEDED without a token.
    Initial(Context<Initiator, Initial>),
    /// SEC_I_CONTINUE_NEEDED with a response: the server must prove itself.
    Responded(Context<Initiator, Responded>, Vec<u8>),
    /// SEC_E_OK without a token: the server proved itself.
    Established(Context<Initiator, Established>),
    /// An error that left everything as it was.
    Unchanged(C, Failure),
    /// The server refused the credentials, or did not prove itself.
    Rejected(Context<Initiator, Rejected>, Failure),
}

impl Context<Initiator, New> {
    /// InitializeSecurityContext without a context handle.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let room = self.state.room;
        self.begin(room, input, requirements, world)
    }
}

impl Context<Initiator, Initial> {
    /// InitializeSecurityContext before any challenge was answered.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        self.begin(Room::Granted, input, requirements, world)
    }
}

impl<S> Context<Initiator, S> {
    fn begin(
        self,
        room: Room,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let attempt = Attempt { credentials: &self.role.credentials, room, input, requirements, world };
        let outcome = attempt.check_flags().map_err(Failure::from).and_then(|()| match input.token {
            None | Some([]) => attempt.room.required().map(|()| None).map_err(Failure::from),
            Some(token) => attempt.answer(attempt.parse_challenge(token)?).map(Some),
        });
        match outcome {
            Ok(None) => Initialization::Initial(self.moved(Initial(()))),
            Ok(Some(reply)) => reply.into_initialization(self.role),
            Err(failure) => Initialization::Unchanged(self, failure),
        }
    }
}

impl Context<Initiator, Responded> {
    /// InitializeSecurityContext with the server's proof, or with another challenge.
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let attempt = Attempt { credentials: &self.role.credentials, room: Room::Granted, input, requirements, world };
        match self.state.judge(&attempt) {
            Ok(Heard::Proved) => {
                let Responded { exchange, count } = self.state;
                let protection = exchange.protection();
                Initialization::Established(Context {
                    role: self.role,
                    state: Established { exchange, count, protection },
                })
            }
            Ok(Heard::Another(reply)) => reply.into_initialization(self.role),
            Err(Unheard::Unchanged(failure)) => Initialization::Unchanged(self, failure),
            Err(Unheard::Rejected(failure)) => Initialization::Rejected(self.moved(Rejected::STATE), failure),
        }
    }

    /// The ISC_RET_* flags of this context.
    pub fn granted(&self) -> InitializeRequirements {
        InitializeRequirements::sasl_granted(self.state.exchange.qop())
    }
}

impl Context<Initiator, Established> {
    /// InitializeSecurityContext with a new challenge, which is answered from the start, or without one: then this is a
    /// fast reauthentication (`initializesecuritycontext--digest`; RFC 2831 section 2.2).
    pub fn initialize(
        self,
        input: &InitializeInput<'_>,
        requirements: InitializeRequirements,
        world: World<'_>,
    ) -> Initialization<Self> {
        let attempt = Attempt { credentials: &self.role.credentials, room: Room::Granted, input, requirements, world };
        let outcome = attempt.check_flags().map_err(Failure::from).and_then(|()| match input.token {
            None | Some([]) => self.state.reauthenticate(input),
            Some(token) => attempt.answer(attempt.parse_challenge(token)?).map(Again::FromTheStart),
        });
        match outcome {
            Ok(Again::Unasked) => Initialization::Initial(self.moved(Initial(()))),
            Ok(Again::Fast(count, token)) => {
                let state = Responded { exchange: self.state.exchange, count };
                Initialization::Responded(Context { role: self.role, state }, token)
            }
            Ok(Again::FromTheStart(reply)) => reply.into_initialization(self.role),
            Err(failure) => Initialization::Unchanged(self, failure),
        }
    }

    /// Counts up to `last` were sent by another holder of this session.
    ///
    /// # Errors
    /// [`Misuse::CountBackwards`]: what was sent cannot be taken back.
    pub fn advance_nonce_count(&mut self, last: u32) -> Result<(), Misuse> {
        if last < self.state.count {
            return Err(Misuse::CountBackwards);
        }
        self.state.count = last;
        Ok(())
    }

    /// What protects the messages of this context.
    pub fn protection(&mut self) -> &mut MessageProtection {
        &mut self.state.protection
    }

    /// QueryContextAttributes.
    ///
    /// # Errors
    /// SEC_E_UNSUPPORTED_FUNCTION for an attribute the context has not.
    pub fn query_context_attributes(&self, attribute: u32) -> Result<ContextAttribute, Failure> {
        let exchange = &self.state.exchange;
        let facts = Facts {
            username: exchange.username(),
            flags: self.granted().bits(),
            key: exchange.key(),
            protected: Protected::Sasl(self.state.protection.sizes()),
        };
        query(attribute, &facts).ok_or_else(|| Misuse::UnsupportedAttribute(attribute).into())
    }

    /// The ISC_RET_* flags of this context.
    pub fn granted(&self) -> InitializeRequirements {
        InitializeRequirements::sasl_granted(self.state.protection.qop())
    }
}

/// How an established context authenticates again.
enum Again {
    /// The next response on the same nonce, with its count.
    Fast(u32, Vec<u8>),
    /// The answer of a new challenge.
    FromTheStart(Reply),
    /// Not fast: the server must send a challenge first.
    Unasked,
}

impl Established {
    /// The next response with the same nonce and cnonce. Under auth-conf the keystream would repeat, and after ffffffff
    /// there is no count: then the server must send a challenge, as before the first one.
    fn reauthenticate(&self, input: &InitializeInput<'_>) -> Result<Again, Failure> {
        let count = match (self.exchange.qop(), self.count.checked_add(1)) {
            (Qop::Auth | Qop::AuthInt, Some(count)) => count,
            (Qop::AuthConf, _) | (Qop::Auth | Qop::AuthInt, None) => return Ok(Again::Unasked),
        };
        if !input.target.is_empty() && input.target != self.exchange.digest_uri() {
            return Err(Misuse::AnotherService.into());
        }
        let token = self.exchange.response(count).ok_or(Misuse::CharacterSet)?;
        required_room(input.capacity, token.len())?;
        Ok(Again::Fast(count, token))
    }
}

/// What the server said after a response.
enum Heard {
    Proved,
    Another(Reply),
}

enum Unheard {
    Unchanged(Failure),
    Rejected(Failure),
}

impl<F: Into<Failure>> From<F> for Unheard {
    fn from(failure: F) -> Self {
        Self::Unchanged(failure.into())
    }
}

impl Responded {
    fn judge(&self, attempt: &Attempt<'_>) -> Result<Heard, Unheard> {
        attempt.check_flags()?;
        let reject = |failure: Failure| Err(Unheard::Rejected(failure));
        let token = match attempt.input.token {
            None => return Err(Misuse::NoToken.into()),
            Some([]) => return reject(PeerMisbehaviour::ProofAbsent.into()),
            Some(token) => token,
        };
        if is_challenge(token, attempt.world).map_err(PeerMisbehaviour::from)? {
            let challenge = attempt.parse_challenge(token)?;
            // A server may always decline a fast reauthentication and start over (RFC 2831 section 2.2.2).
            if !challenge.stale && self.count == 1 {
                return reject(LogonFailure::Refused.into());
            }
            return Ok(Heard::Another(attempt.answer(challenge)?));
        }
        let limits = &attempt.world.configuration.limits.token;
        let info = AuthenticationInfo::parse(token, limits).map_err(PeerMisbehaviour::from)?;
        let Some(rspauth) = info.rspauth else { return reject(PeerMisbehaviour::ProofAbsent.into()) };
        if equal(&rspauth, &self.exchange.proof(self.count)) {
            Ok(Heard::Proved)
        } else {
            reject(PeerMisbehaviour::ProofAltered.into())
        }
    }
}

/// A response that was made to a challenge: nonce count 1.
struct Reply {
    exchange: Exchange,
    token: Vec<u8>,
}

impl Reply {
    fn into_initialization<C>(self, role: Initiator) -> Initialization<C> {
        let Self { exchange, token } = self;
        Initialization::Responded(Context { role, state: Responded { exchange, count: 1 } }, token)
    }
}

/// One call of InitializeSecurityContext.
struct Attempt<'a> {
    credentials: &'a OutboundCredentials,
    room: Room,
    input: &'a InitializeInput<'a>,
    requirements: InitializeRequirements,
    world: World<'a>,
}

impl Attempt<'_> {
    fn check_flags(&self) -> Result<(), Misuse> {
        if self.requirements.contains(InitializeRequirements::HTTP) {
            return Err(Misuse::InitiatorMechanism);
        }
        self.requirements.check_unsupported()
    }

    fn parse_challenge(&self, token: &[u8]) -> Result<Challenge, PeerMisbehaviour> {
        Challenge::parse(token, &self.world.configuration.limits.token).map_err(PeerMisbehaviour::from)
    }

    /// The response to a challenge, nonce count 1.
    fn answer(&self, challenge: Challenge) -> Result<Reply, Failure> {
        let InitializeInput { target, capacity, .. } = *self.input;
        required_service(target)?;
        let layer = self.choose_layer(&challenge)?;
        let password = self.credentials.password();
        match challenge.charset {
            // User name and realm are judged where they are written.
            Charset::Iso8859_1 if password.chars().any(|character| character > '\u{ff}') => {
                return Err(Misuse::CharacterSet.into());
            }
            Charset::Iso8859_1 | Charset::Utf8 => {}
        }
        let maxbuf = self.world.configuration.maxbuf;
        let exchange = Exchange::new(challenge, self.credentials, layer, maxbuf, target);
        // Every cnonce has the same length: what does not fit costs no entropy.
        let sample = exchange.sample().ok_or(Misuse::CharacterSet)?;
        if sample.len() > MAXIMUM_RESPONSE {
            return Err(Misuse::ResponseTooLong.into());
        }
        required_room(capacity, sample.len())?;
        self.room.required()?;
        let mut entropy = [0; 16];
        self.world.environment.fill(&mut entropy).map_err(EnvironmentFailure::from)?;
        let exchange = exchange.with_cnonce(password, &entropy);
        let token = exchange.response(1).ok_or(Misuse::CharacterSet)?;
        Ok(Reply { exchange, token })
    }

    /// The layer that these requirements call for, if the challenge offers it.
    fn choose_layer(&self, challenge: &Challenge) -> Result<Option<Layer>, PeerMisbehaviour> {
        let wanted = self.requirements.sasl_qop();
        match &challenge.algorithm {
            OfferedAlgorithm::Md5Sess if challenge.qop.offers(wanted) => {}
            OfferedAlgorithm::Md5Sess | OfferedAlgorithm::Unknown(_) => {
                return Err(PeerMisbehaviour::NoCommonProtection);
            }
        }
        match wanted {
            Qop::Auth => Ok(None),
            Qop::AuthInt => Ok(Some(Layer::Integrity)),
            Qop::AuthConf => {
                let common = self.world.configuration.ciphers.strongest_in_common(&challenge.ciphers);
                common.map(|cipher| Some(Layer::Confidentiality(cipher))).ok_or(PeerMisbehaviour::NoCommonProtection)
            }
        }
    }
}

/// A digest-uri of printable US-ASCII.
fn required_service(target: &[u8]) -> Result<(), Misuse> {
    if is_digest_uri(target) && target.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        Ok(())
    } else {
        Err(Misuse::Service)
    }
}

macro_rules! deletable {
    ($($state:ty),*) => {
        $(impl Context<Initiator, $state> {
            /// DeleteSecurityContext: drops the context.
            pub fn delete(self) {
                drop(self);
            }
        })*
    };
}

deletable!(Initial, Responded, Established, Rejected);

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::context::configuration::Configuration;
    use crate::digest::Limits;

    fn established(qop: &str, count: u32) -> Established {
        let challenge = format!("nonce=n,algorithm=md5-sess,qop={qop},realm=r");
        let challenge = Challenge::parse(challenge.as_bytes(), &Limits::default()).expect("well-formed");
        let password = Zeroizing::new("secret".to_owned());
        let credentials = OutboundCredentials::new(0, "alice".to_owned(), String::new(), password);
        let layer = if qop == "auth" { None } else { Some(Layer::Integrity) };
        let maxbuf = Configuration::default().maxbuf;
        let exchange =
            Exchange::new(challenge, &credentials, layer, maxbuf, b"imap/host").with_cnonce("secret", &[7; 16]);
        let protection = exchange.protection();
        Established { exchange, count, protection }
    }

    #[test]
    fn after_the_last_count_the_server_must_send_a_challenge() {
        let input = InitializeInput { capacity: Some(2048), ..InitializeInput::default() };
        let again = established("auth", u32::MAX - 1).reauthenticate(&input).expect("the last count");
        let Again::Fast(u32::MAX, token) = again else { panic!("it is fast") };
        assert!(String::from_utf8_lossy(&token).contains("nc=ffffffff"));
        // Then neither target nor output matter.
        let input = InitializeInput { target: b"other", ..InitializeInput::default() };
        let again = established("auth", u32::MAX).reauthenticate(&input).expect("no count is left");
        assert!(matches!(again, Again::Unasked));
    }

    #[test]
    fn no_secret_is_printed() {
        let context = established("auth-int", 1);
        let printed = format!("{context:?}");
        assert!(printed.contains("alice"), "{printed}");
        let key = context.exchange.key().to_bytes();
        let key = String::from_utf8_lossy(&crate::digest::hash::hex(&key)).into_owned();
        for secret in ["secret", &key] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
