//! Named finite alphabets: what a suite or a learner may do.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use crate::conformance::action::{Action, CallAction, Goal};
use crate::spec::Specification;
use crate::spec::names::{CallName, Need, Profile};
use crate::spec::setup::{Limits, Setup};
use crate::spec::vocabulary::{Fact, Use};

/// One thing to do, open in what it is drawn from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// A name that no other symbol of the alphabet has: the call, and how it departs from an all-good one.
    pub name: String,
    /// What is done. Its variety is drawn anew each time.
    pub action: Action,
}

impl Symbol {
    /// The action, with what is open in it drawn from a seed.
    pub fn drawn(&self, variety: u64) -> Action {
        let drawn = |action: &CallAction| Action::Call(CallAction { variety, ..action.clone() });
        self.action.as_call().map_or_else(|| self.action.clone(), drawn)
    }
}

/// A named finite alphabet.
#[derive(Clone, Debug)]
pub struct Alphabet {
    /// Its name.
    pub name: &'static str,
    /// How the subject is configured.
    pub setup: Setup,
    /// What is done before every word.
    pub preamble: Vec<Action>,
    /// The symbols.
    pub symbols: Vec<Symbol>,
    /// How many contexts may be alive at a time.
    pub contexts: usize,
}

/// An alphabet by its name, before the tables are asked what its lines mean.
struct Named {
    name: &'static str,
    profile: Profile,
    contexts: usize,
    about: &'static str,
    lines: &'static [&'static str],
}

const ALPHABETS: [Named; 4] = [
    Named {
        name: "digest-acceptor",
        profile: Profile::DigestHttp,
        contexts: 1,
        about: "a server with one context: challenges, answers, completions of both, the lifetime of nonces",
        lines: ACCEPTOR,
    },
    Named {
        name: "digest-session",
        profile: Profile::DigestHttp,
        contexts: 2,
        about: "a server with a session and a further request of it, found and completed in any order",
        lines: SESSION,
    },
    Named {
        name: "digest-initiator",
        profile: Profile::DigestHttp,
        contexts: 1,
        about: "a client with one context: responses finished and not, the server's proof, further headers",
        lines: INITIATOR,
    },
    Named {
        name: "any-package",
        profile: Profile::AnyPackage,
        contexts: 2,
        about: "a client and a server of any package that feed each other, and calls out of turn on either",
        lines: ANY,
    },
];

/// The name and the subject of each alphabet.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALPHABETS.iter().map(|named| (named.name, named.about))
}

/// A server with one context: challenges, answers whose entity is there or comes later, completions, time. Each line is a
/// call on the newest context, with what it is to depart in; `=*` is each departure there is.
const ACCEPTOR: &[&str] = &[
    "expire",
    "AcceptSecurityContext token=absent qop=auth",
    "AcceptSecurityContext token=absent qop=auth-int",
    "AcceptSecurityContext entity=given",
    "AcceptSecurityContext entity=absent",
    "AcceptSecurityContext entity=given digest=differs",
    "AcceptSecurityContext entity=given output=small",
    "AcceptSecurityContext token=malformed",
    "AcceptSecurityContext descriptor=version",
    "AcceptSecurityContext handle=*",
    "CompleteAuthToken names=this entity=given",
    "CompleteAuthToken names=this entity=given output=small",
    "CompleteAuthToken names=this entity=given output=absent",
    "CompleteAuthToken names=this entity=given digest=differs",
    "CompleteAuthToken names=this entity=given target=differs",
    "CompleteAuthToken names=this method=empty",
    "CompleteAuthToken names=nothing",
    "CompleteAuthToken token=*",
    "CompleteAuthToken descriptor=*",
    "CompleteAuthToken handle=*",
    "VerifySignature names=this entity=given",
    "VerifySignature names=this entity=given digest=differs",
    "QueryContextAttributes attribute=supported",
    "InitializeSecurityContext handle=*",
    "MakeSignature",
    "DeleteSecurityContext",
    "DeleteSecurityContext handle=*",
];

/// A server with a session and room for two contexts: requests of the session, found and completed, in any order.
const SESSION: &[&str] = &[
    "expire",
    "AcceptSecurityContext token=absent qop=auth",
    "AcceptSecurityContext",
    "AcceptSecurityContext handle=null names=session",
    "CompleteAuthToken names=this",
    "CompleteAuthToken names=this output=absent",
    "CompleteAuthToken names=this digest=differs",
    "CompleteAuthToken names=this count=used",
    "CompleteAuthToken names=this outside=differs",
    "CompleteAuthToken names=nothing",
    "CompleteAuthToken token=*",
    "CompleteAuthToken descriptor=*",
    "CompleteAuthToken handle=*",
    "QueryContextAttributes attribute=supported",
    "DeleteSecurityContext",
    "DeleteSecurityContext handle=*",
];

