//! A shared library that is wrong on purpose: the subjects of `conformance::subject::faulty` behind the functions of
//! SSPI, and behind `DigestSspControl`.
//!
//! `DIGEST_SSP_FAULT` names the fault. It is for tests of the loader: one thread, no errors of a caller besides those
//! that the suite makes.
#![allow(unsafe_code, reason = "a library for programs in C")]
#![allow(non_snake_case, reason = "the names are those of the Windows headers")]

use core::ffi::c_void;
use core::ptr::null_mut;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use digest_ssp::buffer::{BufferType, SECBUFFER_VERSION, SecHandle};
use digest_ssp::conformance::protocol::{self, Answer, Request};
use digest_ssp::conformance::subject::oracle::Oracle;
use digest_ssp::conformance::subject::{Subject, SubjectError, faulty};
use digest_ssp::spec::call::{Attribute, AuthIdentity, Buffer, Descriptor, PackageInfo};
use digest_ssp::spec::{Call, Outcome, Specification};
use windows_sys::Win32::Security::Authentication::Identity as c;
use windows_sys::Win32::Security::Credentials::SecHandle as Handle;
use windows_sys::Win32::System::Rpc::SEC_WINNT_AUTH_IDENTITY_W;

/// What is answered where the subject has no answer: no status of SSPI.
const NO_ANSWER: i32 = 0x2BAD_0BAD;

thread_local! {
    static SUBJECT: RefCell<Option<Box<dyn Subject>>> = const { RefCell::new(None) };
    /// What the subject has for the memory at an address, also after it was freed.
    static BLOCKS: RefCell<BTreeMap<usize, SecHandle>> = const { RefCell::new(BTreeMap::new()) };
    /// The addresses of other memory that a caller gives back.
    static GIVEN: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
}

fn with_subject<R>(work: impl FnOnce(&mut dyn Subject) -> R) -> Option<R> {
    SUBJECT.with_borrow_mut(|subject| {
        if subject.is_none() {
            let name = std::env::var("DIGEST_SSP_FAULT").ok()?;
            let specification = Arc::new(Specification::embedded().ok()?);
            *subject = Some(match name.as_str() {
                // What it is but for its fault.
                "none" => Box::new(Oracle::new(specification)),
                name => faulty::all().find(|fault| fault.name == name)?.subject(&specification),
            });
        }
        Some(work(subject.as_deref_mut()?))
    })
}

/// # Safety
/// As DigestSspControl of the loader.
#[unsafe(no_mangle)]
unsafe extern "C" fn DigestSspControl(request: *const u8, length: u32, answer: *mut u8, room: *mut u32) -> i32 {
    // SAFETY: the loader gives a request of that length.
    let request = unsafe { core::slice::from_raw_parts(request, length as usize) };
    let answered = match serde_json::from_slice::<Request>(request) {
        Ok(request) => {
            if matches!(request, Request::Start { .. }) {
                // A subject that starts over may begin with the same numbers.
                BLOCKS.take();
            }
            with_subject(|subject| protocol::answer(subject, request))
        }
        Err(error) => Some(Answer::Error { message: error.to_string() }),
    };
    let message = || Answer::Error { message: "DIGEST_SSP_FAULT names no fault".into() };
    let Ok(bytes) = serde_json::to_vec(&answered.unwrap_or_else(message)) else { return -1 };
    // SAFETY: the loader gives the room and its length.
    unsafe {
        if bytes.len() > *room as usize {
            return -1;
        }
        answer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        *room = bytes.len() as u32;
    }
    0
}

/// The table that everybody gets: whoever asks again gets no other, and nobody has to give it back.
struct Table(c::SecurityFunctionTableW);

// SAFETY: its reserved pointers are NULL, and nobody writes it.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table(c::SecurityFunctionTableW {
        dwVersion: 1,
        AcquireCredentialsHandleW: Some(acquire),
        FreeCredentialsHandle: Some(free_credentials),
        EnumerateSecurityPackagesW: Some(enumerate),
        QuerySecurityPackageInfoW: Some(query_package),
        InitializeSecurityContextW: Some(initialize),
        AcceptSecurityContext: Some(accept),
        CompleteAuthToken: Some(complete),
        DeleteSecurityContext: Some(delete),
        QueryContextAttributesW: Some(query),
        MakeSignature: Some(make_signature),
        VerifySignature: Some(verify_signature),
        FreeContextBuffer: Some(free_buffer),
        EncryptMessage: Some(encrypt),
        DecryptMessage: Some(decrypt),
        ..Default::default()
    })
});

