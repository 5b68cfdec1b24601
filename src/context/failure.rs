//! Why a call failed: the status the caller gets and the reason a person reads.
#![forbid(unsafe_code)]

use crate::digest::{BindingsError, TokenError};
use crate::status::SecurityStatus;

/// A call that failed.
///
/// The status follows from the reason; it is kept beside it because callers branch on nothing else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub struct Failure {
    /// What the SSPI function returns.
    pub status: SecurityStatus,
    /// What happened.
    pub reason: Reason,
}

impl<R: Into<Reason>> From<R> for Failure {
    fn from(reason: R) -> Self {
        let reason = reason.into();
        Self { status: reason.status(), reason }
    }
}

/// Who caused a failure, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The caller of the function can mend it.
    #[error("{0}")]
    Misuse(#[from] Misuse),
    /// The peer sent what it should not have sent.
    #[error("{0}")]
    Peer(#[from] PeerMisbehaviour),
    /// Credentials were refused.
    #[error("{0}")]
    Logon(#[from] LogonFailure),
    /// The channel that the peer means is not the one it came through.
    #[error("{0}")]
    Bindings(#[from] BadBindings),
    /// Clock, entropy or account source failed.
    #[error("{0}")]
    Environment(#[from] EnvironmentFailure),
}

impl Reason {
    /// The status that tells this reason.
    pub fn status(&self) -> SecurityStatus {
        match self {
            Self::Misuse(misuse) => misuse.status(),
            Self::Peer(misbehaviour) => misbehaviour.status(),
            Self::Logon(failure) => failure.status(),
            Self::Bindings(failure) => failure.status(),
            Self::Environment(failure) => failure.status(),
        }
    }

    /// Whether a completion that fails for this reason is spent: what the caller can mend consumes
    /// nothing, what the peer's token did consumes what was pending.
    pub fn consumes_completion(&self) -> bool {
        match self {
            Self::Peer(_) | Self::Logon(_) => true,
            Self::Misuse(misuse) => misuse.is_alteration(),
            // A proxy or the caller may have handed over another channel's bindings: nothing is spent.
            Self::Bindings(_) | Self::Environment(_) => false,
        }
    }
}

/// What is wrong with a SecBufferDesc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// The pointer is NULL where a message is required.
    #[error("the descriptor is NULL")]
    Null,
    /// ulVersion is not SECBUFFER_VERSION.
    #[error("ulVersion is {0}, not SECBUFFER_VERSION")]
    Version(u32),
    /// cBuffers promises more buffers than pBuffers holds.
    #[error("cBuffers is {0}, more than pBuffers holds")]
    Count(u32),
    /// cbBuffer of that buffer promises more bytes than pvBuffer holds.
    #[error("cbBuffer of buffer {0} is more than pvBuffer holds")]
    Buffer(usize),
    /// The CHANNEL_BINDINGS buffer is no SEC_CHANNEL_BINDINGS structure.
    #[error("{0}")]
    Bindings(#[from] BindingsError),
    /// The TARGET_HOST buffer is not printable US-ASCII, in UTF-16LE or UTF-8.
    #[error("the target host is not printable US-ASCII")]
    TargetHost,
}

/// What the caller did wrong, or asked of a package that has it not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// phContext is NULL, deleted, forged, of another provider or a credentials handle.
    #[error("the context handle names no context")]
    ContextHandle,
    /// phCredential of FreeCredentialsHandle names no credentials.
    #[error("the credentials handle names no credentials")]
    CredentialsHandle,
    /// phCredential names no credentials for this direction.
    #[error("there are no credentials for this direction behind the credentials handle")]
    NoCredentials,
    /// The context belongs to other credentials.
    #[error("the context belongs to other credentials")]
    WrongCredentials,
    /// The call is not due in this state of the context.
    #[error("{call} is not due in state {state}")]
    OutOfSequence {
        /// The SSPI function.
        call: &'static str,
        /// The state of the context.
        state: &'static str,
    },
    /// AcceptSecurityContext on a context that is established already.
    #[error("the context is established already")]
    AlreadyEstablished,
    /// QueryContextAttributes on a context that is not established.
    #[error("a context in state {0} has no attributes")]
    NotEstablished(&'static str),
    /// The function has no meaning for this role.
    #[error("{0} is not for this role")]
    NotForThisRole(&'static str),
    /// The input descriptor is malformed.
    #[error("input: {0}")]
    Input(DescriptorError),
    /// The output descriptor is malformed.
    #[error("output: {0}")]
    Output(DescriptorError),
    /// The message has no TOKEN, or an empty one.
    #[error("the message has no token")]
    NoToken,
    /// The token must be rewritten in place, and the buffer is READONLY.
    #[error("the token must be completed in place, and its buffer is read-only")]
    TokenReadOnly,
    /// The HTTP method is missing or empty.
    #[error("the HTTP method is missing")]
    NoMethod,
    /// The target name or URL is missing, or has octets that no request target has.
    #[error("the target must be a non-empty US-ASCII string without control characters")]
    Target,
    /// H(Entity) is missing though qop=auth-int needs it.
    #[error("qop=auth-int needs H(Entity), and it is missing")]
    EntityMissing,
    /// H(Entity) is not 32 hexadecimal digits.
    #[error("H(Entity) is not 32 hexadecimal digits")]
    EntityMalformed,
    /// The realm buffer is not UTF-16LE of printable US-ASCII.
    #[error("the realm is not UTF-16LE of printable US-ASCII")]
    Realm,
    /// The challenge would reach 2048 bytes.
    #[error("the challenge would be too long for any initiator")]
    ChallengeTooLong,
    /// A SASL response would reach 4096 bytes.
    #[error("the response would be too long for any acceptor: user name, realm or target are")]
    ResponseTooLong,
    /// An output buffer is required and absent.
    #[error("an output buffer is required")]
    OutputAbsent,
    /// The output buffer is too small.
    #[error("the output buffer holds {capacity} bytes of {needed}")]
    OutputTooSmall {
        /// Bytes there are.
        capacity: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// AcceptSecurityContext: a context keeps its mechanism, and the flags name the other one.
    #[error("the flags ask for another mechanism than this acceptor's")]
    AcceptorMechanism,
    /// InitializeSecurityContext: a context keeps its mechanism, and the flags name the other one.
    #[error("the flags ask for another mechanism than this initiator's")]
    InitiatorMechanism,
    /// Channel bindings are required of SASL, which has none here.
    #[error("extended protection is for HTTP")]
    SaslBindings,
    /// Confidentiality is asked for and no cipher is configured.
    #[error("there is no cipher for confidentiality")]
    NoCiphers,
    /// HTTP protects no messages.
    #[error("{0} is for SASL")]
    NotForHttp(&'static str),
    /// qop=auth protects no messages.
    #[error("qop=auth protects no messages")]
    NoLayer,
    /// The message to protect, or the one that was protected, is missing.
    #[error("there is no buffer with a message")]
    NoData,
    /// The signature to verify is missing.
    #[error("there is no buffer with a signature")]
    NoSignature,
    /// MakeSignature: the peer could not receive the message.
    #[error("the message has {length} bytes, and the peer receives {maximum}")]
    MessageTooLongToSign {
        /// Bytes there are.
        length: usize,
        /// The most there may be.
        maximum: u32,
    },
    /// EncryptMessage: the peer could not receive the message.
    #[error("the message has {length} bytes, and the peer receives {maximum}")]
    MessageTooLong {
        /// Bytes there are.
        length: usize,
        /// The most there may be.
        maximum: u32,
    },
    /// EncryptMessage: the buffer for what follows the message is too small.
    #[error("what follows the message has {needed} bytes, and its buffer holds {capacity}")]
    TrailerTooSmall {
        /// Bytes there are.
        capacity: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// DecryptMessage: shorter than any wrapped message.
    #[error("the message is incomplete")]
    MessageIncomplete,
    /// Every sequence number of this direction was used.
    #[error("every sequence number was used")]
    SequenceExhausted,
    /// The target of a SASL context is no service and host.
    #[error("the target must be a service and a host, separated by \"/\", in printable US-ASCII")]
    Service,
    /// A fast reauthentication is for the same service.
    #[error("the target is not the service that was authenticated with")]
    AnotherService,
    /// A requirement the package has not.
    #[error("{0} is not supported")]
    UnsupportedRequirement(&'static str),
    /// Confidentiality cannot be had over HTTP.
    #[error("HTTP has no confidentiality")]
    Confidentiality,
    /// More protection is asked for than was negotiated.
    #[error("the requirements ask for more protection than was negotiated")]
    MoreThanNegotiated,
    /// The token of CompleteAuthToken is not the one InitializeSecurityContext made.
    #[error("the token is not the one InitializeSecurityContext made")]
    AnotherToken,
    /// Method or URI of CompleteAuthToken is not that of InitializeSecurityContext.
    #[error("{0} is not that of InitializeSecurityContext")]
    AnotherRequest(&'static str),
    /// The nonce count reached ffffffff.
    #[error("the nonce count is exhausted")]
    CountExhausted,
    /// A nonce count that was sent cannot be taken back.
    #[error("a nonce count that was sent cannot be taken back")]
    CountBackwards,
    /// No further context may be made.
    #[error("there are as many contexts as the limits allow")]
    ContextLimit,
    /// No further credentials handle may be made.
    #[error("there are no credentials handles left")]
    CredentialsLimit,
    /// The attribute is not supported.
    #[error("attribute {0} is not supported")]
    UnsupportedAttribute(u32),
    /// An Authentication-Info over a response body is for qop=auth-int.
    #[error("qop=auth proves nothing about a response body")]
    NoBodyProof,
    /// AcquireCredentialsHandle: another package.
    #[error("the package is WDigest")]
    UnknownPackage,
    /// AcquireCredentialsHandle: a logon id.
    #[error("credentials of another logon session cannot be had")]
    LogonId,
    /// AcquireCredentialsHandle: not SECPKG_CRED_INBOUND, OUTBOUND or BOTH.
    #[error("{0} is no credential use")]
    CredentialUse(u32),
    /// AcquireCredentialsHandle: outbound credentials without a user name.
    #[error("outbound credentials need an identity with a user name")]
    NoIdentity,
    /// User name or password cannot be sent in the character set of the challenge.
    #[error("user name or password cannot be represented in the character set of the challenge")]
    CharacterSet,
}

impl Misuse {
    /// The status that tells this misuse.
    pub fn status(&self) -> SecurityStatus {
        match self {
            Self::ContextHandle | Self::CredentialsHandle | Self::NotEstablished(_) => {
                SecurityStatus::SEC_E_INVALID_HANDLE
            }
            Self::NoCredentials | Self::NoIdentity | Self::CharacterSet => SecurityStatus::SEC_E_NO_CREDENTIALS,
            Self::WrongCredentials => SecurityStatus::SEC_E_WRONG_CREDENTIAL_HANDLE,
            Self::OutOfSequence { .. } | Self::CountExhausted | Self::CountBackwards | Self::SequenceExhausted => {
                SecurityStatus::SEC_E_OUT_OF_SEQUENCE
            }
            Self::AlreadyEstablished => SecurityStatus::STATUS_LOGON_FAILURE,
            Self::Input(_)
            | Self::Output(_)
            | Self::NoToken
            | Self::TokenReadOnly
            | Self::NoMethod
            | Self::Target
            | Self::EntityMissing
            | Self::EntityMalformed
            | Self::Realm
            | Self::ChallengeTooLong
            | Self::ResponseTooLong
            | Self::OutputAbsent
            | Self::AnotherToken
            | Self::NoData
            | Self::NoSignature
            | Self::MessageTooLongToSign { .. }
            | Self::Service
            | Self::AnotherService => SecurityStatus::SEC_E_INVALID_TOKEN,
            Self::OutputTooSmall { .. } | Self::ContextLimit | Self::CredentialsLimit => {
                SecurityStatus::SEC_E_INSUFFICIENT_MEMORY
            }
            Self::NotForThisRole(_)
            | Self::InitiatorMechanism
            | Self::NotForHttp(_)
            | Self::UnsupportedRequirement(_)
            | Self::UnsupportedAttribute(_) => SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION,
            Self::Confidentiality
            | Self::MoreThanNegotiated
            | Self::AcceptorMechanism
            | Self::SaslBindings
            | Self::NoCiphers => SecurityStatus::SEC_E_SECURITY_QOS_FAILED,
            Self::MessageTooLong { .. } | Self::TrailerTooSmall { .. } => SecurityStatus::SEC_E_BUFFER_TOO_SMALL,
            Self::MessageIncomplete => SecurityStatus::SEC_E_INCOMPLETE_MESSAGE,
            Self::AnotherRequest(_) => SecurityStatus::SEC_E_MESSAGE_ALTERED,
            Self::NoBodyProof | Self::NoLayer => SecurityStatus::SEC_E_QOP_NOT_SUPPORTED,
            Self::UnknownPackage => SecurityStatus::SEC_E_SECPKG_NOT_FOUND,
            Self::LogonId => SecurityStatus::SEC_E_NOT_OWNER,
            Self::CredentialUse(_) => SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS,
        }
    }

    /// Whether an initiator's completion is spent: its token, method and URI are bound to what
    /// InitializeSecurityContext saw, and another one cannot be mended by a second call.
    fn is_alteration(&self) -> bool {
        matches!(self, Self::AnotherToken | Self::AnotherRequest(_))
    }
}

/// What the peer did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerMisbehaviour {
    /// The token is malformed, or lacks a directive.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// nonce and opaque belong to two different challenges or sessions.
    #[error("nonce and opaque belong to different challenges")]
    NamesTwo,
    /// The token names another session than the one the context waits for.
    #[error("the token does not name the session of this context")]
    NamesAnother,
    /// A directive answers what the challenge did not offer.
    #[error("{0} is not what the challenge offered")]
    NotOffered(&'static str),
    /// A directive outside the hash is not that of the session.
    #[error("{0} is not that of the session")]
    DirectiveAltered(&'static str),
    /// The request target is not the uri of the token.
    #[error("the request target is not the uri of the token")]
    TargetAltered,
    /// The digest does not match.
    #[error("the digest does not match")]
    DigestAltered,
    /// The server's proof does not match.
    #[error("rspauth, cnonce or nc of the server does not match")]
    ProofAltered,
    /// The server gave no proof.
    #[error("the server did not prove that it knows the password")]
    ProofAbsent,
    /// The nonce count is not acceptable.
    #[error("nonce count {0:08x} is not acceptable")]
    Count(u32),
    /// The nonce expired.
    #[error("the nonce expired")]
    Expired,
    /// The cnonce has octets that an Authentication-Info cannot repeat.
    #[error("the cnonce cannot be repeated in an Authentication-Info")]
    Unrepeatable,
    /// The MAC, the padding or the type of a message is wrong.
    #[error("the message was altered")]
    MessageAltered,
    /// The number of a message is not the next.
    #[error("the message is not the next")]
    MessageOutOfSequence,
    /// An altered message took the cipher's state with it.
    #[error("an altered message has ended this direction")]
    DirectionDead,
    /// No qop, algorithm or cipher in common.
    #[error("the challenge offers no quality of protection that satisfies the requirements")]
    NoCommonProtection,
}

impl PeerMisbehaviour {
    /// The status that tells this misbehaviour.
    pub fn status(&self) -> SecurityStatus {
        match self {
            Self::Token(_) | Self::NamesTwo | Self::NamesAnother | Self::NotOffered(_) | Self::Unrepeatable => {
                SecurityStatus::SEC_E_INVALID_TOKEN
            }
            Self::DirectiveAltered(_)
            | Self::TargetAltered
            | Self::DigestAltered
            | Self::ProofAltered
            | Self::MessageAltered => SecurityStatus::SEC_E_MESSAGE_ALTERED,
            Self::ProofAbsent => SecurityStatus::SEC_E_WRONG_PRINCIPAL,
            Self::Count(_) | Self::Expired | Self::MessageOutOfSequence | Self::DirectionDead => {
                SecurityStatus::SEC_E_OUT_OF_SEQUENCE
            }
            Self::NoCommonProtection => SecurityStatus::SEC_E_QOP_NOT_SUPPORTED,
        }
    }
}

/// Why credentials were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogonFailure {
    /// Unknown user or wrong password; which of the two is not told.
    #[error("the user is unknown or the password wrong")]
    Denied,
    /// The user is who it says, and may not act as whom it names (SASL authzid).
    #[error("the user may not act as somebody else")]
    NotAuthorized,
    /// The server answered a response with a challenge that is not stale.
    #[error("the server refused the credentials")]
    Refused,
}

impl LogonFailure {
    /// The status that tells this failure.
    pub fn status(&self) -> SecurityStatus {
        match self {
            Self::Denied | Self::NotAuthorized | Self::Refused => SecurityStatus::SEC_E_LOGON_DENIED,
        }
    }
}

/// Why the channel of a response is not good enough (draft-santesson-digestbind-01, `acceptsecuritycontext--digest`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadBindings {
    /// The response says nothing about its channel, and it must.
    #[error("the response says nothing about its channel")]
    Missing,
    /// What the response says about its channel is incomplete, malformed or not covered by its digest.
    #[error("what the response says about its channel does not hold together")]
    Inconsistent,
    /// The response was made for another channel.
    #[error("the response was made for another channel")]
    Different,
}

impl BadBindings {
    /// The status that tells this failure.
    pub fn status(&self) -> SecurityStatus {
        match self {
            Self::Missing | Self::Inconsistent | Self::Different => SecurityStatus::SEC_E_BAD_BINDINGS,
        }
    }
}

/// Which part of the environment failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentFailure {
    /// The clock.
    #[error("the clock failed")]
    Clock,
    /// The source of entropy.
    #[error("the source of entropy failed")]
    Entropy,
    /// The account source, while AcceptSecurityContext asked it.
    #[error("the account source is unavailable")]
    AccountSource,
    /// The account source, while CompleteAuthToken asked it; the function has no status for that.
    #[error("the account source is unavailable while a completion needs it")]
    AccountSourceInCompletion,
}

impl EnvironmentFailure {
    /// The status that tells this failure.
    pub fn status(&self) -> SecurityStatus {
        match self {
            Self::Clock | Self::Entropy | Self::AccountSourceInCompletion => SecurityStatus::SEC_E_INTERNAL_ERROR,
            Self::AccountSource => SecurityStatus::SEC_E_NO_AUTHENTICATING_AUTHORITY,
        }
    }
}
