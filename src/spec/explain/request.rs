//! A request held against the tables without a session: what it says is read, what only a session knows is assumed.
#![forbid(unsafe_code)]

use core::fmt;

use zeroize::Zeroizing;

use crate::digest::hash::equal;
use crate::digest::{
    Algorithm, Directive, Limits, Qop as DigestQop, Response, SessionKey, TokenError, UserHash, directives, uri,
};
use crate::spec::model::{CallSpec, FactRule, Row, Specification};
use crate::spec::names::{CallName, Profile};
use crate::spec::vocabulary::{
    Count, Digest, Entity, Fact, Facts, Handle, Method, Names, Qop, Role, Target, Token, ValueIndex, Word,
};

/// The calls of an acceptor that read a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestCall {
    /// AcceptSecurityContext.
    AcceptSecurityContext,
    /// CompleteAuthToken.
    CompleteAuthToken,
}

impl RequestCall {
    /// The name of the function.
    pub const fn name(self) -> CallName {
        match self {
            Self::AcceptSecurityContext => CallName::AcceptSecurityContext,
            Self::CompleteAuthToken => CallName::CompleteAuthToken,
        }
    }
}

/// Name and password of the account whose request it may be.
pub struct Secret {
    username: String,
    password: Zeroizing<String>,
}

impl Secret {
    /// `user:password`; `None` without a colon or without a user.
    pub fn parse(line: &str) -> Option<Self> {
        let (username, password) = line.split_once(':').filter(|(username, _)| !username.is_empty())?;
        Some(Self { username: username.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secret").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A request, and the call it is given to.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The call.
    pub call: RequestCall,
    /// The state of the context, by its name; "none" without one.
    pub state: &'a str,
    /// The method of the request.
    pub method: &'a [u8],
    /// The target of the request.
    pub uri: &'a [u8],
    /// The value of the header without its scheme.
    pub token: &'a [u8],
    /// H(entity body), where it is known.
    pub entity: Option<[u8; 16]>,
    /// Whose request it may be.
    pub secret: Option<&'a Secret>,
}

/// Why a request cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no such state on the acceptor's side.
    #[error("an acceptor has no state {state:?}; its states are {known}")]
    NoSuchState {
        /// What was given.
        state: String,
        /// The names there are.
        known: String,
    },
    /// The tables do not describe the call.
    #[error("no table describes {0}")]
    NoTable(CallName),
}

/// Where the value of a fact comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// It was read from the request or computed from it.
    Read,
    /// The caller said so.
    Given,
    /// Only a session knows; the value is that of an all-good call.
    Assumed,
}

/// A fact of the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownFact {
    /// The fact.
    pub fact: Fact,
    /// Its value.
    pub value: &'static str,
    /// How that is known.
    pub basis: Basis,
}

/// What would hold if an assumption did not.
#[derive(Clone, Debug)]
pub struct Otherwise<'s> {
    /// The fact assumed.
    pub fact: Fact,
    /// The values under which the row applies.
    pub values: Vec<&'static str>,
    /// The row that would apply then.
    pub row: &'s Row,
}

/// How the digest stands to the secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DigestCheck {
    /// No secret was given, or the token cannot be judged.
    NotTried,
    /// It is right.
    Matches,
    /// It is wrong; it would be right for this method, if there is one.
    Differs {
        /// A method under which the same digest is right.
        right_for: Option<&'static str>,
    },
    /// The token is somebody else's.
    OtherUser {
        /// Whose it says it is.
        username: String,
    },
    /// qop=auth-int covers the body, whose hash was not given.
    EntityNeeded,
    /// MD5-sess after the first request: the key was made with the cnonce of the first, which only the session knows.
    SessionNeeded,
}

