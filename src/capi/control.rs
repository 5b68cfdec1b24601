//! `DigestSspControl`: clock, faults and configuration of the package, for whoever tests the library.
//!
//! Request and answer are JSON documents, the messages other than `call` of the adapter protocol of digest-ssp's
//! conformance suite; they are declared here a second time, as the package knows nothing of that suite.
#![allow(unsafe_code, reason = "exports a function that takes pointers of a caller in C")]
#![allow(non_snake_case, reason = "the name of an export")]

use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::memory;
use super::provider::of_this_process;
use crate::buffer::{BufferType, SecBuffer, SecBufferDesc, SecHandle};
use crate::digest::sasl::{Cipher, MaxBuf};
use crate::digest::{self, Algorithm, Timestamp};
use crate::package::accounts::{Account, AccountSource, AccountSourceUnavailable, MemoryAccounts};
use crate::package::configuration::{Configuration, Limits, SequencePolicy};
use crate::package::environment::{Environment, EnvironmentError};
use crate::package::{AcceptRequirements, Failure, SecurityPackage};
use crate::sync::{Mutex, lock};

/// The version of the protocol whose messages these are.
const PROTOCOL_VERSION: u32 = 1;

/// All that a library can offer to who tests it.
const CAPABILITIES: &[&str] = &[
    "clock",
    "faults",
    "two-providers",
    "limits",
    "policy",
    "counts",
    "sequences",
    "configuration",
    "c-memory",
    "checked-memory",
];

/// When the clock starts, in milliseconds: far from zero, so that ages are differences.
const EPOCH: u64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Start { protocol: u32, setup: Box<Setup> },
    Advance { milliseconds: u64 },
    Inject { fault: Fault },
    AccountsDown { down: bool },
    SpendCounts { context: Handle },
    SpendSequences { context: Handle },
    ForeignHandle {},
    Stop {},
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Started { protocol: u32, name: String, capabilities: &'static [&'static str] },
    ForeignHandle { handle: Handle },
    Done {},
    Error { message: String },
}

/// A configuration; what the suite says of itself besides is not read.
#[derive(Deserialize)]
struct Setup {
    accounts: Vec<AccountEntry>,
    realm: String,
    algorithm: OfferedAlgorithm,
    nonce_lifetime: u64,
    policy: Policy,
    limits: Bounds,
    ciphers: Vec<OfferedCipher>,
    maxbuf: u32,
}

#[derive(Deserialize)]
struct AccountEntry {
    username: String,
    realm: String,
    password: String,
}

#[derive(Deserialize)]
enum OfferedAlgorithm {
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "MD5-sess")]
    Md5Sess,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    Strict,
    Window(core::num::NonZeroU32),
}

#[derive(Deserialize)]
struct Bounds {
    contexts: usize,
    challenges: usize,
    failures: u32,
    token_bytes: usize,
    directives: usize,
}

#[derive(Deserialize)]
enum OfferedCipher {
    #[serde(rename = "rc4")]
    Rc4,
    #[serde(rename = "3des")]
    TripleDes,
    #[serde(rename = "rc4-56")]
    Rc4_56,
    #[serde(rename = "rc4-40")]
    Rc4_40,
    #[serde(rename = "des")]
    Des,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Fault {
    None,
    Entropy,
    Clock,
}

/// A handle: two words of 64 bits, which numbers of JSON cannot tell.
#[derive(Serialize, Deserialize)]
struct Handle(Word, Word);

struct Word(u64);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let word = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        word.map(Self).ok_or_else(|| serde::de::Error::custom("expected 0x and up to 16 hexadecimal digits"))
    }
}

impl From<Handle> for SecHandle {
    fn from(Handle(Word(lower), Word(upper)): Handle) -> Self {
        Self { lower, upper }
    }
}