#[unsafe(no_mangle)]
extern "system" fn InitSecurityInterfaceW() -> *mut c::SecurityFunctionTableW {
    (&raw const TABLE.0).cast_mut()
}

// --- What a caller gives

/// # Safety
/// NULL, or a handle.
unsafe fn handle(at: *const Handle) -> Option<SecHandle> {
    // SAFETY: that is what the caller of this function says.
    let handle = unsafe { at.as_ref() }?;
    Some(SecHandle { lower: handle.dwLower as u64, upper: handle.dwUpper as u64 })
}

/// # Safety
/// NULL, or a text that ends with a NUL.
unsafe fn text(at: *const u16) -> Option<String> {
    if at.is_null() {
        return None;
    }
    let mut units = Vec::new();
    // SAFETY: that is what the caller of this function says, and no NUL was before.
    while let unit @ 1.. = unsafe { at.add(units.len()).read() } {
        units.push(unit);
    }
    Some(String::from_utf16_lossy(&units))
}

/// # Safety
/// NULL, or so many characters.
unsafe fn part(at: *const u16, length: u32) -> String {
    // SAFETY: that is what the caller of this function says.
    let units = (0..length as usize).filter(|_| !at.is_null()).map(|index| unsafe { at.add(index).read_unaligned() });
    String::from_utf16_lossy(&units.collect::<Vec<u16>>())
}

/// # Safety
/// NULL, or a descriptor whose buffers are there.
unsafe fn descriptor(at: *const c::SecBufferDesc) -> Option<Descriptor> {
    // SAFETY: that is what the caller of this function says.
    let c::SecBufferDesc { ulVersion: version, cBuffers: count, pBuffers: buffers } = *unsafe { at.as_ref() }?;
    let read = |index: u32| {
        // SAFETY: as above.
        let buffer = unsafe { *buffers.add(index as usize) };
        let data = (!buffer.pvBuffer.is_null()).then(|| {
            // SAFETY: as above.
            unsafe { core::slice::from_raw_parts(buffer.pvBuffer.cast::<u8>(), buffer.cbBuffer as usize) }.to_vec()
        });
        Buffer { buffer_type: BufferType(buffer.BufferType), count: buffer.cbBuffer, data }
    };
    let is_read = !buffers.is_null() && version == SECBUFFER_VERSION;
    let buffers = if is_read { Some((0..count).map(read).collect()) } else { None };
    Some(Descriptor { version, count, buffers })
}

// --- What a caller gets back

/// Writes what differs.
///
/// # Safety
/// `before` was read from there.
unsafe fn write_back(at: *mut c::SecBufferDesc, before: Option<&Descriptor>, after: Option<&Descriptor>) {
    let (Some(before), Some(after)) = (before, after) else { return };
    // SAFETY: that is what the caller of this function says, for all that follows.
    unsafe {
        (*at).ulVersion = after.version;
        (*at).cBuffers = after.count;
        let pairs = before.buffers.iter().flatten().zip(after.buffers.iter().flatten());
        for (index, (before, after)) in pairs.enumerate().filter(|(_, (before, after))| before != after) {
            let buffer = &mut *(*at).pBuffers.add(index);
            buffer.cbBuffer = after.count;
            buffer.BufferType = after.buffer_type.0;
            match (&before.data, &after.data) {
                (Some(old), Some(new)) => {
                    let length = old.len().min(new.len());
                    buffer.pvBuffer.cast::<u8>().copy_from_nonoverlapping(new.as_ptr(), length);
                }
                (_, None) => buffer.pvBuffer = null_mut(),
                (None, Some(new)) => buffer.pvBuffer = given(new.clone()).cast(),
            }
        }
    }
}

fn outcome(call: &Call) -> Option<Outcome> {
    with_subject(|subject| subject.call(call))?.map_err(|error: SubjectError| eprintln!("{error}")).ok()
}

