//! SASL: the way to a state, wrapped messages exchanged on it, and calls that show what a call left behind.
#![forbid(unsafe_code)]

use super::super::action::Action;
use super::{ANNOUNCED_MAXBUFS, Planner, answers_wrongly};
use crate::digest::sasl::Qop;
use crate::spec::names::CallName;
use crate::spec::setup::{Cipher, Limits, Setup};
use crate::spec::vocabulary as fact;
use crate::spec::vocabulary::{Fact, Facts};

/// What a tester wishes who wants that quality of protection.
fn word(qop: Qop) -> fact::Qop {
    match qop {
        Qop::Auth => fact::Qop::Auth,
        Qop::AuthInt => fact::Qop::AuthInt,
        Qop::AuthConf => fact::Qop::AuthConf,
    }
}

impl Planner {
    /// The ciphers that are configured: mostly all, else some, and none where flags cannot be had.
    fn ciphers(&mut self, call: CallName, facts: &Facts) -> Vec<Cipher> {
        let asks_in_vain = call == CallName::AcceptSecurityContext && facts.is(fact::Flags::Unsupported);
        if asks_in_vain && self.rng.u8(..4) == 0 {
            return Vec::new();
        }
        if self.rng.bool() {
            return Cipher::ALL.to_vec();
        }
        let one = self.rng.usize(..Cipher::ALL.len());
        let chosen = |(index, cipher): (usize, Cipher)| (index == one || self.rng.u8(..3) == 0).then_some(cipher);
        Cipher::ALL.into_iter().enumerate().filter_map(chosen).collect()
    }

    pub(super) fn sasl_setup(&mut self, call: CallName, facts: &Facts, setup: Setup) -> Setup {
        let mut limits = setup.limits;
        // What names nothing leaves room for the one challenge that is answered afterwards.
        if facts.is(fact::Names::Nothing) {
            limits.challenges = Limits::default().challenges;
        }
        Setup {
            ciphers: self.ciphers(call, facts),
            maxbuf: ANNOUNCED_MAXBUFS[self.rng.usize(..ANNOUNCED_MAXBUFS.len())],
            limits,
            ..setup
        }
    }

    fn sasl_qop(&mut self, facts: &Facts) -> Qop {
        let any = [Qop::Auth, Qop::AuthInt, Qop::AuthConf];
        match facts.name(Fact::Qop) {
            "auth" => Qop::Auth,
            "auth-int" => Qop::AuthInt,
            "auth-conf" => Qop::AuthConf,
            // Without a cipher nothing is confidential.
            _other if facts.is(fact::Flags::Unsupported) => any[self.rng.usize(..2)],
            _other => any[self.rng.usize(..3)],
        }
    }

    pub(super) fn sasl_reach(&mut self, call: CallName, facts: &Facts) {
        let wanted = self.sasl_qop(facts);
        let finds_its_own = call == CallName::AcceptSecurityContext
            && facts.is(fact::State::Established)
            && facts.is(fact::Names::This);
        let reauthenticates = finds_its_own
            || facts.is(fact::Names::Session)
            || facts.is(fact::State::CompleteNeededSubsequent)
            || facts.is(fact::Count::Used)
            || facts.is(fact::Count::Within);
        // Who negotiated auth-conf is not found again, and where more is asked for less was negotiated.
        let qop = match wanted {
            Qop::AuthConf if reauthenticates => [Qop::Auth, Qop::AuthInt][self.rng.usize(..2)],
            Qop::Auth | Qop::AuthInt | Qop::AuthConf if facts.is(fact::Asked::More) => {
                [Qop::Auth, Qop::AuthInt][usize::from(!reauthenticates && self.rng.bool())]
            }
            Qop::Auth | Qop::AuthInt | Qop::AuthConf => wanted,
        };
        if facts.is(fact::Handle::Deleted) {
            self.challenge(word(qop));
            self.delete(0);
        }
        match facts.name(Fact::Role) {
            "initiator" => self.sasl_reach_initiator(call, facts, qop),
            "acceptor" => {
                self.sasl_around(call, facts, qop);
                self.sasl_reach_acceptor(facts, qop);
            }
            _none => {
                self.sasl_around(call, facts, qop);
                if facts.name(Fact::Credential) == "context" {
                    self.challenge(word(qop));
                }
            }
        }
        self.sasl_messages(call, facts, qop);
        if facts.is(fact::Room::Full) {
            for _ in 0..4 {
                self.challenge(word(qop));
            }
        }
        if facts.is(fact::Age::Expired) {
            self.actions.push(Action::Expire);
        }
    }

