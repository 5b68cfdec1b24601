//! Every call that is not due in a state does not compile there, and every call that is due does.
//!
//! The table below is the whole of it: states × calls. From it two files are generated, one function for each
//! forbidden pair and one for each allowed pair, and checked by the compiler. They are committed under `tests/ui`;
//! `DIGEST_SSP_BLESS=1` writes them anew.
#![cfg(feature = "package")]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Accept,
    Initialize,
    Complete,
    Make,
    Verify,
    Query,
    AuthenticationInfo,
    /// MakeSignature, VerifySignature, EncryptMessage, DecryptMessage of SASL.
    Protect,
    Delete,
}

use Call::{Accept, AuthenticationInfo, Complete, Delete, Initialize, Make, Protect, Query, Verify};

const CALLS: [Call; 9] = [Accept, Initialize, Complete, Make, Verify, Query, AuthenticationInfo, Protect, Delete];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Acceptor,
    Initiator,
    SaslAcceptor,
    SaslInitiator,
}

impl Role {
    fn path(self) -> &'static str {
        match self {
            Self::Acceptor => "Acceptor",
            Self::Initiator => "Initiator",
            Self::SaslAcceptor => "sasl::Acceptor",
            Self::SaslInitiator => "sasl::Initiator",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Acceptor => "acceptor",
            Self::Initiator => "initiator",
            Self::SaslAcceptor => "sasl_acceptor",
            Self::SaslInitiator => "sasl_initiator",
        }
    }
}

struct State {
    role: Role,
    /// As the specification prints it.
    name: &'static str,
    /// Its type.
    state: &'static str,
    /// The calls that are due.
    allowed: &'static [Call],
}

const fn acceptor(name: &'static str, state: &'static str, allowed: &'static [Call]) -> State {
    State { role: Role::Acceptor, name, state, allowed }
}

const fn initiator(name: &'static str, state: &'static str, allowed: &'static [Call]) -> State {
    State { role: Role::Initiator, name, state, allowed }
}

const fn sasl_acceptor(name: &'static str, state: &'static str, allowed: &'static [Call]) -> State {
    State { role: Role::SaslAcceptor, name, state, allowed }
}

const fn sasl_initiator(name: &'static str, state: &'static str, allowed: &'static [Call]) -> State {
    State { role: Role::SaslInitiator, name, state, allowed }
}

const STATES: [State; 25] = [
    acceptor("none", "New", &[Accept]),
    acceptor("challenged", "acceptor::Challenged", &[Accept, Delete]),
    acceptor("complete-needed-initial", "CompleteNeeded<acceptor::Initial>", &[Complete, Delete]),
    acceptor("complete-needed-subsequent", "CompleteNeeded<acceptor::Subsequent>", &[Complete, Delete]),
    acceptor("complete-and-continue-initial", "CompleteAndContinue<acceptor::Initial>", &[Complete, Delete]),
    acceptor("complete-and-continue-subsequent", "CompleteAndContinue<acceptor::Subsequent>", &[Complete, Delete]),
    acceptor("established", "acceptor::Established", &[Verify, Query, AuthenticationInfo, Delete]),
    acceptor("rejected", "Rejected", &[Delete]),
    initiator("none", "New", &[Initialize]),
    initiator("initial", "initiator::Initial", &[Initialize, Delete]),
    initiator("responded", "initiator::Responded", &[Initialize, Delete]),
    initiator("complete-needed", "CompleteNeeded<initiator::Response>", &[Complete, Delete]),
    initiator("complete-and-continue", "CompleteAndContinue<initiator::Response>", &[Complete, Delete]),
    initiator("established", "initiator::Established", &[Initialize, Make, Query, Delete]),
    initiator("rejected", "Rejected", &[Delete]),
    sasl_acceptor("none", "New", &[Accept]),
    sasl_acceptor("challenged", "sasl::acceptor::Challenged", &[Accept, Delete]),
    sasl_acceptor("complete-needed-subsequent", "CompleteNeeded<sasl::FastReauthentication>", &[Complete, Delete]),
    sasl_acceptor("established", "sasl::acceptor::Established", &[Query, Protect, Delete]),
    sasl_acceptor("rejected", "Rejected", &[Delete]),
    sasl_initiator("none", "New", &[Initialize]),
    sasl_initiator("initial", "sasl::initiator::Initial", &[Initialize, Delete]),
    sasl_initiator("responded", "sasl::initiator::Responded", &[Initialize, Delete]),
    sasl_initiator("established", "sasl::initiator::Established", &[Initialize, Query, Protect, Delete]),
    sasl_initiator("rejected", "Rejected", &[Delete]),
];

