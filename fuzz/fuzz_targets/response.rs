//! Any bytes as what a client sends.
#![no_main]

use digest_ssp::conformance::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(offence) = fuzzing::response(bytes) {
        panic!("{offence}");
    }
});
