//! The C ABI called as C calls it: every error that a pointer, a handle, a string or a descriptor can be.
#![cfg(feature = "capi")]
#![allow(unsafe_code, reason = "calls functions that take raw pointers")]

mod capi_support;

use core::ffi::c_void;
use core::ptr::{null, null_mut};

use capi_support::*;
use digest_ssp::capi::*;

/// A call that takes a context and a message.
type OnMessage = (&'static str, fn(*mut CtxtHandle, *mut SecBufferDesc) -> SECURITY_STATUS);

const ON_MESSAGE: [OnMessage; 5] = [
    // SAFETY of all: NULL, or everything is what the function takes.
    ("CompleteAuthToken", |context, message| unsafe { CompleteAuthToken(context, message) }),
    ("MakeSignature", |context, message| unsafe { MakeSignature(context, 0, message, 0) }),
    ("VerifySignature", |context, message| unsafe { VerifySignature(context, message, 0, null_mut()) }),
    ("EncryptMessage", |context, message| unsafe { EncryptMessage(context, 0, message, 0) }),
    ("DecryptMessage", |context, message| unsafe { DecryptMessage(context, message, 0, null_mut()) }),
];

fn query(context: *mut CtxtHandle, attribute: u32, into: *mut c_void) -> [SECURITY_STATUS; 2] {
    // SAFETY: NULL, or everything is what the function takes.
    unsafe { [QueryContextAttributesA(context, attribute, into), QueryContextAttributesW(context, attribute, into)] }
}

fn delete(mut context: CtxtHandle) -> SECURITY_STATUS {
    // SAFETY: a handle is there.
    unsafe { DeleteSecurityContext(&mut context) }
}

fn free(memory: *mut c_void) -> SECURITY_STATUS {
    // SAFETY: nobody uses it any more.
    unsafe { FreeContextBuffer(memory) }
}

#[test]
fn handles_that_name_nothing() {
    let mut pair = Pair::default();
    let deleted = Pair::default();
    assert_eq!(delete(deleted.accepting), SEC_E_OK);
    let forged = CtxtHandle { dwLower: pair.accepting.dwLower ^ 1 << 40, ..pair.accepting };
    for handle in [None, Some(NOTHING), Some(INVALID), Some(forged), Some(deleted.accepting), Some(pair.server)] {
        let mut handle = handle;
        let context = handle.as_mut().map_or(null_mut(), |handle| &raw mut *handle);
        for (name, call) in ON_MESSAGE {
            assert_eq!(call(context, null_mut()), SEC_E_INVALID_HANDLE, "{name} {handle:?}");
        }
        assert_eq!(query(context, SECPKG_ATTR_SIZES, null_mut()), [SEC_E_INVALID_HANDLE; 2]);
        // SAFETY: NULL, or a handle is there.
        let quality = unsafe { [MakeSignature(context, 1, null_mut(), 0), EncryptMessage(context, 1, null_mut(), 0)] };
        assert_eq!(quality, [SEC_E_INVALID_HANDLE; 2]);
        let expected = if handle == Some(deleted.accepting) { SEC_E_OK } else { SEC_E_INVALID_HANDLE };
        // SAFETY: NULL, or a handle is there.
        assert_eq!(unsafe { DeleteSecurityContext(context) }, expected);
    }
    let mut freed = deleted.client;
    // SAFETY: a handle is there.
    assert_eq!(unsafe { FreeCredentialsHandle(&mut freed) }, SEC_E_OK);
    for handle in [None, Some(NOTHING), Some(INVALID), Some(freed), Some(pair.accepting)] {
        let mut handle = handle;
        let credential = handle.as_mut().map_or(null_mut(), |handle| &raw mut *handle);
        // Whatever stood there before.
        let mut context = INVALID;
        // SAFETY: NULL, or everything is what the functions take.
        unsafe {
            assert_eq!(FreeCredentialsHandle(credential), SEC_E_INVALID_HANDLE);
            let accepted = AcceptSecurityContext(
                credential,
                null_mut(),
                null_mut(),
                0,
                0,
                &mut context,
                null_mut(),
                null_mut(),
                null_mut(),
            );
            assert_eq!(accepted, SEC_E_NO_CREDENTIALS, "{handle:?}");
        }
        assert_eq!(context, NOTHING);
    }
    // An acceptor's credentials are no initiator's.
    pair.initiating = NOTHING;
    pair.client = pair.server;
    let mut token = buffer(SECBUFFER_TOKEN, &mut []);
    assert_eq!(pair.initialize(&mut token, None), SEC_E_NO_CREDENTIALS);
}

#[test]
fn descriptors_that_are_malformed() {
    let mut pair = Pair::default();
    let mut memory = [0; 64];
    let good = buffer(SECBUFFER_DATA, &mut memory);
    let mut many = vec![good; 65];
    let mut lying = [SecBuffer { pvBuffer: null_mut(), ..good }];
    let mut one = [good];
    let whole = descriptor(&mut one);
    for (name, malformed) in [
        ("version", SecBufferDesc { ulVersion: 1, ..whole }),
        ("version, and nothing behind it", SecBufferDesc { ulVersion: 7, cBuffers: 9, pBuffers: null_mut() }),
        ("no buffers", SecBufferDesc { pBuffers: null_mut(), ..whole }),
        ("more than any layout has", descriptor(&mut many)),
        ("more than there can be", SecBufferDesc { cBuffers: u32::MAX, ..whole }),
        ("NULL with a length", descriptor(&mut lying)),
    ] {
        let mut malformed = malformed;
        for (call_name, call) in &ON_MESSAGE[1..] {
            assert_eq!(call(&mut pair.accepting, &mut malformed), SEC_E_INVALID_TOKEN, "{call_name}: {name}");
        }
        for (input, output) in [(&raw mut malformed, null_mut()), (null_mut(), &raw mut malformed)] {
            let (mut accepted, mut initialized, mut target) = (INVALID, INVALID, bytes("imap/host"));
            // SAFETY: everything is what the functions take, or malformed in a way that they tell.
            unsafe {
                let results = (null_mut(), null_mut());
                let (server, client) = (&raw mut pair.server, &raw mut pair.client);
                let status = AcceptSecurityContext(
                    server,
                    null_mut(),
                    input,
                    ASC_REQ_INTEGRITY,
                    0,
                    &mut accepted,
                    output,
                    results.0,
                    results.1,
                );
                assert_eq!(status, SEC_E_INVALID_TOKEN, "AcceptSecurityContext: {name}");
                let status = InitializeSecurityContextA(
                    client,
                    null_mut(),
                    target.as_mut_ptr().cast(),
                    ISC_REQ_INTEGRITY,
                    0,
                    0,
                    input,
                    0,
                    &mut initialized,
                    output,
                    results.0,
                    results.1,
                );
                assert_eq!(status, SEC_E_INVALID_TOKEN, "InitializeSecurityContext: {name}");
            }
            assert_eq!([accepted, initialized], [NOTHING; 2]);
        }
    }
    // No descriptor at all, and one of nothing.
    let mut empty = SecBufferDesc { ulVersion: SECBUFFER_VERSION, cBuffers: 0, pBuffers: null_mut() };
    for (name, call) in &ON_MESSAGE[1..] {
        for message in [null_mut(), &raw mut empty] {
            assert_eq!(call(&mut pair.accepting, message), SEC_E_INVALID_TOKEN, "{name}");
        }
    }
    assert_eq!((ON_MESSAGE[0].1)(&mut pair.accepting, &mut empty), SEC_E_OUT_OF_SEQUENCE);
}

#[test]
fn results_need_a_place() {
    let mut pair = Pair::default();
    let mut package = bytes("WDigest");
    let mut wide_package = wide("WDigest");
    let mut count = 0;
    let mut info: *mut SecPkgInfoA = null_mut();
    // SAFETY: NULL, or everything is what the functions take.
    let statuses = unsafe {
        let acquired = AcquireCredentialsHandleA(
            null_mut(),
            package.as_mut_ptr().cast(),
            SECPKG_CRED_INBOUND,
            null_mut(),
            null_mut(),
            None,
            null_mut(),
            null_mut(),
            null_mut(),
        );
        let nowhere = null_mut();
        let accepted = AcceptSecurityContext(
            &mut pair.server,
            null_mut(),
            null_mut(),
            0,
            0,
            nowhere,
            null_mut(),
            null_mut(),
            null_mut(),
        );
        let mut target = bytes("imap/host");
        let initialized = InitializeSecurityContextA(
            &mut pair.client,
            null_mut(),
            target.as_mut_ptr().cast(),
            0,
            0,
            0,
            null_mut(),
            0,
            nowhere,
            null_mut(),
            null_mut(),
            null_mut(),
        );
        [
            acquired,
            accepted,
            initialized,
            EnumerateSecurityPackagesA(null_mut(), &mut info),
            EnumerateSecurityPackagesA(&mut count, null_mut()),
            EnumerateSecurityPackagesW(null_mut(), null_mut()),
            QuerySecurityPackageInfoA(package.as_mut_ptr().cast(), null_mut()),
            QuerySecurityPackageInfoW(wide_package.as_mut_ptr(), null_mut()),
        ]
    };
    assert_eq!(statuses, [SEC_E_INVALID_PARAMETER; 8]);
    assert!(info.is_null() && count == 0);
    for attribute in [SECPKG_ATTR_SIZES, SECPKG_ATTR_NAMES, SECPKG_ATTR_SESSION_KEY] {
        assert_eq!(query(&mut pair.accepting, attribute, null_mut()), [SEC_E_INVALID_PARAMETER; 2]);
    }
    assert_eq!(query(&mut pair.accepting, 1000, null_mut()), [SEC_E_UNSUPPORTED_FUNCTION; 2]);
}

#[test]
fn package_names_in_both_encodings() {
    let mut credential = NOTHING;
    let mut expiry = LARGE_INTEGER { QuadPart: 0 };
    let inbound = SECPKG_CRED_INBOUND;
    let (none, handle, until) = (null_mut::<c_void>(), &raw mut credential, &raw mut expiry);
    let narrow = |name: *mut u8| {
        // SAFETY: NULL, or a string is there.
        unsafe { AcquireCredentialsHandleA(null_mut(), name.cast(), inbound, none, none, None, none, handle, until) }
    };
    assert_eq!(narrow(null_mut()), SEC_E_SECPKG_NOT_FOUND);
    for (name, expected) in
        [(&b"wdigest\0"[..], SEC_E_OK), (b"Negotiate\0", SEC_E_SECPKG_NOT_FOUND), (b"\xFF\0", SEC_E_SECPKG_NOT_FOUND)]
    {
        assert_eq!(narrow(name.to_vec().as_mut_ptr()), expected, "{name:?}");
    }
    let wider = |name: *mut u16| {
        // SAFETY: NULL, or a string is there.
        unsafe { AcquireCredentialsHandleW(null_mut(), name, inbound, none, none, None, none, handle, until) }
    };
    assert_eq!(wider(null_mut()), SEC_E_SECPKG_NOT_FOUND);
    for (mut name, expected) in
        [(wide("wDIGEST"), SEC_E_OK), (wide("NTLM"), SEC_E_SECPKG_NOT_FOUND), (vec![0xD800, 0], SEC_E_SECPKG_NOT_FOUND)]
    {
        assert_eq!(wider(name.as_mut_ptr()), expected, "{name:?}");
    }
    // SAFETY: both halves were written.
    assert_eq!(unsafe { expiry.QuadPart }, i64::MAX);

    let (mut principal, mut package) = (vec![0xDC00, 0], wide("WDigest"));
    let mut luid = LUID::default();
    // SAFETY: NULL, or everything is what the function takes.
    let [malformed, owned] = unsafe {
        let (package, id) = (package.as_mut_ptr(), (&raw mut luid).cast());
        [
            AcquireCredentialsHandleW(principal.as_mut_ptr(), package, inbound, none, none, None, none, handle, until),
            AcquireCredentialsHandleW(null_mut(), package, inbound, id, none, None, none, handle, until),
        ]
    };
    assert_eq!((malformed, owned), (SEC_E_UNKNOWN_CREDENTIALS, SEC_E_NOT_OWNER));
    assert_eq!(acquire(7, null()).0, SEC_E_UNKNOWN_CREDENTIALS);

    let mut narrow: *mut SecPkgInfoA = null_mut();
    let mut wider: *mut SecPkgInfoW = null_mut();
    let mut count = 0;
    // SAFETY: everything is what the functions take.
    unsafe {
        assert_eq!(QuerySecurityPackageInfoA(null_mut(), &mut narrow), SEC_E_SECPKG_NOT_FOUND);
        assert_eq!(
            QuerySecurityPackageInfoA(bytes("Kerberos").as_mut_ptr().cast(), &mut narrow),
            SEC_E_SECPKG_NOT_FOUND
        );
        assert_eq!(QuerySecurityPackageInfoW([0xD800, 0].as_mut_ptr(), &mut wider), SEC_E_SECPKG_NOT_FOUND);
        assert_eq!(QuerySecurityPackageInfoA(bytes("wdigest").as_mut_ptr().cast(), &mut narrow), SEC_E_OK);
        assert_eq!(EnumerateSecurityPackagesW(&mut count, &mut wider), SEC_E_OK);
        let (a, w) = (narrow.read(), wider.read());
        assert_eq!((count, text(a.Name), wide_text(w.Name)), (1, "WDigest".to_owned(), "WDigest".to_owned()));
        assert_eq!(text(a.Comment), wide_text(w.Comment));
        assert_eq!((a.fCapabilities, a.cbMaxToken, a.wRPCID), (w.fCapabilities, w.cbMaxToken, w.wRPCID));
    }
    assert_eq!([free(narrow.cast()), free(wider.cast())], [SEC_E_OK; 2]);
}

#[test]
fn identities_in_both_encodings_and_versions() {
    let outbound = SECPKG_CRED_OUTBOUND;
    let mut identity = Identity::new("chris", "secret");
    let good = identity.plain();
    let (mut user, mut malformed, mut surrogate) = (bytes("chris"), [0xFF_u8], [0xD800_u16]);
    let ansi = SEC_WINNT_AUTH_IDENTITY_A {
        User: user.as_mut_ptr(),
        UserLength: 5,
        Domain: null_mut(),
        DomainLength: 0,
        Password: null_mut(),
        PasswordLength: 0,
        Flags: SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
    let ex = SEC_WINNT_AUTH_IDENTITY_EXW {
        Version: SEC_WINNT_AUTH_IDENTITY_VERSION,
        Length: size_of::<SEC_WINNT_AUTH_IDENTITY_EXW>() as u32,
        User: good.User,
        UserLength: good.UserLength,
        Domain: null_mut(),
        DomainLength: 0,
        Password: good.Password,
        PasswordLength: good.PasswordLength,
        Flags: SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED,
        PackageList: null_mut(),
        PackageListLength: 0,
    };
    let both = SEC_WINNT_AUTH_IDENTITY_ANSI | SEC_WINNT_AUTH_IDENTITY_UNICODE;
    for (name, wides, expected) in [
        ("good", good, SEC_E_OK),
        ("no encoding", SEC_WINNT_AUTH_IDENTITY_W { Flags: 0, ..good }, SEC_E_UNKNOWN_CREDENTIALS),
        ("both encodings", SEC_WINNT_AUTH_IDENTITY_W { Flags: both, ..good }, SEC_E_UNKNOWN_CREDENTIALS),
        ("protected", SEC_WINNT_AUTH_IDENTITY_W { Flags: 0x12, ..good }, SEC_E_UNKNOWN_CREDENTIALS),
        ("NULL with a length", SEC_WINNT_AUTH_IDENTITY_W { DomainLength: 1, ..good }, SEC_E_UNKNOWN_CREDENTIALS),
        ("no user", SEC_WINNT_AUTH_IDENTITY_W { UserLength: 0, ..good }, SEC_E_NO_CREDENTIALS),
        (
            "half a character",
            SEC_WINNT_AUTH_IDENTITY_W { User: surrogate.as_mut_ptr(), UserLength: 1, ..good },
            SEC_E_UNKNOWN_CREDENTIALS,
        ),
    ] {
        assert_eq!(acquire(outbound, (&raw const wides).cast()).0, expected, "{name}");
    }
    for (name, narrow, expected) in [
        ("an empty password", ansi, SEC_E_OK),
        (
            "not UTF-8",
            SEC_WINNT_AUTH_IDENTITY_A { User: malformed.as_mut_ptr(), UserLength: 1, ..ansi },
            SEC_E_UNKNOWN_CREDENTIALS,
        ),
    ] {
        assert_eq!(acquire(outbound, (&raw const narrow).cast()).0, expected, "{name}");
    }
    for (name, extended, expected) in [
        ("good", ex, SEC_E_OK),
        ("a wrong length", SEC_WINNT_AUTH_IDENTITY_EXW { Length: ex.Length - 1, ..ex }, SEC_E_UNKNOWN_CREDENTIALS),
        (
            "EX2",
            SEC_WINNT_AUTH_IDENTITY_EXW { Version: SEC_WINNT_AUTH_IDENTITY_VERSION_2, ..ex },
            SEC_E_UNKNOWN_CREDENTIALS,
        ),
    ] {
        assert_eq!(acquire(outbound, (&raw const extended).cast()).0, expected, "{name}");
    }
    assert_eq!(acquire(outbound, null()).0, SEC_E_NO_CREDENTIALS);
}

#[test]
fn attributes_in_both_encodings() {
    let mut pair = Pair::new("j\u{fc}rgen", "p\u{e4}ss");
    let (mut narrow, mut wider) =
        (SecPkgContext_NamesA { sUserName: null_mut() }, SecPkgContext_NamesW { sUserName: null_mut() });
    for context in [pair.accepting, pair.initiating] {
        let mut context = context;
        // SAFETY: everything is what the functions take.
        unsafe {
            let names = SECPKG_ATTR_NAMES;
            assert_eq!(QueryContextAttributesA(&mut context, names, (&raw mut narrow).cast()), SEC_E_OK);
            assert_eq!(QueryContextAttributesW(&mut context, names, (&raw mut wider).cast()), SEC_E_OK);
        }
        assert_eq!([text(narrow.sUserName), wide_text(wider.sUserName)], ["j\u{fc}rgen"; 2]);
        assert_eq!([free(narrow.sUserName.cast()), free(wider.sUserName.cast())], [SEC_E_OK; 2]);
    }
    // What the structures of numbers hold is what the pages and RFC 2831 say; see the tests of the package.
    let mut sizes = SecPkgContext_Sizes { cbMaxToken: 0, cbMaxSignature: 0, cbBlockSize: 9, cbSecurityTrailer: 0 };
    assert_eq!(query(&mut pair.accepting, SECPKG_ATTR_SIZES, (&raw mut sizes).cast()), [SEC_E_OK; 2]);
    assert_eq!((sizes.cbMaxToken, sizes.cbMaxSignature), (4096, 16));
    assert_eq!((sizes.cbBlockSize, sizes.cbSecurityTrailer), (0, 16));
    let mut streams =
        SecPkgContext_StreamSizes { cbHeader: 9, cbTrailer: 0, cbMaximumMessage: 0, cBuffers: 0, cbBlockSize: 0 };
    assert_eq!(query(&mut pair.accepting, SECPKG_ATTR_STREAM_SIZES, (&raw mut streams).cast()), [SEC_E_OK; 2]);
    assert_eq!((streams.cbHeader, streams.cbTrailer, streams.cbMaximumMessage), (0, 16, 65_520));
    assert_eq!((streams.cBuffers, streams.cbBlockSize), (2, 1));
    let mut key = SecPkgContext_KeyInfoA {
        sSignatureAlgorithmName: null_mut(),
        sEncryptAlgorithmName: null_mut(),
        KeySize: 0,
        SignatureAlgorithm: 9,
        EncryptAlgorithm: 9,
    };
    let mut package = SecPkgContext_PackageInfoA { PackageInfo: null_mut() };
    // SAFETY: everything is what the function takes; what it gave is read before it is freed.
    unsafe {
        let (accepting, narrow) = (&raw mut pair.accepting, SECPKG_ATTR_KEY_INFO);
        assert_eq!(QueryContextAttributesA(accepting, narrow, (&raw mut key).cast()), SEC_E_OK);
        assert_eq!(QueryContextAttributesA(accepting, SECPKG_ATTR_PACKAGE_INFO, (&raw mut package).cast()), SEC_E_OK);
        assert_eq!(text((*package.PackageInfo).Name), "WDigest");
    }
    assert_eq!(
        (text(key.sSignatureAlgorithmName), text(key.sEncryptAlgorithmName)),
        ("HMAC-MD5".into(), String::new())
    );
    assert_eq!((key.KeySize, key.SignatureAlgorithm, key.EncryptAlgorithm), (128, 0, 0));
    for given in [key.sSignatureAlgorithmName.cast(), key.sEncryptAlgorithmName.cast(), package.PackageInfo.cast()] {
        assert_eq!(free(given), SEC_E_OK);
    }
    let mut flags = SecPkgContext_Flags { Flags: 0 };
    assert_eq!(query(&mut pair.accepting, SECPKG_ATTR_FLAGS, (&raw mut flags).cast()), [SEC_E_OK; 2]);
    assert_eq!(flags.Flags, ASC_RET_INTEGRITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT);
    let end = LARGE_INTEGER { QuadPart: 0 };
    let mut lifespan = SecPkgContext_Lifespan { tsStart: end, tsExpiry: end };
    assert_eq!(query(&mut pair.accepting, SECPKG_ATTR_LIFESPAN, (&raw mut lifespan).cast()), [SEC_E_OK; 2]);
    assert_eq!(format!("{:?}", lifespan.tsExpiry), format!("LARGE_INTEGER({})", i64::MAX));
    // SAFETY: both halves were written.
    assert_eq!(unsafe { lifespan.tsExpiry.u }, LARGE_INTEGER_PARTS { LowPart: u32::MAX, HighPart: i32::MAX });
    let mut target = SecPkgContext_ClientSpecifiedTarget { sTargetName: null_mut() };
    let attribute = SECPKG_ATTR_CLIENT_SPECIFIED_TARGET;
    assert_eq!(query(&mut pair.accepting, attribute, (&raw mut target).cast()), [SEC_E_UNSUPPORTED_FUNCTION; 2]);
    assert!(target.sTargetName.is_null());
}

#[test]
fn memory_is_freed_once_and_only_by_its_address() {
    let mut info: *mut SecPkgInfoW = null_mut();
    // SAFETY: everything is what the function takes.
    assert_eq!(unsafe { QuerySecurityPackageInfoW(wide("WDigest").as_mut_ptr(), &mut info) }, SEC_E_OK);
    let mut foreign = [0_u64; 4];
    // SAFETY: the package gave it just now.
    let name = unsafe { info.read() }.Name;
    for other in [null_mut(), foreign.as_mut_ptr().cast(), name.cast(), info.cast::<c_void>().wrapping_byte_add(1)] {
        assert_eq!(free(other), SEC_E_INVALID_HANDLE);
    }
    assert_eq!(wide_text(name), "WDigest");
    assert_eq!(free(info.cast()), SEC_E_OK);
    assert_eq!(free(info.cast()), SEC_E_INVALID_HANDLE);
}

#[test]
fn only_what_was_written_changes() {
    let mut pair = Pair::default();
    // A signature: the message is constant, and behind the signature nothing changes.
    let message = *b"constant";
    let mut room = [0xAA; 20];
    let mut buffers = [
        SecBuffer { cbBuffer: 8, BufferType: SECBUFFER_DATA, pvBuffer: message.as_ptr().cast_mut().cast() },
        buffer(SECBUFFER_TOKEN, &mut room[..15]),
    ];
    let mut signing = descriptor(&mut buffers);
    let make = ON_MESSAGE[1].1;
    assert_eq!(make(&mut pair.initiating, &mut signing), SEC_E_INSUFFICIENT_MEMORY);
    assert_eq!((buffers[1].cbBuffer, room), (15, [0xAA; 20]));
    buffers[1] = buffer(SECBUFFER_TOKEN, &mut room);
    assert_eq!(make(&mut pair.initiating, &mut descriptor(&mut buffers)), SEC_E_OK);
    assert_eq!(buffers[1].cbBuffer, 16);
    assert_eq!(room[16..], [0xAA; 4]);
    buffers[1] = buffer(SECBUFFER_TOKEN, &mut room[..16]);
    // fQOP is 0 or nothing.
    // SAFETY: everything is what the functions take.
    let quality = unsafe {
        let mut signing = descriptor(&mut buffers);
        let context = &raw mut pair.initiating;
        [MakeSignature(context, 1, &mut signing, 0), EncryptMessage(context, SECQOP_WRAP_NO_ENCRYPT, null_mut(), 0)]
    };
    assert_eq!(quality, [SEC_E_QOP_NOT_SUPPORTED; 2]);

    // The number that the caller gives is ignored; what verified tells 0.
    let mut protection = 7;
    // SAFETY: everything is what the function takes.
    let verified = unsafe { VerifySignature(&mut pair.accepting, &mut descriptor(&mut buffers), 99, &mut protection) };
    assert_eq!((verified, protection), (SEC_E_OK, 0));

    // A message and what follows it, one memory for both descriptors' buffers as they lie on the wire.
    let mut wire = *b"some message----------------";
    let (message, rest) = wire.split_at_mut(12);
    let mut buffers = [buffer(SECBUFFER_DATA, message), buffer(SECBUFFER_STREAM_TRAILER, rest)];
    assert_eq!((ON_MESSAGE[3].1)(&mut pair.accepting, &mut descriptor(&mut buffers)), SEC_E_OK);
    assert_eq!((&wire[..12], buffers[1].cbBuffer), (&b"some message"[..], 16));
    // Altered, nothing is written: neither the stream nor the empty DATA, nor pfQOP.
    wire[0] ^= 1;
    let altered = wire;
    // What is read-only is left alone.
    let nowhere = |buffer_type| SecBuffer { BufferType: buffer_type, cbBuffer: 0, pvBuffer: null_mut() };
    let read_only = nowhere(SECBUFFER_DATA | SECBUFFER_READONLY);
    let mut buffers = [buffer(SECBUFFER_STREAM, &mut wire), read_only, nowhere(SECBUFFER_DATA)];
    let mut protection = 7;
    // SAFETY: everything is what the function takes.
    unsafe {
        let mut unwrapping = descriptor(&mut buffers);
        let status = DecryptMessage(&mut pair.initiating, &mut unwrapping, 0, &mut protection);
        assert_eq!((status, protection), (SEC_E_MESSAGE_ALTERED, 7));
    }
    assert_eq!((buffers[0].cbBuffer, buffers[2].cbBuffer), (28, 0));
    assert!(buffers[2].pvBuffer.is_null());
    assert_eq!(of(&buffers[0]), altered);
    wire[0] ^= 1;
    buffers[0] = buffer(SECBUFFER_STREAM, &mut wire);
    // SAFETY: everything is what the function takes.
    unsafe {
        let mut unwrapping = descriptor(&mut buffers);
        let status = DecryptMessage(&mut pair.initiating, &mut unwrapping, 99, &mut protection);
        assert_eq!((status, protection), (SEC_E_OK, SIGN_ONLY));
    }
    assert_eq!((buffers[0].cbBuffer, buffers[2].cbBuffer), (12, 12));
    assert_eq!(buffers[0].pvBuffer, buffers[2].pvBuffer);
    assert_eq!(of(&buffers[2]), b"some message");
    assert_eq!((buffers[1].cbBuffer, buffers[1].pvBuffer), (0, null_mut()));
}

#[test]
fn the_input_may_be_the_output() {
    accounts();
    let mut identity = Identity::new("chris", "secret");
    let identity = identity.plain();
    let client = acquire(SECPKG_CRED_OUTBOUND, (&raw const identity).cast()).1;
    let server = acquire(SECPKG_CRED_INBOUND, null()).1;
    let mut pair = Pair { server, client, accepting: NOTHING, initiating: NOTHING };
    let mut memory = [0; 4096];
    let mut challenge = buffer(SECBUFFER_TOKEN, &mut memory);
    assert_eq!(pair.accept(None, &mut challenge), SEC_I_CONTINUE_NEEDED);
    let mut response = SecBuffer { cbBuffer: 4096, ..challenge };
    assert_eq!(pair.initialize(&mut challenge, Some(&mut response)), SEC_I_CONTINUE_NEEDED);
    assert!(of(&response).starts_with(b"username=\"chris\""));
    let mut proof = SecBuffer { cbBuffer: 4096, ..challenge };
    assert_eq!(pair.accept(Some(&mut response), &mut proof), SEC_E_OK);
    assert_eq!(pair.initialize(&mut proof, None), SEC_E_OK);
}

#[test]
fn the_tables_are_whole() {
    let [a, w] = [
        // SAFETY: the tables are constant.
        unsafe { InitSecurityInterfaceA().cast::<[usize; 32]>().read() },
        // SAFETY: the tables are constant.
        unsafe { InitSecurityInterfaceW().cast::<[usize; 32]>().read() },
    ];
    // By position, as sspi.h has them: the version, 5; Reserved2, 3, 4 and 8 are NULL; everything else is a function.
    for table in [a, w] {
        assert_eq!(table[0] as u32, 5);
        let reserved: Vec<usize> = (1..32).filter(|index| table[*index] == 0).collect();
        assert_eq!(reserved, [5, 18, 19, 23]);
    }
    // SAFETY: the tables are constant; what is not supported reads nothing.
    unsafe {
        let (a, w) = (InitSecurityInterfaceA().read(), InitSecurityInterfaceW().read());
        let (context, none) = (null_mut(), null_mut::<c_void>());
        let (name, output) = (null_mut::<i8>(), null_mut());
        let (wide, no_time) = (null_mut::<u16>(), null_mut());
        let statuses = [
            a.QueryCredentialsAttributesA.expect("it is there")(context, 0, none),
            w.QueryCredentialsAttributesW.expect("it is there")(context, 0, none),
            a.ApplyControlToken.expect("it is there")(context, output),
            a.ImpersonateSecurityContext.expect("it is there")(context),
            a.RevertSecurityContext.expect("it is there")(context),
            a.ExportSecurityContext.expect("it is there")(context, 0, null_mut(), null_mut()),
            a.ImportSecurityContextA.expect("it is there")(name, null_mut(), none, context),
            w.ImportSecurityContextW.expect("it is there")(wide, null_mut(), none, context),
            a.AddCredentialsA.expect("it is there")(context, name, name, 0, none, None, none, no_time),
            w.AddCredentialsW.expect("it is there")(context, wide, wide, 0, none, None, none, no_time),
            w.QuerySecurityContextToken.expect("it is there")(context, null_mut()),
            a.SetContextAttributesA.expect("it is there")(context, 0, none, 0),
            w.SetContextAttributesW.expect("it is there")(context, 0, none, 0),
            a.SetCredentialsAttributesA.expect("it is there")(context, 0, none, 0),
            w.SetCredentialsAttributesW.expect("it is there")(context, 0, none, 0),
            a.ChangeAccountPasswordA.expect("it is there")(name, name, name, name, name, 0, 0, output),
            w.ChangeAccountPasswordW.expect("it is there")(wide, wide, wide, wide, wide, 0, 0, output),
            a.QueryContextAttributesExA.expect("it is there")(context, 0, none, 0),
            w.QueryContextAttributesExW.expect("it is there")(context, 0, none, 0),
            a.QueryCredentialsAttributesExA.expect("it is there")(context, 0, none, 0),
            w.QueryCredentialsAttributesExW.expect("it is there")(context, 0, none, 0),
        ];
        assert_eq!(statuses, [SEC_E_UNSUPPORTED_FUNCTION; 21]);
        assert_eq!(a.FreeContextBuffer.expect("it is there")(none), SEC_E_INVALID_HANDLE);
    }
}

/// A first AcceptSecurityContext that allocates its output: the status, and the context and attributes that were [`NOTHING`]
/// and 7 before.
fn allocating(pair: &mut Pair, flags: u32, buffers: &mut [SecBuffer]) -> (SECURITY_STATUS, CtxtHandle, u32) {
    let mut output = descriptor(buffers);
    let (mut context, mut attributes) = (NOTHING, 7);
    // SAFETY: everything is what the function takes.
    let status = unsafe {
        AcceptSecurityContext(
            &mut pair.server,
            null_mut(),
            null_mut(),
            ASC_REQ_ALLOCATE_MEMORY | flags,
            0,
            &mut context,
            &mut output,
            &mut attributes,
            null_mut(),
        )
    };
    (status, context, attributes)
}

#[test]
fn one_output_is_allocated_and_the_others_are_left_as_they_are() {
    let mut pair = Pair::default();
    let mut buffers = [(); 2].map(|()| SecBuffer { cbBuffer: 0, BufferType: SECBUFFER_TOKEN, pvBuffer: null_mut() });
    let (status, context, attributes) = allocating(&mut pair, ASC_REQ_HTTP, &mut buffers);
    assert_eq!((status, attributes & ASC_RET_ALLOCATED_MEMORY), (SEC_I_CONTINUE_NEEDED, ASC_RET_ALLOCATED_MEMORY));
    let [allocated, other] = buffers;
    assert!(allocated.cbBuffer > 0 && other.cbBuffer == 0 && other.pvBuffer.is_null());
    assert_eq!([free(allocated.pvBuffer), delete(context)], [SEC_E_OK; 2]);
}

#[test]
fn an_output_that_is_allocated_is_not_given_by_a_call_that_fails() {
    let mut pair = Pair::default();
    let mut kept = SecBuffer { cbBuffer: 5, BufferType: SECBUFFER_TOKEN, pvBuffer: null_mut() };
    let accepted = allocating(&mut pair, ASC_REQ_PROXY_BINDINGS, core::slice::from_mut(&mut kept));
    assert_eq!(accepted, (SEC_E_SECURITY_QOS_FAILED, NOTHING, 7));
    assert!(kept.pvBuffer.is_null() && kept.cbBuffer == 5);
}
