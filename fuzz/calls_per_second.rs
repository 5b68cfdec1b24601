//! How many SSPI calls a second `operations` makes over its committed seeds, on one processor and without a sanitizer:
//! `cargo run --profile measured --example calls_per_second`, from the root of the package.
//!
//! Calls are counted as the shadow judges them; decoding the seeds and starting the subject for each of them is part of the time.
#![forbid(unsafe_code)]

mod seeds;

use std::time::{Duration, Instant};

use digest_ssp::conformance::encoding::decode;
use digest_ssp::conformance::fuzzing;
use digest_ssp::spec::names::CallName;
use digest_ssp::status::SecurityStatus;

/// How long is measured at least.
const TIME: Duration = Duration::from_secs(5);

/// A third of what a call takes is memory for tokens and descriptors; with the allocator of the system it is slower by a sixth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seeds = seeds::seeds("operations")?;
    let (mut calls, mut rounds, mut completing) = (0, 0, 0);
    // A fuzzer loads the tables once.
    fuzzing::operations(decode(&[])).map_err(|found| found.to_string())?;
    let begun = Instant::now();
    while begun.elapsed() < TIME {
        completing = 0;
        for (_, seed) in &seeds {
            let trace = fuzzing::operations(decode(seed)).map_err(|found| found.to_string())?;
            calls += trace.steps.len();
            let completes = trace.steps.iter().any(|step| {
                step.call.name() == CallName::CompleteAuthToken && step.outcome.status == SecurityStatus::SEC_E_OK
            });
            completing += usize::from(completes);
        }
        rounds += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:.0} calls a second: {calls} calls, {rounds} rounds, {seconds:.1} s", calls as f64 / seconds);
    println!("{completing} of {} seeds reach SEC_E_OK from CompleteAuthToken", seeds.len());
    Ok(())
}
