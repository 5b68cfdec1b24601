//! The vocabulary of facts: what the shadow can say about a call, as small enums.
//!
//! `spec/facts.toml` explains every word here; `spec check` refuses a table whose words differ.
#![forbid(unsafe_code)]

/// A value of a fact, as its position among the fact's values.
pub type ValueIndex = u8;

macro_rules! vocabulary {
    ($($(#[$documentation:meta])* $fact:ident $name:literal { $($value:ident $text:literal),* $(,)? })*) => {
        /// Every fact a call can be described by.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Fact { $($(#[$documentation])* $fact),* }

        impl Fact {
            /// All facts, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$fact),*];

            /// The name in the tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$fact => $name),* }
            }

            /// The names of the values, the good one first.
            pub const fn values(self) -> &'static [&'static str] {
                match self { $(Self::$fact => &[$($text),*]),* }
            }

            /// The fact of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|fact| fact.name() == name)
            }

            /// The position of a value by name.
            pub fn value(self, name: &str) -> Option<ValueIndex> {
                let position = self.values().iter().position(|value| *value == name)?;
                ValueIndex::try_from(position).ok()
            }
        }

        $(
            $(#[$documentation])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
            #[repr(u8)]
            #[allow(missing_docs, reason = "spec/facts.toml explains every value, and `spec check` holds the two together")]
            pub enum $fact { $($value),* }

            impl Word for $fact {
                const FACT: Fact = Fact::$fact;
                fn index(self) -> ValueIndex { self as ValueIndex }
            }
        )*
    };
}

/// A value of one fact, typed.
pub trait Word: Copy {
    /// The fact it is a value of.
    const FACT: Fact;
    /// Its position among the values of the fact.
    fn index(self) -> ValueIndex;
}

vocabulary! {
    /// What the context handle of the call is.
    Handle "handle" { Live "live", Null "null", Zeroed "zeroed", Deleted "deleted", Forged "forged", Foreign "foreign", Credentials "credentials" }
    /// What the credentials handle of the call is.
    Credential "credential" { Good "good", Null "null", Zeroed "zeroed", Freed "freed", Forged "forged", Foreign "foreign", Context "context", WrongDirection "wrong-direction", Other "other" }
    /// Which side of the exchange the live context is.
    Role "role" { Acceptor "acceptor", Initiator "initiator" }
    /// The state of the live context; names of both roles.
    State "state" {
        Challenged "challenged",
        CompleteNeededInitial "complete-needed-initial",
        CompleteNeededSubsequent "complete-needed-subsequent",
        CompleteAndContinueInitial "complete-and-continue-initial",
        CompleteAndContinueSubsequent "complete-and-continue-subsequent",
        Initial "initial",
        Responded "responded",
        CompleteNeeded "complete-needed",
        CompleteAndContinue "complete-and-continue",
        Established "established",
        Rejected "rejected",
        InProgress "in-progress",
    }
    /// The form of the (input) descriptor.
    Descriptor "descriptor" {
        Good "good", Absent "absent", Version "version", Count "count", Buffer "buffer",
        ChannelBindings "channel-bindings", TargetHost "target-host",
    }
    /// The form of the output descriptor.
    OutputDescriptor "output-descriptor" { Good "good", Version "version", Count "count", Buffer "buffer" }
    /// The requirement flags.
    Flags "flags" { Supported "supported", Unsupported "unsupported", OtherMechanism "other-mechanism" }
    /// The form of the realm that the caller supplies.
    RealmForm "realm" { Absent "absent", Given "given", Malformed "malformed" }
    /// The form of the token.
    Token "token" {
        WellFormed "well-formed", Absent "absent", Empty "empty", Malformed "malformed",
        DirectiveTwice "directive-twice", DirectiveMissing "directive-missing",
    }
    /// What a server's token is to an initiator.
    Kind "kind" { Challenge "challenge", AuthenticationInfo "authentication-info" }
    /// What a response says of its channel, against the channel bindings of the call and the policy.
    Bindings "bindings" {
        None "none", Matches "matches", Proxied "proxied", Missing "missing", Differs "differs",
        Inconsistent "inconsistent",
    }
    /// What the token names: by nonce and opaque (HTTP), by nonce and the user's directives (SASL).
    Names "names" { This "this", Challenge "challenge", Session "session", Ended "ended", Other "other", Two "two", Nothing "nothing" }
    /// Whether the flags ask for more than was negotiated.
    Asked "asked" { Within "within", More "more" }
    /// The method buffer.
    Method "method" { Given "given", Empty "empty", Differs "differs" }
    /// The algorithm of a challenge.
    Algorithm "algorithm" { Known "known", Unknown "unknown" }
    /// The quality of protection: of the token (acceptor), chosen for the response (initiator), of the context (layers).
    Qop "qop" { Auth "auth", AuthInt "auth-int", AuthConf "auth-conf", Absent "absent", None "none" }
    /// The HEntity buffer.
    Entity "entity" { Given "given", Absent "absent", Malformed "malformed" }
    /// qop, algorithm and realm of an answer against its challenge.
    Offered "offered" { Same "same", Differs "differs" }
    /// The directives that the cached key does not cover, against the session's.
    Outside "outside" { Same "same", Differs "differs" }
    /// The request target against the token's uri.
    Target "target" { Same "same", Empty "empty", Differs "differs" }
    /// The age of the nonce.
    Age "age" { Fresh "fresh", Expired "expired" }
    /// Whether the pending challenge was answered through another handle.
    Answered "answered" { No "no", Elsewhere "elsewhere" }
    /// The account source.
    Accounts "accounts" { Up "up", Down "down" }
    /// The response directive, recomputed.
    Digest "digest" { Matches "matches", Differs "differs" }
    /// The identity that a client asks to act as.
    Authzid "authzid" { Allowed "allowed", Refused "refused" }
    /// The nonce count.
    Count "count" { Next "next", Within "within", Used "used", TooOld "too-old", TooFar "too-far", Exhausted "exhausted" }
    /// The output buffer.
    Output "output" { Enough "enough", Absent "absent", Small "small" }
    /// What of the environment fails.
    Fault "fault" { None "none", Entropy "entropy", Clock "clock" }
    /// Room for another context.
    Room "room" { Some "some", Full "full" }
    /// The `stale` directive of a challenge.
    Stale "stale" { No "no", Yes "yes" }
    /// Which response the server's answer is waited for.
    Attempt "attempt" { First "first", Again "again" }
    /// Whether an established initiator can authenticate again with the challenge it has.
    Reauthentication "reauthentication" { Fast "fast", Impossible "impossible" }
    /// Whether what is put out announces or carries extended protection.
    Upgraded "upgraded" { No "no", Unused "unused", Yes "yes" }
    /// Mutual authentication asked for.
    Mutual "mutual" { No "no", Yes "yes" }
    /// `rspauth` of the Authentication-Info.
    Proof "proof" { Right "right", Wrong "wrong", Absent "absent" }
    /// The token of an initiator's completion against what InitializeSecurityContext put out.
    Ours "ours" { Same "same", Differs "differs", ReadOnly "read-only", Absent "absent", Empty "empty" }
    /// pszTargetName.
    TargetName "target-name" { Given "given", Empty "empty", NotAscii "not-ascii", NoHost "no-host", Differs "differs" }
    /// Whether the user name can be written in the charset of the challenge.
    Username "username" { Encodable "encodable", NotEncodable "not-encodable" }
    /// The name of the package asked for.
    Package "package" { Known "known", Other "other" }
    /// The logon identifier.
    Logon "logon" { Null "null", Other "other" }
    /// fCredentialUse.
    Use "use" { Inbound "inbound", Outbound "outbound", Both "both", Invalid "invalid" }
    /// The identity supplied.
    Identity "identity" { Given "given", Absent "absent", Empty "empty" }
    /// The attribute queried.
    Attribute "attribute" {
        Supported "supported", PackageInfo "package-info", Unavailable "unavailable", Unsupported "unsupported",
    }
    /// The buffer that holds the message to protect, or the one protected.
    Message "message" { Given "given", Absent "absent", TooLong "too-long" }
    /// The buffer that holds the signature of a message.
    Signature "signature" { Given "given", Absent "absent" }
    /// The direction in which messages are received.
    Direction "direction" { Alive "alive", Dead "dead" }
    /// What protects a message received.
    Seal "seal" {
        Right "right", Incomplete "incomplete", Altered "altered", Number "number", Lost "lost",
    }
    /// The memory that is given back to the package.
    Block "block" { Allocated "allocated", Null "null", Freed "freed", Foreign "foreign" }
}

