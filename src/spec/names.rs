//! Closed lists of names in the tables: calls, handle outcomes, buffer classes, effects, needs.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

/// An enum whose variants are names in the tables.
macro_rules! names {
    ($($(#[$documentation:meta])* $name:ident { $($(#[$variant_documentation:meta])* $variant:ident $text:literal),* $(,)? })*) => {$(
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_documentation])* #[serde(rename = $text)] $variant),* }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in the tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The value of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.pad(self.name())
            }
        }
    )*};
}

names! {
    /// The SSPI functions the spec describes.
    CallName {
        /// AcquireCredentialsHandle.
        AcquireCredentialsHandle "AcquireCredentialsHandle",
        /// FreeCredentialsHandle.
        FreeCredentialsHandle "FreeCredentialsHandle",
        /// EnumerateSecurityPackages.
        EnumerateSecurityPackages "EnumerateSecurityPackages",
        /// QuerySecurityPackageInfo.
        QuerySecurityPackageInfo "QuerySecurityPackageInfo",
        /// FreeContextBuffer.
        FreeContextBuffer "FreeContextBuffer",
        /// InitializeSecurityContext.
        InitializeSecurityContext "InitializeSecurityContext",
        /// AcceptSecurityContext.
        AcceptSecurityContext "AcceptSecurityContext",
        /// CompleteAuthToken.
        CompleteAuthToken "CompleteAuthToken",
        /// MakeSignature.
        MakeSignature "MakeSignature",
        /// VerifySignature.
        VerifySignature "VerifySignature",
        /// EncryptMessage.
        EncryptMessage "EncryptMessage",
        /// DecryptMessage.
        DecryptMessage "DecryptMessage",
        /// QueryContextAttributes.
        QueryContextAttributes "QueryContextAttributes",
        /// DeleteSecurityContext.
        DeleteSecurityContext "DeleteSecurityContext",
    }

    /// What a row says about the handle the caller holds after the call.
    HandleOutcome {
        /// There is none: none was made, or the one given names nothing.
        None "none",
        /// A new one came back.
        New "new",
        /// The one given.
        Same "same",
    }

    /// What the buffers must hold after the call.
    Buffers {
        /// Byte for byte what they held before.
        Untouched "untouched",
        /// The output token, if one was given, is empty (cbBuffer 0).
        Empty "empty",
        /// A fresh challenge without `stale=true`.
        Challenge "challenge",
        /// A fresh challenge with `stale=true`.
        ChallengeStale "challenge-stale",
        /// As `challenge-stale` where an output of enough capacity was given, else untouched.
        ChallengeStaleIfOutput "challenge-stale-if-output",
        /// As `challenge` where an output of enough capacity was given, else untouched.
        ChallengeIfOutput "challenge-if-output",
        /// The challenge that AcceptSecurityContext put out for this completion, now with `stale=true`.
        PendingChallengeStale "pending-challenge-stale",
        /// As `pending-challenge-stale` where an output of enough capacity was given, else untouched.
        PendingChallengeStaleIfOutput "pending-challenge-stale-if-output",
        /// For qop=auth the Authentication-Info with the right rspauth where an output was given; else empty.
        AuthenticationInfoIfOutput "authentication-info-if-output",
        /// A right response with nc 1.
        Response "response",
        /// A response whose response directive is 32 zeros.
        ResponseUnfinished "response-unfinished",
        /// The token of the initiator, its 32 zeros overwritten in place by the right digest.
        ResponseFinished "response-finished",
        /// The next header: a right response with the next count.
        Header "header",
        /// SASL: the server's proof, `rspauth` with the right digest.
        Rspauth "rspauth",
        /// SASL: a right response with the nonce and cnonce of the last one and the next count.
        ResponseAgain "response-again",
        /// The 16 octets of the signature of the message, and the message as it was.
        Signature "signature",
        /// The message encrypted in place (auth-int: as it was), and what belongs behind it in the buffer for the rest.
        Wrapped "wrapped",
        /// The plaintext at the start of the buffer that held the wrapped message. Where that is a STREAM, the first empty DATA that can
        /// be written may point to it.
        Plaintext "plaintext",
        /// The value of the attribute queried, consistent with the session.
        AttributeValue "attribute-value",
        /// What every package there is says of itself, the one under test among them; or what that one says, and no other.
        PackageInfo "package-info",
        /// Any package: what is put out is the token for the peer, whatever it is; it may be empty.
        Token "token",
        /// Any package: the token put out before, completed in place.
        TokenCompleted "token-completed",
        /// Any package: a message signed, or encrypted in place, for the peer to receive.
        Protected "protected",
        /// Any package: the message that the peer encrypted, in a buffer again.
        Recovered "recovered",
        /// Any package: whatever fits into the memory that the caller gave.
        Unjudged "unjudged",
    }

    /// What a call does to the registers of the spec machine.
    Effect {
        /// The credentials handle that came back names credentials of this identity and use.
        RegisterCredentials "register-credentials",
        /// The credentials handle names nothing any more.
        FreeCredentials "free-credentials",
        /// The memory that came back is the caller's until it gives it back.
        RegisterBlock "register-block",
        /// The memory is the package's again, and its address names nothing any more.
        FreeBlock "free-block",
        /// The challenge put out is answerable from now on.
        RegisterChallenge "register-challenge",
        /// The handle waits for an answer to the challenge that was put out; it does not keep alive what others make of it.
        HoldIssuedChallenge "hold-issued-challenge",
        /// The handle refers to what the token names.
        HoldNamed "hold-named",
        /// The completion that is due will put out this call's challenge again, with `stale=true`.
        PendIssuedChallenge "pend-issued-challenge",
        /// The challenge named becomes a session of the user it authenticated; its count is the presented one.
        OpenSession "open-session",
        /// The presented count is used up and the last count updated.
        TakeCount "take-count",
        /// One more wrong answer is charged to the challenge.
        CountFailure "count-failure",
        /// The handle drops its reference; a session ends with its last one.
        Release "release",
        /// The handle waits for an answer to the pending challenge and no longer refers to its session.
        HoldPendingChallenge "hold-pending-challenge",
        /// The handle is deleted.
        Delete "delete",
        /// The initiator holds the challenge it answered, with count 1.
        AnswerChallenge "answer-challenge",
        /// The initiator's count is one more.
        NextCount "next-count",
        /// SASL: messages are protected from now on as was negotiated; the numbers of both directions start at 0.
        BeginLayers "begin-layers",
        /// The number of the next message sent is one more.
        SignNext "sign-next",
        /// The number of the next message received is one more.
        ReceiveNext "receive-next",
        /// The state of the cipher is lost: nothing more can be received.
        KillReceiving "kill-receiving",
    }

    /// What a subject must offer for a row to be testable.
    Need {
        /// The clock of the subject can be advanced.
        Clock "clock",
        /// Entropy, clock and account source can be made to fail.
        Faults "faults",
        /// Handles of a second provider can be had.
        TwoProviders "two-providers",
        /// The limits of the subject are known and can be set.
        Limits "limits",
        /// The sequence policy can be set.
        Policy "policy",
        /// An initiator can be told that its counts were spent elsewhere.
        Counts "counts",
        /// A layer can be told that its sequence numbers were spent elsewhere.
        Sequences "sequences",
        /// Accounts, realm, algorithm, ciphers and the largest message can be set.
        Configuration "configuration",
        /// What its functions report is memory that FreeContextBuffer takes back.
        CMemory "c-memory",
        /// A pointer that is none to such memory, or none any more, is told from one that is.
        CheckedMemory "checked-memory",
    }

    /// What a table describes: a mechanism of the Digest package, or what every package has in common.
    Profile {
        /// The Digest package with the HTTP flag.
        DigestHttp "digest-http",
        /// The Digest package as the SASL mechanism.
        DigestSasl "digest-sasl",
        /// A package of which nothing is known: what it puts out is only handed to its peer.
        AnyPackage "any-package",
    }

    /// What a row applies to.
    Applies {
        /// The Digest package with the HTTP flag.
        DigestHttp "digest-http",
        /// The Digest package as the SASL mechanism.
        DigestSasl "digest-sasl",
        /// Every SSPI package.
        AnyPackage "any-package",
    }

    /// How binding a row is.
    Level {
        /// Another answer fails.
        Must "must",
        /// Another answer deviates.
        Should "should",
    }

    /// Where a row comes from.
    Provenance {
        /// A page says it.
        Documented "documented",
        /// It follows from pages.
        Derived "derived",
        /// Open in the documents, decided here.
        Decided "decided",
    }
}

impl Profile {
    /// The mechanisms of the Digest package.
    pub const DIGEST: &'static [Self] = &[Self::DigestHttp, Self::DigestSasl];

    /// The name for readers: "HTTP", "SASL" or "any package".
    pub const fn title(self) -> &'static str {
        match self {
            Self::DigestHttp => "HTTP",
            Self::DigestSasl => "SASL",
            Self::AnyPackage => "any package",
        }
    }
}

impl Applies {
    /// Whether what applies so applies to a profile.
    pub const fn covers(self, profile: Profile) -> bool {
        match (self, profile) {
            (Self::AnyPackage, Profile::DigestHttp | Profile::DigestSasl | Profile::AnyPackage)
            | (Self::DigestHttp, Profile::DigestHttp)
            | (Self::DigestSasl, Profile::DigestSasl) => true,
            (Self::DigestHttp, Profile::DigestSasl | Profile::AnyPackage)
            | (Self::DigestSasl, Profile::DigestHttp | Profile::AnyPackage) => false,
        }
    }
}
