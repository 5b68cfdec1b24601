//! Comparing the `uri` of a response with the target of the request (RFC 2617 section 3.2.2.5).
#![forbid(unsafe_code)]

use std::borrow::Cow;

/// The target in origin form: `scheme://authority/path?query` is reduced to `/path?query`, with `/` for an
/// empty path (RFC 2616 section 5.1.2). Anything else is its own form.
pub fn origin_form(target: &[u8]) -> Cow<'_, [u8]> {
    let Some(rest) = after_authority(target) else {
        return Cow::Borrowed(target);
    };
    match rest.first() {
        None => Cow::Borrowed(b"/"),
        Some(b'/') => Cow::Borrowed(rest),
        Some(_) => Cow::Owned([b"/", rest].concat()),
    }
}

/// Whether both mean the same resource of one server: their origin forms agree byte for byte.
pub fn same_target(a: &[u8], b: &[u8]) -> bool {
    origin_form(a) == origin_form(b)
}

/// What follows `scheme://authority`; `None` if the target does not begin so.
fn after_authority(target: &[u8]) -> Option<&[u8]> {
    let scheme_end = target.iter().position(|octet| !is_scheme_octet(*octet))?;
    if !target.first()?.is_ascii_alphabetic() {
        return None;
    }
    let hierarchy = target.get(scheme_end..)?.strip_prefix(b"://")?;
    let authority_end =
        hierarchy.iter().position(|octet| matches!(octet, b'/' | b'?' | b'#')).unwrap_or(hierarchy.len());
    hierarchy.get(authority_end..)
}

fn is_scheme_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::{origin_form, same_target};

    #[test]
    fn absolute_form_is_reduced() {
        for (target, origin) in [
            ("http://www.nowhere.org/dir/index.html", "/dir/index.html"),
            ("HTTPS://host:8080/a?b=c", "/a?b=c"),
            ("http://host", "/"),
            ("http://host/", "/"),
            ("http://host?q", "/?q"),
            ("http:///a", "/a"),
            ("coap+tcp-1.0://host/a", "/a"),
            ("http://host#f", "/#f"),
            ("http://host/http://other/a", "/http://other/a"),
        ] {
            assert_eq!(origin_form(target.as_bytes()), origin.as_bytes(), "{target}");
        }
    }

    #[test]
    fn everything_else_is_its_own_form() {
        for target in [
            "/dir/index.html",
            "/",
            "*",
            "",
            "?q",
            "host:443",
            "http:/a",
            "1http://host/a",
            "://host/a",
            "/a://b/c",
            "+a://b",
        ] {
            assert_eq!(origin_form(target.as_bytes()), target.as_bytes());
        }
    }

    #[test]
    fn both_sides_are_reduced() {
        assert!(same_target(b"http://a/x", b"https://b/x"));
        assert!(same_target(b"/x", b"http://a/x"));
        assert!(!same_target(b"/x", b"/X"));
        assert!(!same_target(b"/x", b"http://a/x?"));
        assert!(!same_target(b"/%78", b"/x"));
    }
}
