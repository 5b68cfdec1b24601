//! The reference for readers: `spec/REFERENCE.md`, made of the tables and of nothing else.
#![forbid(unsafe_code)]

use core::fmt::Write;
use std::collections::BTreeMap;

use super::describe;
use super::graph;
use super::model::{Allowed, CallSpec, Row, Specification};
use super::names::{CallName, Profile};
use super::vocabulary::{Fact, Role, Word};

/// The reference as Markdown (GitHub's dialect): a total function of the tables, the same bytes for the same tables.
///
/// Every row has a heading of its own, so that `REFERENCE.md#<id of the row>` leads to it.
pub fn markdown(specification: &Specification) -> String {
    let mut page = Page::default();
    head(specification, &mut page);
    states(specification, &mut page);
    statuses(specification, &mut page);
    vocabulary(specification, &mut page);
    for call in &specification.calls {
        self::call(specification, call, &mut page);
    }
    callers(specification, &mut page);
    errata(specification, &mut page);
    observations(specification, &mut page);
    verdicts(specification, &mut page);
    sources(specification, &mut page);
    page.0
}

/// Where a committed reference differs from what the tables say now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the reference is stale from line {line} on: it says {committed:?}, the tables say {rendered:?}")]
pub struct Stale {
    /// The first line that differs, from 1.
    pub line: usize,
    /// What stands there; empty after the end.
    pub committed: String,
    /// What should stand there; empty after the end.
    pub rendered: String,
}

/// Whether a committed reference is the one the tables make.
///
/// # Errors
/// The first line that differs.
pub fn is_current(specification: &Specification, committed: &str) -> Result<(), Stale> {
    let rendered = markdown(specification);
    if rendered == committed {
        return Ok(());
    }
    let same = rendered.lines().zip(committed.lines()).take_while(|(one, other)| one == other).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or_default().to_owned();
    Err(Stale { line: same + 1, committed: line(committed), rendered: line(&rendered) })
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref());
        self.0.push('\n');
    }

    fn paragraph(&mut self, text: impl AsRef<str>) {
        self.line(text);
        self.line("");
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.paragraph(format!("{} {text}", "#".repeat(level)));
    }

    fn table<const N: usize>(&mut self, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
        self.line(format!("| {} |", head.join(" | ")));
        self.line(format!("|{}", "---|".repeat(N)));
        for row in rows {
            self.line(format!("| {} |", row.join(" | ")));
        }
        self.line("");
    }
}

