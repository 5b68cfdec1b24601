//! The reference implementation of this crate as a subject.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Subject, SubjectError};
use crate::buffer::{SecBuffer, SecBufferDesc, SecHandle};
use crate::digest::Timestamp;
use crate::digest::sasl::{self, MaxBuf};
use crate::package::accounts::{Account, AccountSource, AccountSourceUnavailable, MemoryAccounts};
use crate::package::configuration::{Configuration, Limits, SequencePolicy};
use crate::package::environment::{Environment, EnvironmentError};
use crate::package::{
    self, AcceptRequirements, AuthIdentity, ContextAttribute, Failure, InitializeRequirements, SecurityPackage,
};
use crate::spec::call::{Attribute, Call, Descriptor, Outcome, PackageInfo, SessionKeyBytes};
use crate::spec::names::Need;
use crate::spec::setup::{AccountEntry, EnvironmentFault, Policy, Setup};
use crate::status::SecurityStatus;

/// When the clock of a run starts: far from zero, so that ages are differences.
const EPOCH: u64 = 1_000_000_000;

#[derive(Debug)]
struct World {
    now: u64,
    fault: EnvironmentFault,
    accounts_down: bool,
    entropy: fastrand::Rng,
    accounts: Arc<MemoryAccounts>,
}

/// Clock, entropy and account source under the tester's control.
#[derive(Clone, Debug)]
struct Controlled(Arc<Mutex<World>>);

impl Controlled {
    fn new(accounts: Arc<MemoryAccounts>) -> Self {
        Self(Arc::new(Mutex::new(World {
            now: EPOCH,
            fault: EnvironmentFault::None,
            accounts_down: false,
            entropy: fastrand::Rng::with_seed(EPOCH),
            accounts,
        })))
    }

    fn with<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Environment for Controlled {
    fn now(&self) -> Result<Timestamp, EnvironmentError> {
        self.with(|world| match world.fault {
            EnvironmentFault::Clock => Err(EnvironmentError::Clock),
            EnvironmentFault::None | EnvironmentFault::Entropy => Ok(Timestamp(world.now)),
        })
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), EnvironmentError> {
        self.with(|world| match world.fault {
            EnvironmentFault::Entropy => Err(EnvironmentError::Entropy),
            EnvironmentFault::None | EnvironmentFault::Clock => {
                world.entropy.fill(bytes);
                Ok(())
            }
        })
    }
}

impl AccountSource for Controlled {
    fn lookup(&self, username: &str, realm: &str) -> Result<Option<Account>, AccountSourceUnavailable> {
        self.with(|world| {
            if world.accounts_down { Err(AccountSourceUnavailable) } else { world.accounts.lookup(username, realm) }
        })
    }
}

/// The reference implementation, through its Rust interface.
#[derive(Debug)]
pub struct Builtin {
    package: SecurityPackage,
    world: Controlled,
    given: Memory,
    accounts: Accounts,
    foreign: Option<Foreign>,
}

/// What passwords make, which runs that follow each other share as long as they have the same.
#[derive(Debug, Default)]
struct Accounts {
    entries: Vec<AccountEntry>,
    hashed: Arc<MemoryAccounts>,
}

impl Accounts {
    fn of(entries: &[AccountEntry]) -> Self {
        let mut hashed = MemoryAccounts::new();
        for account in entries {
            hashed.insert(&account.username, &account.realm, &account.password);
        }
        Self { entries: entries.to_vec(), hashed: Arc::new(hashed) }
    }
}

/// A context of another provider, which no run of this one can know.
#[derive(Debug)]
struct Foreign {
    context: SecHandle,
    /// Alive as long as its handle is said to be.
    _package: SecurityPackage,
}

impl Foreign {
    fn new() -> Result<Self, Failure> {
        let (package, _) = configured(&Setup::default(), &Accounts::default());
        let credential = package.acquire_credentials_handle(None, "WDigest", 1, None, None)?.credential;
        let mut memory = [0; 2048];
        let mut buffers = [SecBuffer::new(crate::buffer::BufferType::TOKEN, &mut memory)];
        let mut output = SecBufferDesc::new(&mut buffers);
        let requirements = AcceptRequirements::from_bits_retain(0x1000_0000);
        let accepted =
            package.accept_security_context(Some(credential), None, None, requirements, Some(&mut output))?;
        Ok(Self { context: accepted.context, _package: package })
    }
}

/// What was given away and not given back. A Rust interface returns values; whoever has to pass them on as memory, as the
/// C interface has, keeps account of them, and so does this. Numbers stand for addresses, so that runs repeat.
#[derive(Debug, Default)]
struct Memory {
    blocks: BTreeSet<SecHandle>,
    last: u64,
}

impl Memory {
    /// How far apart blocks begin: further than what lies within one.
    const STRIDE: u64 = 0x1000;

    fn give(&mut self, packages: &[package::PackageInfo], outcome: &mut Outcome) {
        self.last += Self::STRIDE;
        let block = SecHandle { lower: self.last, upper: 0 };
        self.blocks.insert(block);
        outcome.handle = Some(block);
        outcome.attribute = Some(Attribute::Packages(packages.iter().map(told).collect()));
    }

