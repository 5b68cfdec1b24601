//! Calls as anybody might make them: strategies over handles, flags, descriptors and tokens of both mechanisms.
#![forbid(unsafe_code)]

use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::digest::{Algorithm, Qop, sasl};
use digest_ssp::spec::Call;
use digest_ssp::spec::call::{AuthIdentity, Buffer, Descriptor};
use proptest::prelude::*;

use crate::sasl_support::{self, SaslRequest};
use crate::support::{self, HTTP, ISC_INTEGRITY, Issued, Request, handle};

/// Handles that name something, once named something, or nothing.
pub(crate) fn some_handle() -> impl Strategy<Value = Option<SecHandle>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(SecHandle::default())),
        1 => any::<(u64, u64)>().prop_map(|(lower, upper)| Some(SecHandle { lower, upper })),
        1 => Just(Some(handle(FOREIGN))),
        12 => (1..24_u64).prop_map(|number| Some(handle(number))),
    ]
}

pub(crate) const FOREIGN: u64 = 500;

/// Texts of directives: those of the challenges that the bench put out, and others.
fn text(kind: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (1..24_u32).prop_map(move |number| format!("{kind}{number:08}").into_bytes()),
        1 => prop::collection::vec(0x20..0x7F_u8, 0..8),
    ]
}

fn request() -> BoxedStrategy<Request> {
    let qop = prop_oneof![Just(Qop::Auth), Just(Qop::AuthInt)];
    let algorithm = prop_oneof![Just(None), Just(Some(Algorithm::Md5)), Just(Some(Algorithm::Md5Sess))];
    let count = prop_oneof![3 => 0..4_u32, 1 => any::<u32>()];
    let username = prop_oneof![4 => Just("alice"), 1 => Just("bob"), 1 => Just("nobody")];
    (1..24_u32, text("nonce"), text("opaque"), prop::bool::weighted(0.8), qop, algorithm, count, username)
        .prop_map(|(number, nonce, opaque, paired, qop, algorithm, nc, username)| {
            let pair = (format!("nonce{number:08}").into_bytes(), format!("opaque{number:08}").into_bytes());
            let (nonce, opaque) = if paired { pair } else { (nonce, opaque) };
            let algorithm_of_challenge = Algorithm::Md5;
            let realm = "digest-ssp".to_owned();
            let issued = Issued { nonce, opaque, qop, realm, algorithm: algorithm_of_challenge };
            Request { algorithm, nc, username: username.into(), ..Request::answering(&issued) }
        })
        .boxed()
}

/// Tokens of SASL: responses, challenges, proofs.
fn sasl_token() -> BoxedStrategy<Vec<u8>> {
    let qop = || prop::sample::select(sasl::Qop::ALL.to_vec());
    let nonce = || (1..24_u32).prop_map(|number| format!("OA6MG9tEQGm2hh{number:04}").into_bytes());
    let authzid = prop::option::weighted(0.2, prop_oneof![Just("chris".to_owned()), Just("other".to_owned())]);
    let request =
        (nonce(), qop(), 0..4_u32, authzid, prop::bool::weighted(0.8)).prop_map(|(nonce, qop, nc, authzid, right)| {
            let request = SaslRequest { nc, authzid, ..SaslRequest::answering(&nonce, qop) };
            if right { request.token() } else { request.forged() }
        });
    let challenge =
        (nonce(), qop(), any::<bool>()).prop_map(|(nonce, qop, stale)| sasl_support::challenge(&nonce, qop, stale));
    let proof = nonce().prop_map(|nonce| SaslRequest::answering(&nonce, sasl::Qop::Auth).rspauth());
    prop_oneof![4 => request, 3 => challenge, 1 => proof].boxed()
}

