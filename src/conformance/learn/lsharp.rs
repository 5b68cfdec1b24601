//! L#: a learner that works on what was observed itself.
//!
//! F. Vaandrager, B. Garhewal, J. Rot, T. Wissmann, "A new approach for active automata learning based on apartness" (2022).
//! The basis holds places that are pairwise apart, one for each state found; the frontier holds those one step behind it.
#![forbid(unsafe_code)]

use super::tree::{Contradiction, Place, Tree};
use crate::conformance::generate::mealy::{Mealy, Transition};

/// What is learned: it answers words, from the start each time.
pub trait Teacher {
    /// Why a word got no answer.
    type Error: From<Contradiction>;

    /// How many inputs there are.
    fn inputs(&self) -> usize;

    /// The outputs of a word, one for each input.
    ///
    /// # Errors
    /// Where there is no answer, which ends the learning.
    fn ask(&mut self, word: &[usize]) -> Result<Vec<usize>, Self::Error>;
}

/// A learner with what it has observed.
#[derive(Debug)]
pub struct Learner<'t, T: Teacher> {
    teacher: &'t mut T,
    tree: Tree,
    basis: Vec<Place>,
}

impl<'t, T: Teacher> Learner<'t, T> {
    /// A learner that knows nothing.
    pub fn new(teacher: &'t mut T) -> Self {
        Self { teacher, tree: Tree::default(), basis: vec![Tree::ROOT] }
    }

    /// The outputs of a word; asked only where it was not observed.
    ///
    /// # Errors
    /// Where there is no answer, or another than before.
    pub fn outputs(&mut self, word: &[usize]) -> Result<Vec<usize>, T::Error> {
        if let Some(outputs) = self.tree.outputs(word) {
            return Ok(outputs);
        }
        let outputs = self.teacher.ask(word)?;
        self.tree.observe(word, &outputs)?;
        Ok(outputs)
    }

    /// The smallest machine that fits what was observed, once each of its transitions was.
    ///
    /// # Errors
    /// Where there is no answer.
    pub fn hypothesis(&mut self) -> Result<Mealy, T::Error> {
        loop {
            let machine = self.identified()?;
            let Some(word) = self.tree.refutes(Tree::ROOT, &machine, 0) else { return Ok(machine) };
            self.refine(&machine, word)?;
        }
    }

    /// Takes a word that the machine answers otherwise than what is learned.
    ///
    /// # Errors
    /// Where there is no answer.
    pub fn take(&mut self, machine: &Mealy, word: &[usize]) -> Result<(), T::Error> {
        self.outputs(word)?;
        match self.tree.refutes(Tree::ROOT, machine, 0) {
            Some(shortest) => self.refine(machine, shortest),
            None => Ok(()),
        }
    }

