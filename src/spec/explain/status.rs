//! A status: what it means, which calls document it, which rows answer it.
#![forbid(unsafe_code)]

use core::fmt::Write;

use super::{documents, field, states};
use crate::spec::model::{CallSpec, Row, Specification};
use crate::status::SecurityStatus;

/// A status by its documented name in either case, as `0x` and up to eight digits, or as the decimal number, signed
/// or not, that tools print.
pub fn parse_status(written: &str) -> Option<SecurityStatus> {
    let written = written.trim();
    if let Some(status) = SecurityStatus::from_name(&written.to_ascii_uppercase()) {
        return Some(status);
    }
    if let Some(digits) = written.strip_prefix("0x").or_else(|| written.strip_prefix("0X")) {
        let only_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return u32::from_str_radix(digits, 16).ok().filter(|_| only_digits).map(SecurityStatus);
    }
    let signed = || written.parse::<i32>().ok().map(i32::cast_unsigned);
    written.parse::<u32>().ok().or_else(signed).map(SecurityStatus)
}

/// Everything the tables say about a status; `None` where they do not know it.
pub fn status(specification: &Specification, status: SecurityStatus) -> Option<String> {
    let name = status.to_string();
    let entry = specification.statuses.iter().find(|entry| entry.name == name)?;
    let mut text = format!("{name} ({})\n", entry.value);
    field(&mut text, "meaning", &entry.meaning);
    documents(&mut text, specification, &entry.sources);
    let documented = specification.calls.iter().filter(|call| call.documented.contains(&status));
    let documented: Vec<String> = documented.map(|call| call.title()).collect();
    let documented = if documented.is_empty() { "no call".to_owned() } else { documented.join(", ") };
    field(&mut text, "documented by", &documented);
    for call in &specification.calls {
        for exception in call.exceptions.iter().filter(|exception| exception.status == name) {
            field(&mut text, "never answered", &format!("{}: {}", call.title(), exception.why));
        }
    }
    for call in &specification.calls {
        rows(&mut text, specification, call, status);
    }
    Some(text)
}

fn rows(text: &mut String, specification: &Specification, call: &CallSpec, status: SecurityStatus) {
    let answering = || call.rows.iter().filter(|row| row.required().any(|allowed| allowed.status == status));
    let accepting = || call.rows.iter().filter(|row| row.accept.iter().any(|allowed| allowed.status == status));
    if answering().next().is_none() && accepting().next().is_none() {
        return;
    }
    let _ = writeln!(text, "\n{}", call.title());
    for row in answering() {
        let _ = writeln!(text, "  {} (in {})", row.id, states(row));
        for situation in situations(call, row) {
            let _ = writeln!(text, "    when {situation}");
        }
        for allowed in row.required().filter(|allowed| allowed.status == status) {
            let _ = writeln!(text, "    why  {}", allowed.why);
        }
        for reference in &row.sources {
            let _ = writeln!(text, "    from {}", one_line(specification, reference));
        }
    }
    for row in accepting() {
        for allowed in row.accept.iter().filter(|allowed| allowed.status == status) {
            let _ = writeln!(text, "  {} (in {}) accepts it instead of {}", row.id, states(row), row.outcome.status);
            let _ = writeln!(text, "    why  {}", allowed.why);
        }
    }
}

/// The situations of a row in words.
pub(super) fn situations<'a>(call: &'a CallSpec, row: &'a Row) -> impl Iterator<Item = &'a str> {
    row.situations.iter().filter_map(|position| call.situations.get(*position)).map(|found| found.text.as_str())
}

fn one_line(specification: &Specification, reference: &str) -> String {
    match specification.source(reference) {
        Some((source, heading)) => {
            let heading = heading.map(|heading| format!(", {heading}")).unwrap_or_default();
            format!("{}{heading} <{}>", source.title, source.url)
        }
        None => reference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_status, status};
    use crate::spec::Specification;
    use crate::status::SecurityStatus;

    #[test]
    fn a_status_is_written_in_many_ways() {
        for written in
            ["SEC_E_OUT_OF_SEQUENCE", "sec_e_out_of_sequence", "0x80090310", "0X80090310", "2148074256", "-2146893040"]
        {
            assert_eq!(parse_status(written), Some(SecurityStatus::SEC_E_OUT_OF_SEQUENCE), "{written}");
        }
        for nonsense in ["", "0x", "0x+1", "0x800903100", "SEC_E_", "4294967296", "-2147483649"] {
            assert_eq!(parse_status(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_status_is_explained_by_its_meaning_its_calls_and_its_rows() {
        let tables = Specification::embedded().expect("the tables load");
        let text = status(&tables, SecurityStatus::SEC_E_OUT_OF_SEQUENCE).expect("it is known");
        for part in [
            "SEC_E_OUT_OF_SEQUENCE (0x80090310)\n",
            "meaning ",
            "CompleteAuthToken",
            "cat-count-used (in ",
            "<https://",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn a_documented_status_that_no_row_answers_says_why() {
        let tables = Specification::embedded().expect("the tables load");
        let text = status(&tables, SecurityStatus::SEC_E_BAD_BINDINGS).expect("it is known");
        assert!(text.contains("never answered AcceptSecurityContext (SASL): "), "{text}");
    }

    #[test]
    fn a_number_that_is_no_status_is_not_explained() {
        let tables = Specification::embedded().expect("the tables load");
        assert_eq!(status(&tables, SecurityStatus(0x1234)), None);
    }
}