/// A request explained.
#[derive(Clone, Debug)]
pub struct Explanation<'s, 'a> {
    /// The table of the call.
    pub call: &'s CallSpec,
    /// The state the context was said to be in.
    pub state: &'a str,
    /// The directives up to the first departure from the grammar.
    pub directives: Vec<Directive<'a>>,
    /// What is wrong with the token.
    pub offence: Option<TokenError>,
    /// How the digest stands to the secret.
    pub digest: DigestCheck,
    /// The facts of the call.
    pub facts: Vec<KnownFact>,
    /// The row that applies.
    pub row: Option<&'s Row>,
    /// The rows that would apply if one of the assumptions about session and message did not hold; mistakes of the
    /// program that makes the call are left out.
    pub otherwise: Vec<Otherwise<'s>>,
}

/// Methods that a wrong digest is tried with: servers and proxies change a method more often than a password.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"];

/// Explains a request.
///
/// # Errors
/// A state that no acceptor has.
pub fn request<'s, 'a>(
    specification: &'s Specification,
    request: &Request<'a>,
) -> Result<Explanation<'s, 'a>, RequestError> {
    let name = request.call.name();
    let call = specification.call(name, Profile::DigestHttp).ok_or(RequestError::NoTable(name))?;
    let state = acceptor_state(specification, request.state)?;
    let limits = Limits::default();
    let parsed = Response::parse(request.token, &limits);
    let digest = digest_check(request, parsed.as_ref().ok());
    let reader = Reader { request, state, parsed: &parsed, digest: &digest };
    let facts = reader.facts(call, None);
    let known: Vec<KnownFact> = call
        .facts
        .iter()
        .filter(|rule| facts.get(rule.fact).is_some() && rule.exists(&facts))
        .map(|rule| KnownFact { fact: rule.fact, value: facts.name(rule.fact), basis: reader.basis(rule.fact) })
        .collect();
    let row = call.row(&facts).map(|(_, row)| row);
    let otherwise = reader.otherwise(call, &facts, row);
    Ok(Explanation {
        call,
        state: request.state,
        directives: directives(request.token, &limits).map_while(Result::ok).collect(),
        offence: parsed.err(),
        digest,
        facts: known,
        row,
        otherwise,
    })
}

/// The state of that name, `None` for "none".
fn acceptor_state(specification: &Specification, name: &str) -> Result<Option<ValueIndex>, RequestError> {
    let acceptor = Fact::Role.values()[usize::from(Role::Acceptor.index())];
    let names = || specification.states.iter().filter(|state| state.role == acceptor).map(|state| state.name.as_str());
    if names().any(|known| known == name) {
        // "none" is no value of the fact: there is no context that could have it.
        return Ok(Fact::State.value(name));
    }
    Err(RequestError::NoSuchState { state: name.to_owned(), known: names().collect::<Vec<_>>().join(", ") })
}

struct Reader<'r, 'a> {
    request: &'r Request<'a>,
    state: Option<ValueIndex>,
    parsed: &'r Result<Response<'a>, TokenError>,
    digest: &'r DigestCheck,
}

impl Reader<'_, '_> {
    /// The facts, one of them replaced if it exists.
    fn facts(&self, call: &CallSpec, replaced: Option<(Fact, ValueIndex)>) -> Facts {
        let mut facts = Facts::default();
        for rule in &call.facts {
            if facts.get(rule.fact).is_some() || !rule.exists(&facts) {
                continue;
            }
            let possible = |value: &ValueIndex| rule.values.contains(value);
            let replacement = replaced.filter(|(fact, _)| *fact == rule.fact).map(|(_, value)| value);
            let read = self.said(rule.fact).or_else(|| self.guess(rule.fact)).filter(possible);
            facts.set(rule.fact, replacement.or(read).or_else(|| best(rule)));
        }
        facts
    }

