//! A call, read once: its buffers, its token, and what that names.
#![forbid(unsafe_code)]

use std::cell::OnceCell;

use crate::buffer::SecHandle;
use crate::digest::{AuthenticationInfo, Challenge, Limits, Response, SessionKey, TokenError, directives, hash, sasl};
use crate::spec::call::{Buffer, Call};
use crate::spec::names::Profile;
use crate::spec::vocabulary::{Descriptor, Fact};

use super::reading;
use super::registers::{Context, Named, Registers};

/// A token as the call's function reads it.
pub(super) enum Reading<'c> {
    /// There is none, or it is empty, or the function reads none.
    Nothing,
    /// A response, for an acceptor.
    Response(Box<Result<Response<'c>, TokenError>>),
    /// A challenge, for an initiator.
    Challenge(Box<Result<Challenge, TokenError>>),
    /// A response of SASL, for an acceptor.
    SaslResponse(Box<Result<sasl::Response<'c>, TokenError>>),
    /// A challenge of SASL, for an initiator.
    SaslChallenge(Box<Result<sasl::Challenge, TokenError>>),
    /// An Authentication-Info, or the server's proof of SASL, for an initiator.
    Proof(Result<AuthenticationInfo, TokenError>),
}

/// A call, read once.
pub(super) struct View<'c> {
    pub(super) call: &'c Call,
    /// The mechanism whose table answers.
    pub(super) profile: Profile,
    pub(super) handle: Option<SecHandle>,
    /// The form of the input descriptor, with what a call of this mechanism reads in it.
    pub(super) form: Descriptor,
    pub(super) buffers: &'c [Buffer],
    pub(super) output_buffers: &'c [Buffer],
    pub(super) output: Option<usize>,
    /// The buffer of a message to protect, or of one protected (SASL).
    pub(super) message: Option<usize>,
    pub(super) reading: Reading<'c>,
    /// The challenge or session the token names.
    pub(super) named: Named,
    pub(super) realm: Option<String>,
    /// [`Registers::key_that_matches`], once somebody asked.
    pub(super) key: OnceCell<Option<SessionKey>>,
}

impl<'c> View<'c> {
    pub(super) fn response(&self) -> Option<&Response<'c>> {
        match &self.reading {
            Reading::Response(response) => response.as_ref().as_ref().ok(),
            Reading::Nothing
            | Reading::Challenge(_)
            | Reading::SaslResponse(_)
            | Reading::SaslChallenge(_)
            | Reading::Proof(_) => None,
        }
    }

    pub(super) fn challenge(&self) -> Option<&Challenge> {
        match &self.reading {
            Reading::Challenge(challenge) => challenge.as_ref().as_ref().ok(),
            Reading::Nothing
            | Reading::Response(_)
            | Reading::SaslResponse(_)
            | Reading::SaslChallenge(_)
            | Reading::Proof(_) => None,
        }
    }

    pub(super) fn sasl_response(&self) -> Option<&sasl::Response<'c>> {
        match &self.reading {
            Reading::SaslResponse(response) => response.as_ref().as_ref().ok(),
            Reading::Nothing
            | Reading::Response(_)
            | Reading::Challenge(_)
            | Reading::SaslChallenge(_)
            | Reading::Proof(_) => None,
        }
    }

    pub(super) fn sasl_challenge(&self) -> Option<&sasl::Challenge> {
        match &self.reading {
            Reading::SaslChallenge(challenge) => challenge.as_ref().as_ref().ok(),
            Reading::Nothing
            | Reading::Response(_)
            | Reading::Challenge(_)
            | Reading::SaslResponse(_)
            | Reading::Proof(_) => None,
        }
    }

    pub(super) fn proof(&self) -> Option<&AuthenticationInfo> {
        match &self.reading {
            Reading::Proof(proof) => proof.as_ref().ok(),
            Reading::Nothing
            | Reading::Response(_)
            | Reading::Challenge(_)
            | Reading::SaslResponse(_)
            | Reading::SaslChallenge(_) => None,
        }
    }

    /// The stale directive of a challenge.
    pub(super) fn stale(&self) -> Option<bool> {
        let sasl = self.sasl_challenge().map(|challenge| challenge.stale);
        self.challenge().map(|challenge| challenge.stale).or(sasl)
    }

    /// The nonce count of a response.
    pub(super) fn nc(&self) -> Option<u32> {
        let sasl = self.sasl_response().map(|response| response.nc);
        self.response().map(|response| response.nc).or(sasl)
    }

    pub(super) fn parameter(&self, position: usize) -> &'c [u8] {
        reading::parameter(self.buffers, position)
    }

    /// Which PKG_PARAMS is HEntity.
    pub(super) fn entity(&self) -> &'c [u8] {
        // InitializeSecurityContext has the uri as a parameter of its own.
        let position = if matches!(self.call, Call::InitializeSecurityContext { .. }) { 1 } else { 2 };
        self.parameter(position)
    }

    pub(super) fn entity_hash(&self) -> Option<[u8; 16]> {
        hash::unhex32(self.entity())
    }

    /// The message to protect, or the one protected.
    pub(super) fn message_bytes(&self) -> Option<&'c [u8]> {
        self.message.map(|position| self.buffers[position].bytes())
    }
}

