//! What named implementations were observed to answer is judged in verdicts that exist. That it is of these tables is a rule
//! of `spec check`.

use digest_ssp::conformance::RowVerdict;
use digest_ssp::spec::Specification;

/// Rows whose verdict has a name that no verdict has.
fn unknown(specification: &Specification) -> Vec<&str> {
    let is_known = |verdict: &str| RowVerdict::ALL.iter().any(|known| known.name() == verdict);
    let rows = specification.observed.iter().flat_map(|observed| &observed.rows);
    rows.filter(|(_, verdict)| !is_known(verdict)).map(|(row, _)| row.as_str()).collect()
}

#[test]
fn what_was_observed_has_verdicts_that_exist() {
    let mut specification = Specification::embedded().expect("the tables in spec/ load, which tests/spec shows");
    assert!(!specification.observed.is_empty(), "nothing was observed");
    assert_eq!(unknown(&specification), Vec::<&str>::new());
    specification.observed[0].rows.insert("fch-freed".into(), "passes".into());
    assert_eq!(unknown(&specification), ["fch-freed"]);
}
