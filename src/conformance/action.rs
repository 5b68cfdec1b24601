//! What a tester does: abstract, serialisable, total.
//!
//! An action names the call, which context and challenge it is about, and how it departs from an all-good call in
//! terms of the vocabulary of facts. It means something in every state; [`concretise`](super::concretise) makes it a
//! call against the shadow.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spec::names::CallName;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::vocabulary::{Fact, ValueIndex, Word};

/// One step of a sequence.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make a call.
    Call(CallAction),
    /// Let the nonce lifetime pass, and a moment more.
    Expire,
    /// Make entropy or clock fail, or mend them.
    Inject(EnvironmentFault),
    /// Take the account source down, or bring it back.
    AccountsDown(bool),
    /// Spend all counts of the newest context, if it is an established initiator's.
    SpendCounts,
    /// Spend all sequence numbers of the newest context, if its messages are protected.
    SpendSequences,
    /// Any package: make the call that is due in the exchange of the newest initiator, unless the goal is reached.
    Exchange(Goal),
    /// Start the subject over in the process it has: the end of one sequence and the start of the next.
    StartOver(Box<Setup>),
}

impl Action {
    /// The call it makes, if it is a call.
    pub fn as_call(&self) -> Option<&CallAction> {
        match self {
            Self::Call(action) => Some(action),
            Self::Expire
            | Self::Inject(_)
            | Self::AccountsDown(_)
            | Self::SpendCounts
            | Self::SpendSequences
            | Self::Exchange(_)
            | Self::StartOver(_) => None,
        }
    }
}

/// Where an exchange of any package stops; without anything named, at its end.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Goal {
    /// Before that call, on a context as wished; where nothing is wished, on none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CallName>,
    /// The role of a context and its state.
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub at: Wishes,
}

/// A call and how it departs from an all-good one.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct CallAction {
    /// The function.
    pub call: CallName,
    /// Which live context, counted back from the newest; `None` is NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u8>,
    /// Which of several candidates a call without a context is about: for an acceptor the live challenge or session
    /// its token names, counted back from the newest; for an initiator the credentials, in the order of acquisition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub which: Option<u8>,
    /// The values that facts should have.
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub wishes: Wishes,
    /// Everything left open is drawn from this seed.
    pub variety: u64,
    /// Edits of the sealed token, byte by byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Edits of the finished message by a holder of the secret: the response in its token, if it has one that can be read, is
    /// what the message then says it must be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_seal: Vec<BufferEdit>,
    /// Edits of the message after that, by anybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_seal: Vec<BufferEdit>,
}

/// An edit of one buffer of a message. What the call only writes is not edited.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct BufferEdit {
    /// Which buffer, counted from zero, modulo how many there are.
    pub buffer: u8,
    /// What is done to its bytes.
    pub edit: Edit,
}

/// An edit of a finished token. Positions are taken modulo what is there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// Overwrite one byte.
    Overwrite {
        /// Where.
        at: u16,
        /// With what.
        byte: u8,
    },
    /// Insert one byte.
    Insert {
        /// Where.
        at: u16,
        /// What.
        byte: u8,
    },
    /// Remove one byte.
    Remove {
        /// Where.
        at: u16,
    },
    /// Cut off the end.
    Truncate {
        /// Where.
        at: u16,
    },
}

impl Edit {
    /// Edits the bytes. There is always a place to insert at; what is not there is not overwritten or removed.
    pub fn apply(self, bytes: &mut Vec<u8>) {
        let position = |at: u16, length: usize| usize::from(at).checked_rem(length);
        match self {
            Self::Overwrite { at, byte } => {
                if let Some(at) = position(at, bytes.len()) {
                    bytes[at] = byte;
                }
            }
            Self::Insert { at, byte } => bytes.insert(position(at, bytes.len() + 1).unwrap_or(0), byte),
            Self::Remove { at } => {
                if let Some(at) = position(at, bytes.len()) {
                    bytes.remove(at);
                }
            }
            Self::Truncate { at } => bytes.truncate(position(at, bytes.len() + 1).unwrap_or(0)),
        }
    }
}

/// The values that facts should have, by name in the serialised form.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Wishes(BTreeMap<Fact, ValueIndex>);

impl Wishes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value a fact should have.
    pub fn get(&self, fact: Fact) -> Option<ValueIndex> {
        self.0.get(&fact).copied()
    }

    /// Whether a fact should have that value.
    pub fn is<W: Word>(&self, word: W) -> bool {
        self.get(W::FACT) == Some(word.index())
    }

    /// Wishes for a fact.
    pub fn set(&mut self, fact: Fact, value: ValueIndex) {
        self.0.insert(fact, value);
    }

    /// Wishes for a typed value.
    #[must_use]
    pub fn with<W: Word>(mut self, word: W) -> Self {
        self.set(W::FACT, word.index());
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, ValueIndex)> + '_ {
        self.0.iter().map(|(fact, value)| (*fact, *value))
    }
}

impl TryFrom<BTreeMap<String, String>> for Wishes {
    type Error = String;

    fn try_from(names: BTreeMap<String, String>) -> Result<Self, String> {
        let mut wishes = Self::default();
        for (fact, value) in names {
            let known = Fact::from_name(&fact).ok_or_else(|| format!("there is no fact named {fact:?}"))?;
            let index = known.value(&value).ok_or_else(|| format!("the fact {fact:?} has no value {value:?}"))?;
            wishes.set(known, index);
        }
        Ok(wishes)
    }
}

impl From<Wishes> for BTreeMap<String, String> {
    fn from(wishes: Wishes) -> Self {
        wishes.iter().map(|(fact, value)| (fact.name().into(), fact.values()[value as usize].into())).collect()
    }
}

impl CallAction {
    /// An all-good call without a context.
    pub fn new(call: CallName, variety: u64) -> Self {
        Self {
            call,
            context: None,
            which: None,
            wishes: Wishes::default(),
            variety,
            edits: Vec::new(),
            before_seal: Vec::new(),
            after_seal: Vec::new(),
        }
    }

    /// The same on a live context, counted back from the newest.
    #[must_use]
    pub fn on(mut self, context: u8) -> Self {
        self.context = Some(context);
        self
    }

    /// The same about another candidate.
    #[must_use]
    pub fn about(mut self, which: u8) -> Self {
        self.which = Some(which);
        self
    }

    /// The same with a wish.
    #[must_use]
    pub fn wishing<W: Word>(mut self, word: W) -> Self {
        self.wishes.set(W::FACT, word.index());
        self
    }
}
