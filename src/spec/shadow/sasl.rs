//! What SASL has of its own: who a token belongs to, what an initiator must answer, and the facts about both.
#![forbid(unsafe_code)]

use crate::digest::sasl::{self, Cipher, Ciphers, MaxBuf, Qop};
use crate::digest::{Charset, UserHash, charset};
use crate::spec::call::Call;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::vocabulary::{
    self as fact, Asked, Attempt, Authzid, Fact, Names, Offered, Reauthentication, TargetName,
};

use super::facts::{ASC_INTEGRITY, CONFIDENTIALITY, ISC_INTEGRITY};
use super::registers::{Exchange, Named, Offer, Registers, Session, Terms};
use super::view::View;

/// What a response of an initiator must say, but for its cnonce.
pub(super) struct Plan {
    pub(super) username: String,
    pub(super) realm: Option<String>,
    pub(super) nonce: Vec<u8>,
    pub(super) charset: Charset,
    pub(super) qop: Qop,
    pub(super) cipher: Option<Cipher>,
    pub(super) maxbuf: Option<MaxBuf>,
    pub(super) peer_maxbuf: MaxBuf,
    pub(super) digest_uri: Vec<u8>,
    pub(super) user: UserHash,
}

/// The quality of protection that flags ask for.
pub(super) fn wanted(call: &Call) -> Qop {
    let integrity = if matches!(call, Call::InitializeSecurityContext { .. }) { ISC_INTEGRITY } else { ASC_INTEGRITY };
    match call.requirements() {
        flags if flags & CONFIDENTIALITY != 0 => Qop::AuthConf,
        flags if flags & integrity != 0 => Qop::AuthInt,
        _none => Qop::Auth,
    }
}

/// The ciphers of a setup.
pub(super) fn ciphers(setup: &Setup) -> Ciphers {
    setup.ciphers.iter().copied().map(Cipher::from).collect()
}

/// The maxbuf of a setup; one that is none is the default.
pub(super) fn maxbuf(setup: &Setup) -> MaxBuf {
    MaxBuf::new(setup.maxbuf).unwrap_or_default()
}

/// Whether a response belongs to the session of an exchange, whatever else it says.
fn belongs(response: &sasl::Response<'_>, exchange: &Exchange, session: &Session) -> bool {
    let Terms::Sasl { cnonce, authzid } = &session.terms else { return false };
    response.nonce == exchange.nonce.as_slice()
        && response.realm == exchange.realm
        && response.username == session.username
        && response.cnonce == cnonce.as_slice()
        && response.authzid.as_deref() == authzid.as_deref()
}

impl Registers {
    /// What a response names under a credentials identity: a challenge by its nonce; a session if everything that makes
    /// it is the session's, its nonce has not expired, and it has no keystream that would repeat.
    pub(super) fn named_on_sasl(&self, principal: &str, response: &sasl::Response<'_>) -> Named {
        let known = self.exchanges.iter().enumerate().find(|(_, exchange)| {
            exchange.principal == principal
                && exchange.offer.sasl_qop().is_some()
                && response.nonce == exchange.nonce.as_slice()
        });
        let Some((index, exchange)) = known else { return Named::Nothing };
        match &exchange.session {
            None if exchange.listed => Named::Live(index),
            None => Named::Nothing,
            Some(session) => {
                let repeats = exchange.offer.sasl_qop() == Some(Qop::AuthConf);
                // Without a clock nobody knows; then the name is as undecidable as the age.
                let expired = self.fault != EnvironmentFault::Clock && self.is_expired(index);
                match exchange.holders {
                    _ if repeats || expired || !belongs(response, exchange, session) => Named::Nothing,
                    0 => Named::Ended(index),
                    _held => Named::Live(index),
                }
            }
        }
    }

    /// The fact `names` of a completion.
    pub(super) fn names_on_completion(&self, view: &View<'_>) -> Option<Names> {
        let response = view.sasl_response()?;
        let exchange = &self.exchanges[self.exchange_of(view)?];
        let is_this = exchange.session.as_ref().is_some_and(|session| belongs(response, exchange, session));
        let context = self.contexts.get(&view.handle?)?;
        let is_other = self.exchanges.iter().any(|other| {
            other.principal == context.principal
                && other.offer.sasl_qop().is_some()
                && response.nonce == other.nonce.as_slice()
        });
        Some(match (is_this, is_other) {
            (true, _) => Names::This,
            (false, true) => Names::Other,
            (false, false) => Names::Nothing,
        })
    }

    /// The fact `asked`.
    pub(super) fn asked_on_sasl(&self, view: &View<'_>) -> Option<Asked> {
        let has = self.exchanges[self.exchange_of(view)?].offer.sasl_qop()?;
        Some(if wanted(view.call) > has { Asked::More } else { Asked::Within })
    }

    /// The fact `offered`.
    pub(super) fn offered_on_sasl(&self, view: &View<'_>) -> Option<Offered> {
        let (exchange, response) = (&self.exchanges[self.exchange_of(view)?], view.sasl_response()?);
        let Offer::Sasl { qop, ciphers } = exchange.offer else { return None };
        let has_cipher = match (qop, response.cipher) {
            (Qop::AuthConf, Some(cipher)) => ciphers.contains(cipher),
            (Qop::AuthConf, None) => false,
            (Qop::Auth | Qop::AuthInt, _) => true,
        };
        let same = response.qop == qop && response.realm == exchange.realm && has_cipher;
        Some(if same { Offered::Same } else { Offered::Differs })
    }

