//! Sequences against a library that somebody names, or else the C ABI of this crate.
#![cfg_attr(not(feature = "afl"), no_main)]

digest_ssp_fuzz::target!(digest_ssp_fuzz::differential);
