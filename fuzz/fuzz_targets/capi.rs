//! Descriptors made of bytes, through the C ABI and past guard pages.
#![cfg_attr(not(feature = "afl"), no_main)]

digest_ssp_fuzz::target!(digest_ssp_fuzz::capi);
