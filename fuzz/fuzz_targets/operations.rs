//! Sequences of actions, legal and not, against the shadow.
#![cfg_attr(not(feature = "afl"), no_main)]

use digest_ssp::conformance::fuzzing;

digest_ssp_fuzz::target!(|bytes| fuzzing::operations(digest_ssp_fuzz::sequence(bytes)));