    /// What the request or its caller says about a fact.
    fn said(&self, fact: Fact) -> Option<ValueIndex> {
        let response = self.parsed.as_ref().ok();
        match fact {
            Fact::Handle => Some(if self.state.is_some() { Handle::Live } else { Handle::Null }.index()),
            Fact::Role => self.state.map(|_| Role::Acceptor.index()),
            Fact::State => self.state,
            Fact::Token => Some(self.token().index()),
            Fact::Method => Some(if self.request.method.is_empty() { Method::Empty } else { Method::Given }.index()),
            Fact::Qop => Some(
                match response?.qop {
                    DigestQop::Auth => Qop::Auth,
                    DigestQop::AuthInt => Qop::AuthInt,
                }
                .index(),
            ),
            Fact::Entity => self.request.entity.map(|_| Entity::Given.index()),
            Fact::Target => {
                let same = uri::same_target(self.request.uri, &response?.uri);
                Some(
                    match self.request.uri {
                        [] => Target::Empty,
                        _target if same => Target::Same,
                        _target => Target::Differs,
                    }
                    .index(),
                )
            }
            Fact::Digest => match self.digest {
                DigestCheck::Matches => Some(Digest::Matches.index()),
                DigestCheck::Differs { .. } => Some(Digest::Differs.index()),
                DigestCheck::NotTried
                | DigestCheck::OtherUser { .. }
                | DigestCheck::EntityNeeded
                | DigestCheck::SessionNeeded => None,
            },
            Fact::Count => match (self.request.call, response?.nc) {
                (RequestCall::AcceptSecurityContext, 1) => Some(Count::Next.index()),
                (RequestCall::AcceptSecurityContext, _) => Some(Count::TooFar.index()),
                (RequestCall::CompleteAuthToken, 0) => Some(Count::Used.index()),
                (RequestCall::CompleteAuthToken, _) => None,
            },
            Fact::Credential
            | Fact::Descriptor
            | Fact::OutputDescriptor
            | Fact::Flags
            | Fact::RealmForm
            | Fact::Kind
            | Fact::Names
            | Fact::Asked
            | Fact::Offered
            | Fact::Outside
            | Fact::Age
            | Fact::Answered
            | Fact::Accounts
            | Fact::Output
            | Fact::Fault
            | Fact::Room
            | Fact::Stale
            | Fact::Mutual
            | Fact::Proof
            | Fact::Ours
            | Fact::TargetName
            | Fact::Username
            | Fact::Package
            | Fact::Logon
            | Fact::Use
            | Fact::Identity
            | Fact::Attribute
            | Fact::Bindings
            | Fact::Algorithm
            | Fact::Authzid
            | Fact::Attempt
            | Fact::Reauthentication
            | Fact::Upgraded
            | Fact::Message
            | Fact::Signature
            | Fact::Direction
            | Fact::Seal
            | Fact::Block => None,
        }
    }

    /// A first request answers a challenge, a later one belongs to a session.
    fn guess(&self, fact: Fact) -> Option<ValueIndex> {
        let nc = self.parsed.as_ref().ok()?.nc;
        (fact == Fact::Names && self.request.call == RequestCall::AcceptSecurityContext)
            .then(|| if nc == 1 { Names::Challenge } else { Names::Session }.index())
    }

    fn token(&self) -> Token {
        match self.parsed {
            _any if self.request.token.is_empty() => Token::Empty,
            Ok(_) => Token::WellFormed,
            Err(TokenError::Syntax(_) | TokenError::Invalid { .. }) => Token::Malformed,
            Err(TokenError::Repeated { .. }) => Token::DirectiveTwice,
            Err(TokenError::Missing { .. }) => Token::DirectiveMissing,
        }
    }

    fn basis(&self, fact: Fact) -> Basis {
        if matches!(fact, Fact::Handle | Fact::Role | Fact::State) {
            Basis::Given
        } else if self.said(fact).is_some() {
            Basis::Read
        } else {
            Basis::Assumed
        }
    }