impl From<Setup> for Configuration {
    fn from(setup: Setup) -> Self {
        let cipher = |cipher: OfferedCipher| match cipher {
            OfferedCipher::Rc4 => Cipher::Rc4,
            OfferedCipher::TripleDes => Cipher::TripleDes,
            OfferedCipher::Rc4_56 => Cipher::Rc4_56,
            OfferedCipher::Rc4_40 => Cipher::Rc4_40,
            OfferedCipher::Des => Cipher::Des,
        };
        Self {
            realm: setup.realm,
            algorithm: match setup.algorithm {
                OfferedAlgorithm::Md5 => Algorithm::Md5,
                OfferedAlgorithm::Md5Sess => Algorithm::Md5Sess,
            },
            nonce_lifetime: Duration::from_millis(setup.nonce_lifetime),
            sequence: match setup.policy {
                Policy::Strict => SequencePolicy::Strict,
                Policy::Window(window) => SequencePolicy::Window(window),
            },
            limits: Limits {
                contexts: setup.limits.contexts,
                challenges: setup.limits.challenges,
                failures: setup.limits.failures,
                token: digest::Limits { token_bytes: setup.limits.token_bytes, directives: setup.limits.directives },
            },
            charset_utf8: true,
            ciphers: setup.ciphers.into_iter().map(cipher).collect(),
            maxbuf: MaxBuf::new(setup.maxbuf).unwrap_or(MaxBuf::DEFAULT),
        }
    }
}

struct World {
    now: u64,
    fault: Fault,
    accounts_down: bool,
    drawn: u64,
    accounts: MemoryAccounts,
}

/// Clock, entropy and account source under the tester's control.
#[derive(Clone)]
struct Controlled(Arc<Mutex<World>>);