/// # Safety
/// Each is NULL, or can be written.
unsafe fn results(outcome: &Outcome, new: *mut Handle, granted: *mut u32, expiry: *mut i64) -> i32 {
    let handle = outcome.handle.unwrap_or_default();
    // SAFETY: that is what the caller of this function says.
    unsafe {
        if let Some(new) = new.as_mut() {
            *new = Handle { dwLower: handle.lower as usize, dwUpper: handle.upper as usize };
        }
        if let (Some(to), Some(granted)) = (granted.as_mut(), outcome.granted) {
            *to = granted;
        }
        if let Some(to) = expiry.as_mut() {
            // What a subject in Rust may leave out, a variable in C has: the one constant that every expiry is.
            *to = outcome.expiry.map_or(i64::MAX, u64::cast_signed);
        }
    }
    outcome.status.0.cast_signed()
}

fn wide(text: &str) -> *mut u16 {
    given(text.encode_utf16().chain([0]).collect())
}

/// Memory that the subject knows nothing of.
fn given<T>(values: Vec<T>) -> *mut T {
    let at = values.leak().as_mut_ptr();
    GIVEN.with_borrow_mut(|given| given.insert(at.addr()));
    at
}

// --- The functions. Their callers keep to the documents.

unsafe extern "system" fn acquire(
    principal: *mut u16,
    package: *mut u16,
    credential_use: u32,
    logon_id: *mut c_void,
    identity: *mut c_void,
    _get_key: c::SEC_GET_KEY_FN,
    _argument: *mut c_void,
    credential: *mut Handle,
    expiry: *mut i64,
) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let identity = identity.cast::<SEC_WINNT_AUTH_IDENTITY_W>().as_ref().map(|identity| AuthIdentity {
            user: part(identity.User, identity.UserLength),
            domain: part(identity.Domain, identity.DomainLength),
            password: part(identity.Password, identity.PasswordLength),
        });
        let call = Call::AcquireCredentialsHandle {
            principal: text(principal),
            package: text(package).unwrap_or_default(),
            credential_use,
            logon_id: (!logon_id.is_null()).then(|| logon_id.cast::<u64>().read_unaligned()),
            identity,
        };
        outcome(&call).map_or(NO_ANSWER, |outcome| results(&outcome, credential, null_mut(), expiry))
    }
}

unsafe extern "system" fn free_credentials(credential: *mut Handle) -> i32 {
    // SAFETY: the caller keeps to the documents.
    let call = Call::FreeCredentialsHandle { credential: unsafe { handle(credential) } };
    outcome(&call).map_or(NO_ANSWER, |outcome| outcome.status.0.cast_signed())
}

unsafe extern "system" fn delete(context: *mut Handle) -> i32 {
    // SAFETY: the caller keeps to the documents.
    let call = Call::DeleteSecurityContext { context: unsafe { handle(context) } };
    outcome(&call).map_or(NO_ANSWER, |outcome| outcome.status.0.cast_signed())
}

unsafe extern "system" fn initialize(
    credential: *mut Handle,
    context: *mut Handle,
    target: *mut u16,
    requirements: u32,
    _reserved: u32,
    _representation: u32,
    input: *mut c::SecBufferDesc,
    _reserved_too: u32,
    new: *mut Handle,
    output: *mut c::SecBufferDesc,
    granted: *mut u32,
    expiry: *mut i64,
) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::InitializeSecurityContext {
            credential: handle(credential),
            context: handle(context),
            target_name: text(target).map(String::into_bytes),
            requirements,
            input: descriptor(input),
            output: descriptor(output),
        };
        establish(&call, input, output, new, granted, expiry)
    }
}

unsafe extern "system" fn accept(
    credential: *mut Handle,
    context: *mut Handle,
    input: *mut c::SecBufferDesc,
    requirements: u32,
    _representation: u32,
    new: *mut Handle,
    output: *mut c::SecBufferDesc,
    granted: *mut u32,
    expiry: *mut i64,
) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::AcceptSecurityContext {
            credential: handle(credential),
            context: handle(context),
            requirements,
            input: descriptor(input),
            output: descriptor(output),
        };
        establish(&call, input, output, new, granted, expiry)
    }
}

