//! Strings, buffers and a whole exchange, as C has them.

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use std::sync::OnceLock;

use digest_ssp::capi::*;

// chris: `printf chris:digest-ssp:secret | md5sum`. The second is `printf 'j\xfcrgen:digest-ssp:p\xe4ss' | md5sum`.
pub(crate) const ACCOUNTS: &str =
    "chris:digest-ssp:f77f53a6a556e7c108ca6557ce059ad1\nj\u{fc}rgen:digest-ssp:610f630c2cf9e6e0f023359993984c5b\n";

/// The accounts are read once in a process, so all tests have the same.
pub(crate) fn accounts() {
    static ACCOUNTS_FILE: OnceLock<()> = OnceLock::new();
    ACCOUNTS_FILE.get_or_init(|| {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("capi_accounts");
        std::fs::write(&path, ACCOUNTS).expect("the target directory can be written");
        // SAFETY: every test begins here, so nobody reads the environment meanwhile other than through std.
        unsafe { std::env::set_var(ACCOUNTS_VARIABLE, path) };
    });
}

pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

/// What stands before the NUL.
pub(crate) fn wide_text(mut at: *const u16) -> String {
    let mut units = Vec::new();
    // SAFETY: the package ends its strings with a NUL.
    while let unit @ 1.. = unsafe { at.read() } {
        units.push(unit);
        at = at.wrapping_add(1);
    }
    String::from_utf16(&units).expect("the package writes UTF-16")
}

pub(crate) fn text(at: *const SEC_CHAR) -> String {
    // SAFETY: the package ends its strings with a NUL.
    let text = unsafe { core::ffi::CStr::from_ptr(at) };
    text.to_str().expect("the package writes UTF-8").to_owned()
}

pub(crate) fn buffer(kind: u32, memory: &mut [u8]) -> SecBuffer {
    let count = u32::try_from(memory.len()).expect("the tests have short buffers");
    SecBuffer { cbBuffer: count, BufferType: kind, pvBuffer: memory.as_mut_ptr().cast() }
}

pub(crate) fn descriptor(buffers: &mut [SecBuffer]) -> SecBufferDesc {
    let count = u32::try_from(buffers.len()).expect("the tests have few buffers");
    SecBufferDesc { ulVersion: SECBUFFER_VERSION, cBuffers: count, pBuffers: buffers.as_mut_ptr() }
}

pub(crate) fn of(buffer: &SecBuffer) -> Vec<u8> {
    // SAFETY: the tests' buffers have their bytes.
    unsafe { core::slice::from_raw_parts(buffer.pvBuffer.cast::<u8>(), buffer.cbBuffer as usize) }.to_vec()
}

pub(crate) const NOTHING: SecHandle = SecHandle { dwLower: 0, dwUpper: 0 };
pub(crate) const INVALID: SecHandle = SecHandle { dwLower: usize::MAX, dwUpper: usize::MAX };

pub(crate) fn acquire(credential_use: u32, identity: *const c_void) -> (SECURITY_STATUS, CredHandle) {
    let (mut package, mut credential) = (wide("WDigest"), NOTHING);
    // SAFETY: everything is what the function takes.
    let status = unsafe {
        AcquireCredentialsHandleW(
            null_mut(),
            package.as_mut_ptr(),
            credential_use,
            null_mut(),
            identity.cast_mut(),
            None,
            null_mut(),
            &mut credential,
            null_mut(),
        )
    };
    (status, credential)
}

pub(crate) struct Identity {
    user: Vec<u16>,
    password: Vec<u16>,
}

impl Identity {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self { user: user.encode_utf16().collect(), password: password.encode_utf16().collect() }
    }

    pub(crate) fn plain(&mut self) -> SEC_WINNT_AUTH_IDENTITY_W {
        SEC_WINNT_AUTH_IDENTITY_W {
            User: self.user.as_mut_ptr(),
            UserLength: self.user.len() as u32,
            Domain: null_mut(),
            DomainLength: 0,
            Password: self.password.as_mut_ptr(),
            PasswordLength: self.password.len() as u32,
            Flags: SEC_WINNT_AUTH_IDENTITY_UNICODE,
        }
    }
}

/// A SASL exchange that is over, under auth-int.
pub(crate) struct Pair {
    pub(crate) server: CredHandle,
    pub(crate) client: CredHandle,
    pub(crate) accepting: CtxtHandle,
    pub(crate) initiating: CtxtHandle,
}

impl Pair {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        accounts();
        let (status, server) = acquire(SECPKG_CRED_INBOUND, null());
        assert_eq!(status, SEC_E_OK);
        let mut identity = Identity::new(user, password);
        let identity = identity.plain();
        let (status, client) = acquire(SECPKG_CRED_OUTBOUND, (&raw const identity).cast());
        assert_eq!(status, SEC_E_OK);
        let mut pair = Self { server, client, accepting: NOTHING, initiating: NOTHING };
        let (mut challenge, mut response, mut proof) = ([0; 2048], [0; 4096], [0; 40]);
        let mut challenge = buffer(SECBUFFER_TOKEN, &mut challenge);
        let mut response = buffer(SECBUFFER_TOKEN, &mut response);
        let mut proof = buffer(SECBUFFER_TOKEN, &mut proof);
        assert_eq!(pair.accept(None, &mut challenge), SEC_I_CONTINUE_NEEDED);
        assert_eq!(pair.initialize(&mut challenge, Some(&mut response)), SEC_I_CONTINUE_NEEDED);
        assert_eq!(pair.accept(Some(&mut response), &mut proof), SEC_E_OK);
        assert_eq!(pair.initialize(&mut proof, None), SEC_E_OK);
        pair
    }

    pub(crate) fn accept(&mut self, input: Option<&mut SecBuffer>, output: &mut SecBuffer) -> SECURITY_STATUS {
        let existing = if self.accepting == NOTHING { null_mut() } else { &raw mut self.accepting };
        let mut input = input.map(|token| descriptor(core::slice::from_mut(token)));
        let input = input.as_mut().map_or(null_mut(), |input| &raw mut *input);
        let mut output = descriptor(core::slice::from_mut(output));
        let flags = ASC_REQ_INTEGRITY;
        // SAFETY: everything is what the function takes.
        unsafe {
            let context = &raw mut self.accepting;
            AcceptSecurityContext(
                &mut self.server,
                existing,
                input,
                flags,
                0,
                context,
                &mut output,
                null_mut(),
                null_mut(),
            )
        }
    }

    pub(crate) fn initialize(&mut self, input: &mut SecBuffer, output: Option<&mut SecBuffer>) -> SECURITY_STATUS {
        let mut target = wide("imap/host");
        let existing = if self.initiating == NOTHING { null_mut() } else { &raw mut self.initiating };
        let mut input = descriptor(core::slice::from_mut(input));
        let mut output = output.map(|token| descriptor(core::slice::from_mut(token)));
        let output = output.as_mut().map_or(null_mut(), |output| &raw mut *output);
        // SAFETY: everything is what the function takes.
        unsafe {
            let context = &raw mut self.initiating;
            InitializeSecurityContextW(
                &mut self.client,
                existing,
                target.as_mut_ptr(),
                ISC_REQ_INTEGRITY,
                0,
                0,
                &mut input,
                0,
                context,
                output,
                null_mut(),
                null_mut(),
            )
        }
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self::new("chris", "secret")
    }
}
