//! Sequences as bytes: every byte string is a useful sequence, and every planned sequence is a byte string.
//!
//! What fuzzers mutate. Four bytes of set-up come first, the profile among them, then the actions that follow
//! [`credentials_of_every_kind`], each of as many bytes as it needs; bytes
//! that are missing read as zero. The common choices take most of the values of a byte, so that random bytes mostly
//! make good calls: no wishes, no edits, the newest context.
#![forbid(unsafe_code)]

use std::num::NonZeroU32;

use super::action::{Action, CallAction, Edit, Wishes};
use super::plan::{ANNOUNCED_MAXBUFS, Sequence, credentials_of_every_kind};
use crate::spec::names::{CallName, Profile};
use crate::spec::setup::{Cipher, EnvironmentFault, Limits, OfferedAlgorithm, Policy, Setup};
use crate::spec::vocabulary::{FACTS, Fact};

/// How many actions a sequence has at most after its credentials; what would follow is ignored.
pub const MAXIMUM_ACTIONS: usize = 32;

/// Contexts that one provider with few of them has.
const FEW_CONTEXTS: usize = 4;

/// What the first byte of an action says. More bytes for what matters more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Call(CallName),
    Expire,
    Inject(EnvironmentFault),
    AccountsDown(bool),
    SpendCounts,
    SpendSequences,
}

// What came later stands at the end, so that the bytes of committed seeds go on meaning what they meant.
const KINDS: [Kind; 30] = [
    Kind::Call(CallName::AcceptSecurityContext),
    Kind::Call(CallName::AcceptSecurityContext),
    Kind::Call(CallName::AcceptSecurityContext),
    Kind::Call(CallName::AcceptSecurityContext),
    Kind::Call(CallName::CompleteAuthToken),
    Kind::Call(CallName::CompleteAuthToken),
    Kind::Call(CallName::CompleteAuthToken),
    Kind::Call(CallName::InitializeSecurityContext),
    Kind::Call(CallName::InitializeSecurityContext),
    Kind::Call(CallName::MakeSignature),
    Kind::Call(CallName::VerifySignature),
    Kind::Call(CallName::EncryptMessage),
    Kind::Call(CallName::EncryptMessage),
    Kind::Call(CallName::DecryptMessage),
    Kind::Call(CallName::DecryptMessage),
    Kind::Call(CallName::QueryContextAttributes),
    Kind::Call(CallName::DeleteSecurityContext),
    Kind::Call(CallName::AcquireCredentialsHandle),
    Kind::Call(CallName::FreeCredentialsHandle),
    Kind::Expire,
    Kind::Inject(EnvironmentFault::None),
    Kind::Inject(EnvironmentFault::Entropy),
    Kind::Inject(EnvironmentFault::Clock),
    Kind::AccountsDown(true),
    Kind::AccountsDown(false),
    Kind::SpendCounts,
    Kind::SpendSequences,
    Kind::Call(CallName::EnumerateSecurityPackages),
    Kind::Call(CallName::QuerySecurityPackageInfo),
    Kind::Call(CallName::FreeContextBuffer),
];

/// Which context a call is on; after these the next byte says it.
const CONTEXTS: [Option<u8>; 7] = [Some(0), None, Some(0), Some(1), Some(0), None, Some(2)];

/// The sequence that these bytes mean.
pub fn decode(bytes: &[u8]) -> Sequence {
    Reader { bytes }.sequence()
}

/// The bytes of a sequence, if it has some: if it begins with the credentials, has no more than
/// [`MAXIMUM_ACTIONS`] after them, and a set-up like those of plans.
pub fn encode(sequence: &Sequence) -> Option<Vec<u8>> {
    let credentials = credentials_of_every_kind();
    let actions = sequence.actions.strip_prefix(credentials.as_slice())?;
    let mut writer = Writer { bytes: setup_bytes(&sequence.setup)?.to_vec() };
    for action in actions {
        writer.action(action)?;
    }
    // Whatever could not be said this way, a tail of zeros or one action too many, reads as something else.
    Some(writer.bytes).filter(|bytes| decode(bytes) == *sequence)
}

/// Reads actions off the front of bytes.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    pub(super) bytes: &'b [u8],
}