    /// Whether charset and qop of a completion are the session's.
    pub(super) fn outside_is_same_on_sasl(&self, view: &View<'_>) -> Option<bool> {
        let (exchange, response) = (&self.exchanges[self.exchange_of(view)?], view.sasl_response()?);
        let charset = exchange.session.as_ref()?.charset;
        Some(response.charset == charset && Some(response.qop) == exchange.offer.sasl_qop())
    }

    /// The fact `authzid`.
    pub(super) fn authzid(view: &View<'_>) -> Option<Authzid> {
        let response = view.sasl_response()?;
        let allowed = response.authzid.as_ref().is_none_or(|authzid| *authzid == response.username);
        Some(if allowed { Authzid::Allowed } else { Authzid::Refused })
    }

    /// The fact `attempt`.
    pub(super) fn attempt(&self, view: &View<'_>) -> Option<Attempt> {
        let answer = self.contexts.get(&view.handle?)?.sasl_answer()?;
        Some(if answer.nc > 1 { Attempt::Again } else { Attempt::First })
    }

    /// The fact `reauthentication`.
    pub(super) fn reauthentication(&self, view: &View<'_>) -> Option<Reauthentication> {
        let answer = self.contexts.get(&view.handle?)?.sasl_answer()?;
        let impossible = answer.qop == Qop::AuthConf || answer.nc == u32::MAX;
        Some(if impossible { Reauthentication::Impossible } else { Reauthentication::Fast })
    }

    /// The fact `target-name`.
    pub(super) fn target_name_on_sasl(&self, view: &View<'_>) -> TargetName {
        let Call::InitializeSecurityContext { target_name, .. } = view.call else { return TargetName::Empty };
        let name = target_name.as_deref().unwrap_or_default();
        let context = view.handle.and_then(|handle| self.contexts.get(&handle));
        let established = context.filter(|context| Some(context.state) == Fact::State.value("established"));
        let again = established.and_then(|context| context.sasl_answer()).filter(|_| view.sasl_challenge().is_none());
        match again {
            _any if name.is_empty() => TargetName::Empty,
            Some(answer) if answer.digest_uri != name => TargetName::Differs,
            Some(_) => TargetName::Given,
            None if !name.iter().all(|octet| (b' '..=b'~').contains(octet)) => TargetName::NotAscii,
            None if !sasl::is_digest_uri(name) => TargetName::NoHost,
            None => TargetName::Given,
        }
    }

    /// The fact `qop` of a challenge: whether what the flags ask for is offered, with a cipher where it needs one.
    pub(super) fn choice_on_sasl(&self, view: &View<'_>) -> Option<fact::Qop> {
        let challenge = view.sasl_challenge()?;
        let qop = wanted(view.call);
        let common = ciphers(&self.setup).strongest_in_common(&challenge.ciphers);
        Some(match qop {
            _wanted if !challenge.qop.offers(qop) => fact::Qop::None,
            Qop::Auth => fact::Qop::Auth,
            Qop::AuthInt => fact::Qop::AuthInt,
            Qop::AuthConf if common.is_none() => fact::Qop::None,
            Qop::AuthConf => fact::Qop::AuthConf,
        })
    }

    /// User name and realm that an initiator answers a challenge with: of several realms that of its domain, else the
    /// first, and then the domain goes into the name.
    pub(super) fn name_and_realm(&self, view: &View<'_>) -> Option<(String, Option<String>)> {
        let challenge = view.sasl_challenge()?;
        let identity = self.outbound(view)?.outbound.as_ref()?;
        let has_domain = !identity.domain.is_empty();
        Some(match challenge.realms.first() {
            _any if has_domain && challenge.realms.contains(&identity.domain) => {
                (identity.user.clone(), Some(identity.domain.clone()))
            }
            Some(first) => (identity.wire_name(), Some(first.clone())),
            None => (identity.user.clone(), Some(identity.domain.clone()).filter(|_| has_domain)),
        })
    }

    /// Whether the user name can be written.
    pub(super) fn is_encodable_on_sasl(&self, view: &View<'_>) -> Option<bool> {
        let charset = view.sasl_challenge()?.charset;
        // Without credentials there is no name, and that is a departure of its own.
        let name = self.name_and_realm(view);
        Some(name.is_none_or(|(username, _)| charset::encode(&username, charset).is_some()))
    }

    /// What the response to the challenge of this call must say.
    pub(super) fn plan(&self, view: &View<'_>) -> Option<Plan> {
        let Call::InitializeSecurityContext { target_name, .. } = view.call else { return None };
        let challenge = view.sasl_challenge()?;
        let identity = self.outbound(view)?.outbound.as_ref()?;
        let (username, realm) = self.name_and_realm(view)?;
        let qop = wanted(view.call);
        let cipher = match qop {
            Qop::Auth | Qop::AuthInt => None,
            Qop::AuthConf => ciphers(&self.setup).strongest_in_common(&challenge.ciphers),
        };
        let maxbuf = match qop {
            Qop::Auth => None,
            Qop::AuthInt | Qop::AuthConf => Some(maxbuf(&self.setup)),
        };
        Some(Plan {
            user: UserHash::new(&username, realm.as_deref().unwrap_or_default(), &identity.password),
            username,
            realm,
            nonce: challenge.nonce.clone(),
            charset: challenge.charset,
            qop,
            cipher,
            maxbuf,
            peer_maxbuf: challenge.maxbuf,
            digest_uri: target_name.clone().unwrap_or_default(),
        })
    }
}
