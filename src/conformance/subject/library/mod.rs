//! A shared library with the functions of SSPI as a subject.
//!
//! It is loaded into this process, and whatever it does to the process it does to the tester: a run has it in a worker of
//! its own. Everything the library is given lies in memory that tells who writes beyond it ([`SubjectError::Crashed`]).
//!
//! A library that exports `DigestSspControl` can be configured, and offers what it says there; without it a library has
//! the configuration that its environment gives it, offers `c-memory` where it has FreeContextBuffer, and rows that need more
//! are skipped:
//!
//! ```c
//! int32_t DigestSspControl(const uint8_t *request, uint32_t request_length, uint8_t *answer, uint32_t *answer_length);
//! ```
//!
//! Request and answer are one JSON document each, messages of the [adapter protocol](crate::conformance::protocol) other
//! than `call`. `*answer_length` is the room before the call and the bytes written after it. It returns 0, or another
//! number where it cannot answer.
//!
//! # Safety
//!
//! Loading a library runs it. Its functions get what their documents say, and besides that NULL, zero and stale or forged
//! handles wherever a caller could get them wrong; never a pointer to memory that is not there, save FreeContextBuffer of
//! a library that says that it tells such pointers (`checked-memory`). A library that does
//! not keep to the types of `sspi.h` is beyond any check.
#![deny(unsafe_code)]
#![warn(clippy::undocumented_unsafe_blocks)]

mod arena;
mod attributes;
mod calls;
mod control;
mod exports;
mod frame;
mod layouts;
mod text;
pub mod worker;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::arena::Arena;
use self::calls::Caller;
use self::exports::Functions;
use self::frame::Frame;
use super::{Subject, SubjectError};
use crate::buffer::SecHandle;
use crate::conformance::protocol::{Answer, PROTOCOL_VERSION, Request};
use crate::spec::call::AuthIdentity;
use crate::spec::names::Need;
use crate::spec::setup::{EnvironmentFault, Setup};
use crate::spec::{Call, Outcome};
use crate::status::SecurityStatus;

/// What is different from one library to another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Whom every acquisition with an identity is for, where the accounts of the library are not those of the suite.
    pub identity: Option<AuthIdentity>,
}

/// Why a library cannot be put under test, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}", path = .path.display())]
pub struct LoadError {
    path: PathBuf,
    problem: String,
}

/// A library under test.
pub struct Library {
    name: String,
    functions: Functions,
    options: Options,
    arena: Arena,
    capabilities: BTreeSet<Need>,
    /// What is to be given back before the next start.
    credentials: BTreeSet<SecHandle>,
    contexts: BTreeSet<SecHandle>,
    blocks: BTreeSet<SecHandle>,
}

impl core::fmt::Debug for Library {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Library").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Library {
    /// Loads a library, into this process and until it ends.
    ///
    /// # Errors
    /// It cannot be loaded, or has no functions of SSPI.
    pub fn load(path: &Path, options: &Options) -> Result<Self, LoadError> {
        let error = |problem| LoadError { path: path.to_owned(), problem };
        let functions = Functions::load(path).map_err(error)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::of(name, functions, options).map_err(error)
    }

    /// The C ABI of this crate, linked and not loaded: what a library of it does, in a program whose sanitizers see it.
    ///
    /// # Errors
    /// There is no memory for it, in one line.
    #[cfg(feature = "capi-control")]
    pub fn linked() -> Result<Self, String> {
        Self::of("digest-ssp, C ABI".to_owned(), Functions::linked(), &Options::default())
    }

    fn of(name: String, functions: Functions, options: &Options) -> Result<Self, String> {
        let arena = Arena::new().map_err(|problem| problem.to_string())?;
        // Nobody says of it that it checks pointers.
        let takes_back = functions.control.is_none() && functions.free_buffer.is_some();
        let mut library = Self {
            name,
            functions,
            options: options.clone(),
            arena,
            capabilities: takes_back.then_some(Need::CMemory).into_iter().collect(),
            credentials: BTreeSet::new(),
            contexts: BTreeSet::new(),
            blocks: BTreeSet::new(),
        };
        if library.functions.control.is_some() {
            library.start(&Setup::default()).map_err(|problem| problem.to_string())?;
        }
        Ok(library)
    }

    /// Does something with memory of its own, and looks at the memory afterwards. What was written where nothing may be
    /// is graver than what came back.
    fn with_frame<R>(
        &mut self,
        work: impl FnOnce(&Functions, &mut Frame<'_>) -> Result<R, SubjectError>,
    ) -> Result<R, SubjectError> {
        let mut frame = Frame::new(&mut self.arena);
        let result = work(&self.functions, &mut frame);
        frame.end()?;
        result
    }

    fn make(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        self.with_frame(|functions, frame| Caller { functions, frame }.call(call))
    }

    /// Asks DigestSspControl.
    fn ask(&mut self, request: &Request) -> Result<Answer, SubjectError> {
        self.with_frame(|functions, frame| match functions.control {
            Some(control) => control::ask(frame, control, request),
            None => Err(SubjectError::Errored("the library has no DigestSspControl".into())),
        })
    }

    fn tell(&mut self, request: &Request) -> Result<(), SubjectError> {
        match self.ask(request)? {
            Answer::Done {} => Ok(()),
            other @ (Answer::Started { .. }
            | Answer::Outcome(_)
            | Answer::ForeignHandle { .. }
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. }
            | Answer::Ended(_)) => Err(unfitting(&other)),
        }
    }

