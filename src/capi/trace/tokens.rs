//! What a trace says of a token.
#![forbid(unsafe_code)]

use crate::digest::directives::{Limits, directives};

/// The directives that are no secret. Whatever else a token holds is masked.
const SHOWN: [&str; 19] = [
    "username",
    "realm",
    "nonce",
    "uri",
    "digest-uri",
    "qop",
    "nc",
    "cnonce",
    "opaque",
    "algorithm",
    "stale",
    "charset",
    "domain",
    "maxbuf",
    "cipher",
    "authzid",
    "hashed-dirs",
    "service-name",
    "channel-binding",
];

const MASK: &str = "********";

/// The directives of a token as text, without the secret ones; `None` for what is no list of directives.
pub(in crate::capi) fn text(token: &[u8]) -> Option<String> {
    let mut said = Vec::new();
    for directive in directives(token, &Limits::default()) {
        let directive = directive.ok()?;
        let name = String::from_utf8_lossy(directive.name);
        if !SHOWN.iter().any(|shown| directive.is(shown)) {
            said.push(format!("{name}={MASK}"));
            continue;
        }
        let value = String::from_utf8_lossy(directive.value);
        // What stands in a query may be a secret of the application.
        let value = match value.split_once('?') {
            Some((path, _)) if directive.is("uri") => format!("{path}?{MASK}"),
            Some(_) | None => value.into_owned(),
        };
        said.push(if directive.quoted { format!("{name}=\"{value}\"") } else { format!("{name}={value}") });
    }
    Some(said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn secrets_are_masked_however_they_are_spelt() {
        for secret in ["response", "RESPONSE", "rspauth", "password", "x-key"] {
            for value in ["=0123abcd", " = 0123abcd", "=\"0123abcd\"", "=\"01\\23abcd\""] {
                let token = format!("username=\"Mufasa\", {secret}{value},qop=auth");
                let expected = format!("username=\"Mufasa\", {secret}=********, qop=auth");
                assert_eq!(text(token.as_bytes()), Some(expected), "{token}");
            }
        }
        assert_eq!(text(b"uri=\"/a?key=secret\"").as_deref(), Some("uri=\"/a?********\""));
        assert_eq!(text(b"uri=\"/a\", cnonce=\"a?b\"").as_deref(), Some("uri=\"/a\", cnonce=\"a?b\""));
    }

    #[test]
    fn what_is_no_list_of_directives_is_not_said() {
        for token in [b"a secret".as_slice(), b"username=\"a\", the rest", b"\x01\0\0\0", b"username=\"open"] {
            assert_eq!(text(token), None);
        }
        assert_eq!(text(b"").as_deref(), Some(""));
    }
}
