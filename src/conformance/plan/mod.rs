//! Plans: the way to a state, the call that departs as wished, and calls that show what it left behind.
#![forbid(unsafe_code)]

pub mod any;
mod sasl;

use std::num::NonZeroU32;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::action::{Action, CallAction, Wishes};
use crate::spec::names::{CallName, Need, Profile};
use crate::spec::setup::{EnvironmentFault, Limits, OfferedAlgorithm, Policy, Setup};
use crate::spec::vocabulary as fact;
use crate::spec::vocabulary::{Fact, Facts};

/// A sequence and the configuration it runs under; what a reproducer holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Sequence {
    /// How the subject is configured.
    pub setup: Setup,
    /// What the tester does.
    pub actions: Vec<Action>,
}

/// What a subject announces that it accepts, in bytes: the usual, the least, and the most.
pub const ANNOUNCED_MAXBUFS: [u32; 4] = [65_536, 17, 1024, 16_777_215];

/// What a combination of facts needs of a subject beside answering calls.
pub fn needs(facts: &Facts) -> Vec<Need> {
    let has = |named: &[(Fact, &str)]| named.iter().any(|(fact, value)| facts.name(*fact) == *value);
    let mut needs = Vec::new();
    let continues = facts.name(Fact::State).starts_with("complete-and-continue-");
    if continues || has(&[(Fact::Age, "expired")]) {
        needs.push(Need::Clock);
    }
    if has(&[(Fact::Fault, "entropy"), (Fact::Fault, "clock"), (Fact::Accounts, "down")]) {
        needs.push(Need::Faults);
    }
    if has(&[(Fact::Handle, "foreign"), (Fact::Credential, "foreign")]) {
        needs.push(Need::TwoProviders);
    }
    if has(&[(Fact::Count, "exhausted")]) {
        needs.push(if facts.get(Fact::Message).is_some() { Need::Sequences } else { Need::Counts });
    }
    if has(&[(Fact::Room, "full")]) {
        needs.push(Need::Limits);
    }
    if has(&[(Fact::Count, "within"), (Fact::Count, "too-old")]) {
        needs.push(Need::Policy);
    }
    if has(&[(Fact::Block, "freed"), (Fact::Block, "foreign")]) {
        needs.push(Need::CheckedMemory);
    }
    needs
}

/// What clients of HTTP say of their channel on the way to the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Channel {
    /// Nothing.
    Unbound,
    /// The one they have.
    Bound,
    /// The same, and it is required of them.
    Required,
}

struct Planner {
    actions: Vec<Action>,
    rng: Rng,
    channel: Channel,
}

/// A plan for one combination of facts of a call.
pub fn plan(profile: Profile, call: CallName, facts: &Facts, seed: u64) -> Sequence {
    let (mut planner, setup) = plan_until(profile, call, facts, seed);
    planner.aftermath(profile, call, facts);
    Sequence { setup, actions: planner.actions }
}

/// A plan for one combination of facts of a call that ends with that call.
pub fn approach(profile: Profile, call: CallName, facts: &Facts, seed: u64) -> Sequence {
    let (planner, setup) = plan_until(profile, call, facts, seed);
    Sequence { setup, actions: planner.actions }
}

fn plan_until(profile: Profile, call: CallName, facts: &Facts, seed: u64) -> (Planner, Setup) {
    let mut planner = Planner { actions: Vec::new(), rng: Rng::with_seed(seed), channel: Channel::Unbound };
    let setup = planner.setup(profile, call, facts);
    match profile {
        _any if is_about_packages(call) => {
            if profile != Profile::AnyPackage {
                planner.actions.extend(credentials_of_every_kind());
            }
            planner.memory(facts);
        }
        Profile::DigestHttp => {
            planner.actions.extend(credentials_of_every_kind());
            planner.channel = planner.channel(call, facts);
            planner.reach(call, facts);
        }
        Profile::DigestSasl => {
            planner.actions.extend(credentials_of_every_kind());
            planner.sasl_reach(call, facts);
        }
        Profile::AnyPackage => planner.any_reach(call, facts),
    }
    planner.environment(facts);
    let mut action = CallAction::new(call, planner.rng.u64(..));
    action.context = planner.target(facts);
    action.wishes = wishes(facts);
    if call == CallName::InitializeSecurityContext {
        action.which = Some(planner.rng.u8(..));
    }
    planner.actions.push(Action::Call(action));
    (planner, setup)
}

