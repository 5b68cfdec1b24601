//! The caller's side of one process: what it was given, and what it did with it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use super::trace::{Call, Freed};
use super::{CallerFinding, CallerRule};
use crate::status::SecurityStatus;

/// SECPKG_ATTR_PACKAGE_INFO: what a context has before anybody is authenticated.
const PACKAGE_INFO: u32 = 10;

/// What the functions do, as far as a caller is judged by them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    AcquireCredentialsHandle,
    FreeCredentialsHandle,
    /// InitializeSecurityContext, AcceptSecurityContext.
    Step,
    CompleteAuthToken,
    DeleteSecurityContext,
    QueryContextAttributes,
    /// What only an established context does.
    Established,
    FreeContextBuffer,
    /// Nothing of it is judged.
    Other,
}

impl Function {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name.strip_suffix(['A', 'W']).unwrap_or(name) {
            "AcquireCredentialsHandle" => Self::AcquireCredentialsHandle,
            "FreeCredentialsHandle" => Self::FreeCredentialsHandle,
            "InitializeSecurityContext" | "AcceptSecurityContext" => Self::Step,
            "CompleteAuthToken" => Self::CompleteAuthToken,
            "DeleteSecurityContext" => Self::DeleteSecurityContext,
            "QueryContextAttributes" => Self::QueryContextAttributes,
            "MakeSignature" | "VerifySignature" | "EncryptMessage" | "DecryptMessage" => Self::Established,
            "FreeContextBuffer" => Self::FreeContextBuffer,
            "EnumerateSecurityPackages"
            | "QuerySecurityPackageInfo"
            | "QueryCredentialsAttributes"
            | "QueryCredentialsAttributesEx"
            | "ApplyControlToken"
            | "QueryContextAttributesEx"
            | "ImpersonateSecurityContext"
            | "RevertSecurityContext"
            | "ExportSecurityContext"
            | "ImportSecurityContext"
            | "AddCredentials"
            | "QuerySecurityContextToken"
            | "SetContextAttributes"
            | "SetCredentialsAttributes"
            | "ChangeAccountPassword" => Self::Other,
            _ => return None,
        })
    }
}

/// What a handle names.
#[derive(Clone)]
enum Object {
    Credentials(Credentials),
    Context(Context),
}

#[derive(Clone)]
struct Credentials {
    /// The line of the call that gave them.
    given: usize,
    freed: Option<usize>,
    is_inherited: bool,
}

#[derive(Clone)]
struct Context {
    /// The line of the call that gave it.
    given: usize,
    /// The handle of the credentials it was made with.
    credentials: Option<String>,
    phase: Phase,
    deleted: Option<usize>,
    is_inherited: bool,
}

/// How far the caller has come with a context, and the line that says so.
#[derive(Clone, Copy)]
enum Phase {
    /// Another token is needed.
    Continues {
        line: usize,
    },
    /// CompleteAuthToken is due; where it was tried in vain, at that line.
    CompletionDue {
        line: usize,
        continues: bool,
        failed: Option<usize>,
    },
    Established {
        line: usize,
    },
    /// The exchange failed before there was more.
    Failed {
        line: usize,
    },
}

impl Phase {
    fn after(status: SecurityStatus, line: usize) -> Self {
        match status {
            SecurityStatus::SEC_E_OK => Self::Established { line },
            SecurityStatus::SEC_I_COMPLETE_NEEDED => Self::CompletionDue { line, continues: false, failed: None },
            SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE => Self::CompletionDue { line, continues: true, failed: None },
            // Whatever else is no error is no end either.
            SecurityStatus(_) => Self::Continues { line },
        }
    }
}

/// One process of a trace.
#[derive(Clone)]
pub(super) struct Process {
    number: u32,
    sequence: u64,
    objects: BTreeMap<String, Object>,
    /// The blocks that are not freed: the line that gave them, and whether that was before a fork.
    blocks: BTreeMap<u64, (usize, bool)>,
    findings: Vec<CallerFinding>,
}

