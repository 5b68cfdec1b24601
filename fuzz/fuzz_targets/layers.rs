//! Edited messages into the layers of RFC 2831.
#![cfg_attr(not(feature = "afl"), no_main)]

use digest_ssp::conformance::fuzzing;

digest_ssp_fuzz::target!(fuzzing::layers);