impl Call {
    fn method(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Initialize => "initialize",
            Self::Complete => "complete_auth_token",
            Self::Make => "make_signature",
            Self::Verify => "verify_signature",
            Self::Query => "query_context_attributes",
            Self::AuthenticationInfo => "authentication_info",
            Self::Protect => "protection",
            Self::Delete => "delete",
        }
    }

    /// Arguments with their types.
    fn arguments(self, role: Role) -> &'static [(&'static str, &'static str)] {
        match (self, role) {
            (Self::Accept, Role::Acceptor | Role::Initiator) => {
                &[("input", "&AcceptInput<'_>"), ("requirements", "AcceptRequirements"), ("world", "World<'_>")]
            }
            (Self::Accept, Role::SaslAcceptor | Role::SaslInitiator) => {
                &[("input", "&sasl::TokenMessage<'_>"), ("requirements", "AcceptRequirements"), ("world", "World<'_>")]
            }
            (Self::Initialize, Role::Acceptor | Role::Initiator) => {
                &[("input", "&InitializeInput<'_>"), ("requirements", "InitializeRequirements"), ("world", "World<'_>")]
            }
            (Self::Initialize, Role::SaslAcceptor | Role::SaslInitiator) => &[
                ("input", "&sasl::InitializeInput<'_>"),
                ("requirements", "InitializeRequirements"),
                ("world", "World<'_>"),
            ],
            (Self::Complete, Role::Acceptor) => &[("message", "&ResponseMessage<'_>"), ("world", "World<'_>")],
            (Self::Complete, Role::Initiator) => &[("message", "&OwnTokenMessage<'_>"), ("world", "World<'_>")],
            (Self::Complete, Role::SaslAcceptor | Role::SaslInitiator) => {
                &[("message", "&sasl::TokenMessage<'_>"), ("world", "World<'_>")]
            }
            (Self::Make, _) => &[("message", "&RequestMessage<'_>")],
            (Self::Verify, _) => &[("message", "&ResponseMessage<'_>"), ("world", "World<'_>")],
            (Self::Query, _) => &[("attribute", "u32")],
            (Self::AuthenticationInfo, _) => &[("body", "&[u8; 16]")],
            (Self::Delete, Role::Acceptor) => &[("sessions", "&Mutex<Sessions<Http>>")],
            (Self::Delete, Role::SaslAcceptor) => &[("sessions", "&Mutex<Sessions<Sasl>>")],
            (Self::Protect, _) | (Self::Delete, Role::Initiator | Role::SaslInitiator) => &[],
        }
    }

    /// Whether the method works on a context in place.
    fn context(self) -> &'static str {
        match self {
            Self::Make | Self::Verify | Self::Protect => "mut context",
            Self::Accept
            | Self::Initialize
            | Self::Complete
            | Self::Query
            | Self::AuthenticationInfo
            | Self::Delete => "context",
        }
    }
}

impl State {
    fn function(&self, call: Call) -> String {
        format!("{}_{}_calls_{}", self.role.name(), self.name.replace('-', "_"), call.method())
    }
}

/// A generated file, with the first and last line of each of its functions.
struct Generated {
    text: String,
    functions: BTreeMap<String, (u64, u64)>,
}

fn generate(allowed: bool) -> Generated {
    let what = if allowed { "due: nothing here may fail to compile" } else { "not due: one error in each function" };
    let mut text = format!(
        "//! Generated by tests/typestate.rs. Every call that is {what}.\n\
         #![forbid(unsafe_code)]\n\
         #![allow(unused_imports, unused_mut, reason = \"one prelude for both generated files\")]\n\n\
         use digest_ssp::context::acceptor::{{self, Acceptor}};\n\
         use digest_ssp::context::http::Http;\n\
         use digest_ssp::context::initiator::{{self, Initiator}};\n\
         use digest_ssp::context::input::{{AcceptInput, InitializeInput, OwnTokenMessage, RequestMessage, ResponseMessage}};\n\
         use digest_ssp::context::requirements::{{AcceptRequirements, InitializeRequirements}};\n\
         use digest_ssp::context::sasl::{{self, Sasl}};\n\
         use digest_ssp::context::sessions::Sessions;\n\
         use digest_ssp::context::{{Completable, CompleteAndContinue, CompleteNeeded, Context, New, Rejected, World}};\n\
         use digest_ssp::sync::Mutex;\n"
    );
    let mut functions = BTreeMap::new();
    for state in &STATES {
        for call in CALLS.into_iter().filter(|call| state.allowed.contains(call) == allowed) {
            let name = state.function(call);
            let arguments = call.arguments(state.role);
            let parameters: String = arguments.iter().map(|(name, kind)| format!(", {name}: {kind}")).collect();
            let names: Vec<&str> = arguments.iter().map(|(name, _)| *name).collect();
            let first = text.lines().count() as u64 + 2;
            writeln!(
                text,
                "\npub fn {name}({}: Context<{}, {}>{parameters}) {{\n    let _ = context.{}({});\n}}",
                call.context(),
                state.role.path(),
                state.state,
                call.method(),
                names.join(", ")
            )
            .expect("a String takes everything");
            functions.insert(name, (first, first + 2));
        }
    }
    Generated { text, functions }
}

/// One thing the compiler said: function it is in, code, text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    function: Option<String>,
    code: Option<String>,
    text: String,
}