/// How every sequence begins: inbound credentials for two hosts, outbound ones for three users, and some that are freed.
pub fn credentials_of_every_kind() -> Vec<Action> {
    let acquire = |variety| CallAction::new(CallName::AcquireCredentialsHandle, variety);
    // Even varieties have no principal, odd ones have; the variety modulo five picks the user.
    let calls = [
        acquire(0).wishing(fact::Use::Inbound),
        acquire(1).wishing(fact::Use::Inbound),
        acquire(10).wishing(fact::Use::Outbound),
        acquire(8).wishing(fact::Use::Outbound),
        acquire(55).wishing(fact::Use::Outbound),
        acquire(2).wishing(fact::Use::Inbound),
        CallAction::new(CallName::FreeCredentialsHandle, 0),
    ];
    calls.into_iter().map(Action::Call).collect()
}

/// Whether a call is about the packages that there are, and memory of theirs: neither credentials nor contexts matter.
fn is_about_packages(call: CallName) -> bool {
    match call {
        CallName::EnumerateSecurityPackages | CallName::QuerySecurityPackageInfo | CallName::FreeContextBuffer => true,
        CallName::AcquireCredentialsHandle
        | CallName::FreeCredentialsHandle
        | CallName::InitializeSecurityContext
        | CallName::AcceptSecurityContext
        | CallName::CompleteAuthToken
        | CallName::MakeSignature
        | CallName::VerifySignature
        | CallName::EncryptMessage
        | CallName::DecryptMessage
        | CallName::QueryContextAttributes
        | CallName::DeleteSecurityContext => false,
    }
}

fn wishes(facts: &Facts) -> Wishes {
    let mut wishes = Wishes::default();
    for (fact, _) in facts.iter() {
        if let Some(value) = facts.get(fact) {
            wishes.set(fact, value);
        }
    }
    wishes
}

/// Whether a wrong answer to a challenge is counted; where the offer differs too, either may be judged first.
fn answers_wrongly(facts: &Facts) -> bool {
    facts.is(fact::Names::Challenge) && facts.is(fact::Digest::Differs) && !facts.is(fact::Offered::Differs)
}

/// The same, bound to a channel, as the call requires of it.
fn required(action: CallAction) -> CallAction {
    action.wishing(fact::Bindings::Proxied).wishing(fact::Upgraded::Yes)
}

impl Planner {
    fn setup(&mut self, profile: Profile, call: CallName, facts: &Facts) -> Setup {
        let needs_window = matches!(facts.name(Fact::Count), "within" | "too-old");
        let window = NonZeroU32::new(self.rng.u32(2..=8)).unwrap_or(NonZeroU32::MIN);
        let policy = if needs_window || (facts.name(Fact::Count) != "n/a" && self.rng.u8(..4) == 0) {
            Policy::Window(window)
        } else {
            Policy::Strict
        };
        let algorithm = if self.rng.bool() { OfferedAlgorithm::Md5 } else { OfferedAlgorithm::Md5Sess };
        let mut limits = Limits::default();
        if facts.is(fact::Room::Full) {
            limits.contexts = 4;
        }
        if answers_wrongly(facts) && self.rng.bool() {
            limits.failures = self.rng.u32(1..=2);
        }
        if facts.is(fact::Names::Nothing) && self.rng.bool() {
            limits.challenges = 1;
        }
        let setup = Setup { policy, algorithm, limits, ..Setup::default() }.of(profile);
        match profile {
            Profile::DigestHttp => setup,
            // Nothing of a package can be configured of which nothing is known.
            Profile::AnyPackage => Setup::default().of(profile),
            Profile::DigestSasl => self.sasl_setup(call, facts, setup),
        }
    }

