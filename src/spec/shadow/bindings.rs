//! Extended protection on HTTP: what a call knows of its channel, against what responses and challenges say.
#![forbid(unsafe_code)]

use crate::digest::bindings::{ChannelBindings, NO_CHANNEL, Presented, UPGRADED, is_upgraded_challenge, presented};
use crate::digest::hash::{hex, md5};
use crate::digest::{Response, ResponseDirectives};
use crate::spec::call::Call;
use crate::spec::vocabulary::{Bindings, Upgraded};

use super::outcome::{Difference, require};
use super::reading;
use super::registers::{Extended, Registers};
use super::view::View;

/// ASC_REQ_PROXY_BINDINGS: a response must present its channel.
pub(super) const PROXY_BINDINGS: u32 = 0x0400_0000;
/// The directives that hashed-dirs names.
const SERVICE_NAME: &[u8] = b"service-name";
const CHANNEL_BINDING: &[u8] = b"channel-binding";

impl Registers {
    /// Whether a response must present its channel: the flags of AcceptSecurityContext say so; other calls have none,
    /// and the policy is that of the call which found the session.
    pub(super) fn requires_bindings(&self, view: &View<'_>) -> bool {
        match view.call {
            Call::AcceptSecurityContext { requirements, .. } => requirements & PROXY_BINDINGS != 0,
            Call::CompleteAuthToken { .. } | Call::VerifySignature { .. } => {
                let context = view.handle.and_then(|handle| self.contexts.get(&handle));
                context.is_some_and(|context| context.requires_bindings)
            }
            Call::InitializeSecurityContext { .. }
            | Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::MakeSignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => false,
        }
    }

    /// The fact `bindings`.
    pub(super) fn bindings(&self, view: &View<'_>) -> Option<Bindings> {
        let known = reading::channel_bindings(view.buffers).and_then(|octets| ChannelBindings::parse(octets).ok());
        Some(match presented(view.response()?) {
            Presented::Inconsistent => Bindings::Inconsistent,
            Presented::Missing if self.requires_bindings(view) => Bindings::Missing,
            Presented::Missing => Bindings::None,
            Presented::Bound { channel_binding, .. } => match known.map(|known| known.hash()) {
                None => Bindings::Proxied,
                Some(hash) if hash == channel_binding => Bindings::Matches,
                Some(_) => Bindings::Differs,
            },
        })
    }

    /// The fact `upgraded`.
    pub(super) fn upgraded(&self, view: &View<'_>) -> Option<Upgraded> {
        if !matches!(view.call, Call::InitializeSecurityContext { .. }) {
            return Some(if self.announces_upgrade(view) { Upgraded::Yes } else { Upgraded::No });
        }
        let challenge = view.challenge()?;
        Some(match answers_with(view) {
            Some(_) => Upgraded::Yes,
            None if challenge.qop.is_some() && is_upgraded_challenge(&challenge.nonce) => Upgraded::Unused,
            None => Upgraded::No,
        })
    }

    /// Whether the nonce of a challenge that the call makes begins with +Upgraded+v1.
    pub(super) fn announces_upgrade(&self, view: &View<'_>) -> bool {
        reading::channel_bindings(view.buffers).is_some() || self.requires_bindings(view)
    }

    /// A nonce begins with +Upgraded+v1 exactly if the call that makes it knows or requires a channel.
    pub(super) fn check_nonce(&self, view: &View<'_>, nonce: &[u8]) -> Result<(), Difference> {
        let announces = self.announces_upgrade(view);
        require(nonce.starts_with(UPGRADED) == announces, || {
            let begins = if announces { "does not begin" } else { "begins" };
            format!("the nonce {begins} with +Upgraded+v1")
        })
    }
}

/// The extended protection that an initiator's response to the challenge of this call must carry.
pub(super) fn answers_with(view: &View<'_>) -> Option<Extended> {
    let challenge = view.challenge()?;
    let (target, bindings) = (reading::target_host(view.buffers), reading::channel_bindings(view.buffers));
    let is_given = target.is_some() || bindings.is_some();
    if challenge.qop.is_none() || !is_upgraded_challenge(&challenge.nonce) || !is_given {
        return None;
    }
    let hash = bindings.and_then(|octets| ChannelBindings::parse(octets).ok()).map(|bindings| bindings.hash());
    Some(Extended {
        service_name: target.and_then(reading::target_text).unwrap_or_default().into_bytes(),
        channel_binding: hash.map_or(NO_CHANNEL, |hash| hex(&hash)),
    })
}

/// Holds the directives and the cnonce of a response that an initiator wrote against what it must carry.
pub(super) fn check_directives(
    directives: &ResponseDirectives<'_>,
    expected: Option<&Extended>,
) -> Result<(), Difference> {
    let cnonce = directives.cnonce.as_deref().unwrap_or_default();
    let Some(expected) = expected else {
        let given = [&directives.hashed_dirs, &directives.service_name, &directives.channel_binding];
        require(given.iter().all(|directive| directive.is_none()), || {
            "a directive of extended protection stands there".into()
        })?;
        return require(!cnonce.starts_with(UPGRADED), || "the cnonce begins with +Upgraded+v1".into());
    };
    let hashed = directives.hashed_dirs.as_deref().unwrap_or_default();
    let lists = |name: &[u8]| hashed.split(|octet| *octet == b',').any(|entry| entry.trim_ascii() == name);
    require(lists(SERVICE_NAME) && lists(CHANNEL_BINDING), || "hashed-dirs does not name both directives".into())?;
    require(directives.service_name.as_deref() == Some(&*expected.service_name), || {
        "service-name is not the target host".into()
    })?;
    require(directives.channel_binding.as_deref() == Some(&expected.channel_binding[..]), || {
        "channel-binding is not the hash of the channel bindings".into()
    })?;
    let covered = hex(&md5(&[&expected.service_name, b":", &expected.channel_binding]));
    let begins = [&UPGRADED[..], &covered].concat();
    let rest = cnonce.strip_prefix(begins.as_slice());
    let is_hexadecimal = |digits: &[u8]| digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit);
    require(rest.is_some_and(is_hexadecimal), || "the cnonce does not cover service-name and channel-binding".into())
}

/// The service that a response means, where it presents extended protection.
pub(super) fn service_name(response: &Response<'_>) -> Option<Vec<u8>> {
    match presented(response) {
        Presented::Bound { service_name, .. } => Some(service_name.to_vec()),
        Presented::Missing | Presented::Inconsistent => None,
    }
}
