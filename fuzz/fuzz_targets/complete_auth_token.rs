//! Edited requests into contexts that wait for CompleteAuthToken.
#![cfg_attr(not(feature = "afl"), no_main)]

use digest_ssp::conformance::fuzzing;

digest_ssp_fuzz::target!(fuzzing::complete_auth_token);
