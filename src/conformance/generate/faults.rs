//! The faults that a suite promises to find, and whether it does: on machines, where all of them can be tried.
#![forbid(unsafe_code)]

use fastrand::Rng;

use super::mealy::{Mealy, Transition, difference};
use super::method::Word;

/// What became of faulty machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// A word of the suite is answered otherwise.
    pub killed: usize,
    /// No word of the suite is, and a search of the product proves that none at all is.
    pub equivalent: usize,
    /// No word of the suite is, though some word is: the suite does not hold what it promises.
    pub survived: usize,
}

impl Tally {
    /// How many there were.
    pub fn total(self) -> usize {
        self.killed + self.equivalent + self.survived
    }
}

/// Adds up.
impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.killed += other.killed;
        self.equivalent += other.equivalent;
        self.survived += other.survived;
    }
}

/// The words of a suite, by the transitions of the machine that they take.
#[derive(Clone, Debug)]
pub struct Judge<'m> {
    machine: &'m Mealy,
    outputs: usize,
    suite: &'m [Word],
    through: Vec<Vec<usize>>,
}

impl<'m> Judge<'m> {
    /// A judge of machines that are like this one, which has outputs below a number.
    pub fn new(machine: &'m Mealy, outputs: usize, suite: &'m [Word]) -> Self {
        let mut through = vec![Vec::new(); machine.states() * machine.inputs()];
        for (position, word) in suite.iter().enumerate() {
            let mut state = 0;
            for input in word {
                let words: &mut Vec<usize> = &mut through[state * machine.inputs() + input];
                if words.last() != Some(&position) {
                    words.push(position);
                }
                state = machine.step(state, *input).next;
            }
        }
        Self { machine, outputs, suite, through }
    }

    /// Holds a machine that differs in these transitions of the reference, and in what is only reached through them,
    /// against the suite.
    fn judge(&self, mutant: &Mealy, changed: &[(usize, usize)], tally: &mut Tally) {
        let answers_otherwise = |word: &Word| mutant.outputs(0, word) != self.machine.outputs(0, word);
        let words = changed.iter().flat_map(|(state, input)| &self.through[state * self.machine.inputs() + input]);
        if words.map(|position| &self.suite[*position]).any(answers_otherwise) {
            tally.killed += 1;
        } else if difference((self.machine, 0), (mutant, 0)).is_none() {
            tally.equivalent += 1;
        } else {
            tally.survived += 1;
        }
    }

    fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let inputs = self.machine.inputs();
        (0..self.machine.states()).flat_map(move |state| (0..inputs).map(move |input| (state, input)))
    }

    /// Every transition with every other output.
    pub fn single_output_faults(&self) -> Tally {
        let mut tally = Tally::default();
        for (state, input) in self.places() {
            let right = self.machine.step(state, input);
            for output in (0..self.outputs).filter(|output| *output != right.output) {
                let mutant = self.machine.clone().with(state, input, Transition { output, ..right });
                self.judge(&mutant, &[(state, input)], &mut tally);
            }
        }
        tally
    }

    /// Every transition to every other state.
    pub fn single_transfer_faults(&self) -> Tally {
        let mut tally = Tally::default();
        for (state, input) in self.places() {
            let right = self.machine.step(state, input);
            for next in (0..self.machine.states()).filter(|next| *next != right.next) {
                let mutant = self.machine.clone().with(state, input, Transition { next, ..right });
                self.judge(&mutant, &[(state, input)], &mut tally);
            }
        }
        tally
    }

    fn somewhere(&self, rng: &mut Rng) -> (usize, usize) {
        (rng.usize(..self.machine.states()), rng.usize(..self.machine.inputs()))
    }

    /// A transition with another output or to another state, one that is there.
    fn fault(&self, of: &Mealy, (state, input): (usize, usize), rng: &mut Rng) -> Transition {
        let right = of.step(state, input);
        let other = |than: usize, of: usize, rng: &mut Rng| (than + rng.usize(1..of.max(2))) % of.max(1);
        if rng.bool() {
            Transition { output: other(right.output, self.outputs, rng), ..right }
        } else {
            Transition { next: other(right.next, of.states(), rng), ..right }
        }
    }

    /// Two faults at once, drawn.
    pub fn double_faults(&self, count: usize, rng: &mut Rng) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..count {
            let places = [self.somewhere(rng), self.somewhere(rng)];
            let mutant = places.iter().fold(self.machine.clone(), |mutant, &(state, input)| {
                let fault = self.fault(&mutant, (state, input), rng);
                mutant.with(state, input, fault)
            });
            self.judge(&mutant, &places, &mut tally);
        }
        tally
    }

    /// Faults with one extra state, drawn: a transition leads to a copy of its state, in which a transition is wrong.
    pub fn extra_state_faults(&self, count: usize, rng: &mut Rng) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..count {
            let (state, input) = self.somewhere(rng);
            let right = self.machine.step(state, input);
            let copy = self.machine.states();
            let mutant = self.machine.clone().with_copy_of(right.next);
            let wrong = rng.usize(..self.machine.inputs());
            let fault = self.fault(&mutant, (copy, wrong), rng);
            let mutant = mutant.with(copy, wrong, fault).with(state, input, Transition { next: copy, ..right });
            self.judge(&mutant, &[(state, input)], &mut tally);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::method::Method;
    use super::*;

    /// A machine drawn at random, minimised: at least `states` of them were drawn.
    fn machine(rng: &mut Rng, states: usize, inputs: usize, outputs: usize) -> Mealy {
        loop {
            let mut transition = |_| Transition { output: rng.usize(..outputs), next: rng.usize(..states) };
            let drawn: Vec<Vec<Transition>> = (0..states).map(|_| (0..inputs).map(&mut transition).collect()).collect();
            let (minimal, _) = Mealy::new(&drawn).minimised();
            if minimal.states() > 2 {
                return minimal;
            }
        }
    }

    #[test]
    fn both_methods_hold_their_promise() {
        let mut rng = Rng::with_seed(1);
        let mut lengths = [0, 0];
        for _ in 0..40 {
            let machine = machine(&mut rng, 6, 3, 2);
            for (method, length) in Method::ALL.into_iter().zip(&mut lengths) {
                let suite = method.suite(&machine, 1);
                *length += suite.iter().map(Vec::len).sum::<usize>();
                let judge = Judge::new(&machine, 2, &suite);
                let tallies = [
                    judge.single_output_faults(),
                    judge.single_transfer_faults(),
                    judge.double_faults(300, &mut rng),
                    judge.extra_state_faults(300, &mut rng),
                ];
                for tally in tallies {
                    assert_eq!(tally.survived, 0, "{method:?} {machine:?}");
                    assert!(tally.killed > 0);
                }
            }
        }
        assert!(lengths[0] < lengths[1], "the H-method is the shorter one: {lengths:?}");
    }

    #[test]
    fn a_suite_that_lacks_words_is_found_out() {
        let mut rng = Rng::with_seed(1);
        let machine = machine(&mut rng, 6, 3, 2);
        let mut suite = Method::W.suite(&machine, 0);
        suite.truncate(1);
        let tally = Judge::new(&machine, 2, &suite).single_output_faults();
        assert!(tally.survived > 0);
    }
}
