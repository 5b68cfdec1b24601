//! Suites with a guarantee, generated from the tables.
//!
//! [`unfold`] makes a finite machine of the tables, answering, under a named finite [`alphabet`]: its states are the shadow's
//! registers as far as the [`abstraction`] keeps them, and those that answer alike are one. Symbols whose outcomes agree in
//! every state are one input class. [`method`] makes suites over classes; [`suite`] writes, reads and draws them.
//!
//! **The claim.** Every subject that under the alphabet behaves as a deterministic Mealy machine with at most `n` states and
//! the extra ones, `n` being those of the reference machine, and that treats all members of a class alike, is found out by the
//! suite if it differs from the tables (Vasilevskii 1973, Chow 1978; Dorofeeva, El-Fakih, Yevtushenko 2005). The second
//! assumption is tested by members drawn anew in every run.
//!
//! **The evidence.** [`faults`] enumerates every single output and transfer fault of the machine, and draws double ones and
//! ones with an extra state; [`tables`] puts faults into the tables and runs the suite against them over real bytes. Whatever
//! survives must be proved equivalent by a search of the product.
//!
//! **What it leaves out**, and what covers that: how far counts come and how long time runs (the rows of `conform` and
//! `tests/package/state_machine.rs`), more than two contexts and sessions and interleavings (`tests/interleavings`, the fuzz
//! target `operations`), SASL, extended protection and faults of the environment (the rows of `conform`), hostile tokens (the
//! fuzz targets).
#![forbid(unsafe_code)]

pub mod abstraction;
pub mod alphabet;
pub mod faults;
pub mod mealy;
pub mod method;
pub(crate) mod outputs;
pub mod promela;
pub mod suite;
pub mod tables;
pub mod unfold;
