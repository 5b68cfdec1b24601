//! JUnit, SARIF, Markdown and HTML: what readers of each require, and nothing that a subject says is markup.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use digest_ssp::conformance::report::{FindingKind, RowVerdict, Strictness, html, human, json, junit, markdown, sarif};
use digest_ssp::spec::names::Profile;
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::support::{HOSTILE, complaint, everything, finding, report, row, specification};

const LENIENT: Strictness = Strictness::Lenient;

// --- JUnit

fn junit_of(text: &str, strictness: Strictness) -> String {
    junit::report(specification(), &everything(text), strictness).expect("it has a form in XML")
}

/// What readers of JUnit would stumble over: by the rules that Jenkins' schema and the others have in common.
fn junit_problems(xml: &str) -> Vec<String> {
    let document = match Document::parse(xml) {
        Ok(document) => document,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems = Vec::new();
    let root = document.root_element();
    allow(&mut problems, root, "testsuites", &["name", "tests", "skipped", "failures", "errors"], &["testsuite"]);
    count(&mut problems, root);
    for suite in root.children().filter(Node::is_element) {
        let children = ["properties", "testcase"];
        allow(&mut problems, suite, "testsuite", &["name", "tests", "skipped", "failures", "errors"], &children);
        count(&mut problems, suite);
        let mut names = BTreeSet::new();
        for case in suite.children().filter(|child| child.has_tag_name("testcase")) {
            let outcomes = ["skipped", "failure", "error"];
            allow(&mut problems, case, "testcase", &["name", "classname", "assertions"], &outcomes);
            if case.children().filter(Node::is_element).count() > 1 {
                problems.push(format!("{case:?} has several outcomes"));
            }
            for outcome in case.children().filter(Node::is_element) {
                allow(&mut problems, outcome, outcome.tag_name().name(), &["message", "type"], &[]);
            }
            if !names.insert((case.attribute("classname"), case.attribute("name"))) {
                problems.push(format!("{case:?} is there twice"));
            }
            if case.attribute("classname").is_none() || case.attribute("name").is_none() {
                problems.push(format!("{case:?} has no name"));
            }
        }
    }
    problems
}

fn allow(problems: &mut Vec<String>, node: Node<'_, '_>, name: &str, attributes: &[&str], children: &[&str]) {
    if !node.has_tag_name(name) {
        problems.push(format!("{node:?} is no {name}"));
    }
    let unknown = node.attributes().find(|attribute| !attributes.contains(&attribute.name()));
    problems.extend(unknown.map(|attribute| format!("{name} has an attribute {}", attribute.name())));
    let unknown = node.children().filter(Node::is_element).find(|child| !children.contains(&child.tag_name().name()));
    problems.extend(unknown.map(|child| format!("{name} has an element {}", child.tag_name().name())));
}

/// The numbers of a suite are those of its cases.
fn count(problems: &mut Vec<String>, suite: Node<'_, '_>) {
    for (attribute, tag) in
        [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
    {
        let counted = suite.descendants().filter(|node| node.has_tag_name(tag)).count();
        if suite.attribute(attribute).and_then(|number| number.parse().ok()) != Some(counted) {
            problems.push(format!("{attribute} is {:?}, and there are {counted}", suite.attribute(attribute)));
        }
    }
}

#[test]
fn junit_is_as_its_readers_require() {
    for strictness in [LENIENT, Strictness::Strict] {
        let xml = junit_of("SEC_E_OK", strictness);
        assert_eq!(junit_problems(&xml), [""; 0]);
        let document = Document::parse(&xml).expect("it was read before");
        let outcome = |verdict: RowVerdict| {
            let position = RowVerdict::ALL.iter().position(|known| *known == verdict).expect("all are there");
            let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
            let mut cases = cases.filter(|case| case.attribute("classname") == Some("digest-http.CompleteAuthToken"));
            let case = cases.nth(position).expect("CompleteAuthToken has rows enough");
            case.first_element_child()
                .map(|child| (child.tag_name().name(), child.attribute("type").expect("it has one")))
        };
        assert_eq!(outcome(RowVerdict::Pass), None);
        let deviation = if strictness == LENIENT { None } else { Some(("failure", "deviation")) };
        assert_eq!(outcome(RowVerdict::Deviation), deviation);
        assert_eq!(outcome(RowVerdict::Fail), Some(("failure", "fail")));
        assert_eq!(outcome(RowVerdict::Crash), Some(("error", "crash")));
        assert_eq!(outcome(RowVerdict::Timeout), Some(("error", "timeout")));
        assert_eq!(outcome(RowVerdict::Unstable), Some(("error", "unstable")));
        assert_eq!(outcome(RowVerdict::Skipped), Some(("skipped", "skipped")));
        assert_eq!(outcome(RowVerdict::Errored), Some(("error", "errored")));
        assert_eq!(outcome(RowVerdict::Xfail), Some(("skipped", "xfail")));
        let stale = document.descendants().find(|node| node.attribute("classname") == Some("expectations"));
        let told = stale.and_then(|case| case.first_element_child()?.attribute("message"));
        let expected = "crash in digest-http is expected in line 12, but cat-count-used is pass in digest-http";
        assert_eq!(told, Some(expected));
        assert!(xml.contains("smoke exchange"));
    }
}

#[test]
fn junit_that_is_none_is_noticed() {
    let xml = junit_of("SEC_E_OK", LENIENT);
    for (from, to) in [
        ("<testcase ", "<case "),
        (" failures=\"", " failures=\"1"),
        ("<testcase name=\"ach-other-package\"", "<testcase id=\"1\" name=\"ach-other-package\""),
        ("ach-other-package", "ach-other-logon"),
        ("</testsuites>", ""),
    ] {
        assert!(!junit_problems(&xml.replacen(from, to, 1)).is_empty(), "{from}");
    }
}

#[test]
fn junit_holds_what_a_subject_says_as_text() {
    let xml = junit_of(HOSTILE, LENIENT);
    assert_eq!(junit_problems(&xml), [""; 0]);
    let document = Document::parse(&xml).expect("it was read before");
    assert!(!document.descendants().any(|node| ["script", "img"].contains(&node.tag_name().name())));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("there is one");
    let message = failure.attribute("message").expect("it has one");
    assert!(message.contains("<script>alert('x')</script>") && message.contains("\\u{1b}[31m"), "{message}");
    assert!(failure.text().is_some_and(|text| text.contains("]]> |`*_[a]")), "{failure:?}");
}

// --- SARIF

/// The schema that the standard publishes, as the crate `serde-sarif` carries it.
fn sarif_schema() -> Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let tool =
            |variable: &str, name: &str| Command::new(std::env::var(variable).unwrap_or_else(|_| name.to_owned()));
        let about = tool("RUSTC", "rustc").arg("-vV").output().expect("rustc made these tests").stdout;
        let about = String::from_utf8_lossy(&about).into_owned();
        let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says where it runs");
        // Without a platform it would ask for dependencies that this one does not have.
        let metadata = ["metadata", "--format-version", "1", "--offline", "--filter-platform", host];
        let output = tool("CARGO", "cargo").args(metadata).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let output = output.expect("cargo runs these tests");
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
        let packages = metadata["packages"].as_array().expect("there are packages");
        let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("it is a dependency");
        let manifest = package["manifest_path"].as_str().expect("it has a manifest");
        let file = Path::new(manifest).with_file_name("src").join("schema.json");
        let text = std::fs::read_to_string(file).expect("the crate holds the schema");
        let mut schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
        // Nothing is fetched: it goes by the name that it is given here.
        schema.as_object_mut().expect("it is an object").remove("$id");
        schema
    });
    schema.clone()
}