    fn call(&mut self, action: CallAction) {
        self.actions.push(Action::Call(action));
    }

    fn new_call(&mut self, call: CallName) -> CallAction {
        CallAction::new(call, self.rng.u64(..))
    }

    // --- Memory

    /// Memory that the package gave away, as much as the facts need and sometimes more; some of it freed.
    fn memory(&mut self, facts: &Facts) {
        let needed = u8::from(facts.is(fact::Block::Allocated) || facts.is(fact::Block::Foreign));
        for _ in 0..needed + self.rng.u8(..3) {
            self.tell_of_packages();
        }
        if facts.is(fact::Block::Freed) {
            self.tell_of_packages();
            self.free_block();
        }
    }

    /// One or the other function that gives memory away.
    fn tell_of_packages(&mut self) {
        let calls = [CallName::EnumerateSecurityPackages, CallName::QuerySecurityPackageInfo];
        let call = calls[usize::from(self.rng.bool())];
        let action = self.new_call(call);
        self.call(action);
    }

    fn free_block(&mut self) {
        let action = self.new_call(CallName::FreeContextBuffer);
        self.call(action);
    }

    // --- The acceptor's side

    fn challenge(&mut self, qop: fact::Qop) {
        let action = self.new_call(CallName::AcceptSecurityContext).wishing(fact::Token::Empty).wishing(qop);
        self.call(action.wishing(fact::Output::Enough));
    }

    fn answer(&mut self, context: Option<u8>, entity: fact::Entity) {
        let mut action = self.new_call(CallName::AcceptSecurityContext).wishing(fact::Names::Challenge);
        action.context = context;
        let action = action.wishing(entity).wishing(fact::Output::Enough);
        self.call(match self.channel {
            Channel::Unbound => action,
            Channel::Bound => action.wishing(fact::Bindings::Matches),
            Channel::Required => required(action),
        });
    }

    fn find(&mut self) {
        let action = self.new_call(CallName::AcceptSecurityContext).wishing(fact::Names::Session);
        let action = action.wishing(fact::Output::Enough);
        self.call(match self.channel {
            // A session is found by what its client said first.
            Channel::Unbound | Channel::Bound => action,
            Channel::Required => required(action),
        });
    }

    /// What clients must have said of their channel for these facts.
    fn channel(&mut self, call: CallName, facts: &Facts) -> Channel {
        let by_chance = [Channel::Unbound, Channel::Bound][usize::from(self.rng.bool())];
        match facts.name(Fact::Bindings) {
            "matches" | "proxied" | "differs" => Channel::Bound,
            "missing" => Channel::Required,
            "inconsistent" => by_chance,
            "none" => Channel::Unbound,
            _other if call == CallName::QueryContextAttributes => by_chance,
            _other => Channel::Unbound,
        }
    }

    fn complete(&mut self, context: u8) {
        let action = self.new_call(CallName::CompleteAuthToken).on(context).wishing(fact::Names::This);
        self.call(match self.channel {
            Channel::Unbound => action,
            Channel::Bound => action.wishing(fact::Bindings::Matches),
            Channel::Required => action.wishing(fact::Bindings::Proxied),
        });
    }

    /// Completes the newest context with a count as far ahead as the window allows, so that something is left behind it.
    fn complete_ahead(&mut self) {
        let action = self.new_call(CallName::CompleteAuthToken).on(0).wishing(fact::Names::This);
        let mut action = action.wishing(fact::Count::Within);
        action.variety &= !1;
        self.call(action);
    }

    fn delete(&mut self, context: u8) {
        let action = self.new_call(CallName::DeleteSecurityContext).on(context);
        self.call(action);
    }