/// Tokens of every kind, whole and torn.
pub(crate) fn token() -> BoxedStrategy<Vec<u8>> {
    let challenge = (1..60_u32, any::<bool>(), any::<bool>()).prop_map(|(number, auth, stale)| {
        let issued = Issued {
            nonce: format!("nonce{number:08}").into_bytes(),
            opaque: format!("opaque{number:08}").into_bytes(),
            qop: if auth { Qop::Auth } else { Qop::AuthInt },
            realm: "digest-ssp".into(),
            algorithm: Algorithm::Md5,
        };
        issued.token(stale)
    });
    let torn = (request(), any::<prop::sample::Index>()).prop_map(|(request, at)| {
        let mut token = request.token();
        token.truncate(at.index(token.len()));
        token
    });
    prop_oneof![
        8 => request().prop_map(|request| request.token()),
        2 => request().prop_map(|request| request.forged()),
        3 => challenge,
        1 => request().prop_map(|request| request.authentication_info()),
        3 => sasl_token(),
        1 => torn,
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(prop::sample::select(b"nonce=realm,\"\\\r\n \t0".to_vec()), 0..40),
        2 => Just(Vec::new()),
    ]
    .boxed()
}

fn buffer_type() -> impl Strategy<Value = BufferType> {
    let kinds = [
        BufferType::TOKEN,
        BufferType::PKG_PARAMS,
        BufferType::PADDING,
        BufferType::DATA,
        BufferType::STREAM,
        BufferType::STREAM_TRAILER,
        BufferType::CHANNEL_BINDINGS,
        BufferType::TARGET_HOST,
    ];
    (prop::sample::select(kinds.to_vec()), prop::bool::weighted(0.1))
        .prop_map(|(kind, read_only)| if read_only { kind.read_only() } else { kind })
}

/// A buffer as it may come: counts and memory need not agree.
fn buffer() -> BoxedStrategy<Buffer> {
    let data = prop_oneof![Just(None), token().prop_map(Some), (0..3000_usize).prop_map(|room| Some(vec![0; room]))];
    let count = prop_oneof![6 => Just(None), 1 => any::<u32>().prop_map(Some), 1 => (0..80_u32).prop_map(Some)];
    (buffer_type(), data, count)
        .prop_map(|(buffer_type, data, count)| {
            let whole = data.as_ref().map_or(0, Vec::len);
            Buffer { buffer_type, count: count.unwrap_or(u32::try_from(whole).unwrap_or(u32::MAX)), data }
        })
        .boxed()
}

fn parameter() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(Vec::new()),
        4 => Just(b"GET".to_vec()),
        2 => Just(b"/dir/index.html".to_vec()),
        3 => Just(digest_ssp::digest::hash::hex(&digest_ssp::digest::hash::md5(&[b"body"])).to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..34),
    ]
}

/// A message as callers lay it out.
fn message() -> BoxedStrategy<Descriptor> {
    let room = prop_oneof![Just(0), Just(16), Just(2048)];
    let method = prop_oneof![6 => Just(b"GET".to_vec()), 1 => parameter()];
    (token(), method, parameter(), parameter(), parameter(), room)
        .prop_map(|(token, method, target, entity, realm, room)| {
            let parameter = |bytes: &[u8]| support::buffer(BufferType::PKG_PARAMS, bytes);
            Descriptor::new(vec![
                support::buffer(BufferType::TOKEN, &token),
                parameter(&method),
                parameter(&target),
                parameter(&entity),
                parameter(&realm),
                support::room(BufferType::TOKEN, room),
            ])
        })
        .boxed()
}

pub(crate) fn descriptor() -> BoxedStrategy<Option<Descriptor>> {
    let wild =
        (prop::bool::weighted(0.9), prop::option::weighted(0.2, any::<u32>()), prop::collection::vec(buffer(), 0..6))
            .prop_map(|(version, count, buffers)| {
                let mut descriptor = Descriptor::new(buffers);
                descriptor.version = u32::from(!version);
                descriptor.count = count.unwrap_or(descriptor.count);
                descriptor
            });
    let null = any::<u32>().prop_map(|count| Descriptor { version: 0, count, buffers: None });
    prop_oneof![
        1 => Just(None),
        8 => message().prop_map(Some),
        3 => wild.prop_map(Some),
        1 => null.prop_map(Some),
    ]
    .boxed()
}

