//! Any bytes into the parsers of tokens.
#![forbid(unsafe_code)]

use crate::digest::{
    AuthenticationInfo, Challenge, ChallengeError, Limits, Response, ResponseDirectives, ResponseFields, TokenError,
    bindings::ChannelBindings,
    directives as grammar, hash,
    sasl::{self, Ciphers, MaxBuf},
};

/// Any bytes as directives, and as channel bindings: positions must lie inside, and what was read must read the same once
/// written.
///
/// # Errors
/// What does not hold.
pub fn directives(token: &[u8]) -> Result<(), String> {
    for directive in grammar(token, &Limits::default()) {
        let directive = match directive {
            Ok(directive) => directive,
            Err(error) => {
                inside(token, &TokenError::Syntax(error))?;
                continue;
            }
        };
        let stands = |at: usize, text: &[u8]| token.get(at..).is_some_and(|rest| rest.starts_with(text));
        if !stands(directive.name_at, directive.name) || !stands(directive.value_at, directive.value) {
            return Err(format!("{directive:?} does not stand where it says"));
        }
    }
    ChannelBindings::parse(token).map_or(Ok(()), |bindings| rewrite_bindings(&bindings))
}

/// Any bytes as what a server sends: a challenge of HTTP or SASL, Authentication-Info. Errors must lie inside, and what was
/// read must read the same once written.
///
/// # Errors
/// What does not hold.
pub fn challenge(token: &[u8]) -> Result<(), String> {
    let limits = Limits::default();
    match Challenge::parse(token, &limits) {
        Ok(challenge) => rewrite_challenge(&challenge, &limits)?,
        Err(error) => inside(token, &error)?,
    }
    match AuthenticationInfo::parse(token, &limits) {
        Ok(info) => rewrite_info(&info, &limits)?,
        Err(error) => inside(token, &error)?,
    }
    match sasl::Challenge::parse(token, &limits) {
        Ok(challenge) => rewrite_sasl_challenge(&challenge, &limits),
        Err(error) => inside(token, &error),
    }
}

/// Any bytes as what a client sends: a response of HTTP or SASL. Errors must lie inside, and what was read must read the same
/// once written.
///
/// # Errors
/// What does not hold.
pub fn response(token: &[u8]) -> Result<(), String> {
    let limits = Limits::default();
    if let Err(error) = ResponseDirectives::parse(token, &limits) {
        inside(token, &error)?;
    }
    match Response::parse(token, &limits) {
        Ok(response) => rewrite_response(&response)?,
        Err(error) => inside(token, &error)?,
    }
    match sasl::Response::parse(token, &limits) {
        Ok(response) => rewrite_sasl_response(&response),
        Err(error) => inside(token, &error),
    }
}

fn inside(token: &[u8], error: &TokenError) -> Result<(), String> {
    let position = match error {
        TokenError::Syntax(error) => error.position,
        TokenError::Repeated { position, .. } | TokenError::Invalid { position, .. } => *position,
        TokenError::Missing { .. } => return Ok(()),
    };
    if position <= token.len() { Ok(()) } else { Err(format!("{error}: the token has {} bytes", token.len())) }
}

/// Escapes may lengthen a token beyond what may be read again.
fn unlimited(limits: &Limits) -> Limits {
    Limits { token_bytes: usize::MAX, ..*limits }
}

fn rewrite_challenge(challenge: &Challenge, limits: &Limits) -> Result<(), String> {
    let written = match challenge.to_bytes() {
        Ok(written) => written,
        Err(ChallengeError::TooLong { .. }) => return Ok(()),
        Err(error) => return Err(format!("{challenge:?} was read and cannot be written: {error}")),
    };
    same(challenge, Challenge::parse(&written, &unlimited(limits)))
}

fn rewrite_info(info: &AuthenticationInfo, limits: &Limits) -> Result<(), String> {
    let written = info.to_bytes().map_err(|error| format!("{info:?} was read and cannot be written: {error}"))?;
    same(info, AuthenticationInfo::parse(&written, &unlimited(limits)))
}

