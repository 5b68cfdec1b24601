//! What a subject puts out on SASL: challenges, responses, proofs.
#![forbid(unsafe_code)]

use crate::digest::sasl::{Challenge, Ciphers, MaxBuf, OfferedAlgorithm, OfferedQop, Qop, Response};
use crate::digest::{AuthenticationInfo, SessionKey, directives};
use crate::spec::call::Call;

use super::outcome::{Difference, Learned, put_out, require};
use super::registers::{Answer, Exchange, Offer, Registers, SaslAnswer};
use super::sasl::{ciphers, maxbuf, wanted};
use super::view::View;

impl Registers {
    /// The quality of protection of a challenge that this call puts out.
    pub(super) fn offered_by(&self, view: &View<'_>) -> Option<Qop> {
        match view.call {
            Call::AcceptSecurityContext { .. } => Some(wanted(view.call)),
            Call::CompleteAuthToken { .. } => self.exchanges[self.exchange_of(view)?].offer.sasl_qop(),
            Call::InitializeSecurityContext { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. } => None,
        }
    }

    pub(super) fn check_sasl_challenge(
        &self,
        view: &View<'_>,
        written: Option<&[u8]>,
        stale: bool,
    ) -> Result<Learned, Difference> {
        let token = put_out(written, "challenge")?;
        let limits = self.token_limits();
        let challenge =
            Challenge::parse(token, &limits).map_err(|error| format!("the challenge is malformed: {error}"))?;
        let qop = self.offered_by(view).ok_or("no challenge belongs here")?;
        let (offered, announced) = match qop {
            Qop::Auth => (Ciphers::EMPTY, MaxBuf::DEFAULT),
            Qop::AuthInt => (Ciphers::EMPTY, maxbuf(&self.setup)),
            Qop::AuthConf => (ciphers(&self.setup), maxbuf(&self.setup)),
        };
        require(challenge.stale == stale, || format!("stale is {}", challenge.stale))?;
        require(challenge.realms == [self.setup.realm.clone()], || format!("the realms are {:?}", challenge.realms))?;
        require(challenge.qop == OfferedQop::only(qop), || "qop is not what the flags ask".into())?;
        require(matches!(challenge.algorithm, OfferedAlgorithm::Md5Sess), || "the algorithm is not md5-sess".into())?;
        require(challenge.ciphers == offered, || "the ciphers are not those that belong there".into())?;
        require(challenge.maxbuf == announced, || format!("maxbuf is {}", challenge.maxbuf.get()))?;
        let has_opaque =
            directives::directives(token, &limits).filter_map(Result::ok).any(|directive| directive.is("opaque"));
        require(!has_opaque, || "there is an opaque, which RFC 2831 forbids".into())?;
        let known = |exchange: &Exchange| exchange.nonce == challenge.nonce;
        require(!self.exchanges.iter().any(known), || "the nonce was used before".into())?;
        Ok(Learned::Challenge(Box::new(Exchange {
            principal: self.principal_of(view),
            nonce: challenge.nonce,
            realm: self.setup.realm.clone(),
            offer: Offer::Sasl { qop, ciphers: offered },
            issued_at: self.now,
            failures: 0,
            listed: true,
            holders: 0,
            session: None,
        })))
    }

    /// The server's proof for the response of this call.
    pub(super) fn expected_rspauth(&self, view: &View<'_>) -> Option<[u8; 16]> {
        Some(view.sasl_response()?.rspauth(self.key_that_matches(view)?))
    }

    pub(super) fn check_rspauth(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = put_out(written, "proof")?;
        let proof = AuthenticationInfo::parse(token, &self.token_limits())
            .map_err(|error| format!("the proof is malformed: {error}"))?;
        let expected = self.expected_rspauth(view).ok_or("there is no key")?;
        require(proof.rspauth == Some(expected), || "rspauth is not right".into())?;
        Ok(Learned::Nothing)
    }

    pub(super) fn check_sasl_response(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = put_out(written, "response")?;
        let response = Response::parse(token, &self.token_limits())
            .map_err(|error| format!("the response is malformed: {error}"))?;
        let plan = self.plan(view).ok_or("no response belongs here")?;
        require(!response.cnonce.is_empty(), || "there is no cnonce".into())?;
        let cnonce = response.cnonce.to_vec();
        let answer = SaslAnswer {
            key: SessionKey::sasl(&plan.user, &plan.nonce, &cnonce, None),
            nonce: plan.nonce,
            charset: plan.charset,
            peer_maxbuf: plan.peer_maxbuf,
            username: plan.username,
            realm: plan.realm,
            qop: plan.qop,
            cipher: plan.cipher,
            maxbuf: plan.maxbuf,
            cnonce,
            nc: 1,
            digest_uri: plan.digest_uri,
        };
        self.check_answer(token, &response, &answer)?;
        Ok(Learned::Response(Box::new(Answer::Sasl(answer))))
    }

    /// The answer of a fast reauthentication: the last one with the next count.
    pub(super) fn answer_again(&self, view: &View<'_>) -> Option<SaslAnswer> {
        let before = self.contexts.get(&view.handle?)?.sasl_answer()?;
        Some(SaslAnswer { nc: before.nc.checked_add(1)?, ..before.clone() })
    }

    pub(super) fn check_response_again(&self, view: &View<'_>, written: Option<&[u8]>) -> Result<Learned, Difference> {
        let token = put_out(written, "response")?;
        let response = Response::parse(token, &self.token_limits())
            .map_err(|error| format!("the response is malformed: {error}"))?;
        let answer = self.answer_again(view).ok_or("no response belongs here")?;
        require(*response.cnonce == *answer.cnonce, || "the cnonce changed".into())?;
        self.check_answer(token, &response, &answer)?;
        Ok(Learned::Response(Box::new(Answer::Sasl(answer))))
    }

    /// A response directive by directive.
    fn check_answer(&self, token: &[u8], response: &Response<'_>, answer: &SaslAnswer) -> Result<(), Difference> {
        require(response.username == answer.username, || "username is not the identity's".into())?;
        require(response.realm == answer.realm.as_deref().unwrap_or_default(), || {
            format!("the realm is {:?}", response.realm)
        })?;
        require(*response.nonce == *answer.nonce, || "nonce is not the challenge's".into())?;
        require(response.nc == answer.nc, || format!("nc is {:08x}, not {:08x}", response.nc, answer.nc))?;
        require(response.qop == answer.qop, || "qop is not what the flags ask".into())?;
        require(response.cipher == answer.cipher, || "the cipher is not the strongest in common".into())?;
        let announced = answer.maxbuf.unwrap_or_default();
        require(response.maxbuf == announced, || format!("maxbuf is {}", response.maxbuf.get()))?;
        require(*response.digest_uri == *answer.digest_uri, || "digest-uri is not the target name".into())?;
        require(response.charset == answer.charset, || "charset is not the challenge's".into())?;
        require(response.authzid.is_none(), || "there is an authzid, for which SSPI has no parameter".into())?;
        let writes_realm = directives::directives(token, &self.token_limits())
            .filter_map(Result::ok)
            .any(|directive| directive.is("realm"));
        require(writes_realm == answer.realm.is_some(), || "a realm is written exactly where one was chosen".into())?;
        let digest = response.digest(&answer.key);
        require(response.response == digest, || "the response is not the right digest".into())
    }
}
