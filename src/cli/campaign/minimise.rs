//! The shortest part of an input that still shows the same.
#![forbid(unsafe_code)]

use std::time::Instant;

/// Leaves out of an input what can be left out, long runs first, until no single byte can be or the time is over.
pub(super) fn shortest(mut input: Vec<u8>, until: Instant, shows_it: &mut dyn FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut length = input.len();
    while length > 0 {
        let (mut at, before) = (0, input.len());
        while at < input.len() {
            if Instant::now() > until {
                return input;
            }
            let end = (at + length).min(input.len());
            let rest = [&input[..at], &input[end..]].concat();
            if shows_it(&rest) {
                input = rest;
            } else {
                at = end;
            }
        }
        // What was left out later may be why something earlier was needed.
        if length > 1 || input.len() == before {
            length /= 2;
        }
    }
    input
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::shortest;

    fn of(input: &str, until: Instant, shows_it: impl Fn(&str) -> bool) -> String {
        let mut shows_it = |rest: &[u8]| shows_it(std::str::from_utf8(rest).expect("parts of ASCII are"));
        String::from_utf8(shortest(input.into(), until, &mut shows_it)).expect("parts of ASCII are")
    }

    #[test]
    fn nothing_can_be_left_out_of_what_is_left() {
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(of("some text, and more of it", later, |rest| rest.contains('x')), "x");
        assert_eq!(of("xx", later, |_| true), "");
        assert_eq!(of("", later, |_| true), "");
        assert_eq!(of("as it is", later, |_| false), "as it is");
        // An `a` more than the `b`s, so that each `b` must go before an `a` can.
        let is_one_more = |rest: &str| rest.matches('a').count() == rest.matches('b').count() + 1;
        assert_eq!(of("aabababab", later, is_one_more).len(), 3);
        assert_eq!(of("a long text", Instant::now() - Duration::from_secs(1), |_| true), "a long text");
    }
}
