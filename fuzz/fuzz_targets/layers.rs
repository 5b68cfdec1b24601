//! Edited messages into the layers of RFC 2831.
#![no_main]

use digest_ssp::conformance::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(offence) = fuzzing::layers(bytes) {
        panic!("{offence}");
    }
});