/// The number of facts.
pub const FACTS: usize = Fact::ALL.len();

/// What is true of one call: a value for each fact that exists for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Facts([ValueIndex; FACTS]);

const NOT_APPLICABLE: ValueIndex = ValueIndex::MAX;

impl Default for Facts {
    fn default() -> Self {
        Self([NOT_APPLICABLE; FACTS])
    }
}

impl Facts {
    /// The value of a fact, or `None` where it is not applicable.
    pub fn get(&self, fact: Fact) -> Option<ValueIndex> {
        let value = self.0[fact as usize];
        (value != NOT_APPLICABLE).then_some(value)
    }

    /// The name of the value of a fact; "n/a" where it is not applicable.
    pub fn name(&self, fact: Fact) -> &'static str {
        self.get(fact).map_or("n/a", |value| fact.values()[value as usize])
    }

    /// Whether a fact has that value.
    pub fn is<W: Word>(&self, word: W) -> bool {
        self.get(W::FACT) == Some(word.index())
    }

    /// Sets a fact.
    pub fn set(&mut self, fact: Fact, value: Option<ValueIndex>) {
        self.0[fact as usize] = value.unwrap_or(NOT_APPLICABLE);
    }

    /// Sets a fact to a typed value.
    #[must_use]
    pub fn with<W: Word>(mut self, word: W) -> Self {
        self.set(W::FACT, Some(word.index()));
        self
    }

    /// The facts that exist, with the names of their values.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, &'static str)> + '_ {
        Fact::ALL.iter().filter(|fact| self.get(**fact).is_some()).map(|fact| (*fact, self.name(*fact)))
    }
}

impl core::fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_map().entries(self.iter().map(|(fact, value)| (fact.name(), value))).finish()
    }
}

impl core::fmt::Display for Facts {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, (fact, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(formatter, "{separator}{}={value}", fact.name())?;
        }
        Ok(())
    }
}