/// # Safety
/// The descriptors of the call were read from there; everything else is NULL or can be written.
unsafe fn establish(
    call: &Call,
    input: *mut c::SecBufferDesc,
    output: *mut c::SecBufferDesc,
    new: *mut Handle,
    granted: *mut u32,
    expiry: *mut i64,
) -> i32 {
    let Some(outcome) = outcome(call) else { return NO_ANSWER };
    // SAFETY: that is what the caller of this function says.
    unsafe {
        write_back(input, call.input(), outcome.input.as_ref());
        write_back(output, call.output(), outcome.output.as_ref());
        results(&outcome, new, granted, expiry)
    }
}

/// # Safety
/// The message of the call was read from there; the quality is NULL or can be written.
unsafe fn in_place(call: &Call, message: *mut c::SecBufferDesc, quality: *mut u32) -> i32 {
    let Some(outcome) = outcome(call) else { return NO_ANSWER };
    // SAFETY: that is what the caller of this function says.
    unsafe {
        write_back(message, call.output(), outcome.output.as_ref());
        if let (Some(to), Some(quality)) = (quality.as_mut(), outcome.quality) {
            *to = quality;
        }
    }
    outcome.status.0.cast_signed()
}

unsafe extern "system" fn complete(context: *mut Handle, token: *mut c::SecBufferDesc) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::CompleteAuthToken { context: handle(context), token: descriptor(token) };
        in_place(&call, token, null_mut())
    }
}

unsafe extern "system" fn make_signature(context: *mut Handle, _: u32, message: *mut c::SecBufferDesc, _: u32) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::MakeSignature { context: handle(context), message: descriptor(message) };
        in_place(&call, message, null_mut())
    }
}

unsafe extern "system" fn verify_signature(
    context: *mut Handle,
    message: *mut c::SecBufferDesc,
    _: u32,
    quality: *mut u32,
) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::VerifySignature { context: handle(context), message: descriptor(message) };
        in_place(&call, message, quality)
    }
}

unsafe extern "system" fn encrypt(context: *mut Handle, _: u32, message: *mut c::SecBufferDesc, _: u32) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::EncryptMessage { context: handle(context), message: descriptor(message) };
        in_place(&call, message, null_mut())
    }
}

unsafe extern "system" fn decrypt(
    context: *mut Handle,
    message: *mut c::SecBufferDesc,
    _: u32,
    quality: *mut u32,
) -> i32 {
    // SAFETY: the caller keeps to the documents.
    unsafe {
        let call = Call::DecryptMessage { context: handle(context), message: descriptor(message) };
        in_place(&call, message, quality)
    }
}

unsafe extern "system" fn query(context: *mut Handle, attribute: u32, to: *mut c_void) -> i32 {
    // SAFETY: the caller keeps to the documents.
    let call = Call::QueryContextAttributes { context: unsafe { handle(context) }, attribute };
    let Some(outcome) = outcome(&call) else { return NO_ANSWER };
    // SAFETY: the caller has the structure of the attribute there.
    unsafe {
        match &outcome.attribute {
            Some(Attribute::Names(name)) => {
                to.cast::<c::SecPkgContext_NamesW>().write(c::SecPkgContext_NamesW { sUserName: wide(name) });
            }
            Some(Attribute::ClientSpecifiedTarget(name)) => {
                let target = c::SecPkgContext_ClientSpecifiedTarget { sTargetName: wide(name) };
                to.cast::<c::SecPkgContext_ClientSpecifiedTarget>().write(target);
            }
            Some(Attribute::Sizes { maximum_signature, block_size, security_trailer }) => {
                to.cast::<c::SecPkgContext_Sizes>().write(c::SecPkgContext_Sizes {
                    cbMaxToken: 0,
                    cbMaxSignature: *maximum_signature,
                    cbBlockSize: *block_size,
                    cbSecurityTrailer: *security_trailer,
                });
            }
            Some(Attribute::StreamSizes { header, trailer, maximum_message, buffers, block_size }) => {
                to.cast::<c::SecPkgContext_StreamSizes>().write(c::SecPkgContext_StreamSizes {
                    cbHeader: *header,
                    cbTrailer: *trailer,
                    cbMaximumMessage: *maximum_message,
                    cBuffers: *buffers,
                    cbBlockSize: *block_size,
                });
            }
            Some(Attribute::KeyInfo { signature_algorithm, encryption_algorithm, key_size }) => {
                to.cast::<c::SecPkgContext_KeyInfoW>().write(c::SecPkgContext_KeyInfoW {
                    sSignatureAlgorithmName: wide(signature_algorithm),
                    sEncryptAlgorithmName: wide(encryption_algorithm),
                    KeySize: *key_size,
                    SignatureAlgorithm: 0,
                    EncryptAlgorithm: 0,
                });
            }
            Some(Attribute::SessionKey(key)) => {
                to.cast::<c::SecPkgContext_SessionKey>().write(c::SecPkgContext_SessionKey {
                    SessionKeyLength: key.0.len() as u32,
                    SessionKey: given(key.0.clone()),
                });
            }
            Some(Attribute::Packages(_) | Attribute::Other) | None => {}
        }
    }
    outcome.status.0.cast_signed()
}