/// Prose of the tables as Markdown text, also inside a cell.
fn text(prose: &str) -> String {
    let mut escaped = String::with_capacity(prose.len());
    for character in prose.chars() {
        match character {
            '*' | '|' | '\\' | '[' | ']' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn code(name: &str) -> String {
    format!("`{}`", name.replace('|', "\\|"))
}

/// The anchor that GitHub makes of a heading of words and parentheses.
fn slug(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-").replace(['(', ')'], "")
}

fn codes<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// References as links to the documents, each with the headings of its sections.
fn links(specification: &Specification, references: &[String]) -> String {
    let mut documents: Vec<(String, Vec<String>)> = Vec::new();
    for reference in references {
        let resolved = describe::reference(specification, reference);
        let link = resolved.as_ref().map_or_else(
            || code(reference),
            |resolved| format!("[{}][{}]", text(&resolved.source.title), resolved.source.id),
        );
        let heading = resolved.and_then(|resolved| resolved.heading_with_number()).map(|heading| text(&heading));
        match documents.iter_mut().find(|(other, _)| *other == link) {
            Some((_, headings)) => headings.extend(heading),
            None => documents.push((link, heading.into_iter().collect())),
        }
    }
    let one = |(link, headings): (String, Vec<String>)| {
        if headings.is_empty() { link } else { format!("{link} ({})", headings.join("; ")) }
    };
    documents.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

fn head(specification: &Specification, page: &mut Page) {
    page.paragraph(
        "<!-- Rendered from the tables in spec/ by `digest-ssp spec render`. Do not edit; edit the tables. -->",
    );
    page.heading(1, "CompleteAuthToken and the Digest security package");
    let (calls, tables, rows) = (CallName::ALL.len(), specification.calls.len(), specification.rows().count());
    page.paragraph(format!(
        "Specification {}: {calls} calls, {tables} tables, {rows} rows, {} errata, {} observations, {} documents.",
        specification.version,
        specification.errata.len(),
        specification.observations.len(),
        specification.sources.len()
    ));
    page.paragraph(
        "What is true of a call is said in **facts**. A fact exists only under the conditions given in its call's table; \
         otherwise it is `n/a`. **Situations** are named patterns over facts, in order: the first that matches holds. \
         State and situation choose the **row**, which says what must happen. Another answer fails where the row is a \
         *must* and deviates where it is a *should*; what is listed as accepted deviates and is not wrong. A row is \
         *documented* (a page says it), *derived* (it follows from pages) or *decided* (the pages leave it open).",
    );
    page.paragraph(
        "A call has a **table** for each mechanism of the package, or one for both. A live context keeps the mechanism it \
         was made with, and its table answers. Where there is none, the HTTP flag of AcceptSecurityContext and \
         InitializeSecurityContext decides; for the other calls the two tables agree.",
    );
    page.paragraph(
        "The tables of *any package* say what holds for a package of which nothing is known: its initiator and its \
         acceptor are handed each other's tokens, and nobody looks into them. Where the pages leave an answer to the \
         package, the row names every one of them: *or* is as good as the first.",
    );
    page.line("* [States](#states)");
    page.line("* [Statuses](#statuses)");
    page.line("* [Facts](#facts)");
    for call in &specification.calls {
        page.line(format!("* [{}](#{})", call.title(), slug(&call.title())));
    }
    page.line("* [Callers](#callers)");
    page.line("* [Errata](#errata)");
    page.line("* [Observations](#observations)");
    page.line("* [Verdicts](#verdicts)");
    page.paragraph("* [Documents](#documents)");
}

fn states(specification: &Specification, page: &mut Page) {
    page.heading(2, "States");
    for role in [Role::Acceptor, Role::Initiator] {
        let name = Fact::Role.values()[usize::from(role.index())];
        page.paragraph(format!("**{name}**"));
        let rows = specification.states.iter().filter(|state| state.role == name).map(|state| {
            let provenance = state.provenance.to_string();
            [code(&state.name), text(&state.text), provenance, links(specification, &state.sources)]
        });
        page.table(["state", "what it is", "provenance", "documents"], rows);
        for profile in Profile::ALL {
            page.paragraph(format!("{name}, {}:", profile.title()));
            page.line("```mermaid");
            page.0.push_str(&graph::mermaid(specification, *profile, role));
            page.paragraph("```");
        }
    }
}

fn statuses(specification: &Specification, page: &mut Page) {
    page.heading(2, "Statuses");
    let rows =
        specification.statuses.iter().map(|status| [code(&status.name), code(&status.value), text(&status.meaning)]);
    page.table(["status", "value", "meaning"], rows);
}

fn vocabulary(specification: &Specification, page: &mut Page) {
    page.heading(2, "Facts");
    for fact in &specification.facts {
        page.paragraph(format!("**`{}`**: {}", fact.name, text(&fact.text)));
        page.table(["value", "what it means"], fact.values.iter().map(|value| [code(&value.name), text(&value.text)]));
    }
}

fn call(specification: &Specification, call: &CallSpec, page: &mut Page) {
    page.heading(2, &call.title());
    page.paragraph(text(&call.text));
    page.paragraph(format!("Documents: {}.", links(specification, &call.sources)));
    let documented: Vec<String> = call.documented.iter().map(ToString::to_string).collect();
    page.paragraph(format!("Documented return codes: {}.", codes(documented.iter().map(String::as_str))));
    if !call.exceptions.is_empty() {
        page.paragraph("Documented, but produced by no row:");
        for exception in &call.exceptions {
            page.line(format!("* `{}`: {}", exception.status, text(&exception.why)));
        }
        page.line("");
    }
    let names = |fact: Fact, values: &[u8]| codes(values.iter().map(|value| fact.values()[usize::from(*value)]));
    page.paragraph(format!("**Facts of {}**, in the order of checks:", call.title()));
    let facts = call.facts.iter().map(|rule| {
        let when = text(&describe::patterns(&rule.when));
        [code(rule.fact.name()), when, names(rule.fact, &rule.values), names(rule.fact, &rule.fine)]
    });
    page.table(["fact", "exists when", "values", "no departure"], facts);
    page.paragraph(format!("**Situations of {}**, in order; the first that matches holds:", call.title()));
    let situations = (1..).zip(&call.situations).map(|(number, situation): (u32, _)| {
        let when = text(&describe::patterns(&situation.when));
        [number.to_string(), code(&situation.id), text(&situation.text), when]
    });
    page.table(["", "situation", "what it is", "when"], situations);
    page.paragraph(format!("**Rows of {}**:", call.title()));
    let rows = call.rows.iter().map(|row| {
        let states = codes(row.states.iter().map(|state| describe::state(row, *state)));
        let states = describe::role(row).map_or_else(|| states.clone(), |role| format!("{role}: {states}"));
        let situations = codes(row.situations.iter().map(|situation| call.situations[*situation].id.as_str()));
        let status = code(&row.outcome.status.to_string());
        [format!("[{0}](#{0})", row.id), states, situations, status, code(row.outcome.next.name())]
    });
    page.table(["row", "state", "situation", "status", "next"], rows);
    for row in &call.rows {
        self::row(specification, call, row, page);
    }
}

fn row(specification: &Specification, call: &CallSpec, row: &Row, page: &mut Page) {
    page.heading(3, &row.id);
    let states = codes(row.states.iter().map(|state| describe::state(row, *state)));
    let who = describe::role(row).map_or_else(|| String::from("no live context"), |role| format!("{role} in {states}"));
    let situations: Vec<String> = row
        .situations
        .iter()
        .map(|situation| &call.situations[*situation])
        .map(|situation| format!("{} ({})", code(&situation.id), text(situation.text.trim_end_matches('.'))))
        .collect();
    page.paragraph(format!("{}, {}; situation {}.", call.title(), who, situations.join(" or ")));
    let outcomes = std::iter::once(outcome(row.level.name(), &row.outcome))
        .chain(row.also.iter().map(|also| outcome("or", also)))
        .chain(row.accept.iter().map(|accepted| outcome("accepted", accepted)));
    page.table(["", "status", "next", "handle", "buffers", "effects", "why"], outcomes);
    let applies = codes(row.applies.iter().map(|profile| profile.name()));
    let mut facts = format!("Provenance: {}. Applies to {applies}.", row.provenance);
    if !row.needs.is_empty() {
        let _ = write!(facts, " Testable with {}.", codes(row.needs.iter().map(|need| need.name())));
    }
    page.paragraph(format!("{facts} Documents: {}.", links(specification, &row.sources)));
    let errata: Vec<String> =
        describe::errata(specification, &row.id).map(|entry| anchor("erratum", &entry.id)).collect();
    let seen: Vec<String> =
        describe::observations(specification, &row.id).map(|entry| anchor("observation", &entry.id)).collect();
    if !errata.is_empty() {
        page.paragraph(format!("Errata: {}.", errata.join(", ")));
    }
    if !seen.is_empty() {
        page.paragraph(format!("Observed: {}.", seen.join(", ")));
    }
    let verdicts: Vec<String> = describe::verdicts(specification, &row.id)
        .map(|(observed, verdict)| format!("{verdict} ({})", text(&observed.implementation)))
        .collect();
    if !verdicts.is_empty() {
        page.paragraph(format!("[Verdicts](#verdicts): {}.", verdicts.join(", ")));
    }
}

fn outcome(kind: &str, allowed: &Allowed) -> [String; 7] {
    let effects = codes(allowed.effects.iter().map(|effect| effect.name()));
    [
        kind.to_owned(),
        code(&allowed.status.to_string()),
        code(allowed.next.name()),
        code(allowed.handle.name()),
        code(allowed.buffers.name()),
        effects,
        text(&allowed.why),
    ]
}

/// A link to the entry of an erratum or observation, whose heading carries its kind so that it cannot meet a row's.
fn anchor(kind: &str, id: &str) -> String {
    format!("[{id}](#{kind}-{id})")
}

fn rows_of(rows: &[String]) -> String {
    rows.iter().map(|id| format!("[{id}](#{id})")).collect::<Vec<_>>().join(", ")
}

fn callers(specification: &Specification, page: &mut Page) {
    page.heading(2, "Callers");
    page.paragraph(
        "What a caller owes the package, as far as a trace of its calls shows it. `digest-ssp trace check` judges by these \
         rules. A rule is a *must* or a *should*, as rows are.",
    );
    for rule in &specification.callers {
        page.heading(3, &format!("caller-{}", rule.id));
        page.line(format!("* {}: {}", rule.level, text(&rule.text)));
        page.line(format!("* Why: {}", text(&rule.why)));
        page.line(format!("* Provenance: {}", rule.provenance));
        page.line(format!("* Documents: {}", links(specification, &rule.sources)));
        page.line("");
    }
}

fn errata(specification: &Specification, page: &mut Page) {
    page.heading(2, "Errata");
    page.paragraph("Where the documents contradict themselves or each other, or leave open what a caller sees.");
    for erratum in &specification.errata {
        page.heading(3, &format!("erratum-{}", erratum.id));
        page.line(format!("* It says: {}", text(&erratum.says)));
        page.line(format!("* Against that: {}", text(&erratum.against)));
        page.line(format!("* Here: {}", text(&erratum.decision)));
        page.line(format!("* Documents: {}", links(specification, &erratum.sources)));
        if !erratum.rows.is_empty() {
            page.line(format!("* Rows: {}", rows_of(&erratum.rows)));
        }
        page.line("");
    }
}

fn observations(specification: &Specification, page: &mut Page) {
    page.heading(2, "Observations");
    page.paragraph(
        "What named implementations were seen to do. Observations stand beside the rows and never change them.",
    );
    for observation in &specification.observations {
        page.heading(3, &format!("observation-{}", observation.id));
        page.line(format!(
            "* {}, {}: {}",
            text(&observation.implementation),
            observation.call,
            text(&observation.seen)
        ));
        page.line(format!("* Seen in: {}", links(specification, &observation.sources)));
        if !observation.rows.is_empty() {
            page.line(format!("* Rows: {}", rows_of(&observation.rows)));
        }
        page.line("");
    }
}

fn verdicts(specification: &Specification, page: &mut Page) {
    page.heading(2, "Verdicts");
    page.paragraph(
        "How the suite judges named implementations by what they answer to their own caller: `.ci/observe` runs each three \
         times. *skipped* is what could not be tried, *unstable* what was not the same each time.",
    );
    let rows = specification.observed.iter().map(|observed| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for verdict in observed.rows.values() {
            *counts.entry(verdict).or_default() += 1;
        }
        let counts: Vec<String> = counts.into_iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        [
            text(&format!("{} {}", observed.implementation, observed.version)),
            text(&observed.package),
            code(observed.profile.name()),
            text(&observed.observed),
            text(&counts.join(", ")),
        ]
    });
    page.table(["implementation", "package", "profile", "observed", "rows"], rows);
}

fn sources(specification: &Specification, page: &mut Page) {
    page.heading(2, "Documents");
    let rows = specification.sources.iter().map(|source| {
        let link = format!("[{}][{}]", text(&source.title), source.id);
        [code(&source.id), link, text(&source.publisher), text(&source.read)]
    });
    page.table(["id", "document", "publisher", "read or revised"], rows);
    for source in &specification.sources {
        page.line(format!("[{}]: {}", source.id, source.url));
    }
}

#[cfg(test)]
mod tests {
    use super::{code, is_current, markdown, text};
    use crate::spec::model::Specification;

    fn tables() -> Specification {
        Specification::embedded().expect("a test of `load` shows that the tables load")
    }

    #[test]
    fn the_committed_reference_is_what_the_tables_say() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/REFERENCE.md");
        if std::env::var_os("RENDER_REFERENCE").is_some() {
            std::fs::write(&path, markdown(&tables())).expect("the reference can be written");
        }
        let committed = std::fs::read_to_string(path).expect("spec/REFERENCE.md can be read");
        if let Err(stale) = is_current(&tables(), &committed) {
            panic!("{stale}\n(digest-ssp spec render, or RENDER_REFERENCE=1 cargo test, makes it anew)");
        }
    }

    #[test]
    fn a_stale_reference_is_refused_at_its_first_line() {
        let tables = tables();
        let rendered = markdown(&tables);
        let stale = is_current(&tables, &rendered.replace("SEC_E_OUT_OF_SEQUENCE", "SEC_OUT_OF_SEQUENCE"));
        let stale = stale.expect_err("the reference says something else");
        assert!(stale.rendered.contains("SEC_E_OUT_OF_SEQUENCE"), "{stale}");
        assert!(stale.committed.contains("SEC_OUT_OF_SEQUENCE"), "{stale}");
        let shorter = rendered.lines().take(5).collect::<Vec<_>>().join("\n");
        assert_eq!(is_current(&tables, &shorter).map_err(|stale| stale.line), Err(6));
    }

    #[test]
    fn every_row_erratum_observation_and_document_is_in_the_reference() {
        let tables = tables();
        let rendered = markdown(&tables);
        let has = |line: String| rendered.lines().any(|other| other == line);
        for row in tables.rows() {
            assert!(has(format!("### {}", row.id)), "{}", row.id);
        }
        for erratum in &tables.errata {
            assert!(has(format!("### erratum-{}", erratum.id)), "{}", erratum.id);
        }
        for rule in &tables.callers {
            assert!(has(format!("### caller-{}", rule.id)), "{}", rule.id);
        }
        for observation in &tables.observations {
            assert!(has(format!("### observation-{}", observation.id)), "{}", observation.id);
        }
        for observed in &tables.observed {
            assert!(rendered.contains(&format!("| {} {} |", observed.implementation, observed.version)));
        }
        for source in &tables.sources {
            assert!(rendered.contains(&source.url), "{}", source.id);
        }
    }

    #[test]
    fn prose_cannot_break_the_markup() {
        assert_eq!(text("SEC_I_COMPLETE_* | <b> [x]"), "SEC_I_COMPLETE_\\* \\| &lt;b&gt; \\[x\\]");
        assert_eq!(code("a|b"), "`a\\|b`");
    }
}