/// Checks a generated file against the crate at `crate_root`, in a package of its own.
fn check(name: &str, generated: &Generated, crate_root: &Path) -> Vec<Said> {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("typestate");
    let package = scratch.join(name);
    fs::create_dir_all(package.join("src")).expect("a scratch directory");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         digest-ssp = {{ path = {crate_root:?}, default-features = false, features = [\"package\"] }}\n\n[workspace]\n"
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("a scratch directory");
    fs::write(package.join("src/lib.rs"), &generated.text).expect("a scratch directory");
    // The versions that this crate is tested with, so that nothing has to be looked up.
    fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).expect("a committed Cargo.lock");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--message-format=json", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(scratch.join("target"))
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()
        .expect("cargo runs");
    let messages: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .collect();
    assert!(
        messages.iter().any(|message| message["reason"] == "compiler-artifact"),
        "the crate itself did not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said: Vec<Said> = messages
        .iter()
        .filter(|message| message["reason"] == "compiler-message" && message["target"]["name"] == *name)
        .map(|message| &message["message"])
        .filter(|message| message["level"] != "failure-note")
        // The count of the errors, which are counted here.
        .filter(|message| !message["message"].as_str().unwrap_or_default().starts_with("aborting due to "))
        .map(|message| {
            let spans = message["spans"].as_array().cloned().unwrap_or_default();
            let line =
                spans.iter().find(|span| span["is_primary"] == true).and_then(|span| span["line_start"].as_u64());
            let function = line.and_then(|line| {
                let mut functions = generated.functions.iter();
                functions.find(|(_, (first, last))| (*first..=*last).contains(&line)).map(|(name, _)| name.clone())
            });
            Said {
                function,
                code: message["code"]["code"].as_str().map(str::to_owned),
                text: message["message"].as_str().unwrap_or_default().to_owned(),
            }
        })
        .collect();
    assert!(
        output.status.success() || !said.is_empty(),
        "cargo failed before it compiled:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// What is wrong with what the compiler said about the forbidden calls: each function must have exactly one "no method".
fn offences(generated: &Generated, said: &[Said]) -> Vec<String> {
    let mut offences = Vec::new();
    for function in generated.functions.keys() {
        let errors: Vec<&Said> = said.iter().filter(|said| said.function.as_ref() == Some(function)).collect();
        match errors[..] {
            [error] if error.code.as_deref() == Some("E0599") && error.text.starts_with("no method named ") => {}
            [] => offences.push(format!("{function} compiles")),
            _ => offences.push(format!("{function}: {errors:?}")),
        }
    }
    let elsewhere = said.iter().filter(|said| said.function.is_none());
    offences.extend(elsewhere.map(|said| format!("outside of every function: {said:?}")));
    offences
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[test]
fn the_generated_files_are_committed() {
    for (file, allowed) in [("forbidden.rs", false), ("allowed.rs", true)] {
        let path = root().join("tests/ui").join(file);
        let generated = generate(allowed).text;
        if env::var_os("DIGEST_SSP_BLESS").is_some() {
            fs::write(&path, &generated).expect("tests/ui can be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == generated, "tests/ui/{file} is stale; DIGEST_SSP_BLESS=1 writes it");
    }
}

#[test]
fn the_table_is_whole() {
    let forbidden = generate(false).functions.len();
    let allowed = generate(true).functions.len();
    assert_eq!(forbidden + allowed, STATES.len() * CALLS.len());
    let waiting = STATES.iter().filter(|state| state.allowed.contains(&Complete));
    assert!(waiting.clone().all(|state| state.name.starts_with("complete-")));
    assert_eq!(waiting.count(), 7);
}

/// One test and not three: the checks share a target directory.
#[test]
fn forbidden_calls_do_not_compile_and_allowed_ones_do() {
    let allowed = generate(true);
    assert_eq!(check("allowed", &allowed, root()), []);

    let forbidden = generate(false);
    assert_eq!(offences(&forbidden, &check("forbidden", &forbidden, root())), [""; 0]);

    // A crate that had a forbidden method would be found out.
    let patched = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("typestate/digest-ssp");
    if patched.exists() {
        fs::remove_dir_all(&patched).expect("a scratch directory");
    }
    copy_tree(&root().join("src"), &patched.join("src")).expect("a copy of src");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("this crate's manifest");
    fs::write(patched.join("Cargo.toml"), manifest).expect("a scratch directory");
    let patch = |module: &str, method: &str| {
        let module = patched.join("src/context").join(module);
        let source = fs::read_to_string(&module).expect("a module of this crate");
        fs::write(&module, format!("{source}{method}")).expect("a scratch directory");
    };
    let method = "
impl Context<Acceptor, Challenged> {
    /// A completion where none is due.
    pub fn complete_auth_token(self, _: &super::input::ResponseMessage<'_>, _: World<'_>) {}
}
";
    patch("acceptor.rs", method);
    let method = "
impl Context<Acceptor, Established> {
    /// A second completion.
    pub fn complete_auth_token(self, _: &super::TokenMessage<'_>, _: World<'_>) {}
}
";
    patch("sasl/acceptor.rs", method);
    assert_eq!(
        offences(&forbidden, &check("patched", &forbidden, &patched)),
        [
            "acceptor_challenged_calls_complete_auth_token compiles",
            "sasl_acceptor_established_calls_complete_auth_token compiles"
        ]
    );
}