    fn establish(&mut self, qop: fact::Qop, facts: &Facts) {
        self.challenge(qop);
        self.answer(Some(0), fact::Entity::Given);
        self.go_on(facts);
    }

    /// Later requests of the session on the newest context: as many as the count wished for needs behind it.
    fn go_on(&mut self, facts: &Facts) {
        let jumps = match facts.name(Fact::Count) {
            "too-old" => 5,
            "within" | "used" => 2,
            _other => 0,
        };
        let rounds = if jumps == 0 { self.rng.u8(..3) } else { jumps };
        for _ in 0..rounds {
            self.request(if jumps == 0 { fact::Count::Next } else { fact::Count::Within }, facts);
            if self.rng.bool() {
                self.delete(1);
            }
        }
    }

    /// A later request, on a context of its own.
    fn request(&mut self, count: fact::Count, facts: &Facts) {
        self.find();
        if facts.is(fact::Count::TooOld) {
            return self.complete_ahead();
        }
        let action = self.new_call(CallName::CompleteAuthToken).on(0).wishing(fact::Names::This).wishing(count);
        self.call(action);
    }

    fn reach(&mut self, call: CallName, facts: &Facts) {
        let qop = match facts.name(Fact::Qop) {
            "auth-int" => fact::Qop::AuthInt,
            "auth" => fact::Qop::Auth,
            _other if self.rng.bool() => fact::Qop::AuthInt,
            _other => fact::Qop::Auth,
        };
        // What is asked for must be more than was negotiated, or what is negotiated must not be what the token says.
        let swapped = self.rng.u8(..4) == 0 && (facts.is(fact::Offered::Differs) || facts.is(fact::Outside::Differs));
        let negotiated =
            if facts.is(fact::Asked::More) || (swapped && qop == fact::Qop::AuthInt) { fact::Qop::Auth } else { qop };
        if facts.is(fact::Handle::Deleted) {
            self.challenge(qop);
            self.delete(0);
        }
        match facts.name(Fact::Role) {
            "initiator" => self.reach_initiator(facts, qop),
            "acceptor" => {
                self.around(call, facts, negotiated);
                self.reach_acceptor(facts, negotiated);
            }
            _none => {
                self.around(call, facts, negotiated);
                let credential = facts.name(Fact::Credential);
                if credential == "context" {
                    self.challenge(qop);
                }
            }
        }
        if facts.is(fact::Room::Full) {
            for _ in 0..4 {
                self.challenge(negotiated);
            }
        }
        if facts.is(fact::Age::Expired) {
            self.actions.push(Action::Expire);
        }
    }

    /// What the token of the call names, where that is not the context's own.
    fn around(&mut self, call: CallName, facts: &Facts, qop: fact::Qop) {
        match facts.name(Fact::Names) {
            "challenge" if facts.name(Fact::State) != "challenged" => self.challenge(qop),
            "session" if call == CallName::AcceptSecurityContext => self.establish(qop, facts),
            "ended" => {
                // One round only, so that one deletion ends the session.
                self.challenge(qop);
                self.answer(Some(0), fact::Entity::Given);
                self.delete(0);
            }
            "two" => {
                self.challenge(qop);
                self.establish(qop, &Facts::default());
            }
            "other" => self.challenge(qop),
            "nothing" if self.rng.bool() => {
                self.challenge(qop);
                // The other virtual host's; `other` without a context is any that fits.
                let elsewhere = self.new_call(CallName::AcceptSecurityContext).wishing(fact::Token::Empty);
                self.call(elsewhere.wishing(qop).wishing(fact::Output::Enough).wishing(fact::Credential::Other));
            }
            _other => {}
        }
    }

