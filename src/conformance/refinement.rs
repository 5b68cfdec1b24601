//! Every state and every situation in it that the tables know ([`reach`](crate::spec::reach)), visited in a subject.
//!
//! `conform` runs each row in some of its states and situations, and looks at much more of each; this walk is wide instead: it
//! leaves no pair of a state and a situation out.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{Sequence, approach, needs};
use super::run::run_sequence;
use super::subject::Subject;
use crate::spec::model::CallSpec;
use crate::spec::names::{Need, Profile};
use crate::spec::reach::Point;
use crate::spec::vocabulary::Facts;
use crate::spec::{Specification, Verdict};

/// How often each point is visited.
const VISITS: usize = 4;
/// How many ways to a point are tried, so that the walk ends.
const WAYS: usize = 256;

/// The walk over one table.
#[derive(Clone, Debug)]
pub struct Walked {
    /// The key of the table.
    pub call: String,
    /// How many points were visited, each several times.
    pub visited: usize,
    /// How many sequences that took.
    pub sequences: usize,
    /// The others.
    pub unvisited: Vec<Unvisited>,
    /// Where the subject did otherwise than the tables say: at the point, or on the way to it.
    pub wrong: Vec<Wrong>,
}

impl Walked {
    /// Whether all was as the tables say, wherever the subject has what it takes.
    pub fn is_refined(&self) -> bool {
        self.wrong.is_empty() && self.unvisited.iter().all(|unvisited| !unvisited.lacks.is_empty())
    }
}

/// A point that was not visited.
#[derive(Clone, Debug)]
pub struct Unvisited {
    /// "acceptor established: the situation".
    pub point: String,
    /// What every way to it needs of a subject, and this one has not; empty where no way that was tried led there.
    pub lacks: Vec<Need>,
}

/// A point, and how a sequence to it went wrong.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// "acceptor established: the situation".
    pub point: String,
    /// Why.
    pub why: String,
    /// What was done.
    pub sequence: Sequence,
}

/// Walks over all tables of a profile. What is open in a sequence is drawn from the seed.
pub fn refine(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    profile: Profile,
    seed: u64,
) -> Vec<Walked> {
    specification.of(profile).map(|call| walk(specification, subject, profile, call, seed)).collect()
}

fn walk(
    specification: &Arc<Specification>,
    subject: &mut dyn Subject,
    profile: Profile,
    call: &CallSpec,
    seed: u64,
) -> Walked {
    let capabilities = subject.capabilities();
    let mut walked = Walked { call: call.key(), visited: 0, sequences: 0, unvisited: Vec::new(), wrong: Vec::new() };
    let ways = ways(call).into_iter().filter(|(point, _)| point.place.exists_under(specification, profile));
    for (point, facts) in ways {
        let name = format!("{}: {}", point.place, call.situations[point.situation].id);
        let lacks = |facts: &Facts| -> Vec<Need> {
            needs(facts).into_iter().filter(|need| !capabilities.contains(need)).collect()
        };
        let passable: Vec<&Facts> = facts.iter().filter(|facts| lacks(facts).is_empty()).collect();
        let mut visits = 0;
        for (way, facts) in (0..WAYS).zip(passable.iter().cycle()) {
            let sequence = approach(profile, call.name, facts, seed ^ way as u64);
            walked.sequences += 1;
            let trace = run_sequence(specification, subject, &sequence);
            let wrong = match (trace.failure(), &trace.error) {
                (Some(step), _) => Some(format!("{}: {:?}", step.call.name(), step.judgement.verdict)),
                (None, Some(error)) => Some(error.to_string()),
                (None, None) => None,
            };
            if let Some(why) = wrong {
                walked.wrong.push(Wrong { point: name.clone(), why, sequence });
                break;
            }
            let is_there = trace.steps.last().is_some_and(|step| {
                step.call.name() == call.name
                    && Point::of(call, &step.judgement.facts) == Some(point)
                    && step.judgement.verdict == Verdict::Pass
            });
            visits += usize::from(is_there);
            if visits == VISITS {
                break;
            }
        }
        if visits > 0 {
            walked.visited += 1;
        } else {
            let lacks = if passable.is_empty() { facts.first().map(lacks).unwrap_or_default() } else { Vec::new() };
            walked.unvisited.push(Unvisited { point: name, lacks });
        }
    }
    walked
}

/// The combinations of facts at each point, those with the fewest departures first, and no more than will be tried.
fn ways(call: &CallSpec) -> BTreeMap<Point, Vec<Facts>> {
    let few = |all: Vec<(usize, Facts)>| all.into_iter().take(WAYS).map(|(_, facts)| facts).collect();
    let by_point = call.combinations_by(|facts| Point::of(call, facts));
    by_point.into_iter().map(|(point, all)| (point, few(all))).collect()
}