    /// What the token of the call names, where that is not the context's own.
    fn sasl_around(&mut self, call: CallName, facts: &Facts, qop: Qop) {
        match facts.name(Fact::Names) {
            "challenge" if facts.name(Fact::State) != "challenged" => self.challenge(word(qop)),
            "session" if call == CallName::AcceptSecurityContext => self.sasl_establish(qop, facts),
            "ended" => {
                // One round only, so that one deletion ends the session.
                let qop = if qop == Qop::AuthConf { Qop::AuthInt } else { qop };
                self.challenge(word(qop));
                self.answer(Some(0), fact::Entity::Given);
                self.delete(0);
            }
            "other" => self.challenge(word(qop)),
            "nothing" if call == CallName::AcceptSecurityContext => match self.rng.u8(..4) {
                0 => {}
                // Sessions that are not found: for another user, of auth-conf, expired.
                1 => self.sasl_establish(qop, &Facts::default()),
                2 => self.sasl_establish(Qop::AuthConf, &Facts::default()),
                _other => {
                    self.sasl_establish(qop, &Facts::default());
                    self.actions.push(Action::Expire);
                }
            },
            _other => {}
        }
    }

    fn sasl_establish(&mut self, qop: Qop, facts: &Facts) {
        self.challenge(word(qop));
        self.answer(Some(0), fact::Entity::Given);
        if qop == Qop::AuthConf {
            return;
        }
        self.go_on(facts);
    }

    fn sasl_reach_acceptor(&mut self, facts: &Facts, qop: Qop) {
        match facts.name(Fact::State) {
            "challenged" => self.challenge(word(qop)),
            "established" => self.sasl_establish(qop, facts),
            "complete-needed-subsequent" => {
                self.sasl_establish(qop, facts);
                self.find();
            }
            "rejected" => {
                self.challenge(word(qop));
                let action = self.new_call(CallName::AcceptSecurityContext).on(0).wishing(fact::Names::Challenge);
                self.call(action.wishing(fact::Digest::Differs));
            }
            _other => {}
        }
    }

    fn sasl_proof(&mut self, proof: fact::Proof) {
        let action = self.initialize(Some(0)).wishing(fact::Kind::AuthenticationInfo);
        self.call(action.wishing(proof));
    }

    fn sasl_reach_initiator(&mut self, call: CallName, facts: &Facts, qop: Qop) {
        // The second user's name is not ISO 8859-1; where other credentials are asked for, they will be that user's.
        let user = match facts.is(fact::Username::NotEncodable) {
            true if facts.is(fact::Credential::Other) => 0,
            true => 1,
            false => self.rng.u8(..3),
        };
        let start = self.initialize(None).about(user);
        let answers = start.clone().wishing(fact::Token::WellFormed).wishing(word(qop));
        match facts.name(Fact::State) {
            "initial" => self.call(start.wishing(fact::Token::Empty)),
            "responded" => {
                // Who negotiated auth-conf starts over, so that its first response is its only one.
                let again = facts.is(fact::Attempt::Again);
                let qop = if again && qop == Qop::AuthConf { Qop::AuthInt } else { qop };
                self.call(answers.wishing(word(qop)));
                if again {
                    self.sasl_proof(fact::Proof::Right);
                    self.sasl_reauthenticate();
                }
            }
            "established" => {
                let impossible = facts.is(fact::Reauthentication::Impossible);
                let fast = call == CallName::InitializeSecurityContext && !impossible;
                let spends = impossible && self.rng.bool();
                let qop = match qop {
                    Qop::AuthConf if fast => Qop::AuthInt,
                    Qop::Auth | Qop::AuthInt | Qop::AuthConf if impossible && !spends => Qop::AuthConf,
                    Qop::Auth | Qop::AuthInt | Qop::AuthConf => qop,
                };
                self.call(answers.wishing(word(qop)));
                self.sasl_proof(fact::Proof::Right);
                if fast && self.rng.u8(..3) == 0 {
                    self.sasl_reauthenticate();
                    self.sasl_proof(fact::Proof::Right);
                }
                if spends {
                    self.actions.push(Action::SpendCounts);
                }
            }
            "rejected" => {
                self.call(answers);
                self.sasl_proof(fact::Proof::Wrong);
            }
            _other => {}
        }
    }

