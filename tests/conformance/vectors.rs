//! `spec/vectors`: the committed files break no rule and say what the digest layer says, the Python witness agrees, and
//! a file that breaks a rule is refused with the rule it breaks.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program_support::python;
use boon::{Compiler, SchemaIndex, Schemas};
use digest_ssp::conformance::vectors;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../spec/schemas/vectors.schema.json");

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/vectors")
}

/// Name and content of every committed file.
fn documents() -> Vec<(String, Value)> {
    let mut documents: Vec<_> = std::fs::read_dir(committed())
        .expect("spec/vectors is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).expect("it can be read");
            (name, serde_json::from_str(&text).expect("it is JSON"))
        })
        .collect();
    documents.sort_by(|left, right| left.0.cmp(&right.0));
    documents
}

fn document(name: &str) -> Value {
    documents().into_iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn schema() -> (Schemas, SchemaIndex) {
    let document: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:digest-ssp:spec:vectors", document).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:digest-ssp:spec:vectors", &mut schemas).expect("the schema is one");
    (schemas, index)
}

fn is_refused_by_the_schema(document: &Value) -> bool {
    let (schemas, index) = schema();
    schemas.validate(document, index).is_err()
}

/// What `vectors check` says of these files alone.
fn problems(test: &str, files: &[(&str, String)]) -> Vec<String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vectors").join(test);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    for (name, text) in files {
        std::fs::write(directory.join(name), text).expect("a file for the test");
    }
    let report = vectors::check(&directory).expect("the files can be read");
    report.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_committed_vectors_say_what_the_digest_layer_says() {
    let report = vectors::check(&committed()).expect("spec/vectors can be read");
    let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(report.files.len(), 15);
    let invalid: usize = report.files.iter().map(|file| file.invalid).sum();
    let published: usize = report.files.iter().map(|file| file.published).sum();
    let interop: usize = report.files.iter().map(|file| file.interop).sum();
    assert!(invalid >= 300 && published >= 10 && interop >= 100, "{invalid} {published} {interop}");
}

#[test]
fn the_committed_vectors_follow_the_schema() {
    let (schemas, index) = schema();
    for (name, document) in documents() {
        if let Err(error) = schemas.validate(&document, index) {
            panic!("{name}: {error:#}");
        }
    }
}

