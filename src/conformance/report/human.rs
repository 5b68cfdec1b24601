//! A report as a person reads it, with the styles of a terminal; whoever prints it elsewhere strips them.
#![forbid(unsafe_code)]

use core::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::details::{Details, counts, distinct};
use super::{Conclusion, Finding, FindingKind, ProfileReport, Report, RowReport, RowVerdict, Strictness};
use crate::conformance::action::{Action, BufferEdit, CallAction, Edit, Goal};
use crate::conformance::expect::{Expectation, Expected, Stale};
use crate::conformance::plan::Sequence;
use crate::conformance::run::Trace;
use crate::spec::Specification;
use crate::spec::Verdict;
use crate::spec::model::{Allowed, Row};
use crate::spec::names::CallName;
use crate::spec::setup::EnvironmentFault;
use crate::spec::visible::visible;
use crate::spec::vocabulary::Fact;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The whole report: head, and for each profile a line for each call, every finding, a summary; stale expectations last.
pub fn report(specification: &Specification, report: &Report, strictness: Strictness) -> String {
    let mut text = String::new();
    head(&mut text, report);
    for of_profile in &report.profiles {
        profile(&mut text, specification, of_profile, strictness);
    }
    stale(&mut text, report);
    text
}

fn profile(text: &mut String, specification: &Specification, report: &ProfileReport, strictness: Strictness) {
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", report.profile);
    if let Some(smoke) = &report.smoke {
        let _ = writeln!(text, "{BAD}the smoke exchange failed{BAD:#}: {}\n", visible(smoke));
    }
    for call in CallName::ALL {
        call_line(text, report, *call);
    }
    for row in unexpected(report) {
        for finding in distinct(row).filter(|finding| counts(finding.kind.verdict(), strictness)) {
            finding_in_full(text, specification, row, finding);
        }
    }
    deviations(text, report, strictness);
    expected_failures(text, report);
    notes(text, report);
    summary(text, report, strictness);
}

fn head(text: &mut String, report: &Report) {
    for (name, value) in
        [("subject", report.subject.as_str()), ("spec", &report.spec_version), ("seed", &report.seed.to_string())]
    {
        let _ = writeln!(text, "{DIM}{name:<8}{DIM:#} {}", visible(value));
    }
}

/// How many rows of a call ran, of how many that could, how many concretisations that were, and the fewest of a row
/// that ran. The count of each row is in the JSON report.
fn call_line(text: &mut String, report: &ProfileReport, call: CallName) {
    let rows = || report.rows.iter().filter(|row| row.call == call);
    if rows().next().is_none() {
        return;
    }
    let exercised = rows().filter(|row| row.ran > 0).count();
    let skipped = rows().filter(|row| row.verdict == RowVerdict::Skipped).count();
    let applicable = rows().count() - skipped;
    let concretisations: usize = rows().map(|row| row.ran).sum();
    let least = rows().map(|row| row.ran).filter(|ran| *ran > 0).min().unwrap_or(0);
    let style = match rows().map(|row| row.verdict).max_by_key(|verdict| gravity(*verdict)) {
        Some(verdict) if verdict.is_wrong() => BAD,
        Some(RowVerdict::Deviation | RowVerdict::Xfail) => WARNING,
        Some(_) | None => GOOD,
    };
    let _ = writeln!(
        text,
        "{style}{call:<26}{style:#} {exercised:>3} of {applicable:>3} rows, {skipped:>2} skipped, \
         {concretisations:>6} concretisations, {least:>4} or more a row"
    );
}

fn gravity(verdict: RowVerdict) -> u8 {
    match verdict {
        RowVerdict::Skipped => 0,
        RowVerdict::Pass => 1,
        RowVerdict::Deviation => 2,
        RowVerdict::Xfail => 3,
        RowVerdict::Errored => 4,
        RowVerdict::Unstable => 5,
        RowVerdict::Timeout => 6,
        RowVerdict::Fail => 7,
        RowVerdict::Crash => 8,
    }
}

/// The rows whose findings are told: those of the others are known.
fn unexpected(report: &ProfileReport) -> impl Iterator<Item = &RowReport> {
    report.rows.iter().filter(|row| row.verdict != RowVerdict::Xfail)
}

