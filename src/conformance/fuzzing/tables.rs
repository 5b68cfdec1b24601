//! Hostile tables into the loader.
#![forbid(unsafe_code)]

use crate::conformance::encoding::Reader;
use crate::spec::Specification;
use crate::spec::load::{EMBEDDED, Problem};

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
    // The states are what tables of calls speak of. Everything else is missing, which is refused.
    let states = EMBEDDED.iter().filter(|(other, _)| *other == "machine.toml" && *other != name);
    let files: Vec<(&str, &str)> = states.copied().chain([(name, &*edited)]).collect();
    match Specification::load(&files) {
        Ok(_) => Err(format!("{name} alone is taken for the tables")),
        Err(error) => refusals(name, edited == text, &error.problems),
    }
}

/// What must hold of the problems that one table has without the others: nobody blames the table as it is committed, nor
/// another for what is in it; and each is said in one line.
fn refusals(name: &str, is_committed: bool, problems: &[Problem]) -> Result<(), String> {
    for problem in problems {
        let is_missing = problem.place.is_empty() && problem.what == "the file is missing";
        if is_missing == (problem.file == name) {
            return Err(format!("an edit of {name} is not what this says: {problem}"));
        }
        if is_committed && problem.file == name {
            return Err(format!("{name} as it is committed is refused: {problem}"));
        }
        if problem.to_string().contains('\n') {
            return Err(format!("a problem of {name} has several lines: {problem}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{refusals, spec_tables};
    use crate::spec::load::{EMBEDDED, Problem};

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

    #[test]
    fn refusals_that_say_the_wrong_thing_are_told() {
        let problem =
            |file: &str, what: &str| Problem { file: file.to_owned(), place: String::new(), what: what.to_owned() };
        let missing = problem("facts.toml", "the file is missing");
        let good = [missing.clone(), problem("pins.toml", "expected a value")];
        assert_eq!(refusals("pins.toml", false, &good), Ok(()));
        for (is_committed, wrong) in [
            (true, problem("pins.toml", "expected a value")),
            (false, problem("pins.toml", "the file is missing")),
            (false, problem("facts.toml", "expected a value")),
            (false, problem("pins.toml", "expected\na value")),
        ] {
            assert!(refusals("pins.toml", is_committed, &[missing.clone(), wrong.clone()]).is_err(), "{wrong:?}");
        }
    }
}