    /// Gives back every handle and all memory that is still held.
    fn give_back(&mut self) -> Result<(), SubjectError> {
        for context in std::mem::take(&mut self.contexts) {
            self.make(&Call::DeleteSecurityContext { context: Some(context) })?;
        }
        for credential in std::mem::take(&mut self.credentials) {
            self.make(&Call::FreeCredentialsHandle { credential: Some(credential) })?;
        }
        for block in std::mem::take(&mut self.blocks) {
            if self.functions.free_buffer.is_some() {
                self.make(&Call::FreeContextBuffer { block: Some(block) })?;
            }
        }
        Ok(())
    }

    /// The call with the identity that this library knows.
    fn adapted(&self, call: &Call) -> Call {
        let mut call = call.clone();
        if let Call::AcquireCredentialsHandle { identity: identity @ Some(_), .. } = &mut call
            && self.options.identity.is_some()
        {
            identity.clone_from(&self.options.identity);
        }
        call
    }

    /// Keeps account of the handles that are held.
    fn remember(&mut self, call: &Call, outcome: &Outcome) {
        let succeeded = outcome.status == SecurityStatus::SEC_E_OK;
        match call {
            Call::AcquireCredentialsHandle { .. } => self.credentials.extend(outcome.handle.filter(|_| succeeded)),
            Call::AcceptSecurityContext { .. } | Call::InitializeSecurityContext { .. } => {
                self.contexts.extend(outcome.handle.filter(|_| !outcome.status.is_error()));
            }
            Call::DeleteSecurityContext { context: Some(context) } if succeeded => {
                self.contexts.remove(context);
            }
            Call::FreeCredentialsHandle { credential: Some(credential) } if succeeded => {
                self.credentials.remove(credential);
            }
            Call::EnumerateSecurityPackages {} | Call::QuerySecurityPackageInfo { .. } => {
                self.blocks.extend(outcome.handle.filter(|_| succeeded));
            }
            // Whatever the library says of it: nobody may free it twice.
            Call::FreeContextBuffer { block: Some(block) } => {
                self.blocks.remove(block);
            }
            Call::FreeCredentialsHandle { .. }
            | Call::FreeContextBuffer { .. }
            | Call::DeleteSecurityContext { .. }
            | Call::CompleteAuthToken { .. }
            | Call::MakeSignature { .. }
            | Call::VerifySignature { .. }
            | Call::EncryptMessage { .. }
            | Call::DecryptMessage { .. }
            | Call::QueryContextAttributes { .. } => {}
        }
    }
}

fn unfitting(answer: &Answer) -> SubjectError {
    SubjectError::Errored(format!("DigestSspControl: {answer:?} is no answer to that"))
}

impl Subject for Library {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        self.capabilities.clone()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        self.give_back()?;
        if self.functions.control.is_some() {
            return match self.ask(&Request::Start { protocol: PROTOCOL_VERSION, setup: setup.clone() })? {
                Answer::Started { protocol: PROTOCOL_VERSION, name, capabilities } => {
                    self.name = name;
                    self.capabilities = capabilities;
                    Ok(())
                }
                other @ (Answer::Started { .. }
                | Answer::Outcome(_)
                | Answer::ForeignHandle { .. }
                | Answer::Done {}
                | Answer::Unable { .. }
                | Answer::Error { .. }
                | Answer::Crashed { .. }
                | Answer::Ended(_)) => Err(unfitting(&other)),
            };
        }
        // Which package is asked for is no matter of configuration.
        let of = |usual: Setup| Setup { package: setup.package.clone(), ..usual.of(setup.profile) };
        let as_it_is = [Setup::default(), Setup::unconfigured()].map(of).contains(setup);
        let cannot = || SubjectError::Errored("the library has no DigestSspControl, so it cannot be configured".into());
        as_it_is.then_some(()).ok_or_else(cannot)
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        if let Call::FreeContextBuffer { block: Some(block) } = call
            && !self.blocks.contains(block)
            && !self.capabilities.contains(&Need::CheckedMemory)
        {
            let problem = "the library does not say that it tells a pointer that is none to memory of its own";
            return Err(SubjectError::Unable(problem.into()));
        }
        let outcome = self.make(&self.adapted(call))?;
        self.remember(call, &outcome);
        Ok(outcome)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.tell(&Request::Advance { milliseconds })
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.tell(&Request::Inject { fault })
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.tell(&Request::AccountsDown { down })
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.tell(&Request::SpendCounts { context })
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.tell(&Request::SpendSequences { context })
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        match self.ask(&Request::ForeignHandle {})? {
            Answer::ForeignHandle { handle } => Ok(handle),
            other @ (Answer::Started { .. }
            | Answer::Outcome(_)
            | Answer::Done {}
            | Answer::Unable { .. }
            | Answer::Error { .. }
            | Answer::Crashed { .. }
            | Answer::Ended(_)) => Err(unfitting(&other)),
        }
    }
}