    /// A machine of the basis, each place of whose frontier is one of its states.
    fn identified(&mut self) -> Result<Mealy, T::Error> {
        'again: loop {
            let mut states = Vec::with_capacity(self.basis.len());
            for position in 0..self.basis.len() {
                let mut transitions = Vec::with_capacity(self.teacher.inputs());
                for input in 0..self.teacher.inputs() {
                    let (output, behind) = self.successor(self.basis[position], input)?;
                    match self.identify(behind)? {
                        Some(next) => transitions.push(Transition { output, next }),
                        None => {
                            // It is apart from every state known: another state.
                            self.basis.push(behind);
                            continue 'again;
                        }
                    }
                }
                states.push(transitions);
            }
            return Ok(Mealy::new(&states));
        }
    }

    fn successor(&mut self, place: Place, input: usize) -> Result<(usize, Place), T::Error> {
        loop {
            if let Some(step) = self.tree.step(place, input) {
                return Ok(step);
            }
            let word = [self.tree.word(place).as_slice(), &[input]].concat();
            self.outputs(&word)?;
        }
    }

    /// The one state of the basis that a place is not apart from, or `None`. Where there are several, what tells them apart is
    /// asked behind the place.
    fn identify(&mut self, place: Place) -> Result<Option<usize>, T::Error> {
        let mut candidates: Vec<usize> = (0..self.basis.len()).collect();
        loop {
            candidates.retain(|state| self.tree.apart(place, self.basis[*state]).is_none());
            let [one, other, ..] = candidates.as_slice() else { return Ok(candidates.first().copied()) };
            let Some(witness) = self.tree.apart(self.basis[*one], self.basis[*other]) else {
                return Ok(Some(*one));
            };
            let word = [self.tree.word(place).as_slice(), &witness].concat();
            self.outputs(&word)?;
        }
    }

    /// Finds what a refuting word shows: afterwards some place of the frontier is apart from the state it was taken for.
    fn refine(&mut self, machine: &Mealy, mut word: Vec<usize>) -> Result<(), T::Error> {
        // Its last input is what the state that it leads to is apart by.
        word.pop();
        loop {
            let (place, behind_basis) = self.place(&word);
            let known = self.basis[machine.after(0, &word)];
            let Some(witness) = self.tree.apart(known, place) else { return Ok(()) };
            // In the frontier, or before it: the next machine is another.
            if behind_basis >= word.len() {
                return Ok(());
            }
            let (beginning, rest) = word.split_at(behind_basis.midpoint(word.len()));
            let known = self.basis[machine.after(0, beginning)];
            let from_known = [self.tree.word(known).as_slice(), rest].concat();
            self.outputs(&[from_known.as_slice(), &witness].concat())?;
            let (place, _) = self.place(beginning);
            word = if self.tree.apart(known, place).is_some() { beginning.to_vec() } else { from_known };
        }
    }

    /// The place of an observed word, and the length of its shortest beginning that leaves the basis.
    fn place(&self, word: &[usize]) -> (Place, usize) {
        let mut place = Tree::ROOT;
        let mut behind_basis = word.len();
        for (position, input) in word.iter().enumerate() {
            let Some((_, next)) = self.tree.step(place, *input) else { break };
            place = next;
            if !self.basis.contains(&place) {
                behind_basis = behind_basis.min(position + 1);
            }
        }
        (place, behind_basis)
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::conformance::generate::mealy::difference;

    struct Known {
        machine: Mealy,
        asked: usize,
    }

    impl Teacher for Known {
        type Error = Contradiction;

        fn inputs(&self) -> usize {
            self.machine.inputs()
        }

        fn ask(&mut self, word: &[usize]) -> Result<Vec<usize>, Contradiction> {
            self.asked += 1;
            Ok(self.machine.outputs(0, word))
        }
    }

    /// A machine drawn at random, the smallest that answers as it does.
    fn drawn(rng: &mut Rng, states: usize, inputs: usize) -> Mealy {
        let mut transition = |_| Transition { output: rng.usize(..2), next: rng.usize(..states) };
        let states: Vec<Vec<Transition>> = (0..states).map(|_| (0..inputs).map(&mut transition).collect()).collect();
        Mealy::new(&states).minimised().0
    }

    #[test]
    fn machines_are_learned_to_the_last_state() {
        let mut rng = Rng::with_seed(1);
        let mut most = 0;
        for _ in 0..60 {
            let machine = drawn(&mut rng, 16, 3);
            let mut teacher = Known { machine: machine.clone(), asked: 0 };
            let mut learner = Learner::new(&mut teacher);
            loop {
                let hypothesis = learner.hypothesis().expect("it always answers alike");
                assert!(hypothesis.states() <= machine.states());
                let Some(word) = difference((&hypothesis, 0), (&machine, 0)) else {
                    assert_eq!(hypothesis.states(), machine.states());
                    break;
                };
                learner.take(&hypothesis, &word).expect("it always answers alike");
            }
            most = most.max(machine.states());
            assert!(teacher.asked < 2000, "{}", teacher.asked);
        }
        assert!(most > 10);
    }
}
