//! Edited requests into contexts that wait for CompleteAuthToken.
#![no_main]

use digest_ssp::conformance::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(counterexample) = fuzzing::complete_auth_token(bytes) {
        panic!("{counterexample}");
    }
});