impl Registers {
    /// Reads a call.
    pub(super) fn view<'c>(&self, call: &'c Call) -> View<'c> {
        let buffers = reading::buffers(call.input());
        let output_buffers = reading::buffers(call.output());
        let handle = call.context();
        let context = handle.and_then(|handle| self.contexts.get(&handle));
        let profile = context.map_or_else(|| self.profile_without_context(call), |context| context.profile);
        let form = reading::form_of_call(call, profile);
        let token = reading::token(buffers).map_or(&[][..], |(_, buffer)| buffer.bytes());
        let reading = match form {
            Descriptor::Good if !token.is_empty() => self.read_token(call, profile, context, token),
            Descriptor::Good
            | Descriptor::Absent
            | Descriptor::Version
            | Descriptor::Count
            | Descriptor::Buffer
            | Descriptor::ChannelBindings
            | Descriptor::TargetHost => Reading::Nothing,
        };
        let (message, output) = places(call, profile, buffers, output_buffers);
        let is_accept = matches!(call, Call::AcceptSecurityContext { .. });
        let realm = match profile {
            Profile::DigestHttp if is_accept => reading::realm(reading::parameter(buffers, 3)).1,
            Profile::DigestHttp | Profile::DigestSasl | Profile::AnyPackage => None,
        };
        let (named, key) = (Named::Nothing, OnceCell::new());
        let mut view =
            View { call, profile, handle, form, buffers, output_buffers, output, message, reading, named, realm, key };
        let principal = context.map(|context| context.principal.as_str()).or_else(|| {
            let credential = self.credentials.get(&call.credential()?)?;
            Some(credential.principal.as_str())
        });
        if let Some(principal) = principal {
            let http = view.response().map(|response| self.named(principal, &response.nonce, &response.opaque));
            let sasl = view.sasl_response().map(|response| self.named_on_sasl(principal, response));
            view.named = http.or(sasl).unwrap_or(Named::Nothing);
        }
        view
    }

    fn read_token<'c>(&self, call: &Call, profile: Profile, context: Option<&Context>, token: &'c [u8]) -> Reading<'c> {
        let limits = self.token_limits();
        match (call, profile) {
            // Nobody looks into the tokens of any package.
            (_, Profile::AnyPackage) => Reading::Nothing,
            (
                Call::AcceptSecurityContext { .. } | Call::CompleteAuthToken { .. } | Call::VerifySignature { .. },
                Profile::DigestHttp,
            ) => Reading::Response(Box::new(Response::parse(token, &limits))),
            (Call::AcceptSecurityContext { .. } | Call::CompleteAuthToken { .. }, Profile::DigestSasl) => {
                Reading::SaslResponse(Box::new(sasl::Response::parse(token, &limits)))
            }
            (Call::InitializeSecurityContext { .. }, _) if is_proof(context, token, &limits) => {
                Reading::Proof(AuthenticationInfo::parse(token, &limits))
            }
            (Call::InitializeSecurityContext { .. }, Profile::DigestHttp) => {
                Reading::Challenge(Box::new(Challenge::parse(token, &limits)))
            }
            (Call::InitializeSecurityContext { .. }, Profile::DigestSasl) => {
                Reading::SaslChallenge(Box::new(sasl::Challenge::parse(token, &limits)))
            }
            (Call::VerifySignature { .. }, Profile::DigestSasl)
            | (
                Call::MakeSignature { .. }
                | Call::EncryptMessage { .. }
                | Call::DecryptMessage { .. }
                | Call::AcquireCredentialsHandle { .. }
                | Call::FreeCredentialsHandle { .. }
                | Call::EnumerateSecurityPackages {}
                | Call::QuerySecurityPackageInfo { .. }
                | Call::FreeContextBuffer { .. }
                | Call::QueryContextAttributes { .. }
                | Call::DeleteSecurityContext { .. },
                Profile::DigestHttp | Profile::DigestSasl,
            ) => Reading::Nothing,
        }
    }
}

