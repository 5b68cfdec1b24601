//! Any bytes into the parsers of directives, challenges, responses and Authentication-Info.
#![no_main]

use digest_ssp::conformance::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(offence) = fuzzing::tokens(bytes) {
        panic!("{offence}");
    }
});