fn sarif_of(text: &str, strictness: Strictness) -> Value {
    let text = sarif::report(specification(), &everything(text), strictness).expect("it has a form in JSON");
    serde_json::from_str(&text).expect("it is JSON")
}

fn results(sarif: &Value) -> &Vec<Value> {
    sarif["runs"][0]["results"].as_array().expect("there are results")
}

#[test]
fn sarif_is_as_the_standard_describes_it() {
    for text in ["SEC_E_OK", HOSTILE] {
        for strictness in [LENIENT, Strictness::Strict] {
            let sarif = sarif_of(text, strictness);
            assert_eq!(complaint(sarif_schema(), &sarif), None);
            assert_eq!(sarif["version"], "2.1.0");
            for result in results(&sarif) {
                let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
                let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][index.expect("it has one")];
                assert_eq!(rule["id"], result["ruleId"]);
                assert!(rule["help"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
            }
        }
    }
}

#[test]
fn sarif_that_is_none_is_noticed() {
    let sarif = sarif_of("SEC_E_OK", LENIENT);
    for (place, value) in [
        ("/version", Value::from("2.0.0")),
        ("/runs/0/results/0/level", Value::from("fatal")),
        ("/runs/0/results/0/message", Value::from("text")),
        ("/runs/0/tool/driver/name", Value::Null),
        ("/runs/0/results/0/ruleIndex", Value::from(-2)),
    ] {
        let mut broken = sarif.clone();
        *broken.pointer_mut(place).expect("the place exists") = value;
        assert!(complaint(sarif_schema(), &broken).is_some(), "{place}");
    }
}

#[test]
fn sarif_tells_level_requirement_suppression_and_reproducer() {
    let sarif = sarif_of("SEC_E_OK", LENIENT);
    let of_kind = |kind: &str| {
        let mut of_kind = results(&sarif).iter().filter(move |result| result["properties"]["kind"] == kind);
        of_kind.next().unwrap_or_else(|| panic!("there is no {kind}"))
    };
    for (kind, level) in [("deviation", "note"), ("fail", "error"), ("crash", "error"), ("errored", "error")] {
        assert_eq!(of_kind(kind)["level"], level, "{kind}");
    }
    assert_eq!(of_kind("fail")["properties"]["reproducer"]["actions"][1], "expire");
    let suppressed: Vec<_> = results(&sarif).iter().filter(|result| !result["suppressions"].is_null()).collect();
    assert_eq!(suppressed.len(), Profile::ALL.len());
    assert_eq!(suppressed[0]["suppressions"][0]["kind"], "external");
    for rule in ["smoke-exchange", "stale-expectation"] {
        assert!(results(&sarif).iter().any(|result| result["ruleId"] == rule), "{rule}");
    }
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("there are rules");
    let of_rows = rules.iter().filter(|rule| rule["id"].as_str().is_some_and(|id| id.starts_with("cat-")));
    for rule in of_rows {
        assert!(rule["helpUri"].as_str().is_some_and(|uri| uri.starts_with("https://")), "{rule}");
    }
}

#[test]
fn fingerprints_stay_with_their_findings() {
    let prints = |report| -> Vec<String> {
        let text = sarif::report(specification(), &report, LENIENT).expect("it has a form in JSON");
        let sarif: Value = serde_json::from_str(&text).expect("it is JSON");
        let print = |result: &Value| result["partialFingerprints"]["digestSsp/v1"].as_str().map(str::to_owned);
        results(&sarif).iter().filter_map(print).collect()
    };
    let of = |id: &str, text| {
        report(vec![(Profile::DigestHttp, vec![row(id, RowVerdict::Fail, vec![finding(FindingKind::Fail, text)])])])
    };
    let first = prints(of("cat-count-used", "SEC_E_OK"));
    let mut later = of("cat-count-used", "SEC_E_OK");
    (later.seed, later.subject) = (8, "by hand 1.1".into());
    later.profiles[0].rows[0].findings[0].facts = "count=used digest=matches".into();
    assert_eq!((first.len(), &first), (1, &prints(later)));
    assert_ne!(first, prints(of("cat-count-used-continue", "SEC_E_OK")));
    assert_ne!(first, prints(of("cat-count-used", "SEC_E_INVALID_TOKEN")));
}

// --- Markdown

/// Cells of a row of a table, by the pipes that end them.
fn cells(line: &str) -> usize {
    line.replace("\\\\", "").replace("\\|", "").matches('|').count()
}

#[test]
fn markdown_tells_counts_findings_expectations_and_what_is_stale() {
    let text = markdown::report(specification(), &everything("SEC_E_OK"), LENIENT);
    for part in [
        "# Conformance of SEC\\_E\\_OK\n",
        "| digest-http | does not conform | ",
        "\n### fail: `cat-",
        "\n* requirement: count-used: ",
        "](<https://",
        "\n1. CompleteAuthToken on the newest context\n2. the nonce lifetime passes\n",
        "\n### As expected\n",
        "| fail | SEC\\_E\\_OK <https://bugs.example/17?a=<b>> |",
        "\n### Stale expectations, which should be removed\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn markdown_holds_what_a_subject_says_as_text() {
    let text = markdown::report(specification(), &everything(HOSTILE), LENIENT);
    assert!(!text.contains("<script") && !text.contains("<img") && !text.contains('\u{1b}'), "{text}");
    assert!(!text.contains("[a](javascript"), "{text}");
    let mut width = None;
    for line in text.lines() {
        let is_table = line.starts_with('|');
        assert!(!is_table || width.is_none_or(|width| width == cells(line)), "{line}");
        width = is_table.then(|| cells(line));
    }
}

// --- HTML, of which tests/reports/browser.rs sees the rest

#[test]
fn html_holds_what_a_subject_says_as_text_and_loads_nothing() {
    let text = html::report(specification(), &everything(HOSTILE), LENIENT);
    assert!(text.contains("&lt;script&gt;alert('x')&lt;/script&gt;"));
    for markup in ["<script", "<img", "<link", "<iframe", "javascript:b\"", "\u{1b}", "\u{202e}", "url(", "@import"] {
        assert!(!text.contains(markup), "{markup:?} is there");
    }
    assert!(text.contains("content=\"default-src 'none';"));
    // Addresses are there to be followed, never loaded.
    for (position, _) in text.match_indices("https://") {
        let before = &text[..position];
        assert!(before.ends_with("<a href=\"") || before.ends_with('>'), "{before}");
    }
    assert!(!text.contains("http://"));
}

// --- for a person and for a program

#[test]
fn no_form_lets_a_subject_steer_a_terminal() {
    let report = everything(HOSTILE);
    let styled = human::report(specification(), &report, LENIENT);
    assert!(!styled.contains("\u{1b}[31m\n"), "what a subject says is told as it is");
    let plain = anstream::adapter::strip_str(&styled).to_string();
    assert!(plain.contains("\\u{1b}[31m\\n# \\u{202e}"), "{plain}");
    assert!(!plain.contains('\u{202e}'));
    let text = json::report(&report, LENIENT).expect("it has a form in JSON");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_person_is_told_what_is_expected_and_what_is_stale() {
    let styled = human::report(specification(), &everything("SEC_E_OK"), LENIENT);
    let text = anstream::adapter::strip_str(&styled).to_string();
    assert!(text.contains("\nxfail: fail, as expected: SEC_E_OK <https://bugs.example/17?a=<b>>\n  cat-"), "{text}");
    let stale = "\nstale cat-count-*: crash in digest-http is expected in line 12, but cat-count-used is pass in \
                 digest-http\n\nthe expectations do not hold: 1 stale, which should be removed\n";
    assert!(text.ends_with(stale), "{text}");
}
