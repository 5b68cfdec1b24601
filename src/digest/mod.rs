//! The Digest protocol as pure functions over bytes.
//!
//! No I/O, no clock, no entropy. Tokens come without the `Digest` scheme name, as SSPI hands them over.
//! Every parser is linear in the length of the token, borrows from it where nothing had to be
//! unescaped, and never panics. Sources: RFC 2617, RFC 2831, MS-DPSP,
//! draft-santesson-digestbind-01.
#![forbid(unsafe_code)]

pub mod authentication_info;
pub mod bindings;
pub mod challenge;
pub mod charset;
pub mod directives;
pub mod error;
pub mod hash;
pub mod nonce;
pub mod response;
pub mod sasl;
pub mod uri;

pub use authentication_info::AuthenticationInfo;
pub use bindings::{BindingsError, ChannelBindings, Presented};
pub use challenge::{Challenge, ChallengeError, MAXIMUM_CHALLENGE, OfferedAlgorithm, OfferedQop};
pub use charset::Charset;
pub use directives::{Directive, DirectiveWriter, Directives, Limits, SyntaxError, SyntaxErrorKind, directives};
pub use error::{TokenError, Unwritable};
pub use hash::{A2, Algorithm, Protection, Qop, SessionKey, UserHash};
pub use nonce::{Nonce, Timestamp};
pub use response::{ExtendedProtection, Response, ResponseDirectives, ResponseFields, nc_value};