fn deviations(text: &mut String, report: &ProfileReport, strictness: Strictness) {
    let mut separator = "\n";
    for row in unexpected(report) {
        for finding in distinct(row).filter(|finding| !counts(finding.kind.verdict(), strictness)) {
            let Finding { actual, difference, .. } = finding;
            let (actual, difference) = (visible(actual), visible(difference));
            let kind = kind(finding.kind);
            let _ = writeln!(text, "{separator}{kind} {BOLD}{}{BOLD:#}: {actual}: {difference}", row.row);
            separator = "";
        }
    }
}

fn kind(kind: FindingKind) -> String {
    let verdict = kind.verdict();
    let style = if verdict.is_wrong() { BAD } else { WARNING };
    format!("{style}{}{style:#}", verdict.name())
}

fn finding_in_full(text: &mut String, specification: &Specification, report: &RowReport, finding: &Finding) {
    let Some(details) = Details::of(specification, report, finding) else { return };
    let row = details.row;
    let state = if finding.state.is_empty() { String::new() } else { format!(" in {}", finding.state) };
    let _ = writeln!(text, "\n{} {BOLD}{}{BOLD:#}: {}{state}", kind(finding.kind), row.id, row.call);
    field(text, "requirement", &details.requirement);
    field(text, "", &row.outcome.why);
    for reference in &row.sources {
        field(text, "source", &source(specification, reference));
    }
    field(text, "expected", &details.expected);
    field(text, "actual", &details.actual);
    field(text, "difference", &finding.difference);
    if !finding.facts.is_empty() {
        field(text, "facts", &finding.facts);
    }
    let mut name = "reproducer";
    for (number, step) in (1_usize..).zip(&details.steps) {
        field(text, name, &format!("{number:>2}. {step}"));
        name = "";
    }
    field(text, name, &details.json);
}

fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {DIM}{name:<11}{DIM:#}  {}", visible(value));
}

/// A reference of a row as its title, heading and address.
pub fn source(specification: &Specification, reference: &str) -> String {
    match specification.source(reference) {
        Some((source, heading)) => {
            let heading = heading.map(|heading| format!(", {heading}")).unwrap_or_default();
            format!("{}{heading} <{}>", source.title, source.url)
        }
        None => reference.to_owned(),
    }
}

/// An outcome in one line.
pub fn expected(allowed: &Allowed) -> String {
    let next = allowed.next.name();
    format!("{}, next {next}, handle {}, buffers {}", allowed.status, allowed.handle, allowed.buffers)
}

/// The rows that are wrong as the expectations file says, those for the same reason together.
fn expected_failures(text: &mut String, report: &ProfileReport) {
    let mut reasons: Vec<(&Expected, Vec<&str>)> = Vec::new();
    for row in &report.rows {
        let Some(expected) = &row.expected else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == expected) {
            Some((_, rows)) => rows.push(&row.row),
            None => reasons.push((expected, vec![&row.row])),
        }
    }
    for (Expected { verdict, reason, link }, rows) in reasons {
        let link = link.as_ref().map(|link| format!(" <{link}>")).unwrap_or_default();
        let (verdict, reason) = (verdict.name(), visible(reason));
        let _ = writeln!(text, "\n{WARNING}xfail{WARNING:#}: {verdict}, as expected: {reason}{link}");
        for row in rows {
            let _ = writeln!(text, "  {row}");
        }
    }
}

/// The entries of the expectations file that are true of no row.
fn stale(text: &mut String, report: &Report) {
    if report.stale.is_empty() {
        return;
    }
    let _ = writeln!(text);
    for Stale { entry: Expectation { row, profile, verdict, line, .. }, why } in &report.stale {
        let profile = profile.map(|profile| format!(" in {profile}")).unwrap_or_default();
        let verdict = verdict.name();
        let _ = writeln!(
            text,
            "{BAD}stale{BAD:#} {BOLD}{row}{BOLD:#}: {verdict}{profile} is expected in line {line}, but {why}"
        );
    }
    let count = report.stale.len();
    let _ = writeln!(text, "\n{BAD}the expectations do not hold{BAD:#}: {count} stale, which should be removed");
}

