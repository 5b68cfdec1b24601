//! What the calls need of their messages, once the descriptors are known to be good.
//!
//! An absent buffer and an empty one are the same thing unless a field is an `Option`. A `capacity` is that of the
//! output buffer, `None` where there is none; it is known before anything is consumed.
#![forbid(unsafe_code)]

use super::failure::Misuse;
use crate::digest::hash::unhex32;

/// AcceptSecurityContext: the response (empty: none yet), and what it is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct AcceptInput<'a> {
    /// The response, without the scheme name.
    pub token: &'a [u8],
    /// The HTTP method.
    pub method: &'a [u8],
    /// H(Entity), 32 hexadecimal digits.
    pub entity: &'a [u8],
    /// The realm for a challenge, UTF-16LE.
    pub realm: &'a [u8],
    /// A SEC_CHANNEL_BINDINGS structure.
    pub bindings: &'a [u8],
    /// Room in the output TOKEN.
    pub capacity: Option<usize>,
}

/// CompleteAuthToken and VerifySignature of an acceptor.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponseMessage<'a> {
    /// The response, without the scheme name.
    pub token: &'a [u8],
    /// The HTTP method.
    pub method: &'a [u8],
    /// The request target; empty: the caller compares it with the uri itself.
    pub target: &'a [u8],
    /// H(Entity), 32 hexadecimal digits.
    pub entity: &'a [u8],
    /// A SEC_CHANNEL_BINDINGS structure.
    pub bindings: &'a [u8],
    /// Room in the output TOKEN or PADDING.
    pub capacity: Option<usize>,
}

/// InitializeSecurityContext: the challenge or Authentication-Info, and the request it is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct InitializeInput<'a> {
    /// The server's token; `None` where there is no TOKEN buffer, empty where the server sent nothing.
    pub token: Option<&'a [u8]>,
    /// pszTargetName: the request target.
    pub target: &'a [u8],
    /// The HTTP method.
    pub method: &'a [u8],
    /// H(Entity), 32 hexadecimal digits: of the request, or of the response body that Authentication-Info proves.
    pub entity: &'a [u8],
    /// The service principal name of the target, UTF-16LE or UTF-8.
    pub target_host: &'a [u8],
    /// A SEC_CHANNEL_BINDINGS structure.
    pub bindings: &'a [u8],
    /// Room in the output TOKEN.
    pub capacity: Option<usize>,
}

/// CompleteAuthToken of an initiator: InitializeSecurityContext's own token, to be completed in place.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnTokenMessage<'a> {
    /// The token.
    pub token: &'a [u8],
    /// Whether its buffer may be written.
    pub writable: bool,
    /// The HTTP method, or empty.
    pub method: &'a [u8],
    /// The uri, or empty.
    pub uri: &'a [u8],
    /// H(Entity), 32 hexadecimal digits.
    pub entity: &'a [u8],
    /// A SEC_CHANNEL_BINDINGS structure; only its form is judged.
    pub bindings: &'a [u8],
}

/// MakeSignature of an initiator: the next request.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestMessage<'a> {
    /// The HTTP method.
    pub method: &'a [u8],
    /// The request target.
    pub target: &'a [u8],
    /// H(Entity), 32 hexadecimal digits.
    pub entity: &'a [u8],
    /// Room in the buffer that receives the header.
    pub capacity: Option<usize>,
}

/// H(Entity) where it must be there.
pub(super) fn required_entity(entity: &[u8]) -> Result<[u8; 16], Misuse> {
    optional_entity(entity)?.ok_or(Misuse::EntityMissing)
}

/// H(Entity) where it may be missing; malformed is not missing.
pub(super) fn optional_entity(entity: &[u8]) -> Result<Option<[u8; 16]>, Misuse> {
    if entity.is_empty() {
        return Ok(None);
    }
    unhex32(entity).map(Some).ok_or(Misuse::EntityMalformed)
}

/// Output that must be written, into `capacity`.
pub(super) fn required_room(capacity: Option<usize>, needed: usize) -> Result<(), Misuse> {
    match capacity {
        None => Err(Misuse::OutputAbsent),
        Some(capacity) if capacity < needed => Err(Misuse::OutputTooSmall { capacity, needed }),
        Some(_) => Ok(()),
    }
}
