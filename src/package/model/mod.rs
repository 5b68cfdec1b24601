//! A model that is checked: the core of this package, two initiators and an adversary between them.
//!
//! Nothing is modelled of what the core does: each step of an actor is a call on a context of the core, over copies of its
//! sessions, so that every order of steps can be tried from every state. What is made small is the world around it: two users
//! with a secret each, a clock of two times, entropy that counts, and a server that holds at most two contexts, deletes any of
//! them at any time, and completes what is due with the request that came. The table of handles is not in it:
//! SEC_E_INVALID_HANDLE is the one documented status of CompleteAuthToken that no core answers.
//!
//! The adversary delivers what it recorded, unchanged or with one part replaced by the same part of another recorded message or
//! by a fixed value of its own, so often as [`Extent`] says beyond the deliveries that are honest; and it knows no secret.
//!
//! Some orders are left out, as nothing would be seen in them but more states:
//!
//! * An initiator makes all its requests when it is challenged: nobody can tell one that was not made yet from one that was not
//!   delivered yet.
//! * The context of a challenge is deleted when the challenge is out, as HTTP servers do. The one that
//!   SEC_I_COMPLETE_AND_CONTINUE leads to stays until somebody deletes it.
//! * A request that is delivered unchanged waits for its completion while anything else may happen. One with a replaced part is
//!   completed as it is delivered, and its context is deleted unless it authenticates somebody: there are hundreds of them.
//! * Two states that differ in which context or message came first are one.
//!
//! HTTP only: the model is of requests with a method and a target. The nonce count policy is `strict`.
#![forbid(unsafe_code)]

mod acceptor;
mod check;
mod fault;
mod initiator;
mod message;
mod properties;
mod surroundings;

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::acceptor::{Acceptor, Answer, Held};
pub use self::check::{Case, Finding, Outcome, Report, check, explore};
pub use self::fault::Fault;
use self::initiator::Initiator;
use self::message::Request;
pub use self::message::{Edit, Part, Source};
pub use self::properties::{Expectation, Property};
use self::surroundings::{Authority, Surroundings, USERS};
use crate::context::requirements::AcceptRequirements;
use crate::status::SecurityStatus;

/// How many contexts the server holds at once.
const CONTEXTS: usize = 2;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Extent {
    /// How many deliveries the adversary has beyond the honest ones.
    pub deliveries: u8,
    /// How many requests the second initiator makes. The first makes two.
    pub requests: Requests,
}

impl Default for Extent {
    /// What two processors visit in about a minute, and in less than a gibibyte.
    fn default() -> Self {
        Self { deliveries: 2, requests: Requests::One }
    }
}

/// How many requests an initiator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requests {
    /// One, which makes a session.
    One,
    /// Two, the second in the session of the first.
    Two,
}

impl Requests {
    fn number(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// Which quality of protection the server offers, and so which states there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// qop=auth: AcceptSecurityContext judges the first request itself.
    Auth,
    /// qop=auth-int: the body is read after AcceptSecurityContext, so every request is completed.
    AuthInt,
}

impl Protection {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Auth, Self::AuthInt];
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        })
    }
}

/// One step of one party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An initiator asks without credentials; the acceptor answers with a challenge.
    Ask {
        /// Which initiator.
        initiator: usize,
    },
    /// An initiator is given a recorded challenge and makes its requests.
    Challenge {
        /// Which initiator.
        initiator: usize,
        /// Which challenge, in the order of who asked for it.
        challenge: usize,
        /// What the adversary made of it.
        edit: Option<Edit>,
    },
    /// A recorded request is given to AcceptSecurityContext.
    Deliver {
        /// Which request: the first initiator's come before the second's.
        request: usize,
        /// What the adversary made of it.
        edit: Option<Edit>,
    },
    /// CompleteAuthToken, where it is due.
    Complete {
        /// Which of the contexts that there are, in an order that tells nothing of which came first.
        context: usize,
    },
    /// DeleteSecurityContext.
    Delete {
        /// Which of the contexts that there are, in an order that tells nothing of which came first.
        context: usize,
    },
    /// Every nonce made so far becomes older than its lifetime.
    Expire,
}

/// A challenge that went out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Issued {
    /// Who asked for it.
    asked_by: Option<usize>,
    token: Arc<[u8]>,
}

/// A request that went out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sent {
    by: usize,
    number: usize,
    is_delivered: bool,
    request: Arc<Request>,
}

