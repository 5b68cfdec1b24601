//! Sequences of actions, legal and not, against the shadow.
#![no_main]

use digest_ssp::conformance::fuzzing;
use digest_ssp::conformance::plan::Sequence;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sequence: Sequence| {
    if let Err(counterexample) = fuzzing::operations(sequence) {
        panic!("{counterexample}");
    }
});