fn requirements() -> impl Strategy<Value = u32> {
    prop_oneof![
        2 => prop::sample::select(vec![0, sasl_support::ASC_INTEGRITY | ISC_INTEGRITY, sasl_support::CONFIDENTIALITY]),
        1 => Just(HTTP | 0x0400_0000),
        6 => Just(HTTP), 2 => Just(HTTP | 0x1_0000 | 0x2_0000), 2 => Just(HTTP | 2), 1 => any::<u32>()]
}

fn identity() -> impl Strategy<Value = Option<AuthIdentity>> {
    let identity = |user: &str, domain: &str| {
        Some(AuthIdentity { user: user.into(), domain: domain.into(), password: "secret".into() })
    };
    prop_oneof![Just(None), Just(identity("alice", "")), Just(identity("", "")), Just(identity("Ольга", "DOM"))]
}

pub(crate) fn call() -> BoxedStrategy<Call> {
    let acquire =
        (prop::option::of("[a-c]{0,1}"), prop::bool::weighted(0.9), 0..5_u32, prop::bool::weighted(0.1), identity())
            .prop_map(|(principal, ours, credential_use, logon, identity)| Call::AcquireCredentialsHandle {
                principal,
                package: if ours { "wdigest" } else { "NTLM" }.into(),
                credential_use,
                logon_id: logon.then_some(1),
                identity,
            });
    let free = some_handle().prop_map(|credential| Call::FreeCredentialsHandle { credential });
    let package = prop_oneof![Just("WDigest"), Just("NTLM")];
    let memory = prop_oneof![
        Just(Call::EnumerateSecurityPackages {}),
        package.prop_map(|package| Call::QuerySecurityPackageInfo { package: package.into() }),
        some_handle().prop_map(|block| Call::FreeContextBuffer { block }),
    ];
    let target = prop::option::of(parameter());
    let initialize = (some_handle(), some_handle(), target, requirements(), descriptor(), descriptor()).prop_map(
        |(credential, context, target_name, requirements, input, output)| Call::InitializeSecurityContext {
            credential,
            context,
            target_name,
            requirements,
            input,
            output,
        },
    );
    let accept = (some_handle(), some_handle(), requirements(), descriptor(), descriptor()).prop_map(
        |(credential, context, requirements, input, output)| Call::AcceptSecurityContext {
            credential,
            context,
            requirements,
            input,
            output,
        },
    );
    let complete =
        (some_handle(), descriptor()).prop_map(|(context, token)| Call::CompleteAuthToken { context, token });
    let make = (some_handle(), descriptor()).prop_map(|(context, message)| Call::MakeSignature { context, message });
    let verify =
        (some_handle(), descriptor()).prop_map(|(context, message)| Call::VerifySignature { context, message });
    let encrypt =
        (some_handle(), descriptor()).prop_map(|(context, message)| Call::EncryptMessage { context, message });
    let decrypt =
        (some_handle(), descriptor()).prop_map(|(context, message)| Call::DecryptMessage { context, message });
    let attribute = prop_oneof![0..28_u32, any::<u32>()];
    let query =
        (some_handle(), attribute).prop_map(|(context, attribute)| Call::QueryContextAttributes { context, attribute });
    let delete = some_handle().prop_map(|context| Call::DeleteSecurityContext { context });
    prop_oneof![
        1 => acquire, 1 => free, 4 => initialize, 8 => accept, 6 => complete, 2 => make, 3 => verify, 2 => encrypt, 2 => decrypt,
        1 => query, 1 => delete, 1 => memory,
    ]
    .boxed()
}