/// A state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    surroundings: Surroundings,
    acceptor: Acceptor,
    initiators: [Initiator; 2],
    challenges: Vec<Issued>,
    requests: Vec<Sent>,
    /// How many deliveries the adversary has left.
    deliveries: u8,
    /// How often each request of each initiator was authenticated.
    authenticated: [[u8; 2]; 2],
    /// Whether something was authenticated that nobody made.
    is_forged: bool,
}

impl State {
    fn new(protection: Protection, extent: Extent) -> Self {
        let with_entity = protection == Protection::AuthInt;
        let requirements = match protection {
            Protection::Auth => AcceptRequirements::HTTP,
            Protection::AuthInt => AcceptRequirements::HTTP | AcceptRequirements::INTEGRITY,
        };
        Self {
            surroundings: Surroundings::default(),
            acceptor: Acceptor::new(requirements),
            initiators: [(0, Requests::Two), (1, extent.requests)]
                .map(|(number, makes)| Initiator::new(number, makes.number(), with_entity)),
            challenges: Vec::new(),
            requests: Vec::new(),
            deliveries: extent.deliveries,
            authenticated: [[0; 2]; 2],
            is_forged: false,
        }
    }

    /// The steps that are possible.
    fn actions(&self, actions: &mut Vec<Action>) {
        let has_room = self.acceptor.contexts().len() < CONTEXTS;
        let has_delivery = self.deliveries > 0;
        for (number, initiator) in self.initiators.iter().enumerate() {
            let has_asked = self.challenges.iter().any(|issued| issued.asked_by == Some(number));
            if !has_asked && has_room {
                actions.push(Action::Ask { initiator: number });
            }
            if initiator.is_new() {
                for (challenge, issued) in self.challenges.iter().enumerate() {
                    let act = |edit| Action::Challenge { initiator: number, challenge, edit };
                    if issued.asked_by == Some(number) || has_delivery {
                        actions.push(act(None));
                    }
                    if has_delivery {
                        let edits = Edit::all(&Part::OF_CHALLENGES, self.challenges.len(), challenge);
                        actions.extend(edits.map(|edit| act(Some(edit))));
                    }
                }
            }
        }
        for (request, sent) in self.requests.iter().enumerate().filter(|_| has_room) {
            if !sent.is_delivered || has_delivery {
                actions.push(Action::Deliver { request, edit: None });
            }
            if has_delivery {
                let edits = Edit::all(&Part::OF_REQUESTS, self.requests.len(), request);
                actions.extend(edits.map(|edit| Action::Deliver { request, edit: Some(edit) }));
            }
        }
        for (context, held) in self.acceptor.contexts().iter().enumerate() {
            if held.is_due() {
                actions.push(Action::Complete { context });
            }
            actions.push(Action::Delete { context });
        }
        if !self.surroundings.is_late && !self.challenges.is_empty() {
            actions.push(Action::Expire);
        }
    }