    fn take_back(&mut self, block: Option<SecHandle>) -> SecurityStatus {
        let known = block.is_some_and(|block| self.blocks.remove(&block));
        if known { SecurityStatus::SEC_E_OK } else { SecurityStatus::SEC_E_INVALID_HANDLE }
    }
}

/// What a package says of itself, as a tester sees it.
fn told(package: &package::PackageInfo) -> PackageInfo {
    PackageInfo {
        name: package.name.to_owned(),
        capabilities: package.capabilities,
        version: package.version,
        rpc_id: package.rpc_id,
        maximum_token: package.max_token,
    }
}

impl Default for Builtin {
    fn default() -> Self {
        let setup = Setup::default();
        let accounts = Accounts::of(&setup.accounts);
        let (package, world) = configured(&setup, &accounts);
        Self { package, world, given: Memory::default(), accounts, foreign: None }
    }
}

/// A package of that setup, and the world that it is in.
fn configured(setup: &Setup, accounts: &Accounts) -> (SecurityPackage, Controlled) {
    let world = Controlled::new(Arc::clone(&accounts.hashed));
    let configuration = Configuration {
        realm: setup.realm.clone(),
        algorithm: setup.algorithm.into(),
        nonce_lifetime: Duration::from_millis(setup.nonce_lifetime),
        sequence: match setup.policy {
            Policy::Strict => SequencePolicy::Strict,
            Policy::Window(window) => SequencePolicy::Window(window),
        },
        limits: Limits {
            contexts: setup.limits.contexts,
            challenges: setup.limits.challenges,
            failures: setup.limits.failures,
            token: crate::digest::Limits { token_bytes: setup.limits.token_bytes, directives: setup.limits.directives },
        },
        charset_utf8: true,
        ciphers: setup.ciphers.iter().map(|cipher| sasl::Cipher::from(*cipher)).collect(),
        maxbuf: MaxBuf::new(setup.maxbuf).unwrap_or(MaxBuf::DEFAULT),
    };
    (SecurityPackage::new(configuration, world.clone(), world.clone()), world)
}

impl Builtin {
    /// Makes the call on the descriptors of the outcome, and says the rest there. What it wrote before it failed is seen, too.
    fn make(&mut self, call: &Call, outcome: &mut Outcome) -> Result<(), Failure> {
        let package = &self.package;
        match call {
            Call::AcquireCredentialsHandle { principal, package: name, credential_use, logon_id, identity } => {
                let identity = identity
                    .as_ref()
                    .map(|identity| AuthIdentity::new(&identity.user, &identity.domain, &identity.password));
                let acquired = package.acquire_credentials_handle(
                    principal.as_deref(),
                    name,
                    *credential_use,
                    *logon_id,
                    identity.as_ref(),
                )?;
                outcome.handle = Some(acquired.credential);
                outcome.expiry = Some(acquired.expiry.0);
            }
            Call::FreeCredentialsHandle { credential } => package.free_credentials_handle(*credential)?,
            Call::EnumerateSecurityPackages {} => {
                self.given.give(&SecurityPackage::enumerate_security_packages(), outcome);
            }
            Call::QuerySecurityPackageInfo { package } => {
                let told = SecurityPackage::query_security_package_info(package)?;
                self.given.give(&[told], outcome);
            }
            Call::FreeContextBuffer { block } => outcome.status = self.given.take_back(*block),
            Call::AcceptSecurityContext { credential, context, requirements, .. } => {
                let requirements = AcceptRequirements::from_bits_retain(*requirements);
                let accepted = lend(&mut outcome.input, |input| {
                    lend(&mut outcome.output, |output| {
                        package.accept_security_context(*credential, *context, input, requirements, output)
                    })
                })?;
                outcome.status = accepted.status;
                outcome.handle = Some(accepted.context);
                outcome.granted = Some(accepted.attributes.bits());
                outcome.expiry = Some(accepted.expiry.0);
            }
            Call::InitializeSecurityContext { credential, context, target_name, requirements, .. } => {
                let (target, requirements) =
                    (target_name.as_deref(), InitializeRequirements::from_bits_retain(*requirements));
                let initialized = lend(&mut outcome.input, |input| {
                    lend(&mut outcome.output, |output| {
                        package.initialize_security_context(*credential, *context, target, requirements, input, output)
                    })
                })?;
                outcome.status = initialized.status;
                outcome.handle = Some(initialized.context);
                outcome.granted = Some(initialized.attributes.bits());
                outcome.expiry = Some(initialized.expiry.0);
            }
            Call::CompleteAuthToken { context, .. } => {
                lend(&mut outcome.output, |message| package.complete_auth_token(*context, message))?;
            }
            Call::MakeSignature { context, .. } => {
                lend(&mut outcome.output, |message| package.make_signature(*context, message))?;
            }
            Call::VerifySignature { context, .. } => {
                lend(&mut outcome.output, |message| package.verify_signature(*context, message))?;
            }
            Call::EncryptMessage { context, .. } => {
                lend(&mut outcome.output, |message| package.encrypt_message(*context, message))?;
            }
            Call::DecryptMessage { context, .. } => {
                let protection = lend(&mut outcome.output, |message| package.decrypt_message(*context, message))?;
                outcome.quality = Some(protection.bits());
            }
            Call::QueryContextAttributes { context, attribute } => {
                outcome.attribute = Some(judged(package.query_context_attributes(*context, *attribute)?));
            }
            Call::DeleteSecurityContext { context } => package.delete_security_context(*context)?,
        }
        Ok(())
    }
}

/// An attribute as far as it is judged.
fn judged(attribute: ContextAttribute) -> Attribute {
    match attribute {
        ContextAttribute::Names { user_name } => Attribute::Names(user_name),
        ContextAttribute::Sizes { max_signature, block_size, security_trailer, .. } => {
            Attribute::Sizes { maximum_signature: max_signature, block_size, security_trailer }
        }
        ContextAttribute::StreamSizes { header, trailer, maximum_message, buffers, block_size } => {
            Attribute::StreamSizes { header, trailer, maximum_message, buffers, block_size }
        }
        ContextAttribute::KeyInfo { signature_algorithm, encrypt_algorithm, key_size } => Attribute::KeyInfo {
            signature_algorithm: signature_algorithm.to_owned(),
            encryption_algorithm: encrypt_algorithm.to_owned(),
            key_size,
        },
        ContextAttribute::SessionKey(key) => Attribute::SessionKey(SessionKeyBytes(key.to_vec())),
        ContextAttribute::ClientSpecifiedTarget(target) => Attribute::ClientSpecifiedTarget(target),
        ContextAttribute::Lifespan { .. } | ContextAttribute::PackageInfo { .. } | ContextAttribute::Flags(_) => {
            Attribute::Other
        }
    }
}

/// Lends an owned descriptor to a call that takes a borrowed one, and takes the written counts back.
fn lend<R>(owned: &mut Option<Descriptor>, call: impl FnOnce(Option<&mut SecBufferDesc<'_, '_>>) -> R) -> R {
    let Some(owned) = owned else { return call(None) };
    let Some(buffers) = &mut owned.buffers else {
        return call(Some(&mut SecBufferDesc { version: owned.version, count: owned.count, buffers: None }));
    };
    let mut borrowed: Vec<SecBuffer<'_>> = buffers
        .iter_mut()
        .map(|buffer| SecBuffer {
            buffer_type: buffer.buffer_type,
            count: buffer.count,
            data: buffer.data.as_deref_mut(),
        })
        .collect();
    let mut descriptor = SecBufferDesc { version: owned.version, count: owned.count, buffers: Some(&mut borrowed) };
    let result = call(Some(&mut descriptor));
    let counts: Vec<_> = borrowed.iter().map(|buffer| (buffer.buffer_type, buffer.count)).collect();
    for (buffer, (buffer_type, count)) in buffers.iter_mut().zip(counts) {
        buffer.buffer_type = buffer_type;
        buffer.count = count;
    }
    result
}

impl Subject for Builtin {
    fn name(&self) -> String {
        format!("digest-ssp {}", env!("CARGO_PKG_VERSION"))
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        Need::ALL.iter().copied().collect()
    }

