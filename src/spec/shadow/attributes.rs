//! What a subject reports of a context: attributes asked for, flags granted, the expiry.
#![forbid(unsafe_code)]

use crate::digest::SessionKey;
use crate::digest::sasl::{Layer, Qop as SaslQop};
use crate::spec::call::{Attribute, Call, Outcome, PackageInfo, SessionKeyBytes};
use crate::spec::names::Profile;
use crate::spec::vocabulary as fact;
use crate::status::SecurityStatus;

use super::outcome::{Difference, Learned, require};
use super::registers::{Answer, Context, Registers, Terms};
use super::view::View;

/// SECPKG_ATTR_*: SIZES, NAMES, LIFESPAN, KEY_INFO, SESSION_KEY, FLAGS, which every established context has.
const SIZES: u32 = 0;
const NAMES: u32 = 1;
const LIFESPAN: u32 = 2;
const STREAM_SIZES: u32 = 4;
const KEY_INFO: u32 = 5;
const SESSION_KEY: u32 = 9;
const PACKAGE_INFO: u32 = 10;
const FLAGS: u32 = 14;
const CLIENT_SPECIFIED_TARGET: u32 = 27;

/// SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION: what the page of SecPkgInfo says wVersion must be.
pub const PACKAGE_VERSION: u16 = 1;

/// ASC_RET_* and ISC_RET_* that tell of protection.
const REPLAY_AND_SEQUENCE: u32 = 0x4 | 0x8;
const CONFIDENTIALITY: u32 = 0x10;
pub(super) const ASC_RET_INTEGRITY: u32 = 0x2_0000;
pub(super) const ISC_RET_INTEGRITY: u32 = 0x1_0000;
/// ISC_RET_MUTUAL_AUTH.
const ISC_RET_MUTUAL_AUTH: u32 = 0x2;

/// The flags that a SASL context grants, among those that tell of protection.
fn protection(qop: SaslQop, integrity: u32) -> u32 {
    match qop {
        SaslQop::Auth => 0,
        SaslQop::AuthInt => integrity | REPLAY_AND_SEQUENCE,
        SaslQop::AuthConf => integrity | REPLAY_AND_SEQUENCE | CONFIDENTIALITY,
    }
}

impl Registers {
    /// The fact `attribute`.
    pub(super) fn attribute(&self, view: &View<'_>) -> Option<fact::Attribute> {
        let Call::QueryContextAttributes { attribute, .. } = view.call else { return None };
        if view.profile == Profile::AnyPackage {
            return Some(Self::opaque_attribute(*attribute));
        }
        Some(match *attribute {
            PACKAGE_INFO => fact::Attribute::PackageInfo,
            SIZES | NAMES | LIFESPAN | KEY_INFO | SESSION_KEY | FLAGS => fact::Attribute::Supported,
            STREAM_SIZES | CLIENT_SPECIFIED_TARGET if self.expected_attribute(view).is_some() => {
                fact::Attribute::Supported
            }
            STREAM_SIZES | CLIENT_SPECIFIED_TARGET => fact::Attribute::Unavailable,
            _unsupported => fact::Attribute::Unsupported,
        })
    }

    /// The attribute that must be reported, as far as it is judged; `None` where there is no value.
    pub(super) fn expected_attribute(&self, view: &View<'_>) -> Option<Attribute> {
        let Call::QueryContextAttributes { attribute, .. } = view.call else { return None };
        let context = self.contexts.get(&view.handle?)?;
        let layer = context.layers.as_ref().map(|layers| layers.layer());
        match (*attribute, context.profile) {
            (NAMES, _) => self.username_of(context).map(Attribute::Names),
            (SESSION_KEY, _) => {
                let key = self.key_of(context)?.to_bytes();
                Some(Attribute::SessionKey(SessionKeyBytes(key.to_vec())))
            }
            (SIZES, Profile::DigestSasl) => Some(sizes(layer)),
            (KEY_INFO, Profile::DigestSasl) => Some(key_info(layer)),
            (STREAM_SIZES, Profile::DigestSasl) => {
                let layers = context.layers.as_ref()?;
                Some(Attribute::StreamSizes {
                    header: 0,
                    trailer: layers.layer().overhead(),
                    maximum_message: layers.maximum_message,
                    buffers: 2,
                    block_size: if layers.layer().overhead() == 24 { 8 } else { 1 },
                })
            }
            (CLIENT_SPECIFIED_TARGET, Profile::DigestHttp) => {
                let session = self.exchanges[context.holds?].session.as_ref()?;
                match &session.terms {
                    Terms::Http { service_name, .. } => {
                        let name = service_name.as_deref()?;
                        Some(Attribute::ClientSpecifiedTarget(String::from_utf8_lossy(name).into_owned()))
                    }
                    Terms::Sasl { .. } => None,
                }
            }
            (STREAM_SIZES, Profile::DigestHttp) | (CLIENT_SPECIFIED_TARGET, Profile::DigestSasl) => None,
            (_unjudged, Profile::DigestHttp | Profile::DigestSasl | Profile::AnyPackage) => Some(Attribute::Other),
        }
    }

    pub(super) fn username_of(&self, context: &Context) -> Option<String> {
        let session = context.holds.and_then(|exchange| self.exchanges[exchange].session.as_ref());
        let answer = context.answer.as_ref().map(Answer::username);
        session.map(|session| session.username.as_str()).or(answer).map(str::to_owned)
    }

