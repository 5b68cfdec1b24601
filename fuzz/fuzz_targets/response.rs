//! Any bytes as what a client sends.
#![cfg_attr(not(feature = "afl"), no_main)]

use digest_ssp::conformance::fuzzing;

digest_ssp_fuzz::target!(fuzzing::response);