/// `--check` judges what the files say, `--compare` makes them once more.
#[test]
fn the_witness_agrees_with_every_vector_and_makes_no_other() {
    for mode in ["--check", "--compare"] {
        let output = Command::new(python())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/make_vectors.py"))
            .arg(mode)
            .output()
            .unwrap_or_else(|error| panic!("this test needs Python 3 (PYTHON names another): {error}"));
        assert!(output.status.success(), "{mode}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The texts that RFC 2617, RFC 7616 and RFC 2831 print, so that no generator stands between them and the files.
#[test]
fn the_published_vectors_are_those_of_the_documents() {
    for (file, id, member, value) in [
        ("http_response.json", "http-response/rfc-2617", "response", "6629fae49393a05397450978507c4ef1"),
        ("http_response.json", "http-response/rfc-7616", "response", "8ca523f5e9506fed4657c9700eebdbec"),
        ("sasl_response.json", "sasl-response/rfc-2831-imap", "response", "d388dad90d4bbd760a152321f2143af7"),
        ("sasl_response.json", "sasl-response/rfc-2831-acap", "response", "6084c6db3fede7352c551284490fd0fc"),
        ("sasl_rspauth.json", "sasl-rspauth/rfc-2831-imap", "rspauth", "ea40f60335c427b5527b84dbabcdfffd"),
        ("sasl_rspauth.json", "sasl-rspauth/rfc-2831-acap", "rspauth", "2f0b3d7c3c2e486600ef710726aa2eae"),
    ] {
        let vector = vector(&document(file), id);
        assert_eq!(vector["result"], "valid", "{id}");
        assert_eq!(vector["input"][member], value, "{id}");
        assert_eq!(vector["expected"][member], value, "{id}");
        assert_eq!(vector["source"]["kind"], "published", "{id}");
    }
}

fn vector(document: &Value, id: &str) -> Value {
    let groups = document["groups"].as_array().expect("groups");
    let mut vectors = groups.iter().flat_map(|group| group["vectors"].as_array().expect("vectors"));
    vectors.find(|vector| vector["id"] == id).unwrap_or_else(|| panic!("no {id}")).clone()
}

/// In each file one expected value is made wrong; that one vector, and no other, is named.
#[test]
fn a_wrong_expectation_is_named_in_every_operation() {
    for (name, mut document) in documents() {
        let expected = &mut document["groups"][0]["vectors"][0]["expected"];
        let pointer = match name.as_str() {
            "http_session_key.json" | "http_response.json" | "sasl_session_key.json" | "sasl_response.json" => {
                "/session_key"
            }
            "http_rspauth.json" | "sasl_rspauth.json" => "/rspauth",
            "http_response_token.json" | "http_challenge_token.json" | "sasl_response_token.json" => {
                "/directives/realm"
            }
            "sasl_challenge_token.json" => "/directives/realms/0",
            "sasl_wrap.json" => "/keys/signing",
            "sasl_unwrap.json" => "/steps/1/message",
            "channel_bindings.json" => "/hash",
            "extended_protection.json" => "/service_name",
            "upgraded_cnonce.json" => "/cnonce",
            other => panic!("no wrong expectation for {other}"),
        };
        let value = expected.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}"));
        *value = json!("0".repeat(32));
        let id = document["groups"][0]["vectors"][0]["id"].as_str().expect("an id").to_owned();
        let found = problems("expectation", &[(&name, document.to_string())]);
        let [only] = found.as_slice() else { panic!("{name}: {found:?}") };
        assert!(only.contains(&id) && only.contains("the digest layer"), "{only}");
    }
}

/// A small file that breaks no rule.
fn good() -> Value {
    json!({
        "$schema": "../schemas/vectors.schema.json",
        "operation": "channel-bindings",
        "about": "Hashes.",
        "notes": {
            "Ordinary": {"bug": "BASIC", "description": "Good ones.", "links": ["https://example.org/"]},
            "Short": {"bug": "MISSING_CHECK", "description": "Short ones.", "links": []},
        },
        "groups": [{"about": "All.", "vectors": [
            {
                "id": "channel-bindings/zeros",
                "comment": "nothing but the structure",
                "flags": ["Ordinary"],
                "result": "valid",
                "source": {"kind": "published", "document": "A document", "section": "1"},
                "input": {"buffer": "00".repeat(32)},
                // MD5 of twenty octets of zero.
                "expected": {"status": "SEC_E_OK", "hash": "441018525208457705bf09a8ee3c1093"},
            },
            {
                "id": "channel-bindings/none",
                "comment": "no octets",
                "flags": ["Short"],
                "result": "invalid",
                "source": {"kind": "generated"},
                "input": {"buffer": ""},
                "expected": {"status": "SEC_E_INVALID_TOKEN"},
            },
        ]}],
    })
}

const GOOD_NAME: &str = "channel_bindings.json";

/// Who has to refuse a broken file beside `vectors check`.
#[derive(PartialEq)]
enum Schema {
    /// The schema sees it, too.
    Sees,
    /// A rule that a schema cannot say.
    CannotSee,
}

#[test]
fn a_broken_file_is_refused_with_its_rule() {
    assert_eq!(problems("good", &[(GOOD_NAME, good().to_string())]), Vec::<String>::new());
    assert!(!is_refused_by_the_schema(&good()));
    let first = "/groups/0/vectors/0";
    let at = |member: &str| format!("{first}{member}");
    for (rule, pointer, value, said, schema) in [
        ("schema", "/$schema".to_owned(), json!("elsewhere"), "$schema is elsewhere", Schema::Sees),
        ("operation", "/operation".to_owned(), json!("guessing"), "no operation guessing", Schema::Sees),
        ("about", "/about".to_owned(), json!(""), "`about` says nothing", Schema::Sees),
        ("group about", "/groups/0/about".to_owned(), json!(" "), "a group's `about`", Schema::CannotSee),
        ("no group", "/groups".to_owned(), json!([]), "it has no group", Schema::Sees),
        ("empty group", "/groups/0/vectors".to_owned(), json!([]), "has no vector", Schema::Sees),
        ("note", "/notes/Short/description".to_owned(), json!(""), "the note Short says nothing", Schema::Sees),
        ("link", "/notes/Short/links".to_owned(), json!(["ftp://x"]), "no https address", Schema::Sees),
        ("bug", "/notes/Short/bug".to_owned(), json!("SEVERE"), "unknown variant", Schema::Sees),
        ("id", at("/id"), json!("zeros"), "an id is channel-bindings, a slash", Schema::Sees),
        ("id in capitals", at("/id"), json!("channel-bindings/Zeros"), "an id is", Schema::Sees),
        ("id twice", at("/id"), json!("channel-bindings/none"), "this id is there already", Schema::CannotSee),
        ("comment", at("/comment"), json!(""), "`comment` says nothing", Schema::Sees),
        ("no flag", at("/flags"), json!([]), "it has no flag", Schema::Sees),
        ("flag twice", at("/flags"), json!(["Ordinary", "Ordinary"]), "the flag Ordinary twice", Schema::Sees),
        ("unknown flag", at("/flags"), json!(["Ordinary", "Odd"]), "no note explains the flag Odd", Schema::CannotSee),
        (
            "unused note",
            at("/flags"),
            json!(["Short"]),
            "no vector has the flag of the note Ordinary",
            Schema::CannotSee,
        ),
        ("result", at("/result"), json!("invalid"), "`valid` goes with SEC_E_OK", Schema::Sees),
        ("result's name", at("/result"), json!("acceptable"), "unknown variant", Schema::Sees),
        ("source", at("/source/section"), json!(""), "`source` names nothing", Schema::Sees),
        ("source's kind", at("/source"), json!({"kind": "hearsay"}), "unknown variant", Schema::Sees),
        ("source's member", at("/source"), json!({"kind": "generated", "x": 1}), "unknown field", Schema::Sees),
        ("same input", at("/input/buffer"), json!(""), "its input is that of", Schema::CannotSee),
        ("input", at("/input"), json!({}), "missing field `buffer`", Schema::Sees),
        ("input's member", at("/input"), json!({"buffer": "", "x": 1}), "unknown field", Schema::Sees),
        ("octets", at("/input/buffer"), json!("0g"), "hexadecimal digits", Schema::Sees),
        ("status", at("/expected/status"), json!("SEC_E_FINE"), "no status is called SEC_E_FINE", Schema::Sees),
        ("expectation", at("/expected/hash"), json!("0".repeat(32)), "the digest layer", Schema::CannotSee),
    ] {
        let mut broken = good();
        *broken.pointer_mut(&pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        let found = problems("broken", &[(GOOD_NAME, broken.to_string())]);
        assert!(found.iter().any(|problem| problem.contains(said)), "{rule}: {found:?}");
        assert!(
            found.iter().all(|problem| problem.starts_with(GOOD_NAME) && !problem.contains('\n')),
            "{rule}: {found:?}"
        );
        assert_eq!(is_refused_by_the_schema(&broken), schema == Schema::Sees, "{rule}");
    }
}

#[test]
fn what_is_no_member_is_refused_everywhere() {
    for pointer in ["", "/notes/Short", "/groups/0", "/groups/0/vectors/0", "/groups/0/vectors/0/expected"] {
        let mut broken = good();
        let object = broken.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
        object.insert("remark".to_owned(), json!("what nobody reads"));
        let found = problems("member", &[(GOOD_NAME, broken.to_string())]);
        assert!(found.iter().any(|problem| problem.contains("unknown field `remark`")), "{pointer}: {found:?}");
        assert!(is_refused_by_the_schema(&broken), "{pointer}");
    }
}

/// Two notes of one name would hide one of them; JSON itself allows it.
#[test]
fn a_member_is_there_once() {
    let once = good().to_string();
    for (member, text) in [
        ("Short", r#""Short":{"bug":"MISSING_CHECK","description":"Short ones.","links":[]}"#),
        ("about", r#""about":"Hashes.""#),
        ("buffer", r#""buffer":"""#),
    ] {
        assert!(once.contains(text), "{once}");
        let found = problems("twice", &[(GOOD_NAME, once.replacen(text, &format!("{text},{text}"), 1))]);
        let said = |problem: &String| problem.contains("duplicate") && problem.contains(member);
        assert!(found.iter().any(said), "{member}: {found:?}");
    }
}

#[test]
fn a_file_says_where_it_lies_and_whose_it_is() {
    let found = problems("name", &[("bindings.json", good().to_string())]);
    assert!(found.iter().any(|problem| problem.contains("is called channel_bindings.json")), "{found:?}");
    let found = problems("json", &[(GOOD_NAME, "{".to_owned())]);
    assert!(found.iter().any(|problem| problem.contains("it is no file of vectors")), "{found:?}");
    // An id is one vector's in all files together.
    let found = problems("ids", &[(GOOD_NAME, good().to_string()), ("other.json", good().to_string())]);
    assert!(found.iter().any(|problem| problem.contains("there already, in channel_bindings.json")), "{found:?}");
}

#[test]
fn octets_have_one_spelling_so_that_duplicates_cannot_hide() {
    let mut document = document("upgraded_cnonce.json");
    document["groups"][0]["vectors"][0]["input"]["nonce"] = json!({"hex": "61"});
    let found = problems("spelling", &[("upgraded_cnonce.json", document.to_string())]);
    assert!(found.iter().any(|problem| problem.contains("octets in hexadecimal that are text")), "{found:?}");
}

#[test]
fn what_cannot_be_run_is_named() {
    let mut document = document("http_response.json");
    document["groups"][0]["vectors"][0]["input"]["qop"] = json!("auth-conf");
    let found = problems("run", &[("http_response.json", document.to_string())]);
    assert!(found.iter().any(|problem| problem.contains("it cannot be run: qop is auth or auth-int")), "{found:?}");
}

#[test]
fn a_directory_without_files_is_no_check() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vectors-none");
    assert!(vectors::check(&directory).is_err());
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    assert!(vectors::check(&directory).is_err_and(|error| error.contains("no *.json is there")));
}