    pub(super) fn key_of(&self, context: &Context) -> Option<SessionKey> {
        let session = context.holds.and_then(|exchange| self.exchanges[exchange].session.as_ref());
        session.map(|session| &session.key).or(context.answer.as_ref().map(Answer::key)).cloned()
    }

    pub(super) fn check_attribute(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let reported = outcome.attribute.as_ref().ok_or("the attribute was not reported")?;
        let expected = self.expected_attribute(view).unwrap_or(Attribute::Other);
        let not_judged = view.profile == Profile::DigestHttp
            && matches!(reported, Attribute::Sizes { .. } | Attribute::KeyInfo { .. })
            && expected == Attribute::Other;
        require(not_judged || *reported == expected, || format!("reported was {reported:?}"))?;
        Ok(Learned::Nothing)
    }

    /// What packages say of themselves: the one under test is among them, in the version that there is; where it was
    /// asked for, there is no other.
    pub(super) fn check_package_info(&self, view: &View<'_>, outcome: &Outcome) -> Result<Learned, Difference> {
        let Some(Attribute::Packages(packages)) = &outcome.attribute else {
            return Err("no packages were reported".into());
        };
        let name = self.package();
        let ours = |package: &&PackageInfo| package.name.eq_ignore_ascii_case(name);
        require(packages.iter().any(|package| ours(&package)), || format!("{name} is not among what was reported"))?;
        let is_one = packages.len() == 1 || matches!(view.call, Call::EnumerateSecurityPackages {});
        require(is_one, || format!("{} packages were reported where one was asked for", packages.len()))?;
        let other = packages.iter().filter(ours).find(|package| package.version != PACKAGE_VERSION);
        require(other.is_none(), || format!("the version of {name} is not {PACKAGE_VERSION}"))?;
        Ok(Learned::Nothing)
    }

    /// The attributes and the expiry, which are valid on success: protection exactly as it was negotiated, looked at on
    /// the final return only, and one constant for all expiries.
    pub(super) fn check_granted(
        &self,
        view: &View<'_>,
        outcome: &Outcome,
        learned: &Learned,
    ) -> Result<(), Difference> {
        let constant = outcome.expiry.is_none_or(|expiry| self.expiry.is_none_or(|known| known == expiry));
        require(constant, || "the expiry is not the constant it was before".into())?;
        let Some(granted) = outcome.granted.filter(|_| outcome.status == SecurityStatus::SEC_E_OK) else {
            return Ok(());
        };
        let answered = match learned {
            Learned::Response(answer) => Some(&**answer),
            Learned::Challenge(_) | Learned::Nothing => None,
        };
        let Some((mask, expected)) = self.granted_flags(view, answered) else { return Ok(()) };
        require(granted & mask == expected, || "the attributes say of protection what was not negotiated".into())
    }

    /// The flags that a final return must grant, and the mask under which they are looked at.
    pub(super) fn granted_flags(&self, view: &View<'_>, answered: Option<&Answer>) -> Option<(u32, u32)> {
        let known =
            view.handle.and_then(|handle| self.contexts.get(&handle)).and_then(|context| context.answer.as_ref());
        let all = |integrity| integrity | REPLAY_AND_SEQUENCE | CONFIDENTIALITY;
        match view.call {
            Call::AcceptSecurityContext { .. } => match view.sasl_response() {
                Some(response) => Some((all(ASC_RET_INTEGRITY), protection(response.qop, ASC_RET_INTEGRITY))),
                None => {
                    let integrity = view.response().map(|response| response.qop) == Some(crate::digest::Qop::AuthInt);
                    Some((ASC_RET_INTEGRITY, if integrity { ASC_RET_INTEGRITY } else { 0 }))
                }
            },
            Call::InitializeSecurityContext { .. } => Some(match answered.or(known) {
                Some(Answer::Sasl(answer)) => {
                    let mask = all(ISC_RET_INTEGRITY) | ISC_RET_MUTUAL_AUTH;
                    (mask, protection(answer.qop, ISC_RET_INTEGRITY) | ISC_RET_MUTUAL_AUTH)
                }
                Some(Answer::Http(answer)) if answer.qop == Some(crate::digest::Qop::AuthInt) => {
                    (ISC_RET_INTEGRITY, ISC_RET_INTEGRITY)
                }
                Some(Answer::Http(_)) | None => (ISC_RET_INTEGRITY, 0),
            }),
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::CompleteAuthToken { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => None,
        }
    }
}

fn sizes(layer: Option<Layer>) -> Attribute {
    let overhead = layer.map_or(0, Layer::overhead);
    let has_blocks = overhead == 24;
    Attribute::Sizes {
        maximum_signature: if layer.is_some() { 16 } else { 0 },
        block_size: if has_blocks { 8 } else { 0 },
        security_trailer: overhead,
    }
}

fn key_info(layer: Option<Layer>) -> Attribute {
    let cipher = layer.and_then(|layer| layer.cipher());
    let key_size = match (layer, cipher) {
        (None, _) => 0,
        (Some(_), Some(cipher)) => cipher.key_bits(),
        (Some(_), None) => 128,
    };
    Attribute::KeyInfo {
        signature_algorithm: if layer.is_some() { "HMAC-MD5" } else { "" }.to_owned(),
        encryption_algorithm: cipher.map_or("", |cipher| cipher.as_str()).to_owned(),
        key_size,
    }
}