/// Where the message stands, and where the output goes.
fn places(
    call: &Call,
    profile: Profile,
    buffers: &[Buffer],
    output_buffers: &[Buffer],
) -> (Option<usize>, Option<usize>) {
    match (call, profile) {
        (Call::AcceptSecurityContext { .. } | Call::InitializeSecurityContext { .. }, _) => {
            (None, reading::separate_output(output_buffers))
        }
        (Call::CompleteAuthToken { .. }, _) => (None, reading::output_after_token(buffers)),
        (Call::MakeSignature { .. }, Profile::AnyPackage) => {
            (reading::data(buffers), reading::signature_output(buffers))
        }
        (Call::VerifySignature { .. }, Profile::AnyPackage) => (reading::data(buffers), None),
        (Call::EncryptMessage { .. }, Profile::AnyPackage) => (reading::data_to_encrypt(buffers), None),
        (Call::DecryptMessage { .. }, Profile::AnyPackage) => (reading::wrapped(buffers), None),
        (Call::MakeSignature { .. }, Profile::DigestHttp) => (None, reading::header_output(buffers)),
        (Call::MakeSignature { .. }, Profile::DigestSasl) => {
            (reading::data(buffers), reading::signature_output(buffers))
        }
        (Call::VerifySignature { .. }, Profile::DigestSasl) => (reading::data(buffers), None),
        (Call::EncryptMessage { .. }, Profile::DigestSasl) => {
            let message = reading::data_to_encrypt(buffers);
            (message, reading::rest_output(buffers, message))
        }
        (Call::DecryptMessage { .. }, Profile::DigestSasl) => (reading::wrapped(buffers), None),
        (
            Call::VerifySignature { .. } | Call::EncryptMessage { .. } | Call::DecryptMessage { .. },
            Profile::DigestHttp,
        )
        | (
            Call::AcquireCredentialsHandle { .. }
            | Call::FreeCredentialsHandle { .. }
            | Call::EnumerateSecurityPackages {}
            | Call::QuerySecurityPackageInfo { .. }
            | Call::FreeContextBuffer { .. }
            | Call::QueryContextAttributes { .. }
            | Call::DeleteSecurityContext { .. },
            Profile::DigestHttp | Profile::DigestSasl | Profile::AnyPackage,
        ) => (None, None),
    }
}

/// Whether an initiator reads a token as the server's proof: in `responded`, if it is no challenge.
fn is_proof(context: Option<&Context>, token: &[u8], limits: &Limits) -> bool {
    let responded = context.is_some_and(|context| Fact::State.values()[context.state as usize] == "responded");
    let is_challenge = || {
        let mut challenge = false;
        for directive in directives::directives(token, limits) {
            match directive {
                Ok(directive) => challenge |= directive.is("nonce") || directive.is("realm"),
                Err(_) => return challenge,
            }
        }
        challenge
    };
    responded && !is_challenge()
}