impl Environment for Controlled {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        let world = lock(&self.0);
        if world.fault == Fault::Clock { Err(EnvironmentError::Clock) } else { Ok(Timestamp(world.now)) }
    }

    /// A Weyl sequence: what is drawn must differ, and nobody who tests a library guesses.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        let mut world = lock(&self.0);
        if world.fault == Fault::Entropy {
            return Err(EnvironmentError::Entropy);
        }
        for chunk in bytes.chunks_mut(8) {
            world.drawn = world.drawn.wrapping_add(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&world.drawn.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl AccountSource for Controlled {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        let world = lock(&self.0);
        if world.accounts_down { Err(AccountSourceUnavailable) } else { world.accounts.lookup(username, realm) }
    }
}

/// What the calls of this process go to.
enum Provider {
    /// What they go to without this export.
    Usual(Arc<SecurityPackage>),
    /// A package of the tester's.
    Tested { package: Arc<SecurityPackage>, other: Box<SecurityPackage>, world: Controlled },
}

static PROVIDER: Mutex<Option<Provider>> = Mutex::new(None);

/// The package that every call goes to: that of the last `start`.
pub(super) fn package() -> Arc<SecurityPackage> {
    let mut provider = lock(&PROVIDER);
    let provider = provider.get_or_insert_with(|| Provider::Usual(Arc::new(of_this_process())));
    match provider {
        Provider::Usual(package) | Provider::Tested { package, .. } => Arc::clone(package),
    }
}

fn start(setup: Setup) -> Provider {
    let mut accounts = MemoryAccounts::new();
    for account in &setup.accounts {
        accounts.insert(&account.username, &account.realm, &account.password);
    }
    let (now, fault, accounts_down, drawn) = (EPOCH, Fault::None, false, EPOCH);
    let world = Controlled(Arc::new(Mutex::new(World { now, fault, accounts_down, drawn, accounts })));
    let configuration = Configuration::from(setup);
    let package = || SecurityPackage::new(configuration.clone(), world.clone(), world.clone());
    Provider::Tested { package: Arc::new(package()), other: Box::new(package()), world }
}

/// A context of a second package.
fn foreign_handle(other: &SecurityPackage) -> Result<SecHandle, Failure> {
    let credential = other.acquire_credentials_handle(None, "WDigest", 1, None, None)?.credential;
    let mut memory = [0; 2048];
    let mut buffers = [SecBuffer::new(BufferType::TOKEN, &mut memory)];
    let mut output = SecBufferDesc::new(&mut buffers);
    let requirements = AcceptRequirements::HTTP;
    other
        .accept_security_context(Some(credential), None, None, requirements, Some(&mut output))
        .map(|accepted| accepted.context)
}

fn answer(request: Request) -> Result<Answer, String> {
    let mut provider = lock(&PROVIDER);
    if let Request::Start { protocol, setup } = request {
        if protocol != PROTOCOL_VERSION {
            return Err(format!("this library speaks version {PROTOCOL_VERSION} of the protocol, not {protocol}"));
        }
        *provider = Some(start(*setup));
        let name = format!("digest-ssp {} (C ABI)", env!("CARGO_PKG_VERSION"));
        return Ok(Answer::Started { protocol, name, capabilities: CAPABILITIES });
    }
    let Some(Provider::Tested { package, other, world }) = &*provider else {
        return Err("nothing was started".into());
    };
    let refused = |failure: Failure| failure.to_string();
    match request {
        // Dealt with above.
        Request::Start { .. } | Request::Stop {} => {}
        Request::Advance { milliseconds } => {
            let mut world = lock(&world.0);
            world.now = world.now.saturating_add(milliseconds);
        }
        Request::Inject { fault } => lock(&world.0).fault = fault,
        Request::AccountsDown { down } => lock(&world.0).accounts_down = down,
        Request::SpendCounts { context } => {
            package.advance_nonce_count(Some(context.into()), u32::MAX).map_err(refused)?;
        }
        Request::SpendSequences { context } => {
            package.spend_sequence_numbers(Some(context.into())).map_err(refused)?;
        }
        Request::ForeignHandle {} => {
            let SecHandle { lower, upper } = foreign_handle(other).map_err(refused)?;
            return Ok(Answer::ForeignHandle { handle: Handle(Word(lower), Word(upper)) });
        }
    }
    Ok(Answer::Done {})
}

/// Does what a request says, and writes an answer.
///
/// *answer_length is the room at answer before the call, and the bytes written after it. Returns 0; another number where
/// nothing could be written.
///
/// # Safety
/// Every pointer is NULL, or points to what it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DigestSspControl(
    request: *const u8,
    request_length: u32,
    answer: *mut u8,
    answer_length: *mut u32,
) -> i32 {
    // SAFETY: that is what the caller of this function says.
    let (request, room) = unsafe { (memory::copy(request, request_length as usize), memory::read(answer_length)) };
    let (Ok(request), Some(room), false) = (request, room, answer.is_null()) else { return -1 };
    let answered = catch_unwind(|| {
        let request = serde_json::from_slice(&request).map_err(|error| format!("no request: {error}"))?;
        self::answer(request)
    });
    let answered =
        answered.unwrap_or_else(|_| Err("a panic".into())).unwrap_or_else(|message| Answer::Error { message });
    let Ok(written) = serde_json::to_vec(&answered) else { return -1 };
    match u32::try_from(written.len()) {
        Ok(length) if length <= room => {
            // SAFETY: there is room for so much, and a length; as above.
            unsafe {
                memory::put(answer, &written);
                memory::write(answer_length, length);
            }
            0
        }
        _too_long => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::DigestSspControl;

    fn asked(request: &str, room: u32) -> (i32, String) {
        let mut answer = vec![0; room as usize];
        let mut length = room;
        // SAFETY: everything is what the function takes.
        let code =
            unsafe { DigestSspControl(request.as_ptr(), request.len() as u32, answer.as_mut_ptr(), &mut length) };
        (code, String::from_utf8_lossy(&answer[..length as usize]).into_owned())
    }

    #[test]
    fn what_cannot_be_done_is_told_where_there_is_room_for_it() {
        let advance = r#"{"advance":{"milliseconds":1}}"#;
        let told = (0, r#"{"error":{"message":"nothing was started"}}"#.to_owned());
        assert_eq!(asked(advance, 43), told);
        assert_eq!(asked(advance, 42), (-1, "\0".repeat(42)));
        assert!(asked("{", 4096).1.starts_with(r#"{"error":{"message":"no request: "#));
    }
}