    fn otherwise<'s>(&self, call: &'s CallSpec, facts: &Facts, row: Option<&Row>) -> Vec<Otherwise<'s>> {
        let mut otherwise: Vec<Otherwise<'s>> = Vec::new();
        let assumed = call.facts.iter().filter(|rule| !is_about_the_caller(rule.fact)).filter(|rule| {
            facts.get(rule.fact).is_some() && rule.exists(facts) && self.basis(rule.fact) == Basis::Assumed
        });
        for rule in assumed {
            for value in rule.values.iter().filter(|value| facts.get(rule.fact) != Some(**value)) {
                let other = call.row(&self.facts(call, Some((rule.fact, *value)))).map(|(_, row)| row);
                if let Some(other) = other.filter(|other| row.is_none_or(|row| row.id != other.id)) {
                    let value = rule.fact.values()[usize::from(*value)];
                    let same = |told: &&mut Otherwise<'_>| told.fact == rule.fact && told.row.id == other.id;
                    match otherwise.iter_mut().find(same) {
                        Some(told) => told.values.push(value),
                        None => otherwise.push(Otherwise { fact: rule.fact, values: vec![value], row: other }),
                    }
                }
            }
        }
        otherwise
    }
}

/// Whether a fact says how the call is made rather than what the message and its session are.
fn is_about_the_caller(fact: Fact) -> bool {
    use Fact::{Credential, Descriptor, Fault, Flags, OutputDescriptor, RealmForm, Room};
    matches!(fact, Credential | Descriptor | OutputDescriptor | RealmForm | Flags | Fault | Room)
}

/// The value of an all-good call.
fn best(rule: &FactRule) -> Option<ValueIndex> {
    rule.fine.first().or_else(|| rule.values.first()).copied()
}

fn digest_check(request: &Request<'_>, response: Option<&Response<'_>>) -> DigestCheck {
    let (Some(secret), Some(response)) = (request.secret, response) else { return DigestCheck::NotTried };
    if secret.username != response.username {
        return DigestCheck::OtherUser { username: response.username.clone().into_owned() };
    }
    if response.qop == DigestQop::AuthInt && request.entity.is_none() {
        return DigestCheck::EntityNeeded;
    }
    let hashes = [UserHash::new, UserHash::utf8].map(|hash| hash(&secret.username, &response.realm, &secret.password));
    let keys = hashes.map(|hash| SessionKey::new(response.algorithm(), &hash, &response.nonce, &response.cnonce));
    let is_right = |method: &[u8]| {
        let digests = keys.iter().filter_map(|key| response.digest(key, method, request.entity.as_ref()));
        digests.map(|digest| equal(&digest, &response.response)).fold(false, |any, right| any | right)
    };
    if is_right(request.method) {
        return DigestCheck::Matches;
    }
    let right_for = METHODS.into_iter().find(|method| is_right(method.as_bytes()));
    match (response.algorithm(), response.nc, right_for) {
        (Algorithm::Md5Sess, 2.., None) => DigestCheck::SessionNeeded,
        (Algorithm::Md5Sess | Algorithm::Md5, _, right_for) => DigestCheck::Differs { right_for },
    }
}

#[cfg(test)]
mod tests {
    use super::{Basis, DigestCheck, Request, RequestCall, RequestError, Secret, request};
    use crate::spec::Specification;
    use crate::spec::vocabulary::Fact;

    /// RFC 2617 section 3.5.
    const PUBLISHED: &[u8] = b"username=\"Mufasa\",
                 realm=\"testrealm@host.com\",
                 nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",
                 uri=\"/dir/index.html\",
                 qop=auth,
                 nc=00000001,
                 cnonce=\"0a4f113b\",
                 response=\"6629fae49393a05397450978507c4ef1\",
                 opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

    fn published() -> Vec<u8> {
        PUBLISHED.iter().copied().filter(|octet| *octet != b'\n').collect()
    }

    fn tables() -> Specification {
        Specification::embedded().expect("the tables load")
    }

    fn given<'a>(token: &'a [u8], secret: Option<&'a Secret>) -> Request<'a> {
        let (call, uri) = (RequestCall::AcceptSecurityContext, b"/dir/index.html");
        Request { call, state: "none", method: b"GET", uri, token, entity: None, secret }
    }

