//! What a status means, and what the tables say about a request that somebody pastes.
#![forbid(unsafe_code)]

pub mod request;
mod status;
mod text;

pub use request::{Explanation, Request, RequestCall, Secret, request};
pub use status::{parse_status, status};
pub use text::text;

use core::fmt::Write;

use super::describe;
use super::model::{Row, Specification};

/// A named value on a line of its own.
fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<14} {value}");
}

/// The documents that references name.
fn documents(text: &mut String, specification: &Specification, references: &[String]) {
    for reference in references {
        match describe::reference(specification, reference) {
            None => field(text, "document", reference),
            Some(resolved) => {
                let heading = resolved.heading_with_number().map(|heading| format!(", {heading}")).unwrap_or_default();
                field(text, "document", &format!("{}{heading} <{}>", resolved.source.title, resolved.source.url));
            }
        }
    }
}

/// The states of a row by name.
fn states(row: &Row) -> String {
    let states: Vec<&str> = row.states.iter().map(|state| describe::state(row, *state)).collect();
    states.join(" | ")
}
