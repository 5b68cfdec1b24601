//! The initiator's side of SASL: challenges and proofs as a server makes them.
#![forbid(unsafe_code)]

use crate::buffer::{BufferType, SecHandle};
use crate::digest::hash;
use crate::digest::sasl::{Cipher, Qop};
use crate::spec::call::Call;
use crate::spec::names::Profile;
use crate::spec::setup;
use crate::spec::shadow::registers::Context;
use crate::spec::vocabulary as fact;

use super::super::draft::octets;
use super::super::wire::{self, Piece};
use super::super::{Concretiser, buffers};
use super::draft::{digest_uri, maxbuf};

const REQUIRED: &[&str] = &["nonce", "algorithm"];
/// ISC_REQ_CONFIDENTIALITY.
const CONFIDENTIALITY: u32 = 0x10;
/// ISC_REQ_INTEGRITY, ISC_REQ_REPLAY_DETECT, ISC_REQ_SEQUENCE_DETECT.
const INTEGRITY: [u32; 3] = [0x1_0000, 0x4, 0x8];
/// ISC_REQ_DELEGATE and ISC_REQ_PROMPT_FOR_CREDS.
const UNSUPPORTED: [u32; 2] = [0x1, 0x40];

impl Concretiser<'_> {
    /// The qop list of a challenge (`None` offers auth), its ciphers, and the quality of protection the flags ask for.
    fn offer(&mut self) -> (Option<&'static str>, Vec<&'static str>, Qop) {
        let own: Vec<Cipher> = self.registers.setup.ciphers.iter().map(|cipher| Cipher::from(*cipher)).collect();
        let foreign = setup::Cipher::ALL.into_iter().filter(|cipher| !self.registers.setup.ciphers.contains(cipher));
        let foreign: Vec<Cipher> = foreign.map(Cipher::from).collect();
        let mut ciphers: Vec<&str> = own.iter().map(|cipher| cipher.as_str()).collect();
        self.rng.shuffle(&mut ciphers);
        ciphers.truncate(self.rng.usize(1..=5));
        ciphers.extend(foreign.iter().map(|cipher| cipher.as_str()).filter(|_| self.rng.bool()));
        let lists = |lists: &[Option<&'static str>], rng: &mut fastrand::Rng| lists[rng.usize(..lists.len())];
        let with_auth = [None, Some("auth"), Some("auth,auth-int"), Some("auth-conf , auth"), Some("token,AUTH")];
        let with_integrity = [Some("auth-int"), Some("auth,auth-int"), Some("auth-conf,Auth-Int")];
        let with_confidentiality = [Some("auth-conf"), Some("auth,auth-int,auth-conf"), Some("auth-int, AUTH-CONF")];
        match () {
            () if self.wishes(fact::Qop::None) => match self.rng.u8(..4) {
                0 => (lists(&with_auth[..2], &mut self.rng), ciphers, Qop::AuthInt),
                1 => (Some("auth-int"), ciphers, Qop::Auth),
                2 => (Some("auth,auth-int"), ciphers, Qop::AuthConf),
                _other => {
                    // A cipher nobody knows, or nobody has here.
                    let strange = foreign.first().map_or("aes", |cipher| cipher.as_str());
                    (Some("auth-conf,auth"), vec![strange], Qop::AuthConf)
                }
            },
            () if self.wishes(fact::Qop::AuthInt) => (lists(&with_integrity, &mut self.rng), ciphers, Qop::AuthInt),
            () if self.wishes(fact::Qop::AuthConf) => {
                (lists(&with_confidentiality, &mut self.rng), ciphers, Qop::AuthConf)
            }
            () => (lists(&with_auth, &mut self.rng), ciphers, Qop::Auth),
        }
    }

    fn sasl_challenge(&mut self) -> (Vec<Piece>, Qop) {
        let (offer, ciphers, qop) = self.offer();
        let mut pieces = Vec::new();
        let realms = ["digest-ssp", "EXAMPLE", "with \"quotes\" and \\", "elwood.innosoft.com"];
        for _ in 0..self.rng.usize(..3) {
            pieces.push(Piece::repeatable("realm", realms[self.rng.usize(..realms.len())]));
        }
        pieces.push(Piece::new("nonce", octets(32, &mut self.rng)));
        if let Some(offer) = offer {
            pieces.push(Piece::new("qop", offer));
        }
        let unknown = self.wishes(fact::Algorithm::Unknown);
        let algorithms = if unknown { ["MD5", "SHA-256-sess"] } else { ["md5-sess", "MD5-Sess"] };
        pieces.push(Piece::new("algorithm", algorithms[self.rng.usize(..2)]));
        let confidential = offer.is_some_and(|offer| offer.to_ascii_lowercase().contains("auth-conf"));
        if confidential && !ciphers.is_empty() {
            pieces.push(Piece::new("cipher", ciphers.join(",")));
        }
        if let Some(maxbuf) = maxbuf(&mut self.rng) {
            pieces.push(Piece::new("maxbuf", maxbuf.to_string()));
        }
        if self.wishes(fact::Stale::Yes) {
            pieces.push(Piece::new("stale", if self.rng.bool() { "true" } else { "TRUE" }));
        } else if self.rng.u8(..4) == 0 {
            pieces.push(Piece::new("stale", "false"));
        }
        // RFC 2831 2.1.1: must not be sent, must be ignored.
        if self.rng.u8(..4) == 0 {
            pieces.push(Piece::repeatable("opaque", octets(16, &mut self.rng)));
        }
        (pieces, qop)
    }

    /// The rspauth that a context in `responded` waits for, or another.
    fn sasl_proof(&mut self, context: &Context) -> Option<Vec<Piece>> {
        let answer = context.sasl_answer()?;
        let responded = fact::Fact::State.values()[context.state as usize] == "responded";
        // Only a challenge has directives that it must have.
        if !responded || self.wishes(fact::Kind::Challenge) || self.wishes(fact::Token::DirectiveMissing) {
            return None;
        }
        let mut digits = hash::hex(&answer.fields().rspauth(&answer.key));
        if self.wishes(fact::Proof::Wrong) {
            let digit = self.rng.usize(..32);
            digits[digit] = if digits[digit] == b'0' { b'1' } else { b'0' };
        }
        if self.wishes(fact::Proof::Absent) {
            return Some(vec![Piece::new("nextnonce", octets(16, &mut self.rng))]);
        }
        Some(vec![Piece::new("rspauth", digits)])
    }

    /// pszTargetName.
    fn sasl_target(&mut self, context: Option<&Context>) -> Option<Vec<u8>> {
        let before = context.and_then(Context::sasl_answer).map(|answer| answer.digest_uri.clone());
        let again = self.wishes(fact::Reauthentication::Fast)
            || self.wishes(fact::Token::Empty)
            || self.wishes(fact::Token::Absent)
            || self.wishes(fact::Descriptor::Absent);
        match () {
            () if self.wishes(fact::TargetName::Empty) => Some(Vec::new()).filter(|_| self.rng.bool()),
            () if self.wishes(fact::TargetName::NotAscii) => Some("imap/\u{E9}".as_bytes().to_vec()),
            () if self.wishes(fact::TargetName::NoHost) => {
                Some([&b"imap"[..], b"imap/", b"/host", b"imap//host", b"//"][self.rng.usize(..5)].to_vec())
            }
            () if self.wishes(fact::TargetName::Differs) => Some(b"smtp/elsewhere.example.org".to_vec()),
            () if self.wishes(fact::TargetName::Given) || !again => match before.filter(|_| again) {
                Some(before) => Some(before),
                None => Some(digest_uri(&mut self.rng)),
            },
            () => before.or_else(|| Some(digest_uri(&mut self.rng))),
        }
    }

    pub(in super::super) fn initialize_sasl(&mut self, context: Option<SecHandle>) -> Call {
        let known = context.and_then(|context| self.registers.contexts.get(&context));
        let (credential, user_needs_utf8) = self.outbound_credential(known);
        let proof = known.and_then(|context| self.sasl_proof(context));
        let (mut pieces, qop) = self.sasl_challenge();
        if self.takes_utf8(user_needs_utf8) {
            pieces.push(Piece::new("charset", "utf-8"));
        }
        // What has neither nonce nor realm is no challenge to who waits for a proof.
        let is_challenge = proof.is_none() && (known.is_none() || pieces.iter().any(|piece| piece.name == "realm"));
        let required = match (proof.is_some(), is_challenge) {
            (true, _) => &[],
            (false, true) => REQUIRED,
            (false, false) => &REQUIRED[1..],
        };
        let pieces = proof.unwrap_or(pieces);
        let flaw = self.flaw();
        let mut token = wire::write(pieces, required, flaw, self.token_bytes().min(2047), &mut self.rng);
        token = self.padded_if_malformed(token, flaw);
        let no_challenge_yet =
            known.is_none() && self.action.wishes.is_empty() && self.action.variety.is_multiple_of(4);
        let token = if no_challenge_yet { None } else { self.token_buffer(token) };
        let input = buffers::message(token, Vec::new(), &mut self.rng);
        let integrity = INTEGRITY[self.rng.usize(..3)];
        let asked = match qop {
            Qop::Auth => 0,
            Qop::AuthInt => integrity,
            Qop::AuthConf => CONFIDENTIALITY | if self.rng.bool() { integrity } else { 0 },
        };
        let mut requirements = self.http_flag(Profile::DigestSasl, context) | asked;
        requirements |= if self.rng.bool() { 0x2 } else { 0 };
        if self.wishes(fact::Flags::Unsupported) {
            requirements |= UNSUPPORTED[self.rng.usize(..2)];
        }
        let target_name = self.sasl_target(known);
        let output = self.output(&[BufferType::TOKEN]);
        Call::InitializeSecurityContext {
            credential,
            context,
            target_name,
            requirements,
            input: self.descriptor(input),
            output: buffers::output_descriptor(output, self.action),
        }
    }
}