/// Why rows did not run, those with the same reason together.
fn notes(text: &mut String, report: &ProfileReport) {
    let mut reasons: Vec<(RowVerdict, &str, Vec<&str>)> = Vec::new();
    for row in &report.rows {
        let Some(note) = row.note.as_deref() else { continue };
        match reasons.iter_mut().find(|(verdict, reason, _)| *verdict == row.verdict && *reason == note) {
            Some((_, _, rows)) => rows.push(&row.row),
            None => reasons.push((row.verdict, note, vec![&row.row])),
        }
    }
    for (verdict, reason, rows) in reasons {
        let style = if verdict == RowVerdict::Errored { BAD } else { DIM };
        let _ = writeln!(text, "\n{style}{}{style:#}: {}", verdict.name(), visible(reason));
        for row in rows {
            let _ = writeln!(text, "  {row}");
        }
    }
}

fn summary(text: &mut String, report: &ProfileReport, strictness: Strictness) {
    let counts: Vec<String> = RowVerdict::ALL
        .iter()
        .map(|verdict| (report.with_verdict(*verdict).count(), verdict.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let concretisations: usize = report.rows.iter().map(|row| row.ran).sum();
    let (style, word) = match report.conclusion(strictness) {
        Conclusion::Conforms => (GOOD, "conforms"),
        Conclusion::Findings => (BAD, "does not conform"),
        Conclusion::NothingShown if report.smoke.is_some() => (BAD, "nothing is shown: the smoke exchange failed"),
        Conclusion::NothingShown => (BAD, "nothing is shown: no row of CompleteAuthToken ran"),
    };
    let rows = report.rows.len();
    let counts = counts.join(", ");
    let profile = report.profile;
    let _ =
        writeln!(text, "\n{style}{profile} {word}{style:#}: {rows} rows: {counts}; {concretisations} concretisations");
}

/// A sequence as it went: each action, and for each call the status, the verdict and the row.
pub fn trace(sequence: &Sequence, trace: &Trace) -> String {
    let mut text = String::new();
    let mut steps = trace.steps.iter().peekable();
    for (number, action) in (1_usize..).zip(&sequence.actions) {
        let step = steps.next_if(|step| step.number == number);
        // A step of an exchange that had reached its goal is none.
        if step.is_some() || !matches!(action, Action::Exchange(_)) {
            let _ = writeln!(text, "{DIM}{number:>3}.{DIM:#} {}", describe(action));
        }
        let Some(step) = step else { if matches!(action, Action::Call(_)) { break } else { continue } };
        let (verdict, why) = match &step.judgement.verdict {
            Verdict::Pass => (format!("{GOOD}pass{GOOD:#}"), String::new()),
            Verdict::Deviation(why) => (kind(FindingKind::Deviation), format!(": {why}")),
            Verdict::Fail(why) => (kind(FindingKind::Fail), format!(": {why}")),
        };
        let row = step.judgement.row.as_deref().unwrap_or("no row");
        let _ = writeln!(text, "     in {}: {}, {verdict} {row}{why}", step.state, step.outcome.status);
        if trace.failure().is_some_and(|failed| core::ptr::eq(failed, step)) {
            break;
        }
    }
    if let Some(error) = &trace.error {
        let _ = writeln!(text, "     {}: {}", kind(FindingKind::from(error)), visible(&error.to_string()));
    }
    text
}

/// An action as a sentence; what only the JSON form says is what its variety draws.
pub fn describe(action: &Action) -> String {
    match action {
        Action::Call(call) => describe_call(call),
        Action::Expire => "the nonce lifetime passes".to_owned(),
        Action::Inject(EnvironmentFault::None) => "entropy and clock work again".to_owned(),
        Action::Inject(EnvironmentFault::Entropy) => "entropy fails from here on".to_owned(),
        Action::Inject(EnvironmentFault::Clock) => "the clock fails from here on".to_owned(),
        Action::AccountsDown(true) => "the account source goes down".to_owned(),
        Action::AccountsDown(false) => "the account source is back".to_owned(),
        Action::SpendCounts => "the newest context, if an established initiator's, spends all its counts".to_owned(),
        Action::Exchange(goal) => describe_goal(goal),
        Action::SpendSequences => "the newest context, if it protects messages, spends all its numbers".to_owned(),
        Action::StartOver(_) => "in the same process, the subject is started over".to_owned(),
    }
}

fn describe_goal(goal: &Goal) -> String {
    let mut text = String::from("the next call of the exchange");
    let at: Vec<String> =
        goal.at.iter().map(|(fact, value)| format!("{}={}", fact.name(), fact.values()[usize::from(value)])).collect();
    let at = at.join(" ");
    let _ = match (goal.before, at.as_str()) {
        (Some(call), "") => write!(text, ", but not {call} without a context"),
        (Some(call), at) => write!(text, ", but not {call} on {at}"),
        (None, "") => Ok(()),
        (None, at) => write!(text, ", until {at}"),
    };
    text
}

fn describe_call(action: &CallAction) -> String {
    let mut text = action.call.name().to_owned();
    match action.context {
        None => {}
        Some(0) => text.push_str(" on the newest context"),
        Some(1) => text.push_str(" on the context before the newest"),
        Some(back) => {
            let _ = write!(text, " on the context {back} before the newest");
        }
    }
    if let Some(which) = action.which {
        let _ = write!(text, ", about candidate {which}");
    }
    let wishes: Vec<String> = action
        .wishes
        .iter()
        // The first value of a fact is the good one; what the tester does is known by how it departs.
        .filter(|(fact, value)| *value != 0 && !matches!(fact, Fact::Role | Fact::State))
        .map(|(fact, value)| format!("{}={}", fact.name(), fact.values()[usize::from(value)]))
        .collect();
    if !wishes.is_empty() {
        let _ = write!(text, ": {}", wishes.join(" "));
    }
    for edit in &action.edits {
        text.push_str(&edited(*edit, "the token"));
    }
    let of_buffers = |edits: &[BufferEdit]| -> String {
        let of = |BufferEdit { buffer, edit }: &BufferEdit| edited(*edit, &format!("buffer {buffer}"));
        edits.iter().map(of).collect()
    };
    if !action.before_seal.is_empty() {
        let _ = write!(text, "{}; the message is sealed", of_buffers(&action.before_seal));
    }
    text.push_str(&of_buffers(&action.after_seal));
    text
}

fn edited(edit: Edit, what: &str) -> String {
    match edit {
        Edit::Overwrite { at, byte } => format!("; byte {at} of {what} becomes 0x{byte:02X}"),
        Edit::Insert { at, byte } => format!("; 0x{byte:02X} comes in at byte {at} of {what}"),
        Edit::Remove { at } => format!("; byte {at} of {what} goes"),
        Edit::Truncate { at } => format!("; {what} is cut at byte {at}"),
    }
}

/// The rows as a list: id, call, states, situations, level, provenance and profiles.
pub fn list<'a>(specification: &Specification, rows: impl Iterator<Item = &'a Row>) -> String {
    let mut text = String::new();
    for row in rows {
        let states: Vec<&str> = row.states.iter().map(|state| state_name(row, *state)).collect();
        let tables = specification.find(&row.id).map(|(tables, _)| tables);
        let situations = tables.map(|tables| &tables.situations);
        let situations: Vec<&str> =
            row.situations.iter().filter_map(|position| Some(situations?.get(*position)?.id.as_str())).collect();
        let profiles: Vec<&str> =
            tables.into_iter().flat_map(|tables| &tables.profiles).map(|profile| profile.name()).collect();
        let _ = writeln!(
            text,
            "{BOLD}{}{BOLD:#}  {}  {}  {}  {}  {}  {}",
            row.id,
            row.call,
            states.join("|"),
            situations.join("|"),
            row.level,
            row.provenance,
            profiles.join("|")
        );
    }
    text
}

/// The name of a state of a row: "none" where there is no live context, "any" where its state does not matter.
pub(crate) fn state_name(row: &Row, state: Option<u8>) -> &'static str {
    match (state, row.role) {
        (Some(state), _) => Fact::State.values().get(usize::from(state)).copied().unwrap_or("any"),
        (None, None) => "none",
        (None, Some(_)) => "any",
    }
}

