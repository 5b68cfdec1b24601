//! What named implementations were seen to answer stands beside rows that exist, in verdicts that exist.
#![cfg(feature = "conformance")]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use std::path::Path;

use digest_ssp::conformance::RowVerdict;
use digest_ssp::spec::Specification;
use digest_ssp::spec::names::Profile;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observed {
    implementation: String,
    version: String,
    package: String,
    profile: Profile,
    spec_version: String,
    observed: String,
    rows: BTreeMap<String, String>,
}

/// What is wrong with a file, a line each.
fn problems(specification: &Specification, text: &str) -> Vec<String> {
    let observed: Observed = match toml::from_str(text) {
        Ok(observed) => observed,
        Err(error) => return vec![error.to_string()],
    };
    let named = [&observed.implementation, &observed.version, &observed.package, &observed.observed];
    let mut problems: Vec<String> =
        named.into_iter().filter(|value| value.is_empty()).map(|_| "a value is empty".to_owned()).collect();
    if observed.spec_version != specification.version {
        problems.push(format!("it is of tables {}, not {}", observed.spec_version, specification.version));
    }
    let rows = || specification.of(observed.profile).flat_map(|tables| &tables.rows);
    for (row, verdict) in &observed.rows {
        if !rows().any(|known| known.id == *row) {
            problems.push(format!("{row}: no row of {} has this id", observed.profile));
        }
        if !RowVerdict::ALL.iter().any(|known| known.name() == verdict) {
            problems.push(format!("{row}: no verdict is named {verdict:?}"));
        }
    }
    problems
        .extend(rows().filter(|row| !observed.rows.contains_key(&row.id)).map(|row| format!("{} is missing", row.id)));
    problems
}

#[test]
fn what_was_observed_is_of_these_tables() {
    let specification = Specification::embedded().expect("the tables in spec/ load, which tests/spec_check.rs shows");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/observed");
    let mut files = 0;
    for entry in std::fs::read_dir(&directory).expect("it is committed") {
        let path = entry.expect("it can be listed").path();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        assert_eq!(problems(&specification, &text), Vec::<String>::new(), "{}: run .ci/observe", path.display());
        files += 1;
    }
    assert!(files >= 1, "nothing was observed");
}

#[test]
fn what_is_not_of_these_tables_is_noticed() {
    let specification = Specification::embedded().expect("the tables in spec/ load, which tests/spec_check.rs shows");
    let rows: Vec<_> = specification.of(Profile::AnyPackage).flat_map(|tables| &tables.rows).collect();
    let list = rows.iter().map(|row| format!("{} = \"pass\"\n", row.id)).collect::<String>();
    let head = format!(
        "implementation = \"x\"\nversion = \"1\"\npackage = \"NTLM\"\nprofile = \"any-package\"\nspec_version = \"{}\"\n\
         observed = \"2026-11-28\"\n[rows]\n",
        specification.version
    );
    let good = format!("{head}{list}");
    assert_eq!(problems(&specification, &good), Vec::<String>::new());
    for (from, to, told) in [
        ("= \"pass\"", "= \"passes\"", "no verdict is named"),
        (rows[0].id.as_str(), "nothing-of-ours", "has this id"),
        ("version = \"1\"", "version = \"\"", "is empty"),
        ("[rows]\n", "colour = \"red\"\n[rows]\n", "colour"),
        ("any-package", "gopher", "gopher"),
    ] {
        let broken = good.replacen(from, to, 1);
        assert_ne!(broken, good);
        let found = problems(&specification, &broken);
        assert!(found.iter().any(|problem| problem.contains(told)), "{told}: {found:?}");
    }
}