    fn reach_acceptor(&mut self, facts: &Facts, qop: fact::Qop) {
        let elsewhere = facts.is(fact::Answered::Elsewhere);
        match facts.name(Fact::State) {
            "challenged" => self.challenge(qop),
            "established" => self.establish(qop, facts),
            "complete-needed-initial" if elsewhere => {
                self.challenge(fact::Qop::AuthInt);
                self.answer(Some(0), fact::Entity::Absent);
                self.answer(None, fact::Entity::Absent);
                self.complete(0);
                let behind_the_window = if facts.is(fact::Count::TooOld) { 3 } else { 0 };
                for _ in 0..behind_the_window {
                    self.request(fact::Count::Within, facts);
                    self.delete(0);
                }
            }
            "complete-needed-initial" => {
                self.challenge(fact::Qop::AuthInt);
                self.answer(Some(0), fact::Entity::Absent);
            }
            "complete-needed-subsequent" => {
                self.establish(qop, facts);
                self.find();
            }
            "complete-and-continue-initial" => {
                self.challenge(fact::Qop::AuthInt);
                // Whoever is to be told of a count before it was accepted in time, and so before there was a session.
                let ahead = if facts.is(fact::Count::TooOld) { 3 } else { 0 };
                let in_time = if elsewhere { 1 + ahead } else { 0 };
                for _ in 0..in_time {
                    self.answer(None, fact::Entity::Absent);
                }
                self.actions.push(Action::Expire);
                self.answer(Some(in_time), fact::Entity::Absent);
                if elsewhere {
                    self.complete(ahead);
                    for _ in 0..ahead {
                        self.complete_ahead();
                        self.delete(0);
                    }
                }
            }
            "complete-and-continue-subsequent" => {
                self.establish(qop, facts);
                self.actions.push(Action::Expire);
                self.find();
            }
            "rejected" => {
                self.challenge(qop);
                let action = self.new_call(CallName::AcceptSecurityContext).on(0).wishing(fact::Names::Challenge);
                self.call(action.wishing(fact::Entity::Given).wishing(fact::Digest::Differs));
            }
            _other => {}
        }
    }

    /// Which context the call is on, counted back from the newest.
    fn target(&self, facts: &Facts) -> Option<u8> {
        let elsewhere = facts.is(fact::Answered::Elsewhere);
        match facts.name(Fact::Handle) {
            "null" => None,
            _other if elsewhere => Some(1),
            _other => Some(0),
        }
    }

    // --- The initiator's side

    fn initialize(&mut self, context: Option<u8>) -> CallAction {
        let mut action = self.new_call(CallName::InitializeSecurityContext).wishing(fact::Output::Enough);
        action.context = context;
        action.which = Some(self.rng.u8(..));
        action
    }

    fn reach_initiator(&mut self, facts: &Facts, qop: fact::Qop) {
        // The second user's name is not ISO 8859-1; where other credentials are asked for, they will be that user's.
        let user = match facts.is(fact::Username::NotEncodable) {
            true if facts.is(fact::Credential::Other) => 0,
            true => 1,
            false => self.rng.u8(..3),
        };
        let start = self.initialize(None).about(user);
        let good = |action: CallAction| action.wishing(fact::Token::WellFormed).wishing(fact::Entity::Given);
        let proof_qop = if facts.is(fact::Kind::AuthenticationInfo) { qop } else { fact::Qop::Auth };
        match facts.name(Fact::State) {
            "initial" => self.call(start.wishing(fact::Token::Empty)),
            "responded" => self.call(good(start).wishing(proof_qop).wishing(fact::Mutual::Yes)),
            "established" => {
                let qop = if facts.is(fact::Qop::Absent) { fact::Qop::Absent } else { qop };
                self.call(good(start).wishing(qop).wishing(fact::Mutual::No));
                let headers = self.rng.u8(..3);
                for _ in 0..headers {
                    let action = self.new_call(CallName::MakeSignature).on(0);
                    self.call(action);
                }
            }
            state @ ("complete-needed" | "complete-and-continue") => {
                let mutual = if state == "complete-needed" { fact::Mutual::No } else { fact::Mutual::Yes };
                let unfinished = start.wishing(fact::Token::WellFormed).wishing(fact::Entity::Absent);
                self.call(unfinished.wishing(fact::Qop::AuthInt).wishing(mutual));
            }
            "rejected" => {
                self.call(good(start).wishing(fact::Qop::Auth).wishing(fact::Mutual::Yes));
                let refused = self.initialize(Some(0)).wishing(fact::Kind::Challenge).wishing(fact::Stale::No);
                self.call(refused);
            }
            _other => {}
        }
    }

