//! `digest-ssp reproduce`: what a report holds is found again, or it is not.
#![forbid(unsafe_code)]

use serde_json::Value;

use crate::support::{Scratch, refused, run};

#[test]
fn the_findings_of_a_report_are_found_again_until_they_are_mended() {
    let scratch = Scratch::new("reproduce");
    let file = scratch.path("report.json");
    let only = ["--only", "cat-count-used*", "--profile", "digest-http", "--cases", "16"];
    let wrong = ["conform", "--subject", "replay-completes", "--format", "json", "--output", &file];
    assert_eq!(run(&[&wrong[..], &only].concat()).code, Some(1));
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("it is there")).expect("it is JSON");
    let rows = report["profiles"][0]["rows"].as_array().expect("there are rows");
    let findings: usize = rows.iter().filter_map(|row| row["findings"].as_array()).map(Vec::len).sum();
    assert!(findings >= 2, "{report}");

    let again = run(&["reproduce", "--subject", "replay-completes", &file]);
    assert_eq!(again.code, Some(1), "{}{}", again.out, again.err);
    assert!(again.out.starts_with("finding 1: "), "{}", again.out);
    assert!(again.out.ends_with(&format!("\n{findings} of {findings} reproduced\n")), "{}", again.out);

    // The reference implementation answers as the rows say; where a deviation is allowed, it may deviate too.
    let fails = ["reproduce", &file, "--finding", "1"];
    let mended = run(&fails);
    assert_eq!(mended.code, Some(0), "{}", mended.out);
    assert!(mended.out.ends_with("\nnot reproduced\n\n0 of 1 reproduced\n"), "{}", mended.out);
    // Another fault is another finding.
    let otherwise = run(&[&fails[..], &["--subject", "body-not-waited-for"]].concat());
    assert_eq!(otherwise.code, Some(1), "{}", otherwise.out);
    assert!(otherwise.out.ends_with("\n0 of 1 reproduced, 1 wrong in another way\n"), "{}", otherwise.out);

    let of_row = run(&["reproduce", &file, "--row", "cat-count-used", "--subject", "replay-completes"]);
    assert!(!of_row.out.contains("cat-count-used-continue in"), "{}", of_row.out);

    refused(&run(&["reproduce", &file, "--finding", "99"]), "--finding 99");
    refused(&run(&["reproduce", &file, "--row", "xyzzy"]), "xyzzy");
    let single = scratch.write("single.json", &rows[0]["findings"][0]["reproducer"].to_string());
    refused(&run(&["reproduce", &single, "--row", "cat-*"]), "single.json");
    let both = run(&["reproduce", &single, &file, "--subject", "replay-completes"]);
    assert!(both.out.ends_with(&format!("\n{0} of {0} reproduced\n", findings + 1)), "{}", both.out);

    let other = std::fs::read_to_string(&file).expect("it is there").replacen(
        "\"report_version\": 3",
        "\"report_version\": 2",
        1,
    );
    refused(&run(&["reproduce", &scratch.write("other.json", &other)]), "version 2");
    let long =
        std::fs::read_to_string(&file).expect("it is there").replacen("\"token_bytes\": ", "\"token_bytes\": 9999", 1);
    refused(&run(&["reproduce", &scratch.write("long.json", &long)]), "token_bytes");
    refused(&run(&["reproduce", &scratch.write("none.json", "[1")]), "none.json");
}