    fn sasl_reauthenticate(&mut self) {
        let again = self.initialize(Some(0)).wishing(fact::Token::Empty);
        self.call(again);
    }

    /// Messages that were exchanged before the call: whoever has no layer refuses them, and then nothing changes.
    fn sasl_messages(&mut self, call: CallName, facts: &Facts, qop: Qop) {
        let protects = matches!(
            call,
            CallName::MakeSignature | CallName::VerifySignature | CallName::EncryptMessage | CallName::DecryptMessage
        );
        if !protects || facts.name(Fact::State) != "established" {
            return;
        }
        let dead = facts.is(fact::Direction::Dead);
        self.exchange_messages(0);
        if dead {
            let action = self.new_call(CallName::DecryptMessage).on(0);
            self.call(action.wishing(fact::Seal::Lost).wishing(word(qop)));
        }
    }

    /// A few messages on a context, in either direction.
    pub(super) fn exchange_messages(&mut self, context: u8) {
        for _ in 0..self.rng.u8(..4) {
            let calls = [
                CallName::MakeSignature,
                CallName::VerifySignature,
                CallName::EncryptMessage,
                CallName::EncryptMessage,
                CallName::DecryptMessage,
                CallName::DecryptMessage,
            ];
            let call = calls[self.rng.usize(..calls.len())];
            let action = self.new_call(call).on(context);
            self.call(action);
        }
    }

    /// Calls that show what the call consumed, kept, counted, let somebody else in, or did to the layer.
    pub(super) fn sasl_aftermath(&mut self, call: CallName, facts: &Facts) {
        let mut target = self.target(facts).unwrap_or(0);
        let initiator = facts.name(Fact::Role) == "initiator" || call == CallName::InitializeSecurityContext;
        if !initiator && self.rng.u8(..4) == 0 {
            // A parallel request waits while the one before it is completed; neither may take the other's place.
            self.find();
            target += 1;
        }
        self.complete(target);
        self.sasl_both_ways(target);
        if answers_wrongly(facts) {
            // A challenge failed too often is none any more, whoever answers it.
            let late = self.new_call(CallName::AcceptSecurityContext).wishing(fact::Names::Nothing);
            self.call(late.wishing(fact::Digest::Matches).wishing(fact::Output::Enough));
            target += 1;
        }
        if initiator {
            self.sasl_proof(fact::Proof::Right);
            self.sasl_both_ways(0);
            self.sasl_reauthenticate();
            self.sasl_proof(fact::Proof::Right);
            self.sasl_both_ways(0);
            let again = self.initialize(Some(0)).wishing(fact::Stale::Yes);
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
            self.sasl_both_ways(0);
            self.answer(None, fact::Entity::Given);
            target += 1;
        }
        self.query(0);
        self.delete(target);
        self.complete(target);
    }

    /// A message each way, so that the state of both directions is seen.
    fn sasl_both_ways(&mut self, context: u8) {
        let pairs = [
            (CallName::EncryptMessage, CallName::DecryptMessage),
            (CallName::MakeSignature, CallName::VerifySignature),
        ];
        let (send, receive) = pairs[usize::from(self.rng.u8(..4) == 0)];
        for call in [send, receive] {
            let action = self.new_call(call).on(context);
            self.call(action);
        }
    }
}