    /// The state after a step, and what CompleteAuthToken answered if it was one; `None` where the step is not possible or
    /// is none.
    fn after(&self, action: Action, fault: Option<Fault>) -> Option<(Self, Option<SecurityStatus>)> {
        let mut completed = None;
        let mut after = match action {
            Action::Ask { initiator } => {
                let mut after = self.clone();
                let known = after.acceptor.contexts().len();
                let answer = after.acceptor.ask(initiator, &mut after.surroundings);
                after.heard(answer, Some(initiator));
                after.acceptor.delete(known, None, &mut after.surroundings);
                after
            }
            Action::Challenge { initiator, challenge, edit } => {
                let issued = self.challenges.get(challenge)?;
                let token = match edit {
                    None => Arc::clone(&issued.token),
                    Some(edit) => {
                        let source = edit.source(&self.challenges)?.map(|issued| &*issued.token);
                        edit.of_token(&issued.token, source)?.into()
                    }
                };
                let is_honest = edit.is_none() && issued.asked_by == Some(initiator);
                let mut after = self.after_delivery(is_honest)?;
                let party = after.initiators.get_mut(initiator)?;
                let requests = party.hear(&token, &mut after.surroundings);
                let sent = |(number, request): (usize, Request)| Sent {
                    by: initiator,
                    number,
                    is_delivered: false,
                    request: request.into(),
                };
                after.requests.extend(requests.into_iter().enumerate().map(sent));
                after
            }
            Action::Deliver { request, edit: None } => {
                let sent = self.requests.get(request)?;
                let mut after = self.after_delivery(!sent.is_delivered)?;
                after.requests.get_mut(request)?.is_delivered = true;
                let answer = after.acceptor.deliver(&sent.request, fault, &mut after.surroundings);
                after.heard(answer, None);
                after
            }
            Action::Deliver { request, edit: Some(edit) } => {
                let source = edit.source(&self.requests)?.map(|sent| &*sent.request);
                let edited = edit.of_request(&self.requests.get(request)?.request, source)?;
                let mut after = self.after_delivery(false)?;
                let known = after.acceptor.contexts().len();
                let answer = after.acceptor.deliver(&edited.into(), fault, &mut after.surroundings);
                after.heard(answer, None);
                // What was replaced does not wait, and no context is kept for what it could not make of itself.
                if after.acceptor.contexts().get(known).is_some_and(Held::is_due) {
                    completed = Some(after.complete(known, fault));
                }
                if after.acceptor.contexts().get(known).is_some_and(|held| !held.authenticates()) {
                    after.acceptor.delete(known, None, &mut after.surroundings);
                }
                after
            }
            Action::Complete { context } => {
                self.acceptor.contexts().get(context).filter(|held| held.is_due())?;
                let mut after = self.clone();
                completed = Some(after.complete(context, fault));
                after
            }
            Action::Delete { context } => {
                self.acceptor.contexts().get(context)?;
                let mut after = self.clone();
                after.acceptor.delete(context, fault, &mut after.surroundings);
                after
            }
            Action::Expire => {
                let mut after = self.clone();
                after.surroundings.is_late = true;
                after
            }
        };
        after.sort();
        Some((after, completed))
    }

    /// A copy of this state in which something is about to be delivered, by the adversary where that is not honest; `None`
    /// where it has delivered enough.
    fn after_delivery(&self, is_honest: bool) -> Option<Self> {
        let deliveries = if is_honest { self.deliveries } else { self.deliveries.checked_sub(1)? };
        Some(Self { deliveries, ..self.clone() })
    }

    /// CompleteAuthToken on the context at that place.
    fn complete(&mut self, position: usize, fault: Option<Fault>) -> SecurityStatus {
        let (status, answer) = self.acceptor.complete(position, fault, Authority::Up, &mut self.surroundings);
        self.heard(answer, None);
        status
    }

    /// Forgets in which order things came to be, where nothing depends on it.
    fn sort(&mut self) {
        self.acceptor.sort();
        self.challenges.sort();
        self.requests.sort_by_key(|sent| (sent.by, sent.number));
    }

    /// What an answer of the acceptor says to whoever listens.
    fn heard(&mut self, answer: Answer, asked_by: Option<usize>) {
        match answer {
            Answer::Nothing => {}
            Answer::Challenge(token) => self.challenges.push(Issued { asked_by, token: token.into() }),
            Answer::Authenticated(request) => match self.made(&request) {
                Some((by, number)) => {
                    let times = &mut self.authenticated[by][number];
                    *times = times.saturating_add(1);
                }
                None => self.is_forged = true,
            },
        }
    }

    /// By whom a request was made, and as which of theirs.
    fn made(&self, request: &Request) -> Option<(usize, usize)> {
        self.requests.iter().find(|sent| sent.request.says_the_same(request)).map(|sent| (sent.by, sent.number))
    }

    /// A request of an initiator, if it made it.
    fn request(&self, by: usize, number: usize) -> Option<&Arc<Request>> {
        self.requests.iter().find(|sent| (sent.by, sent.number) == (by, number)).map(|sent| &sent.request)
    }

    /// The initiators with a session that lives, that is not too old, and whose second request was made and not authenticated.
    /// Who was given another challenge than was sent has no session, whatever somebody makes of its requests on the way.
    fn sessions_under_way(&self) -> impl Iterator<Item = usize> {
        let is_held = |number: usize| {
            let user = Some(USERS[number].0);
            self.acceptor.contexts().iter().any(|held| held.user().as_deref() == user)
        };
        (0..self.initiators.len()).filter(move |number| {
            let [first, second] = self.authenticated[*number];
            let further = self.request(*number, 1);
            let is_of_a_session =
                further.is_some_and(|request| self.challenges.iter().any(|issued| request.answers(&issued.token)));
            let is_under_way = first > 0 && second == 0 && is_of_a_session;
            is_under_way && !self.surroundings.is_late && is_held(*number)
        })
    }
}
