//! Real programs against `digest-ssp`, each started on 127.0.0.1 for its case and stopped by it.
//!
//! Where a program is missing its cases are ignored, with the reason, and fail where CI is set. A run writes
//! `target/interop/peers.json`, from which `.ci/readme` makes the table of peers in the README.
#![forbid(unsafe_code)]

mod case;
#[path = "../serve/clocked.rs"]
mod clocked;
mod harness;
#[path = "../serve/support.rs"]
mod http;
mod http_client;
mod http_server;
mod lines;
mod ours;
mod peers;
#[path = "../serve/ports.rs"]
mod ports;
mod process;
#[path = "../program_support/mod.rs"]
mod program_support;
mod report;
mod sasl;
mod sasl_peers;
mod sasl_witnesses;

use std::process::ExitCode;

use case::Case;
use libtest_mimic::Arguments;
use report::Report;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases: Vec<Case> = [http_server::cases(), http_client::cases(), sasl_peers::cases(), sasl_witnesses::cases()]
        .into_iter()
        .flatten()
        .collect();
    let report = Report::of(&cases);
    let trials = cases.into_iter().map(|case| case.into_trial(&report)).chain(harness::trials()).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list
        && let Err(error) = report.write()
    {
        eprintln!("target/interop/peers.json: {error}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