#[cfg(test)]
mod tests {
    use super::{describe, report};
    use crate::conformance::action::{Action, CallAction, Edit};
    use crate::conformance::plan::Sequence;
    use crate::conformance::report::{
        Conclusion, Finding, FindingKind, ProfileReport, Report, RowReport, RowVerdict, Strictness,
    };
    use crate::spec::names::{CallName, Profile};
    use crate::spec::vocabulary::Names;
    use crate::spec::{Setup, Specification};

    fn one_row(verdict: RowVerdict, kind: FindingKind) -> Report {
        let reproducer = Sequence { setup: Setup::default(), actions: vec![Action::Expire] };
        let finding = Finding {
            kind,
            situation: "count-used".into(),
            state: "complete-needed-subsequent".into(),
            facts: "count=used".into(),
            actual: "SEC_E_OK".into(),
            returned: "no handle, buffers untouched".into(),
            difference: "status SEC_E_OK".into(),
            reproducer,
        };
        let row = RowReport {
            row: "cat-count-used".into(),
            call: CallName::CompleteAuthToken,
            verdict,
            ran: 3,
            note: None,
            expected: None,
            findings: vec![finding],
        };
        let profile = ProfileReport { profile: Profile::DigestHttp, smoke: None, rows: vec![row] };
        Report {
            spec_version: "0.0.0".into(),
            subject: "test".into(),
            seed: 7,
            profiles: vec![profile],
            stale: Vec::new(),
        }
    }

