//! The HTML report in a real browser: what is seen, not what was written.
#![forbid(unsafe_code)]

use std::process::Command;

use digest_ssp::conformance::report::{RowVerdict, Strictness, html};
use digest_ssp::spec::names::Profile;
use serde_json::Value;

use crate::support::{HOSTILE, Scratch, everything, missing, specification};

const BROWSER: &str = "chromium";

/// Where there is no browser.
fn no_browser() -> bool {
    let is_there = Command::new(BROWSER).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        missing(BROWSER);
    }
    !is_there
}

/// What a page becomes: its elements after loading, and what the browser complained of.
struct Seen {
    elements: String,
    complaints: Vec<String>,
}

fn visit(scratch: &Scratch, address: &str, more: &[&str]) -> Seen {
    let mut command = Command::new("timeout");
    command.args(["120", BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--enable-logging=stderr", "--dump-dom", &format!("--user-data-dir={}", scratch.path("profile"))]);
    let output = command.args(more).arg(format!("file://{address}")).output().expect("timeout is in coreutils");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    Seen { elements: String::from_utf8_lossy(&output.stdout).into_owned(), complaints }
}

fn text() -> String {
    html::report(specification(), &everything(HOSTILE), Strictness::Lenient)
}

/// The report in the windows of a phone and of a desk, measured from outside: it runs no script itself.
fn measured(scratch: &Scratch, report: &str, more: &[&str]) -> Value {
    let attribute = report.replace('&', "&amp;").replace('"', "&quot;");
    let page = format!(
        "<!doctype html><meta charset=utf-8><meta name=color-scheme content='light dark'>\
         <iframe id=phone width=360 height=740 srcdoc=\"{attribute}\"></iframe>\
         <iframe id=desk width=1280 height=900 srcdoc=\"{attribute}\"></iframe>\
         <pre id=seen></pre><script>{}</script>",
        include_str!("measure.js")
    );
    let seen = visit(scratch, &scratch.write("measure.html", &page), more);
    let start = seen.elements.find("<pre id=\"seen\">").expect("the page has a place") + "<pre id=\"seen\">".len();
    let measured = seen.elements[start..].split("</pre>").next().expect("it ends");
    serde_json::from_str(measured).unwrap_or_else(|error| panic!("{error}: {measured} {:?}", seen.complaints))
}

#[test]
fn the_report_is_seen_as_it_should_be_on_phone_and_desk_by_day_and_by_night() {
    if no_browser() {
        return;
    }
    let scratch = Scratch::new("browser");
    let rows = everything("").rows().count();
    for (more, dark) in [(&[][..], false), (&["--blink-settings=preferredColorScheme=0"][..], true)] {
        let seen = measured(&scratch, &text(), more);
        for window in ["phone", "desk"] {
            let seen = &seen[window];
            assert_eq!(seen["dark"], dark, "{window}");
            assert_eq!(seen["cells"], rows, "{window}");
            assert_eq!(seen["named_cells"], rows, "{window}");
            assert_eq!(seen["overflow"], 0, "{window}: {}", seen["widest"]);
            // Four with findings that are not the same twice, xfail, and the deviation beside the failure; in each profile.
            assert_eq!(seen["findings"], 7 * Profile::ALL.len(), "{window}");
            assert_eq!(seen["finding_before"], 0, "{window}");
            assert!(seen["finding_after"].as_u64() > Some(100), "{window}: {seen}");
            assert_eq!(seen["verdicts"], RowVerdict::ALL.len() * Profile::ALL.len(), "{window}");
            assert!(seen["fails_before"].as_u64() > Some(0) && seen["fails_after"] == 0, "{window}: {seen}");
            assert_eq!(seen["others_after"], seen["others_before"], "{window}");
            assert_eq!(seen["loads"], 0, "{window}");
            assert_eq!(seen["unlabelled"], serde_json::json!([]), "{window}");
            assert!(
                seen["contrast"].as_f64() >= Some(4.5),
                "{window}, dark {dark}: {} {}",
                seen["contrast"],
                seen["faintest"]
            );
        }
    }
}

#[test]
fn what_would_be_seen_badly_is_noticed() {
    if no_browser() {
        return;
    }
    let scratch = Scratch::new("browser-broken");
    let broken = text()
        .replacen("</main>", "<div style=\"width:3000px\">wide</div><h6>deep</h6></main>", 1)
        .replacen("--muted: #57606a", "--muted: #dddddd", 1)
        .replacen("class=\"cell v-", "class=\"call v-", 1)
        .replacen(".row.v-fail", ".row.v-failed", 1)
        .replacen("<caption>", "<p hidden>", 1);
    let seen = &measured(&scratch, &broken, &[])["phone"];
    assert_eq!(seen["cells"], everything("").rows().count() - 1);
    assert!(seen["overflow"].as_u64() > Some(1000), "{seen}");
    assert!(seen["contrast"].as_f64() < Some(2.0), "{seen}");
    assert_eq!(seen["fails_after"], seen["fails_before"]);
    let unlabelled = seen["unlabelled"].as_array().expect("it is a list");
    assert!(unlabelled.len() >= 2, "{seen}");
}

#[test]
fn a_link_opens_its_finding_and_the_browser_has_no_complaint() {
    if no_browser() {
        return;
    }
    let scratch = Scratch::new("browser-link");
    let report = everything(HOSTILE);
    let fails = report.with_verdict(RowVerdict::Fail).next().expect("there is one").row.clone();
    let file = scratch.write("report.html", &text());
    let anchor = format!("digest-http.{fails}.1");
    let seen = visit(&scratch, &format!("{file}#{anchor}"), &[]);
    assert_eq!(seen.complaints, [""; 0]);
    let place = seen.elements.find(&format!("id=\"{anchor}\"")).expect("the finding is there");
    let before = &seen.elements[..place];
    let finding = &before[before.rfind("<details").expect("it is in one")..];
    assert!(finding.split('>').next().is_some_and(|tag| tag.contains("open")), "{finding}");
    assert_eq!(seen.elements.matches("<details class=\"finding").count(), 7 * Profile::ALL.len());

    // Had the escaping a hole, the policy would keep the script from running, and the browser would say so.
    let hole =
        text().replacen("&lt;script&gt;alert('x')&lt;/script&gt;", "<script>document.title = 'taken'</script>", 2);
    let seen = visit(&scratch, &scratch.write("hole.html", &hole), &[]);
    assert!(!seen.elements.contains("<title>taken"));
    assert!(seen.complaints.iter().any(|line| line.contains("Content Security Policy")), "{:?}", seen.complaints);
}