unsafe extern "system" fn enumerate(count: *mut u32, packages: *mut *mut c::SecPkgInfoW) -> i32 {
    let Some(outcome) = outcome(&Call::EnumerateSecurityPackages {}) else { return NO_ANSWER };
    // SAFETY: the caller keeps to the documents.
    unsafe {
        *count = match &outcome.attribute {
            Some(Attribute::Packages(packages)) => packages.len() as u32,
            _none => 0,
        };
        *packages = block(&outcome);
    }
    outcome.status.0.cast_signed()
}

unsafe extern "system" fn query_package(name: *mut u16, package: *mut *mut c::SecPkgInfoW) -> i32 {
    // SAFETY: the caller keeps to the documents.
    let call = Call::QuerySecurityPackageInfo { package: unsafe { text(name) }.unwrap_or_default() };
    let Some(outcome) = outcome(&call) else { return NO_ANSWER };
    // SAFETY: as above.
    unsafe { *package = block(&outcome) };
    outcome.status.0.cast_signed()
}

/// The memory that a handle stands for: what is there already, or new memory with what is told of packages.
fn block(outcome: &Outcome) -> *mut c::SecPkgInfoW {
    let Some(handle) = outcome.handle else { return null_mut() };
    let told = match &outcome.attribute {
        Some(Attribute::Packages(packages)) => packages.as_slice(),
        _none => &[],
    };
    let known = BLOCKS.with_borrow(|blocks| blocks.iter().find(|(_, known)| **known == handle).map(|(at, _)| *at));
    if let Some(address) = known {
        return core::ptr::with_exposed_provenance_mut(address);
    }
    let info = |package: &PackageInfo| c::SecPkgInfoW {
        fCapabilities: package.capabilities,
        wVersion: package.version,
        wRPCID: package.rpc_id,
        cbMaxToken: package.maximum_token,
        Name: wide(&package.name),
        Comment: null_mut(),
    };
    // Room for one more, so that an array of none has an address of its own.
    let mut array: Vec<c::SecPkgInfoW> = Vec::with_capacity(told.len() + 1);
    array.extend(told.iter().map(info));
    let at = array.leak().as_mut_ptr();
    BLOCKS.with_borrow_mut(|blocks| blocks.insert(at.expose_provenance(), handle));
    at
}

/// What is given away is never taken back: a test ends soon. Memory that the subject did not give away, texts and keys, it
/// is not asked about.
unsafe extern "system" fn free_buffer(memory: *mut c_void) -> i32 {
    if GIVEN.with_borrow(|given| given.contains(&memory.addr())) {
        return 0;
    }
    let foreign = || SecHandle { lower: memory.addr() as u64, upper: 0 };
    let known = BLOCKS.with_borrow(|blocks| blocks.get(&memory.addr()).copied());
    let block = (!memory.is_null()).then(|| known.unwrap_or_else(foreign));
    outcome(&Call::FreeContextBuffer { block }).map_or(NO_ANSWER, |outcome| outcome.status.0.cast_signed())
}