/// Why a handle names nothing that a function can use.
struct Unusable {
    rule: CallerRule,
    since: Option<usize>,
    what: String,
}

impl Process {
    pub(super) fn new(number: u32) -> Self {
        Self { number, sequence: 0, objects: BTreeMap::new(), blocks: BTreeMap::new(), findings: Vec::new() }
    }

    /// A child: it has everything of its parent, and owes none of it.
    pub(super) fn forked(&self, number: u32) -> Self {
        let mut child = Self { number, sequence: 0, findings: Vec::new(), ..self.clone() };
        for object in child.objects.values_mut() {
            match object {
                Object::Credentials(credentials) => credentials.is_inherited = true,
                Object::Context(context) => context.is_inherited = true,
            }
        }
        for (_, is_inherited) in child.blocks.values_mut() {
            *is_inherited = true;
        }
        child
    }

    /// The next call.
    pub(super) fn call(&mut self, line: usize, call: &Call) -> Result<(), String> {
        if call.sequence != self.sequence + 1 {
            let what = format!("call {} of process {} follows call {}", call.sequence, self.number, self.sequence);
            return Err(format!("{what}: lines are missing"));
        }
        self.sequence = call.sequence;
        let function = Function::from_name(&call.function);
        match function.ok_or_else(|| format!("{} is no function of SSPI", call.function.escape_debug()))? {
            Function::AcquireCredentialsHandle => self.acquire(line, call),
            Function::FreeCredentialsHandle => self.free_credentials(line, call),
            Function::Step => self.step(line, call),
            Function::CompleteAuthToken => self.complete(line, call),
            Function::DeleteSecurityContext => self.delete(line, call),
            Function::QueryContextAttributes if call.attribute == Some(PACKAGE_INFO) => {
                self.context(line, call);
            }
            Function::QueryContextAttributes | Function::Established => self.use_established(line, call),
            Function::FreeContextBuffer => self.free_buffer(line, call),
            Function::Other => {}
        }
        self.blocks.extend(call.allocated.iter().map(|block| (*block, (line, false))));
        Ok(())
    }

    /// The findings, those of what is still there at the end among them.
    pub(super) fn end(mut self) -> Vec<CallerFinding> {
        for (handle, object) in core::mem::take(&mut self.objects) {
            match object {
                Object::Credentials(Credentials { given, freed: None, is_inherited: false }) => {
                    let what = format!("the credentials {handle} are not freed");
                    self.find(CallerRule::CredentialsLeaked, given, None, what);
                }
                Object::Context(Context { given, deleted: None, is_inherited: false, .. }) => {
                    let what = format!("the context {handle} is not deleted");
                    self.find(CallerRule::ContextLeaked, given, None, what);
                }
                Object::Credentials(_) | Object::Context(_) => {}
            }
        }
        for (block, (given, is_inherited)) in core::mem::take(&mut self.blocks) {
            if !is_inherited {
                self.find(CallerRule::BufferLeaked, given, None, format!("block {block} is not freed"));
            }
        }
        self.findings
    }

    /// The findings, where the end is not known.
    pub(super) fn broken_off(self) -> Vec<CallerFinding> {
        self.findings
    }

    fn find(&mut self, rule: CallerRule, line: usize, since: Option<usize>, what: String) {
        self.findings.push(CallerFinding { rule, process: self.number, line, since, what });
    }

    fn find_unusable(&mut self, line: usize, call: &Call, parameter: &str, unusable: Unusable) {
        let Unusable { rule, since, what } = unusable;
        self.find(rule, line, since, format!("{}: {parameter} {what}; {}", call.function, call.status));
    }

    fn acquire(&mut self, line: usize, call: &Call) {
        if let (false, Some(Some(handle))) = (call.status.is_error(), call.given.get("phCredential")) {
            let credentials = Credentials { given: line, freed: None, is_inherited: false };
            self.objects.insert(handle.clone(), Object::Credentials(credentials));
        }
    }