    fn start(&mut self, setup: &Setup) -> Result<(), SubjectError> {
        if self.accounts.entries != setup.accounts {
            self.accounts = Accounts::of(&setup.accounts);
        }
        (self.package, self.world) = configured(setup, &self.accounts);
        self.given = Memory::default();
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, SubjectError> {
        let mut outcome = Outcome::untouched(SecurityStatus::SEC_E_OK, call);
        if let Err(failure) = self.make(call, &mut outcome) {
            outcome.status = failure.status;
        }
        Ok(outcome)
    }

    fn advance(&mut self, milliseconds: u64) -> Result<(), SubjectError> {
        self.world.with(|world| world.now = world.now.saturating_add(milliseconds));
        Ok(())
    }

    fn inject(&mut self, fault: EnvironmentFault) -> Result<(), SubjectError> {
        self.world.with(|world| world.fault = fault);
        Ok(())
    }

    fn take_accounts_down(&mut self, down: bool) -> Result<(), SubjectError> {
        self.world.with(|world| world.accounts_down = down);
        Ok(())
    }

    fn spend_counts(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.package
            .advance_nonce_count(Some(context), u32::MAX)
            .map_err(|failure| SubjectError::Errored(failure.to_string()))
    }

    fn spend_sequences(&mut self, context: SecHandle) -> Result<(), SubjectError> {
        self.package.spend_sequence_numbers(Some(context)).map_err(|failure| SubjectError::Errored(failure.to_string()))
    }

    fn foreign_handle(&mut self) -> Result<SecHandle, SubjectError> {
        if let Some(foreign) = &self.foreign {
            return Ok(foreign.context);
        }
        let foreign = Foreign::new().map_err(|failure| SubjectError::Errored(failure.to_string()))?;
        Ok(self.foreign.insert(foreign).context)
    }
}