    #[test]
    fn a_failure_is_told_with_requirement_source_expected_actual_and_reproducer() {
        let tables = Specification::embedded().expect("the tables load");
        let found = one_row(RowVerdict::Fail, FindingKind::Fail);
        let text = anstream::adapter::strip_str(&report(&tables, &found, Strictness::Lenient)).to_string();
        for part in [
            "fail cat-count-used: CompleteAuthToken in complete-needed-subsequent",
            "requirement  count-used: ",
            "source       ",
            "<https://",
            "expected     SEC_E_OUT_OF_SEQUENCE, next rejected",
            "actual       SEC_E_OK, no handle, buffers untouched",
            " 1. the nonce lifetime passes",
            "{\"setup\":",
            "digest-http does not conform: 1 rows: 1 fail; 3 concretisations",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn deviations_are_findings_only_where_they_are_asked_to_be() {
        let found = one_row(RowVerdict::Deviation, FindingKind::Deviation);
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::Conforms);
        assert_eq!(found.conclusion(Strictness::Strict), Conclusion::Findings);
        let tables = Specification::embedded().expect("the tables load");
        assert!(!report(&tables, &found, Strictness::Lenient).contains("expected"));
        assert!(report(&tables, &found, Strictness::Strict).contains("expected"));
    }

    #[test]
    fn a_run_in_which_no_completion_ran_shows_nothing() {
        let mut found = one_row(RowVerdict::Pass, FindingKind::Deviation);
        found.profiles[0].rows[0].ran = 0;
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::NothingShown);
        found.profiles[0].rows[0].ran = 1;
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::Conforms);
        found.profiles[0].smoke = Some("AcceptSecurityContext answered SEC_E_INTERNAL_ERROR".into());
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::NothingShown);
    }

    #[test]
    fn a_run_is_as_its_gravest_profile_and_of_none_nothing_is_shown() {
        let mut found = one_row(RowVerdict::Pass, FindingKind::Deviation);
        let mut sasl = found.profiles[0].clone();
        sasl.profile = Profile::DigestSasl;
        sasl.rows[0].verdict = RowVerdict::Fail;
        found.profiles.push(sasl);
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::Findings);
        let tables = Specification::embedded().expect("the tables load");
        let text = anstream::adapter::strip_str(&report(&tables, &found, Strictness::Lenient)).to_string();
        for part in
            ["\ndigest-http\n", "\ndigest-http conforms: ", "\ndigest-sasl\n", "\ndigest-sasl does not conform: "]
        {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        found.profiles[0].rows[0].ran = 0;
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::NothingShown);
        found.profiles.clear();
        assert_eq!(found.conclusion(Strictness::Lenient), Conclusion::NothingShown);
    }

    #[test]
    fn an_action_is_a_sentence() {
        let mut action = CallAction::new(CallName::CompleteAuthToken, 1).on(0).wishing(Names::Other);
        action.edits.push(Edit::Insert { at: 4, byte: b'A' });
        assert_eq!(
            describe(&Action::Call(action)),
            "CompleteAuthToken on the newest context: names=other; 0x41 comes in at byte 4 of the token"
        );
    }
}
