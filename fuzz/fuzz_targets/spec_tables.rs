//! Hostile tables into the loader.
#![cfg_attr(not(feature = "afl"), no_main)]

use digest_ssp::conformance::fuzzing;

digest_ssp_fuzz::target!(fuzzing::spec_tables);