    #[test]
    fn the_published_request_is_right_under_the_published_password() {
        let (tables, token) = (tables(), published());
        let secret = Secret::parse("Mufasa:Circle Of Life").expect("it has a colon");
        let explained = request(&tables, &given(&token, Some(&secret))).expect("the state exists");
        assert_eq!(explained.digest, DigestCheck::Matches);
        assert_eq!(explained.offence, None);
        let names: Vec<_> = explained.directives.iter().map(|directive| directive.name).collect();
        assert_eq!(names.len(), 9);
        assert_eq!(explained.directives[0].value, b"Mufasa");
        let row = explained.row.expect("every call has a row");
        assert_eq!(row.outcome.status, crate::status::SecurityStatus::SEC_E_OK);
        assert!(explained.facts.iter().any(|known| known.fact == Fact::Digest && known.basis == Basis::Read));
    }

    #[test]
    fn another_method_password_or_user_is_told_apart() {
        let (tables, token) = (tables(), published());
        let check = |line: &str, method: &'static [u8]| {
            let secret = Secret::parse(line).expect("it has a colon");
            let asked = Request { method, ..given(&token, Some(&secret)) };
            request(&tables, &asked).expect("the state exists").digest
        };
        assert_eq!(check("Mufasa:Circle Of Life", b"POST"), DigestCheck::Differs { right_for: Some("GET") });
        assert_eq!(check("Mufasa:circle of life", b"GET"), DigestCheck::Differs { right_for: None });
        assert_eq!(check("Simba:Circle Of Life", b"GET"), DigestCheck::OtherUser { username: "Mufasa".into() });
    }

    #[test]
    fn without_a_secret_the_row_of_a_wrong_digest_stands_beside_the_other() {
        let (tables, token) = (tables(), published());
        let explained = request(&tables, &given(&token, None)).expect("the state exists");
        assert_eq!(explained.digest, DigestCheck::NotTried);
        let otherwise =
            explained.otherwise.iter().find(|other| other.fact == Fact::Digest && other.values == ["differs"]);
        let status = otherwise.expect("a wrong digest has a row of its own").row.outcome.status;
        assert_eq!(status, crate::status::SecurityStatus::SEC_E_LOGON_DENIED);
    }

    #[test]
    fn a_completion_judges_target_and_count() {
        let (tables, token) = (tables(), published());
        let (call, state) = (RequestCall::CompleteAuthToken, "complete-needed-subsequent");
        let asked = Request { call, state, uri: b"/elsewhere", ..given(&token, None) };
        let row = request(&tables, &asked).expect("the state exists").row.expect("every call has a row");
        assert_eq!(row.id, "cat-target-differs");
        let replay = token.iter().copied().map(|octet| if octet == b'1' { b'0' } else { octet }).collect::<Vec<_>>();
        let asked = Request { call, state, ..given(&replay, None) };
        let row = request(&tables, &asked).expect("the state exists").row.expect("every call has a row");
        assert_eq!(row.id, "cat-count-used");
    }

    #[test]
    fn a_malformed_token_has_the_row_of_malformed_tokens() {
        let tables = tables();
        let (call, state) = (RequestCall::CompleteAuthToken, "complete-needed-subsequent");
        for token in [&b"username=\"a\", nc=1"[..], b"username=\"a", b"nonce=a,nonce=b", b"realm=r"] {
            let explained = request(&tables, &Request { call, state, ..given(token, None) }).expect("the state exists");
            assert_eq!(explained.row.expect("every call has a row").id, "cat-token-malformed");
            assert!(explained.offence.is_some());
        }
    }

    #[test]
    fn a_state_that_no_acceptor_has_is_refused() {
        let tables = tables();
        let refused = request(&tables, &Request { state: "responded", ..given(b"", None) });
        assert!(matches!(refused, Err(RequestError::NoSuchState { .. })));
    }

    #[test]
    fn a_secret_does_not_show_its_password() {
        let secret = Secret::parse("alice:hunter2:x").expect("it has a colon");
        assert_eq!(format!("{secret:?}"), "Secret { username: \"alice\", .. }");
        assert!(Secret::parse("alice").is_none() && Secret::parse(":x").is_none());
    }
}
