//! Extended protection on HTTP: what a response says about its service and channel, against what the caller knows
//! (draft-santesson-digestbind-01, MS-DPSP, `acceptsecuritycontext--digest`, `initializesecuritycontext--digest`).
//!
//! `sspi.h` gives ASC_REQ_HTTP and ASC_REQ_ALLOW_MISSING_BINDINGS one bit, so a response of HTTP may leave its channel
//! out unless ASC_REQ_PROXY_BINDINGS says that it must not. The service name is not judged here: whoever knows what
//! the service is called asks for SECPKG_ATTR_CLIENT_SPECIFIED_TARGET and compares.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::failure::{BadBindings, DescriptorError, Misuse};
use super::requirements::AcceptRequirements;
use crate::digest::bindings::{NO_CHANNEL, is_upgraded_challenge, presented, upgraded_cnonce};
use crate::digest::hash::{equal, hex};
use crate::digest::{ChannelBindings, ExtendedProtection, Presented, Response};

/// Whether a response must say which channel it means. CompleteAuthToken and VerifySignature have no flags, so the
/// call of AcceptSecurityContext that began decides for them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingsPolicy {
    /// It may leave it out.
    AllowMissing,
    /// It must tell (ASC_REQ_PROXY_BINDINGS).
    Required,
}

impl BindingsPolicy {
    pub(super) fn of(requirements: AcceptRequirements) -> Self {
        if requirements.contains(AcceptRequirements::PROXY_BINDINGS) { Self::Required } else { Self::AllowMissing }
    }
}

/// How a nonce begins (draft-santesson-digestbind-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NonceForm {
    /// As it comes.
    Plain,
    /// With the prefix that invites a client to tell its channel.
    Upgraded,
}

/// What an acceptor's call knows about the channel, and what it demands.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChannelCheck<'a> {
    policy: BindingsPolicy,
    given: Option<ChannelBindings<'a>>,
}

impl<'a> ChannelCheck<'a> {
    /// From the CHANNEL_BINDINGS buffer of the call, empty where there is none.
    pub(super) fn new(policy: BindingsPolicy, buffer: &'a [u8]) -> Result<Self, Misuse> {
        Ok(Self { policy, given: given(buffer)? })
    }

    /// A challenge invites a client to tell its channel where the call that makes it cares.
    pub(super) fn nonce_form(&self) -> NonceForm {
        match (self.policy, &self.given) {
            (BindingsPolicy::AllowMissing, None) => NonceForm::Plain,
            (BindingsPolicy::Required, _) | (BindingsPolicy::AllowMissing, Some(_)) => NonceForm::Upgraded,
        }
    }

    /// Judges what a response says. Without bindings of its own the caller cannot compare: the channel ended at a
    /// proxy.
    pub(super) fn judge(&self, response: &Response<'_>) -> Result<(), BadBindings> {
        match (presented(response), self.policy, &self.given) {
            (Presented::Inconsistent, _, _) => Err(BadBindings::Inconsistent),
            (Presented::Missing, BindingsPolicy::Required, _) => Err(BadBindings::Missing),
            (Presented::Missing, BindingsPolicy::AllowMissing, _) | (Presented::Bound { .. }, _, None) => Ok(()),
            (Presented::Bound { channel_binding, .. }, _, Some(given)) => {
                if equal(&channel_binding, &given.hash()) {
                    Ok(())
                } else {
                    Err(BadBindings::Different)
                }
            }
        }
    }
}

/// The bindings of a CHANNEL_BINDINGS buffer; an empty buffer is none.
pub(super) fn given(buffer: &[u8]) -> Result<Option<ChannelBindings<'_>>, Misuse> {
    if buffer.is_empty() {
        return Ok(None);
    }
    let bindings = ChannelBindings::parse(buffer);
    bindings.map(Some).map_err(|error| Misuse::Input(DescriptorError::Bindings(error)))
}

