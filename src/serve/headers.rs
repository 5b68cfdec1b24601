//! Digest among the schemes of Authorization and WWW-Authenticate (RFC 7235 sections 2.1 and 4).
#![forbid(unsafe_code)]

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};

/// A request has more than one Authorization header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request has more than one Authorization header")]
pub struct SeveralAuthorizations;

/// The token of `Authorization: Digest token`: empty if the header is absent or of another scheme.
///
/// # Errors
/// [`SeveralAuthorizations`]: which of them was meant cannot be known.
pub fn credentials(headers: &HeaderMap) -> Result<&[u8], SeveralAuthorizations> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().map(HeaderValue::as_bytes).unwrap_or_default();
    match values.next() {
        Some(_) => Err(SeveralAuthorizations),
        None => Ok(strip_scheme(value).unwrap_or_default()),
    }
}

/// The tokens of every Digest challenge, in their order: headers may repeat, and one may hold several challenges.
pub fn challenges(headers: &HeaderMap) -> Vec<&[u8]> {
    headers.get_all(WWW_AUTHENTICATE).iter().flat_map(|value| split_challenges(value.as_bytes())).collect()
}

/// The header value of that token.
pub(super) fn with_scheme(token: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&[b"Digest ", token].concat()).ok()
}

/// What follows the scheme `Digest`, without the spaces around it.
fn strip_scheme(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let (scheme, rest) = value.split_at_checked(b"Digest".len())?;
    let separated = rest.first().is_none_or(|octet| matches!(octet, b' ' | b'\t'));
    (scheme.eq_ignore_ascii_case(b"Digest") && separated).then(|| rest.trim_ascii())
}

fn split_challenges(value: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = Vec::new();
    let mut member = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (position, octet) in value.iter().chain(b",").enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                if begins_challenge(value.get(member..position).unwrap_or_default()) {
                    starts.push(member);
                }
                member = position + 1;
            }
            _ => {}
        }
    }
    let ends = starts.iter().skip(1).copied().chain([value.len()]);
    let each = starts.iter().zip(ends).filter_map(|(start, end)| value.get(*start..end));
    each.filter_map(|challenge| strip_scheme(challenge.trim_ascii().trim_suffix_commas())).collect()
}

/// Whether a member of the list is `scheme` or `scheme parameter` and not a further `parameter` (`name = value`).
fn begins_challenge(member: &[u8]) -> bool {
    let member = member.trim_ascii();
    let word_end = member.iter().position(|octet| matches!(octet, b' ' | b'\t' | b'=' | b'"')).unwrap_or(member.len());
    let rest = member.get(word_end..).unwrap_or_default().trim_ascii_start();
    word_end > 0 && !rest.starts_with(b"=")
}

trait TrimCommas {
    fn trim_suffix_commas(&self) -> &Self;
}

impl TrimCommas for [u8] {
    /// Without the empty list members at the end.
    fn trim_suffix_commas(&self) -> &Self {
        let end = self.iter().rposition(|octet| !matches!(octet, b',' | b' ' | b'\t')).map_or(0, |last| last + 1);
        self.get(..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_digest() {
        for (header, token) in [
            ("Digest a=b", "a=b"),
            ("dIGEST \t a=b ", "a=b"),
            ("Digest", ""),
            ("Digestion a=b", ""),
            ("Basic YTpi", ""),
            ("Dig", ""),
            ("", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
            assert_eq!(credentials(&headers), Ok(token.as_bytes()), "{header}");
            headers.append(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
            assert_eq!(credentials(&headers), Err(SeveralAuthorizations));
        }
        assert_eq!(credentials(&HeaderMap::new()), Ok(&b""[..]));
    }

    #[test]
    fn challenges_are_told_from_their_parameters() {
        for (value, expected) in [
            (r#"Digest realm="a", nonce="b""#, &[r#"realm="a", nonce="b""#][..]),
            // RFC 7235 section 4.1, with Digest for Newauth.
            (
                r#"Digest realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
                &[r#"realm="apps", type=1, title="Login to \"apps\"""#],
            ),
            (
                r#"Negotiate, Digest realm="a, Digest b",nonce=c, ,Digest nonce = d"#,
                &[r#"realm="a, Digest b",nonce=c"#, "nonce = d"],
            ),
            ("Basic realm=x", &[]),
            ("realm=\"a\"", &[]),
            ("", &[]),
            ("Digest realm=\"unterminated, Basic x", &[]),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(value));
            let expected: Vec<_> = expected.iter().map(|token| token.as_bytes()).collect();
            assert_eq!(challenges(&headers), expected, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_splits(value: Vec<u8>) {
            let split = split_challenges(&value);
            proptest::prop_assert!(split.len() <= value.len() / b"Digest".len());
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(AUTHORIZATION, value);
            }
            proptest::prop_assert!(credentials(&headers).is_ok());
        }

        #[test]
        fn what_was_joined_is_split(
            tokens in proptest::collection::vec("[a-z]{1,8} ?= ?(\"([ -!#-\\[\\]-~]|\\\\[ -~])*\"|[a-z]{1,8})", 0..5),
        ) {
            let joined: Vec<_> = tokens.iter().map(|token| format!("Basic, Digest {token}")).collect();
            let joined = joined.join(" , ");
            let expected: Vec<_> = tokens.iter().map(|token| token.as_bytes()).collect();
            proptest::prop_assert_eq!(split_challenges(joined.as_bytes()), expected);
        }
    }
}
