//! What is under test: the options by which commands are told, and the subject they name.
#![forbid(unsafe_code)]

use std::sync::Arc;

use clap::Args;
use digest_ssp::conformance::Subject;
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::subject::faulty;
use digest_ssp::conformance::subject::opaque::Opaque;
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::spec::Specification;

use super::SetupError;

const BUILTIN: &str = "builtin";
const TABLES: &str = "tables";
const OPAQUE: &str = "opaque";

/// The options that every command with a subject has.
#[derive(Args)]
pub(super) struct SubjectArguments {
    /// What is under test; `conform --list-subjects` shows what can be.
    #[arg(long, value_name = "NAME", default_value = BUILTIN, value_parser = subject_name)]
    subject: String,
}

/// A name that a subject has.
fn subject_name(name: &str) -> Result<String, &'static str> {
    let known = [BUILTIN, TABLES, OPAQUE].contains(&name) || faulty::all().any(|fault| fault.name == name);
    if known { Ok(name.to_owned()) } else { Err("no subject has this name; conform --list-subjects shows all") }
}

impl SubjectArguments {
    /// The subject that they name.
    pub(super) fn subject(&self, specification: &Arc<Specification>) -> Result<Box<dyn Subject>, SetupError> {
        Ok(match self.subject.as_str() {
            TABLES => Box::new(Oracle::new(Arc::clone(specification))),
            OPAQUE => Box::new(Opaque::default()),
            name => match faulty::all().find(|fault| fault.name == name) {
                Some(fault) => fault.subject(specification),
                // The parser of the arguments lets no other name pass.
                None => Box::new(Builtin::default()),
            },
        })
    }
}

/// The names that a subject can have, each with what it is.
pub(super) fn list() -> String {
    let mut text = format!(
        "{BUILTIN}\n    The reference implementation of this crate.\n{TABLES}\n    The tables, answering for themselves.\n\
         {OPAQUE}\n    A package of three tokens that asks for completions; for --profile any-package.\n"
    );
    for fault in faulty::all() {
        text.push_str(&format!("{}\n    Wrong on purpose: {}\n", fault.name, fault.text));
    }
    text
}
