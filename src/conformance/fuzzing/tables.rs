//! Hostile tables into the loader.
#![forbid(unsafe_code)]

use crate::conformance::encoding::Reader;
use crate::spec::Specification;
use crate::spec::load::EMBEDDED;

/// A table of `spec/` with edits, or any text in its place: it is loaded or refused, each problem said in one line.
///
/// The first byte picks the table. If the second is 255 the rest is its text; otherwise edits follow, as
/// [`encoding`](crate::conformance::encoding) reads them.
///
/// # Errors
/// What does not hold.
pub fn spec_tables(bytes: &[u8]) -> Result<(), String> {
    let Some((which, rest)) = bytes.split_first() else { return Ok(()) };
    let (name, text) = EMBEDDED[usize::from(*which) % EMBEDDED.len()];
    let mut edited = text.as_bytes().to_vec();
    match rest.split_first() {
        Some((255, text)) => edited = text.to_vec(),
        _edits => {
            let mut reader = Reader { bytes: rest };
            while !reader.is_empty() {
                reader.edit().apply(&mut edited);
            }
        }
    }
    let edited = String::from_utf8_lossy(&edited);
    // The states are what tables of calls speak of. Everything else is missing, which is refused as soon as it is read.
    let states = EMBEDDED.iter().filter(|(other, _)| *other == "machine.toml" && *other != name);
    let files: Vec<(&str, &str)> = states.copied().chain([(name, &*edited)]).collect();
    match Specification::load(&files) {
        Ok(_) => Err(format!("{name} alone is taken for the tables")),
        Err(error) if error.problems.is_empty() => Err(format!("{name} is refused without a reason")),
        Err(error) => match error.problems.iter().map(ToString::to_string).find(|problem| problem.contains('\n')) {
            Some(problem) => Err(format!("a problem of {name} has several lines: {problem:?}")),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::spec_tables;
    use crate::spec::load::EMBEDDED;

    #[test]
    fn tables_are_refused_in_lines_whatever_is_done_to_them() {
        for which in 0..u8::try_from(EMBEDDED.len()).expect("some tables") {
            assert_eq!(spec_tables(&[which]), Ok(()));
            for at in (0..=u8::MAX).step_by(5) {
                assert_eq!(spec_tables(&[which, 0, at, at, b'"']), Ok(()), "{which} {at}");
            }
        }
        assert_eq!(spec_tables(b"\x00\xffspec_version = [\r\n"), Ok(()));
    }
}