/// What an initiator's call knows about its service and channel.
#[derive(Debug)]
pub(super) struct OwnChannel<'a> {
    service_name: Cow<'a, str>,
    given: Option<ChannelBindings<'a>>,
}

impl<'a> OwnChannel<'a> {
    /// From the TARGET_HOST and CHANNEL_BINDINGS buffers of the call, empty where there are none.
    pub(super) fn new(target_host: &'a [u8], bindings: &'a [u8]) -> Result<Self, Misuse> {
        let service_name = decode_target_host(target_host).ok_or(Misuse::Input(DescriptorError::TargetHost))?;
        Ok(Self { service_name, given: given(bindings)? })
    }

    /// What a response to that nonce says about them; `None` where the server did not invite it, or there is nothing
    /// to say.
    pub(super) fn told_to(self, nonce: &[u8]) -> Option<ToldChannel> {
        let known = !self.service_name.is_empty() || self.given.is_some();
        (known && is_upgraded_challenge(nonce)).then(|| ToldChannel {
            service_name: self.service_name.into_owned(),
            channel_binding: self.given.map_or(NO_CHANNEL, |bindings| hex(&bindings.hash())),
        })
    }
}

/// What an initiator tells of its service and channel, the same in every request.
#[derive(Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "model", derive(Clone))]
pub(super) struct ToldChannel {
    service_name: String,
    channel_binding: [u8; 32],
}

impl ToldChannel {
    pub(super) fn directives(&self) -> ExtendedProtection<'_> {
        ExtendedProtection { service_name: self.service_name.as_bytes(), channel_binding: &self.channel_binding }
    }

    /// The cnonce that covers them.
    pub(super) fn cnonce(&self, entropy: &[u8; 16]) -> Vec<u8> {
        upgraded_cnonce(self.service_name.as_bytes(), &self.channel_binding, entropy).to_vec()
    }
}

/// A service principal name: UTF-16LE when its length is even and an octet before the last is zero, else UTF-8; a NUL may
/// end it. The documents say UTF-8, and .NET sends UTF-16.
fn decode_target_host(octets: &[u8]) -> Option<Cow<'_, str>> {
    let before_last = octets.split_last().map_or(octets, |(_, before)| before);
    let is_utf_16 = octets.len().is_multiple_of(2) && before_last.contains(&0);
    let text = if is_utf_16 {
        let units = octets.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
        Cow::Owned(text.strip_suffix('\0').unwrap_or(&text).to_owned())
    } else {
        let text = core::str::from_utf8(octets).ok()?;
        Cow::Borrowed(text.strip_suffix('\0').unwrap_or(text))
    };
    text.chars().all(|character| matches!(character, ' '..='~')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::decode_target_host;

    #[test]
    fn a_target_host_comes_in_two_encodings() {
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for (octets, expected) in [
            (b"HTTP/host".to_vec(), Some("HTTP/host")),
            (b"HTTP/hosts\0".to_vec(), Some("HTTP/hosts")),
            (utf_16("HTTP/host"), Some("HTTP/host")),
            (utf_16("HTTP/host\0"), Some("HTTP/host")),
            (Vec::new(), Some("")),
            (b"\0".to_vec(), Some("")),
            (utf_16("HTTP/h\u{f6}st"), None),
            ("HTTP/h\u{f6}st".as_bytes().to_vec(), None),
            (b"HTTP/host\r\n".to_vec(), None),
            (utf_16("a\0\0"), None),
            // One zero at the very end is a NUL, whether or not the length is even.
            (b"HTTP/host\0".to_vec(), Some("HTTP/host")),
            (utf_16("a"), Some("a")),
            (b"HTTP\0host\0".to_vec(), None),
            (vec![0, 0xD8], None),
            (vec![0xFF], None),
        ] {
            assert_eq!(decode_target_host(&octets).as_deref(), expected, "{octets:?}");
        }
    }
}