    fn free_credentials(&mut self, line: usize, call: &Call) {
        let Some(handle) = self.credentials(line, call) else {
            if call.handles.get("phCredential").is_none_or(Option::is_none) {
                self.find_unusable(line, call, "phCredential", Unusable::null());
            }
            return;
        };
        if call.status.is_error() {
            return;
        }
        if let Some(Object::Credentials(credentials)) = self.objects.get_mut(&handle) {
            credentials.freed = Some(line);
        }
    }

    fn step(&mut self, line: usize, call: &Call) {
        let credentials = self.credentials(line, call);
        if call.given.get("phNewContext") == Some(&None) {
            let what = format!("{}: phNewContext is NULL; {}", call.function, call.status);
            self.find(CallerRule::NewContextMissing, line, None, what);
        }
        let passed = call.handles.get("phContext").cloned().flatten();
        let context = passed.is_some().then(|| self.context(line, call)).flatten();
        if let Some(Phase::CompletionDue { line: due, failed: None, .. }) = context.map(|context| context.phase) {
            let what = format!("{}: CompleteAuthToken is due on the context; {}", call.function, call.status);
            self.find(CallerRule::CompletionSkipped, line, Some(due), what);
        }
        if call.status.is_error() {
            if let Some(Object::Context(context)) = passed.and_then(|handle| self.objects.get_mut(&handle))
                && let Phase::Continues { .. } = context.phase
            {
                context.phase = Phase::Failed { line };
            }
            return;
        }
        let Some(handle) = call.given.get("phNewContext").cloned().flatten().or(passed) else { return };
        let phase = Phase::after(call.status, line);
        match self.objects.get_mut(&handle) {
            Some(Object::Context(context)) => context.phase = phase,
            Some(Object::Credentials(_)) | None => {
                let context = Context { given: line, credentials, phase, deleted: None, is_inherited: false };
                self.objects.insert(handle, Object::Context(context));
            }
        }
    }

    fn complete(&mut self, line: usize, call: &Call) {
        let Some(context) = self.context(line, call) else { return };
        let said = match context.phase {
            Phase::CompletionDue { line: due, continues, .. } => {
                context.phase = match (call.status.is_error(), continues) {
                    (true, _) => Phase::CompletionDue { line: due, continues, failed: Some(line) },
                    (false, true) => Phase::Continues { line },
                    (false, false) => Phase::Established { line },
                };
                return;
            }
            Phase::Continues { line } | Phase::Established { line } | Phase::Failed { line } => line,
        };
        let what = format!("CompleteAuthToken: nothing is to complete on the context; {}", call.status);
        self.find(CallerRule::CompleteNotAsked, line, Some(said), what);
    }

    fn use_established(&mut self, line: usize, call: &Call) {
        let Some(context) = self.context(line, call) else { return };
        let (rule, since, what) = match context.phase {
            Phase::Established { .. } => return,
            Phase::CompletionDue { failed: None, line, .. } => {
                (CallerRule::CompletionSkipped, line, "CompleteAuthToken is due on the context")
            }
            Phase::CompletionDue { failed: Some(line), .. } => {
                (CallerRule::FailedCompletionIgnored, line, "CompleteAuthToken failed on the context")
            }
            Phase::Continues { line } => {
                (CallerRule::UsedBeforeEstablished, line, "the exchange of the context is not over")
            }
            Phase::Failed { line } => (CallerRule::FailedExchangeIgnored, line, "the exchange of the context failed"),
        };
        self.find(rule, line, Some(since), format!("{}: {what}; {}", call.function, call.status));
    }

