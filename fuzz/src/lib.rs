//! What every target is made of: one function of the library, which a fuzzer calls with bytes.
//!
//! The same program is built for libFuzzer (`cargo fuzz`) and, with `--no-default-features --features afl`, for AFL++
//! (`cargo afl`).

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};
use digest_ssp::conformance::fuzzing::{self, Counterexample, LIBRARY_VARIABLE};
use digest_ssp::conformance::plan::Sequence;
use digest_ssp::conformance::run::Trace;
use digest_ssp::conformance::subject::library::{Library, Options};

/// The program of a target: what does not hold is told, and ends it.
#[macro_export]
macro_rules! target {
    ($holds:expr) => {
        fn one(bytes: &[u8]) {
            if let Err(found) = $holds(bytes) {
                panic!("{found}");
            }
        }

        #[cfg(feature = "afl")]
        fn main() {
            ::afl::fuzz!(|bytes: &[u8]| one(bytes));
        }

        #[cfg(not(feature = "afl"))]
        ::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| one(bytes));
    };
}

/// A library for all inputs. It is not dropped with the thread: by then what it calls may have no variables any more, and what
/// the last input left would be nobody's, which is told as a leak.
type Kept = ManuallyDrop<RefCell<Library>>;

fn kept(library: Library) -> Kept {
    ManuallyDrop::new(RefCell::new(library))
}

/// The sequence that bytes mean.
pub fn sequence(bytes: &[u8]) -> Sequence {
    Sequence::arbitrary_take_rest(Unstructured::new(bytes)).expect("every byte string is a sequence")
}

/// Descriptors made of bytes, through the C ABI of this crate.
///
/// # Errors
/// What the C ABI does otherwise than the crate.
pub fn capi(bytes: &[u8]) -> Result<(), String> {
    thread_local! {
        static LINKED: Kept = kept(Library::linked().expect("there is memory for a few pages"));
    }
    LINKED.with(|library| fuzzing::descriptors(&mut *library.borrow_mut(), bytes))
}

/// A sequence against the library that [`LIBRARY_VARIABLE`] names, or else the C ABI of this crate.
///
/// # Errors
/// What it does that is wrong by the tables.
///
/// # Panics
/// Where the library cannot be loaded: a fuzzer must not take that for a subject that does nothing wrong.
pub fn differential(bytes: &[u8]) -> Result<Trace, Box<Counterexample>> {
    thread_local! {
        static NAMED: Kept = kept(named());
    }
    NAMED.with(|library| fuzzing::differential(&mut *library.borrow_mut(), sequence(bytes)))
}

fn named() -> Library {
    let named = match std::env::var_os(LIBRARY_VARIABLE) {
        Some(path) => Library::load(Path::new(&path), &Options::default()).map_err(|error| error.to_string()),
        None => Library::linked(),
    };
    named.unwrap_or_else(|error| panic!("{LIBRARY_VARIABLE}: {error}"))
}