/// What an initiator would have to write for an acceptor to read this; the spelling of qop and nc is not kept.
fn rewrite_response(response: &Response<'_>) -> Result<(), String> {
    let fields = ResponseFields {
        username: &response.username,
        realm: &response.realm,
        nonce: &response.nonce,
        uri: &response.uri,
        protection: Some((response.qop, response.nc, &response.cnonce)),
        response: &hash::hex(&response.response),
        opaque: Some(&response.opaque),
        algorithm: response.algorithm,
        charset: response.charset,
        extended: None,
    };
    let mut written = Vec::new();
    fields.write(&mut written).ok_or_else(|| format!("{response:?} was read and cannot be written"))?;
    let expected = Response {
        qop_text: response.qop.as_str().as_bytes().into(),
        nc_text: crate::digest::nc_value(response.nc),
        hashed_dirs: None,
        service_name: None,
        channel_binding: None,
        ..response.clone()
    };
    same(&expected, Response::parse(&written, &unlimited(&Limits::default())))
}

/// What has no meaning under the qop is not written.
fn rewrite_sasl_challenge(challenge: &sasl::Challenge, limits: &Limits) -> Result<(), String> {
    let written = match challenge.to_bytes() {
        Ok(written) => written,
        Err(ChallengeError::TooLong { .. }) => return Ok(()),
        Err(error) => return Err(format!("{challenge:?} was read and cannot be written: {error}")),
    };
    let has_layer = challenge.qop.auth_int || challenge.qop.auth_conf;
    let expected = sasl::Challenge {
        maxbuf: if has_layer { challenge.maxbuf } else { MaxBuf::DEFAULT },
        ciphers: if challenge.qop.auth_conf { challenge.ciphers } else { Ciphers::EMPTY },
        ..challenge.clone()
    };
    same(&expected, sasl::Challenge::parse(&written, &unlimited(limits)))
}

/// As [`rewrite_response`], on SASL.
fn rewrite_sasl_response(response: &sasl::Response<'_>) -> Result<(), String> {
    let fields = sasl::ResponseFields {
        username: &response.username,
        realm: Some(&*response.realm).filter(|realm| !realm.is_empty()),
        nonce: &response.nonce,
        cnonce: &response.cnonce,
        nc: response.nc,
        qop: response.qop,
        cipher: response.cipher,
        maxbuf: Some(response.maxbuf),
        digest_uri: &response.digest_uri,
        charset: response.charset,
        authzid: response.authzid.as_deref(),
    };
    let mut written = Vec::new();
    let digits = hash::hex(&response.response);
    fields.write(&digits, &mut written).ok_or_else(|| format!("{response:?} was read and cannot be written"))?;
    let expected = sasl::Response {
        qop_text: response.qop.as_str().as_bytes().into(),
        nc_text: crate::digest::nc_value(response.nc),
        ..response.clone()
    };
    same(&expected, sasl::Response::parse(&written, &unlimited(&Limits::default())))
}

fn rewrite_bindings(bindings: &ChannelBindings<'_>) -> Result<(), String> {
    let written = bindings.to_buffer();
    match ChannelBindings::parse(&written) {
        Ok(read) if read == *bindings && read.hash() == bindings.hash() => Ok(()),
        Ok(read) => Err(format!("{bindings:?} reads as {read:?} once written")),
        Err(error) => Err(format!("{bindings:?} does not read once written: {error}")),
    }
}

fn same<T: PartialEq + core::fmt::Debug>(expected: &T, read: Result<T, TokenError>) -> Result<(), String> {
    match read {
        Ok(read) if read == *expected => Ok(()),
        Ok(read) => Err(format!("{expected:?} reads as {read:?} once written")),
        Err(error) => Err(format!("{expected:?} does not read once written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{inside, same};
    use crate::digest::{SyntaxError, SyntaxErrorKind, TokenError};

    #[test]
    fn a_position_outside_is_an_offence() {
        let at = |position| TokenError::Syntax(SyntaxError { position, kind: SyntaxErrorKind::ValueExpected });
        assert_eq!(inside(b"a=", &at(2)), Ok(()));
        assert!(inside(b"a=", &at(3)).is_err());
    }

    #[test]
    fn what_reads_otherwise_is_an_offence() {
        assert_eq!(same(&1, Ok(1)), Ok(()));
        assert!(same(&1, Ok(2)).is_err());
        assert!(same(&1, Err(TokenError::Missing { directive: "nonce" })).is_err());
    }
}