    fn delete(&mut self, line: usize, call: &Call) {
        let Some(context) = self.context(line, call) else { return };
        let due = match context.phase {
            Phase::CompletionDue { line, failed: None, .. } => Some(line),
            Phase::CompletionDue { failed: Some(_), .. }
            | Phase::Continues { .. }
            | Phase::Established { .. }
            | Phase::Failed { .. } => None,
        };
        if call.status.is_error() {
            return;
        }
        context.deleted = Some(line);
        let (given, credentials) = (context.given, context.credentials.clone());
        if let Some(due) = due {
            let what =
                "DeleteSecurityContext: CompleteAuthToken was due on the context and was never called".to_owned();
            self.find(CallerRule::CompletionAbandoned, line, Some(due), what);
        }
        // Only now: of a context that is never deleted there is worse to say.
        if let Some(Object::Credentials(Credentials { freed: Some(freed), .. })) =
            credentials.and_then(|handle| self.objects.get(&handle))
        {
            let what = format!("FreeCredentialsHandle: a context made with the credentials is deleted in line {line}");
            self.find(CallerRule::CredentialsFreedEarly, *freed, Some(given), what);
        }
    }

    fn free_buffer(&mut self, line: usize, call: &Call) {
        match call.freed {
            Some(Freed::Block(block)) => {
                self.blocks.remove(&block);
            }
            Some(Freed::Again(block)) => {
                let what = format!("FreeContextBuffer: block {block} is freed already; {}", call.status);
                self.find(CallerRule::BufferFreedTwice, line, None, what);
            }
            Some(Freed::Foreign) => {
                let what = format!("FreeContextBuffer: the package did not give this memory; {}", call.status);
                self.find(CallerRule::BufferNotGiven, line, None, what);
            }
            Some(Freed::Null) | None => {}
        }
    }

    /// The credentials of a call, where it names some that can be used.
    fn credentials(&mut self, line: usize, call: &Call) -> Option<String> {
        let handle = call.handles.get("phCredential")?.as_ref()?;
        let unusable = match self.objects.get(handle) {
            Some(Object::Credentials(Credentials { freed: None, .. })) => return Some(handle.clone()),
            Some(Object::Credentials(Credentials { freed: Some(freed), .. })) => {
                Unusable::new(CallerRule::CredentialsUsedAfterFreeing, Some(*freed), "is freed already")
            }
            Some(Object::Context(context)) => {
                Unusable::new(CallerRule::ContextAsCredentials, Some(context.given), "is the handle of a context")
            }
            None => Unusable::never_given(handle),
        };
        self.find_unusable(line, call, "phCredential", unusable);
        None
    }

    /// The context of a call, where it names one that can be used.
    fn context(&mut self, line: usize, call: &Call) -> Option<&mut Context> {
        let unusable = match call.handles.get("phContext").and_then(Option::as_ref) {
            None => Unusable::null(),
            Some(handle) => match self.objects.get(handle) {
                Some(Object::Context(Context { deleted: None, .. })) => {
                    return match self.objects.get_mut(handle) {
                        Some(Object::Context(context)) => Some(context),
                        Some(Object::Credentials(_)) | None => None,
                    };
                }
                Some(Object::Context(Context { deleted: Some(deleted), .. })) => {
                    let is_deletion = call.function == "DeleteSecurityContext";
                    let twice = CallerRule::ContextDeletedTwice;
                    let rule = if is_deletion { twice } else { CallerRule::ContextUsedAfterDeletion };
                    Unusable::new(rule, Some(*deleted), "is deleted already")
                }
                Some(Object::Credentials(credentials)) => Unusable::new(
                    CallerRule::CredentialsAsContext,
                    Some(credentials.given),
                    "is the handle of credentials",
                ),
                None => Unusable::never_given(handle),
            },
        };
        self.find_unusable(line, call, "phContext", unusable);
        None
    }
}

impl Unusable {
    fn new(rule: CallerRule, since: Option<usize>, what: &str) -> Self {
        Self { rule, since, what: what.to_owned() }
    }

    fn null() -> Self {
        Self::new(CallerRule::HandleNeverGiven, None, "is NULL")
    }

    fn never_given(handle: &str) -> Self {
        let zeros = handle.bytes().all(|byte| matches!(byte, b'0' | b':'));
        Self::new(
            CallerRule::HandleNeverGiven,
            None,
            if zeros { "is all zeros" } else { "is no handle that was given" },
        )
    }
}