/// A client with one context: first calls, responses finished and unfinished, the server's proof, headers.
const INITIATOR: &[&str] = &[
    "InitializeSecurityContext token=empty",
    "InitializeSecurityContext token=well-formed kind=challenge stale=yes qop=auth mutual=no",
    "InitializeSecurityContext token=well-formed kind=challenge stale=yes qop=auth mutual=yes",
    "InitializeSecurityContext token=well-formed kind=challenge stale=yes qop=auth-int entity=absent mutual=no",
    "InitializeSecurityContext token=well-formed kind=challenge stale=yes qop=auth-int entity=absent mutual=yes",
    "InitializeSecurityContext token=well-formed kind=challenge stale=no qop=auth mutual=yes",
    "InitializeSecurityContext token=well-formed kind=authentication-info proof=right entity=given",
    "InitializeSecurityContext token=well-formed kind=authentication-info proof=wrong entity=given",
    "InitializeSecurityContext token=malformed",
    "InitializeSecurityContext handle=*",
    "CompleteAuthToken ours=same entity=given",
    "CompleteAuthToken ours=same entity=given method=differs",
    "CompleteAuthToken ours=same method=empty",
    "CompleteAuthToken ours=same entity=absent",
    "CompleteAuthToken ours=differs entity=given",
    "CompleteAuthToken ours=absent entity=given",
    "CompleteAuthToken descriptor=*",
    "CompleteAuthToken handle=*",
    "MakeSignature entity=given",
    "MakeSignature entity=given output=small",
    "VerifySignature",
    "QueryContextAttributes attribute=supported",
    "AcceptSecurityContext",
    "DeleteSecurityContext",
    "DeleteSecurityContext handle=*",
];

/// Any package: the call that is due in the exchange, and others on either side.
const ANY: &[&str] = &[
    "exchange",
    "CompleteAuthToken role=initiator",
    "CompleteAuthToken role=acceptor",
    "CompleteAuthToken role=initiator descriptor=*",
    "CompleteAuthToken role=acceptor descriptor=*",
    "CompleteAuthToken handle=*",
    "QueryContextAttributes role=initiator attribute=supported",
    "QueryContextAttributes role=acceptor attribute=supported",
    "DeleteSecurityContext",
    "DeleteSecurityContext handle=*",
];

impl Alphabet {
    /// The alphabet of that name.
    pub fn named(specification: &Specification, name: &str) -> Option<Self> {
        let &Named { name, profile, contexts, lines, .. } = ALPHABETS.iter().find(|named| named.name == name)?;
        // One challenge, one wrong answer to it, and no more contexts than the alphabet speaks of: what has no end in
        // the tables ends here.
        let limits = match profile {
            Profile::DigestHttp | Profile::DigestSasl => {
                Limits { contexts, challenges: 1, failures: 1, ..Limits::default() }
            }
            Profile::AnyPackage => Limits::default(),
        };
        let acquire =
            |user, used: Use| Action::Call(CallAction::new(CallName::AcquireCredentialsHandle, user).wishing(used));
        Some(Self {
            name,
            setup: Setup { limits, ..Setup::default().of(profile) },
            preamble: vec![acquire(0, Use::Inbound), acquire(8, Use::Outbound)],
            symbols: lines.iter().flat_map(|line| symbols(specification, profile, line)).collect(),
            contexts,
        })
    }

    /// What a subject must offer to be driven by it.
    pub fn needs(&self) -> Vec<Need> {
        match self.setup.profile {
            Profile::DigestHttp | Profile::DigestSasl => {
                let has_time = self.symbols.iter().any(|symbol| symbol.action == Action::Expire);
                let clock = has_time.then_some(Need::Clock);
                [Need::Configuration, Need::Limits].into_iter().chain(clock).collect()
            }
            Profile::AnyPackage => Vec::new(),
        }
    }

    /// What of that a subject which offers these lacks, by name.
    pub fn lacks(&self, offered: &BTreeSet<Need>) -> Vec<&'static str> {
        self.needs().iter().filter(|need| !offered.contains(need)).map(|need| need.name()).collect()
    }

    /// The symbol of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.symbols.iter().position(|symbol| symbol.name == name)
    }
}

/// The symbols of a line. A line that the tables do not know makes none.
fn symbols(specification: &Specification, profile: Profile, line: &str) -> Vec<Symbol> {
    let alone = |action| vec![Symbol { name: line.to_owned(), action }];
    match line {
        "expire" => return alone(Action::Expire),
        "exchange" => return alone(Action::Exchange(Goal::default())),
        _call => {}
    }
    let mut words = line.split(' ');
    let Some(call) = words.next().and_then(CallName::from_name) else { return Vec::new() };
    let mut actions = vec![CallAction::new(call, 0).on(0)];
    for (fact, value) in words.filter_map(|word| word.split_once('=')) {
        let Some(fact) = Fact::from_name(fact) else { return Vec::new() };
        let values = match value {
            "*" => departures(specification, profile, call, fact),
            value => fact.value(value).into_iter().collect(),
        };
        let with = |action: &CallAction, value: &u8| {
            let mut action = action.clone();
            action.wishes.set(fact, *value);
            action
        };
        actions = actions.iter().flat_map(|action| values.iter().map(|value| with(action, value))).collect();
    }
    let name = |action: &CallAction| {
        let wishes =
            action.wishes.iter().map(|(fact, value)| format!(" {}={}", fact.name(), fact.values()[usize::from(value)]));
        format!("{call}{}", wishes.collect::<String>())
    };
    actions.into_iter().map(|action| Symbol { name: name(&action), action: Action::Call(action) }).collect()
}

/// The values of a fact that are departures wherever it exists.
fn departures(specification: &Specification, profile: Profile, call: CallName, fact: Fact) -> Vec<u8> {
    let tables = specification.call(call, profile);
    let rules: Vec<_> = tables.into_iter().flat_map(|tables| &tables.facts).filter(|rule| rule.fact == fact).collect();
    let values: BTreeSet<u8> = rules.iter().flat_map(|rule| rule.values.iter().copied()).collect();
    values.into_iter().filter(|value| rules.iter().all(|rule| !rule.fine.contains(value))).collect()
}
