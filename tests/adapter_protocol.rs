//! The adapter protocol: messages and the calls they stand for, the schema, and the side of an adapter.
#![cfg(feature = "conformance")]
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use boon::{Compiler, SchemaIndex, Schemas};
use digest_ssp::buffer::{BufferType, SecHandle};
use digest_ssp::conformance::protocol::{Answer, End, LONGEST_LINE, PROTOCOL_VERSION, Request, serve};
use digest_ssp::conformance::subject::builtin::Builtin;
use digest_ssp::conformance::{Subject, SubjectError};
use digest_ssp::spec::call::{Attribute, AuthIdentity, Buffer, Descriptor, PackageInfo, SessionKeyBytes};
use digest_ssp::spec::names::{CallName, Need, Profile};
use digest_ssp::spec::setup::{Cipher, EnvironmentFault, OfferedAlgorithm, Policy, Setup};
use digest_ssp::spec::{Call, Outcome};
use digest_ssp::status::SecurityStatus;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde::Serialize;
use serde_json::{Value, json};

// --- Anything that a message can hold

fn handle() -> impl Strategy<Value = SecHandle> {
    (any::<u64>(), any::<u64>()).prop_map(|(lower, upper)| SecHandle { lower, upper })
}

fn optional_handle() -> impl Strategy<Value = Option<SecHandle>> {
    prop::option::of(handle())
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn descriptor() -> impl Strategy<Value = Option<Descriptor>> {
    let buffer = (any::<u32>(), any::<u32>(), prop::option::of(octets())).prop_map(|(buffer_type, count, data)| {
        let buffer_type = BufferType(buffer_type);
        Buffer { buffer_type, count, data }
    });
    let buffers = prop::option::of(prop::collection::vec(buffer, 0..4));
    let descriptor = (any::<u32>(), any::<u32>(), buffers).prop_map(|(version, count, buffers)| Descriptor {
        version,
        count,
        buffers,
    });
    prop::option::of(descriptor)
}

fn call() -> impl Strategy<Value = Call> {
    let parts = (prop::sample::select(CallName::ALL), optional_handle(), optional_handle(), descriptor(), descriptor());
    let more = (any::<u32>(), prop::option::of(any::<u64>()), prop::option::of(octets()));
    let texts = (prop::option::of(any::<String>()), any::<String>(), prop::option::of(any::<[String; 3]>()));
    (parts, more, texts).prop_map(|(parts, more, texts)| {
        let (name, credential, context, input, output) = parts;
        let (number, logon_id, target_name) = more;
        let (principal, package, identity) = texts;
        match name {
            CallName::AcquireCredentialsHandle => {
                let identity = identity.map(|[user, domain, password]| AuthIdentity { user, domain, password });
                Call::AcquireCredentialsHandle { principal, package, credential_use: number, logon_id, identity }
            }
            CallName::FreeCredentialsHandle => Call::FreeCredentialsHandle { credential },
            CallName::EnumerateSecurityPackages => Call::EnumerateSecurityPackages {},
            CallName::QuerySecurityPackageInfo => Call::QuerySecurityPackageInfo { package },
            CallName::FreeContextBuffer => Call::FreeContextBuffer { block: context },
            CallName::InitializeSecurityContext => {
                let requirements = number;
                Call::InitializeSecurityContext { credential, context, target_name, requirements, input, output }
            }
            CallName::AcceptSecurityContext => {
                Call::AcceptSecurityContext { credential, context, requirements: number, input, output }
            }
            CallName::CompleteAuthToken => Call::CompleteAuthToken { context, token: input },
            CallName::MakeSignature => Call::MakeSignature { context, message: input },
            CallName::VerifySignature => Call::VerifySignature { context, message: input },
            CallName::EncryptMessage => Call::EncryptMessage { context, message: input },
            CallName::DecryptMessage => Call::DecryptMessage { context, message: input },
            CallName::QueryContextAttributes => Call::QueryContextAttributes { context, attribute: number },
            CallName::DeleteSecurityContext => Call::DeleteSecurityContext { context },
        }
    })
}

fn package_info() -> impl Strategy<Value = PackageInfo> {
    (any::<String>(), any::<u32>(), any::<[u16; 2]>(), any::<u32>()).prop_map(
        |(name, capabilities, [version, rpc_id], maximum_token)| PackageInfo {
            name,
            capabilities,
            version,
            rpc_id,
            maximum_token,
        },
    )
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let number = any::<u32>;
    prop_oneof![
        any::<String>().prop_map(Attribute::Names),
        (number(), number(), number()).prop_map(|(maximum_signature, block_size, security_trailer)| {
            Attribute::Sizes { maximum_signature, block_size, security_trailer }
        }),
        (number(), number(), number(), number(), number()).prop_map(
            |(header, trailer, maximum_message, buffers, block_size)| {
                Attribute::StreamSizes { header, trailer, maximum_message, buffers, block_size }
            }
        ),
        (any::<String>(), any::<String>(), number()).prop_map(
            |(signature_algorithm, encryption_algorithm, key_size)| {
                Attribute::KeyInfo { signature_algorithm, encryption_algorithm, key_size }
            }
        ),
        octets().prop_map(|key| Attribute::SessionKey(SessionKeyBytes(key))),
        any::<String>().prop_map(Attribute::ClientSpecifiedTarget),
        prop::collection::vec(package_info(), 0..3).prop_map(Attribute::Packages),
        Just(Attribute::Other),
    ]
}

fn status() -> impl Strategy<Value = SecurityStatus> {
    let known: Vec<_> = SecurityStatus::ALL.iter().map(|(_, status)| *status).collect();
    prop_oneof![prop::sample::select(known), any::<u32>().prop_map(SecurityStatus)]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let numbers = (prop::option::of(any::<u32>()), prop::option::of(any::<u64>()), prop::option::of(any::<u32>()));
    (status(), optional_handle(), descriptor(), descriptor(), prop::option::of(attribute()), numbers).prop_map(
        |(status, handle, input, output, attribute, (granted, expiry, quality))| Outcome {
            status,
            handle,
            input,
            output,
            attribute,
            granted,
            expiry,
            quality,
        },
    )
}

fn setup() -> impl Strategy<Value = Setup> {
    let policy = prop_oneof![Just(Policy::Strict), any::<NonZeroU32>().prop_map(Policy::Window)];
    (prop::sample::select(Profile::ALL), policy, any::<String>(), 0..1_u64 << 53, any::<bool>()).prop_map(
        |(profile, policy, realm, nonce_lifetime, other)| {
            let usual = Setup::default().of(profile);
            let algorithm = if other { OfferedAlgorithm::Md5Sess } else { usual.algorithm };
            let ciphers = if other { vec![Cipher::Rc4_56] } else { usual.ciphers };
            Setup { policy, realm, nonce_lifetime, algorithm, ciphers, ..usual }
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let faults = [EnvironmentFault::None, EnvironmentFault::Entropy, EnvironmentFault::Clock];
    prop_oneof![
        8 => call().prop_map(Request::Call),
        2 => setup().prop_map(|setup| Request::Start { protocol: PROTOCOL_VERSION, setup }),
        1 => any::<u64>().prop_map(|milliseconds| Request::Advance { milliseconds }),
        1 => prop::sample::select(faults.to_vec()).prop_map(|fault| Request::Inject { fault }),
        1 => any::<bool>().prop_map(|down| Request::AccountsDown { down }),
        1 => handle().prop_map(|context| Request::SpendCounts { context }),
        1 => handle().prop_map(|context| Request::SpendSequences { context }),
        1 => Just(Request::ForeignHandle {}),
        1 => Just(Request::Stop {}),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let capabilities = prop::sample::subsequence(Need::ALL, 0..=Need::ALL.len());
    prop_oneof![
        8 => outcome().prop_map(Answer::Outcome),
        1 => ("[a-z ]{1,9}", capabilities).prop_map(|(name, capabilities)| {
            Answer::Started { protocol: PROTOCOL_VERSION, name, capabilities: capabilities.into_iter().collect() }
        }),
        1 => handle().prop_map(|handle| Answer::ForeignHandle { handle }),
        1 => Just(Answer::Done {}),
        1 => any::<String>().prop_map(|message| Answer::Error { message }),
        1 => any::<String>().prop_map(|message| Answer::Crashed { message }),
        1 => any::<i32>().prop_map(|signal| Answer::Ended(End::Signal(signal))),
        1 => any::<i32>().prop_map(|code| Answer::Ended(End::ExitCode(code))),
    ]
}

// --- The schema

fn schema() -> (Schemas, SchemaIndex) {
    let document: Value = serde_json::from_str(include_str!("../spec/schemas/adapter.schema.json")).expect("JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:digest-ssp:adapter", document).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:digest-ssp:adapter", &mut schemas).expect("the schema is one");
    (schemas, index)
}

fn refusal(message: &Value) -> Option<String> {
    let (schemas, index) = schema();
    schemas.validate(message, index).err().map(|error| format!("{error:#}"))
}

fn as_json(message: &impl Serialize) -> Value {
    serde_json::to_value(message).expect("every message is JSON")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("proptest-regressions/adapter_protocol.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn requests_survive_and_are_as_the_schema_says(request in request()) {
        let line = serde_json::to_string(&request).expect("every request is JSON");
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(serde_json::from_str::<Request>(&line).expect("it was just written"), request.clone());
        prop_assert_eq!(refusal(&as_json(&request)), None);
    }

    #[test]
    fn answers_survive_and_are_as_the_schema_says(answer in answer()) {
        let line = serde_json::to_string(&answer).expect("every answer is JSON");
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(serde_json::from_str::<Answer>(&line).expect("it was just written"), answer.clone());
        prop_assert_eq!(refusal(&as_json(&answer)), None);
    }
}

#[test]
fn what_may_be_written_otherwise_is_read() {
    let read = |message: Value| serde_json::from_value::<Answer>(message).map_err(|error| error.to_string());
    let bare = Outcome::untouched(SecurityStatus::SEC_E_INVALID_HANDLE, &Call::DeleteSecurityContext { context: None });
    for message in [
        json!({"outcome": {"status": "SEC_E_INVALID_HANDLE"}}),
        json!({"outcome": {"status": "0x80090301", "handle": null, "output": null}}),
    ] {
        assert_eq!(refusal(&message), None);
        assert_eq!(read(message), Ok(Answer::Outcome(bare.clone())));
    }
    let padded = json!({"foreign_handle": {"handle": ["0x000000000000001F", "0x0"]}});
    assert_eq!(refusal(&padded), None);
    assert_eq!(read(padded), Ok(Answer::ForeignHandle { handle: SecHandle { lower: 31, upper: 0 } }));
}

/// What is neither a request nor an answer, for the schema and for the program alike.
#[test]
fn what_is_no_message_is_refused_by_schema_and_program() {
    let outcome = |members: Value| json!({"outcome": members});
    let buffer = |buffer: Value| {
        json!({"call": {"CompleteAuthToken": {"context": null,
        "token": {"version": 0, "count": 1, "buffers": [buffer]}}}})
    };
    assert_eq!(refusal(&buffer(json!({"type": 2, "count": 1, "data": "00"}))), None, "the good one");
    let broken = [
        json!({}),
        json!([]),
        json!("stop"),
        json!({"stop": {}, "done": {}}),
        json!({"stop": {"x": 1}}),
        json!({"Stop": {}}),
        json!({"begin": {}}),
        json!({"start": {"protocol": 1}}),
        json!({"start": {"protocol": -1, "setup": as_json(&Setup::default())}}),
        json!({"advance": {"milliseconds": -1}}),
        json!({"advance": {"milliseconds": "1"}}),
        json!({"inject": {"fault": "disk"}}),
        json!({"accounts_down": {"down": 1}}),
        json!({"spend_counts": {"context": null}}),
        json!({"spend_counts": {"context": ["0x1"]}}),
        json!({"spend_counts": {"context": ["0x1", "0x2", "0x3"]}}),
        json!({"spend_counts": {"context": ["1", "0x2"]}}),
        json!({"spend_counts": {"context": ["0x", "0x2"]}}),
        json!({"spend_counts": {"context": ["0x+1", "0x2"]}}),
        json!({"spend_counts": {"context": ["0x12345678123456781", "0x2"]}}),
        json!({"call": {"ExportSecurityContext": {"context": null}}}),
        json!({"call": {"DeleteSecurityContext": {}}}),
        json!({"call": {"DeleteSecurityContext": {"context": null, "flags": 0}}}),
        buffer(json!({"type": 2, "count": 1, "data": "0"})),
        buffer(json!({"type": 2, "count": 1, "data": "0G"})),
        buffer(json!({"type": 2, "count": 1, "data": "FF"})),
        buffer(json!({"type": 2, "count": -1, "data": "00"})),
        buffer(json!({"type": 2, "count": 4_294_967_296_u64, "data": "00"})),
        buffer(json!({"type": "TOKEN", "count": 1, "data": "00"})),
        buffer(json!({"type": 2, "count": 1, "data": "00", "length": 1})),
        outcome(json!({})),
        outcome(json!({"status": 0})),
        outcome(json!({"status": "OK"})),
        outcome(json!({"status": "0x1"})),
        outcome(json!({"status": "0x+0000001"})),
        outcome(json!({"status": "SEC_E_OK", "ouput": null})),
        outcome(json!({"status": "SEC_E_OK", "expiry": 12})),
        outcome(json!({"status": "SEC_E_OK", "attribute": {"lifespan": 1}})),
        outcome(json!({"status": "SEC_E_OK", "attribute": {"session_key": [1, 2]}})),
        json!({"started": {"protocol": 1, "name": "x", "capabilities": ["time"]}}),
        json!({"started": {"name": "x", "capabilities": []}}),
        json!({"error": {"message": 1}}),
        json!({"error": "no"}),
        json!({"ended": {"signal": "SIGSEGV"}}),
        json!({"ended": {"signal": 11, "exit_code": 0}}),
    ];
    for message in broken {
        assert!(refusal(&message).is_some(), "the schema takes {message}");
        assert!(serde_json::from_value::<Request>(message.clone()).is_err(), "read as a request: {message}");
        assert!(serde_json::from_value::<Answer>(message.clone()).is_err(), "read as an answer: {message}");
    }
}

#[test]
fn the_set_up_is_that_of_reports() {
    let definition = |text: &str| {
        let mut setup = serde_json::from_str::<Value>(text).expect("JSON")["$defs"]["setup"].clone();
        setup.as_object_mut().expect("an object").remove("description");
        setup
    };
    let reports = definition(include_str!("../spec/schemas/conform.schema.json"));
    assert_eq!(definition(include_str!("../spec/schemas/adapter.schema.json")), reports);
}

/// What was written is refused without being repeated: it may be a key.
#[test]
fn refusals_do_not_repeat_octets() {
    let message = r#"{"outcome": {"status": "SEC_E_OK", "attribute": {"session_key": "hunter2"}}}"#;
    let refused = serde_json::from_str::<Answer>(message).expect_err("these are no hexadecimal digits").to_string();
    assert!(!refused.contains("hunter2"), "{refused}");
}

// --- The side of an adapter

fn served(subject: &mut dyn Subject, input: &[u8]) -> Vec<Value> {
    let mut output = Vec::new();
    serve(subject, input, &mut output).expect("memory neither ends nor breaks");
    let text = String::from_utf8(output).expect("JSON is text");
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).expect("every answer is JSON")).collect()
}

fn lines(requests: &[Request]) -> Vec<u8> {
    requests.iter().map(|request| serde_json::to_string(request).expect("JSON") + "\n").collect::<String>().into()
}

fn start() -> Request {
    Request::Start { protocol: PROTOCOL_VERSION, setup: Setup::default() }
}

#[test]
fn an_adapter_answers_in_turn() {
    let acquire = Call::AcquireCredentialsHandle {
        principal: None,
        package: "WDigest".into(),
        credential_use: 1,
        logon_id: None,
        identity: None,
    };
    let requests = [
        start(),
        Request::Call(acquire.clone()),
        Request::Advance { milliseconds: 5 },
        Request::Inject { fault: EnvironmentFault::Entropy },
        Request::AccountsDown { down: true },
        Request::ForeignHandle {},
        Request::SpendCounts { context: SecHandle::default() },
        Request::Stop {},
        start(),
    ];
    let answers = served(&mut Builtin::default(), &lines(&requests));
    let kinds: Vec<_> =
        answers.iter().map(|answer| answer.as_object().and_then(|answer| answer.keys().next())).collect();
    let kinds: Vec<_> = kinds.into_iter().flatten().map(String::as_str).collect();
    // The second provider has an environment of its own; no context has this handle.
    let expected = ["started", "outcome", "done", "done", "done", "foreign_handle", "error", "done", "started"];
    assert_eq!(kinds, expected, "{answers:?}");
    for answer in &answers {
        assert_eq!(refusal(answer), None, "{answer}");
    }
    assert_eq!(answers[0]["started"]["name"], json!(Builtin::default().name()));
    assert_eq!(answers[1]["outcome"]["status"], json!("SEC_E_OK"));
}

#[test]
fn what_is_no_request_is_answered_and_the_next_one_is_served() {
    let mut input = b"hello\n\n{}\n[\n\xff\n".to_vec();
    input.extend(format!("{{\"stop\": {}1{}}}\n", "[".repeat(500), "]".repeat(500)).into_bytes());
    input.extend(vec![b'x'; LONGEST_LINE + 1]);
    input.push(b'\n');
    input.extend(lines(&[Request::Stop {}]));
    let answers = served(&mut Builtin::default(), &input);
    assert_eq!(answers.len(), 8);
    for answer in &answers[..7] {
        assert!(
            answer["error"]["message"].as_str().is_some_and(|message| message.starts_with("no request: ")),
            "{answer}"
        );
    }
    assert_eq!(answers[7], json!({"done": {}}));
}

#[test]
fn a_line_that_was_cut_is_not_served() {
    let whole = lines(&[Request::Stop {}]);
    assert_eq!(served(&mut Builtin::default(), &whole[..whole.len() - 1]), Vec::<Value>::new());
    assert_eq!(served(&mut Builtin::default(), b""), Vec::<Value>::new());
}

#[test]
fn another_version_is_refused() {
    let start = Request::Start { protocol: PROTOCOL_VERSION + 1, setup: Setup::default() };
    let answers = served(&mut Builtin::default(), &lines(&[start]));
    let message = answers[0]["error"]["message"].as_str().expect("an error");
    assert!(message.contains("version 1") && message.ends_with("not 2"), "{message}");
}

/// Whatever a subject says instead of an answer.
struct Failing(SubjectError);

impl Subject for Failing {
    fn name(&self) -> String {
        "failing".into()
    }

    fn capabilities(&self) -> BTreeSet<Need> {
        BTreeSet::new()
    }

    fn start(&mut self, _setup: &Setup) -> Result<(), SubjectError> {
        Err(self.0.clone())
    }

    fn call(&mut self, _call: &Call) -> Result<Outcome, SubjectError> {
        Err(self.0.clone())
    }
}

#[test]
fn what_a_subject_says_instead_of_an_answer_is_told() {
    let deletion = Request::Call(Call::DeleteSecurityContext { context: None });
    for (error, told) in [
        (
            SubjectError::Crashed("wrote behind its buffer".into()),
            json!({"crashed": {"message": "wrote behind its buffer"}}),
        ),
        (SubjectError::Errored("cannot".into()), json!({"error": {"message": "cannot"}})),
    ] {
        let answers = served(&mut Failing(error), &lines(&[start(), deletion.clone()]));
        assert_eq!(answers, [told.clone(), told]);
    }
}
