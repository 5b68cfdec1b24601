//! Hostile lines of an adapter into the runner.
#![cfg_attr(not(feature = "afl"), no_main)]

use digest_ssp::conformance::fuzzing;

digest_ssp_fuzz::target!(fuzzing::adapter_protocol);
