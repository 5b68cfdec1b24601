//! What one case is, and what becomes of it.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use libtest_mimic::{Completion, Failed, Trial};

use crate::peers::Peer;
use crate::report::{Fate, Report};

/// What the peer does; `digest-ssp` does the other half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    HttpClient,
    HttpServer,
    SaslClient,
    SaslServer,
    /// It and another peer, without `digest-ssp`: what they do with each other is what they may be believed about.
    Witness,
}

impl Role {
    /// As the table of peers says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::HttpClient => "HTTP client",
            Self::HttpServer => "HTTP server",
            Self::SaslClient => "SASL client",
            Self::SaslServer => "SASL server",
            Self::Witness => "witness",
        }
    }

    /// The first part of the names of its cases.
    const fn slug(self) -> &'static str {
        match self {
            Self::HttpClient => "http_client",
            Self::HttpServer => "http_server",
            Self::SaslClient => "sasl_client",
            Self::SaslServer => "sasl_server",
            Self::Witness => "witness",
        }
    }
}

/// A program, what it is to show, and how.
pub(crate) struct Case {
    pub(crate) peer: Peer,
    pub(crate) role: Role,
    /// Distinguishes the cases of one peer, as names of tests do.
    name: String,
    /// What a reader learns when the case passes: an entry of the table of peers.
    pub(crate) shows: String,
    /// The other peer of a witness.
    with: Option<Peer>,
    run: Box<dyn FnOnce() + Send>,
}

impl Case {
    pub(crate) fn new(peer: Peer, role: Role, name: &str, shows: &str, run: impl FnOnce() + Send + 'static) -> Self {
        Self { peer, role, name: name.to_owned(), shows: shows.to_owned(), with: None, run: Box::new(run) }
    }

    /// The same, needing another peer too.
    pub(crate) fn with(self, peer: Peer) -> Self {
        Self { with: Some(peer), ..self }
    }

    /// The test, which tells `report` how it ended.
    pub(crate) fn into_trial(self, report: &Report) -> Trial {
        let report = report.clone();
        let name = format!("{}::{}::{}", self.role.slug(), self.peer.slug(), self.name);
        Trial::ignorable_test(name, move || {
            for peer in [Some(self.peer), self.with].into_iter().flatten() {
                match peer.version() {
                    Ok(version) => report.version(peer, version),
                    Err(reason) => {
                        report.record(self.peer, self.role, &self.shows, Fate::Skipped);
                        if std::env::var_os("CI").is_some() {
                            return Err(Failed::from(format!("CI is set, and {reason}")));
                        }
                        return Ok(Completion::ignored_with(reason));
                    }
                }
            }
            // Whoever panics is reported, and then panics: guards stop what the case started.
            let result = catch_unwind(AssertUnwindSafe(self.run));
            let fate = if result.is_ok() { Fate::Passed } else { Fate::Failed };
            report.record(self.peer, self.role, &self.shows, fate);
            result.unwrap_or_else(|panic| resume_unwind(panic));
            Ok(Completion::Completed)
        })
    }
}