impl Reader<'_> {
    pub(super) fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    fn two(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub(super) fn sequence(&mut self) -> Sequence {
        let setup = setup(std::array::from_fn(|_| self.byte()));
        let mut actions = credentials_of_every_kind();
        let end = actions.len() + MAXIMUM_ACTIONS;
        while !self.bytes.is_empty() && actions.len() < end {
            actions.push(self.action());
        }
        Sequence { setup, actions }
    }

    pub(super) fn action(&mut self) -> Action {
        match KINDS[usize::from(self.byte()) % KINDS.len()] {
            Kind::Call(call) => Action::Call(self.call(call)),
            Kind::Expire => Action::Expire,
            Kind::Inject(fault) => Action::Inject(fault),
            Kind::AccountsDown(down) => Action::AccountsDown(down),
            Kind::SpendCounts => Action::SpendCounts,
            Kind::SpendSequences => Action::SpendSequences,
        }
    }

    pub(super) fn call(&mut self, call: CallName) -> CallAction {
        let target = self.byte();
        let context = match CONTEXTS.get(usize::from(target & 7)) {
            Some(context) => *context,
            None => Some(self.byte()),
        };
        let which = if target & 0x18 == 0x18 { Some(self.byte()) } else { None };
        let variety = u64::from_le_bytes(std::array::from_fn(|_| self.byte()));
        let wishes = self.wishes();
        let edits = (0..few(self.byte())).map(|_| self.edit()).collect();
        CallAction { context, which, wishes, edits, ..CallAction::new(call, variety) }
    }

    pub(super) fn wishes(&mut self) -> Wishes {
        let mut wishes = Wishes::default();
        for _ in 0..few(self.byte()) {
            // As with kinds, facts that came later stand at the end.
            let fact = Fact::ALL[usize::from(self.byte()) % FACTS];
            let values = u8::try_from(fact.values().len()).unwrap_or(u8::MAX);
            wishes.set(fact, self.byte() % values);
        }
        wishes
    }

    pub(super) fn edit(&mut self) -> Edit {
        let (kind, at) = (self.byte() % 4, self.two());
        match kind {
            0 => Edit::Overwrite { at, byte: self.byte() },
            1 => Edit::Insert { at, byte: self.byte() },
            2 => Edit::Remove { at },
            _other => Edit::Truncate { at },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// How many of something follow: mostly none.
fn few(byte: u8) -> u8 {
    match byte {
        0..0x80 => 0,
        0x80..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0.. => byte - 0xE0 + 3,
    }
}

fn setup([terms, limits, mechanism, ciphers]: [u8; 4]) -> Setup {
    Setup {
        profile: profile(mechanism),
        algorithm: algorithm(terms),
        policy: policy(terms),
        limits: limits_of(limits),
        ciphers: ciphers_of(ciphers),
        maxbuf: maxbuf(mechanism),
        ..Setup::default()
    }
}

fn profile(mechanism: u8) -> Profile {
    if mechanism & 1 == 0 { Profile::DigestHttp } else { Profile::DigestSasl }
}

fn maxbuf(mechanism: u8) -> u32 {
    ANNOUNCED_MAXBUFS[usize::from(mechanism >> 1) % ANNOUNCED_MAXBUFS.len()]
}

/// A bit for each cipher that is missing.
fn ciphers_of(byte: u8) -> Vec<Cipher> {
    let configured = |(bit, cipher): (usize, Cipher)| (byte >> bit & 1 == 0).then_some(cipher);
    Cipher::ALL.into_iter().enumerate().filter_map(configured).collect()
}

fn policy(terms: u8) -> Policy {
    NonZeroU32::new(u32::from(terms >> 4)).map_or(Policy::Strict, Policy::Window)
}

fn algorithm(terms: u8) -> OfferedAlgorithm {
    if terms & 1 == 0 { OfferedAlgorithm::Md5 } else { OfferedAlgorithm::Md5Sess }
}

fn limits_of(byte: u8) -> Limits {
    let usual = Limits::default();
    let contexts = if byte & 1 == 0 { usual.contexts } else { FEW_CONTEXTS };
    let challenges = match byte >> 1 & 3 {
        1 => 1,
        2 => 3,
        _usual => usual.challenges,
    };
    let failures = match byte >> 3 & 3 {
        1 => 1,
        2 => 2,
        _usual => usual.failures,
    };
    Limits { contexts, challenges, failures, ..usual }
}

fn setup_bytes(wanted: &Setup) -> Option<[u8; 4]> {
    let terms = (0..=u8::MAX).find(|byte| policy(*byte) == wanted.policy && algorithm(*byte) == wanted.algorithm)?;
    let limits = (0..=u8::MAX).find(|byte| limits_of(*byte) == wanted.limits)?;
    let mechanism = (0..=u8::MAX).find(|byte| profile(*byte) == wanted.profile && maxbuf(*byte) == wanted.maxbuf)?;
    let ciphers = (0..=u8::MAX).find(|byte| ciphers_of(*byte) == wanted.ciphers)?;
    Some([terms, limits, mechanism, ciphers])
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn action(&mut self, action: &Action) -> Option<()> {
        let kind = match action {
            Action::Call(action) => Kind::Call(action.call),
            Action::Expire => Kind::Expire,
            Action::Inject(fault) => Kind::Inject(*fault),
            Action::AccountsDown(down) => Kind::AccountsDown(*down),
            Action::SpendCounts => Kind::SpendCounts,
            Action::SpendSequences => Kind::SpendSequences,
            // Fuzzers know what a token should be.
            Action::Exchange(_) => return None,
            // Bytes are one sequence.
            Action::StartOver(_) => return None,
        };
        let position = KINDS.iter().position(|known| *known == kind)?;
        self.bytes.push(u8::try_from(position).ok()?);
        action.as_call().map_or(Some(()), |action| self.call(action))
    }

    fn call(&mut self, action: &CallAction) -> Option<()> {
        let context = CONTEXTS.iter().position(|context| *context == action.context);
        let target = u8::try_from(context.unwrap_or(CONTEXTS.len())).ok()?;
        self.bytes.push(target | if action.which.is_some() { 0x18 } else { 0 });
        if context.is_none() {
            self.bytes.extend(action.context);
        }
        self.bytes.extend(action.which);
        self.bytes.extend(action.variety.to_le_bytes());
        self.count(action.wishes.iter().count())?;
        for (fact, value) in action.wishes.iter() {
            self.bytes.extend([fact as u8, value]);
        }
        self.count(action.edits.len())?;
        for edit in &action.edits {
            self.edit(*edit);
        }
        Some(())
    }

    fn count(&mut self, count: usize) -> Option<()> {
        self.bytes.push((0..=u8::MAX).find(|byte| usize::from(few(*byte)) == count)?);
        Some(())
    }

    fn edit(&mut self, edit: Edit) {
        let (kind, at, byte) = match edit {
            Edit::Overwrite { at, byte } => (0, at, Some(byte)),
            Edit::Insert { at, byte } => (1, at, Some(byte)),
            Edit::Remove { at } => (2, at, None),
            Edit::Truncate { at } => (3, at, None),
        };
        self.bytes.push(kind);
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::{MAXIMUM_ACTIONS, decode, encode};
    use crate::conformance::action::{Action, CallAction, Edit};
    use crate::conformance::plan::{Sequence, approach, credentials_of_every_kind};
    use crate::spec::Specification;
    use crate::spec::names::{CallName, Profile};
    use crate::spec::setup::Setup;
    use crate::spec::vocabulary::Names;

    #[test]
    fn planned_sequences_are_bytes() {
        let specification = Specification::embedded().expect("the embedded tables load");
        let mut encoded = 0;
        for tables in &specification.calls {
            // What is only handed over has no bytes.
            let of_digest = |profile: &&Profile| Profile::DIGEST.contains(profile);
            let profiles: Vec<Profile> = tables.profiles.iter().filter(of_digest).copied().collect();
            if profiles.is_empty() {
                continue;
            }
            let mut seed = 0;
            tables
                .for_each_combination(&mut |facts| {
                    seed += 1;
                    if seed % 501 != 1 {
                        return;
                    }
                    let profile = profiles[usize::try_from(seed).unwrap_or(0) % profiles.len()];
                    let sequence = approach(profile, tables.name, facts, seed);
                    let length = sequence.actions.len() - credentials_of_every_kind().len();
                    match encode(&sequence) {
                        Some(bytes) => {
                            assert_eq!(decode(&bytes), sequence);
                            encoded += 1;
                        }
                        None => assert!(length > MAXIMUM_ACTIONS, "{facts}: {length} actions"),
                    }
                })
                .expect("no fact is ambiguous");
        }
        assert!(encoded > 300, "{encoded}");
    }

    #[test]
    fn every_field_survives() {
        let call = CallAction {
            context: Some(9),
            which: Some(7),
            edits: vec![
                Edit::Overwrite { at: 300, byte: 1 },
                Edit::Insert { at: 2, byte: 3 },
                Edit::Remove { at: 4 },
                Edit::Truncate { at: 5 },
            ],
            ..CallAction::new(CallName::CompleteAuthToken, u64::MAX).wishing(Names::Two)
        };
        let mut actions = credentials_of_every_kind();
        actions.extend([Action::Call(call), Action::Expire, Action::AccountsDown(true)]);
        let sequence = Sequence { setup: Setup::default(), actions };
        let bytes = encode(&sequence).expect("a sequence of the plan's shape");
        assert_eq!(decode(&bytes), sequence);
    }

    #[test]
    fn what_has_no_bytes_is_refused() {
        let sequence = |actions| Sequence { setup: Setup::default(), actions };
        assert_eq!(encode(&sequence(vec![Action::Expire])), None, "no credentials");
        let mut long = credentials_of_every_kind();
        long.extend(vec![Action::Expire; MAXIMUM_ACTIONS + 1]);
        assert_eq!(encode(&sequence(long)), None, "too long");
        let other = Setup { nonce_lifetime: 1, ..Setup::default() };
        assert_eq!(encode(&Sequence { setup: other, actions: credentials_of_every_kind() }), None, "another set-up");
    }

    #[test]
    fn no_bytes_are_the_credentials_alone() {
        assert_eq!(decode(&[]), Sequence { setup: Setup::default(), actions: credentials_of_every_kind() });
    }
}