    // --- Before and after the call

    fn environment(&mut self, facts: &Facts) {
        match facts.name(Fact::Fault) {
            "entropy" => self.actions.push(Action::Inject(EnvironmentFault::Entropy)),
            "clock" => self.actions.push(Action::Inject(EnvironmentFault::Clock)),
            _other => {}
        }
        if facts.is(fact::Accounts::Down) {
            self.actions.push(Action::AccountsDown(true));
        }
        if facts.is(fact::Count::Exhausted) {
            let spend = if facts.get(Fact::Message).is_some() { Action::SpendSequences } else { Action::SpendCounts };
            self.actions.push(spend);
        }
    }

    /// Calls that show what the call consumed, kept, counted, or let somebody else in.
    fn aftermath(&mut self, profile: Profile, call: CallName, facts: &Facts) {
        if matches!(facts.name(Fact::Fault), "entropy" | "clock") {
            self.actions.push(Action::Inject(EnvironmentFault::None));
        }
        if facts.is(fact::Accounts::Down) {
            self.actions.push(Action::AccountsDown(false));
        }
        let about_credentials = matches!(call, CallName::AcquireCredentialsHandle | CallName::FreeCredentialsHandle);
        match profile {
            _any if is_about_packages(call) => {
                // What the call left is the caller's, and other memory is as good as before.
                self.tell_of_packages();
                self.free_block();
                self.free_block();
            }
            Profile::DigestHttp | Profile::DigestSasl if about_credentials => self.challenge(fact::Qop::Auth),
            Profile::DigestHttp => self.http_aftermath(call, facts),
            Profile::DigestSasl => self.sasl_aftermath(call, facts),
            Profile::AnyPackage => self.any_aftermath(call, facts),
        }
    }

    fn http_aftermath(&mut self, call: CallName, facts: &Facts) {
        let mut target = self.target(facts).unwrap_or(0);
        let initiator = facts.name(Fact::Role) == "initiator" || call == CallName::InitializeSecurityContext;
        if !initiator && self.rng.u8(..4) == 0 {
            // A parallel request waits while the one before it is completed; neither may take the other's place.
            self.find();
            target += 1;
        }
        self.complete(target);
        if answers_wrongly(facts) {
            // A challenge failed too often is none any more, whoever answers it.
            let late = self.new_call(CallName::AcceptSecurityContext).wishing(fact::Names::Nothing);
            self.call(late.wishing(fact::Output::Enough));
            target += 1;
        }
        if initiator {
            let again = self.initialize(Some(0)).wishing(fact::Stale::Yes);
            let header = self.new_call(CallName::MakeSignature).on(0);
            self.call(header);
            self.call(again);
        } else {
            // What the context itself is now, before others are made.
            self.query(target);
            if self.rng.bool() {
                self.answer(Some(target), fact::Entity::Given);
            }
            self.find();
            target += 1;
            self.complete(0);
            let verify = self.new_call(CallName::VerifySignature).on(0);
            self.call(verify);
            self.answer(None, fact::Entity::Given);
            target += 1;
        }
        self.query(0);
        self.delete(target);
        self.complete(target);
    }

    fn query(&mut self, context: u8) {
        let query = self.new_call(CallName::QueryContextAttributes).on(context);
        self.call(query.wishing(fact::Attribute::Supported));
    }
}
