//! Outputs as numbers, in the order in which they were first seen.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

/// The outputs seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs(BTreeMap<String, usize>);

impl Outputs {
    /// The number of an output.
    pub(crate) fn number(&mut self, output: String) -> usize {
        let next = self.0.len();
        *self.0.entry(output).or_insert(next)
    }

    /// The outputs, by number.
    pub(crate) fn names(self) -> Vec<String> {
        let mut names: Vec<(String, usize)> = self.0.into_iter().collect();
        names.sort_by_key(|(_, number)| *number);
        names.into_iter().map(|(name, _)| name).collect()
    }
}
