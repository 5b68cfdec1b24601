//! What `spec show` prints: every answer as JSON is one that the committed schema describes.

use boon::{Compiler, SchemaIndex, Schemas};
use digest_ssp::spec::model::Specification;
use digest_ssp::spec::names::{CallName, Profile};
use digest_ssp::spec::show;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../spec/schemas/show.schema.json");

fn tables() -> Specification {
    Specification::embedded().expect("a test of `load` shows that the tables load")
}

fn schema() -> (Schemas, SchemaIndex) {
    let document: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let mut compiler = Compiler::new();
    compiler.add_resource("urn:digest-ssp:spec:show", document).expect("the schema has an identifier");
    let mut schemas = Schemas::new();
    let index = compiler.compile("urn:digest-ssp:spec:show", &mut schemas).expect("the schema is one");
    (schemas, index)
}

fn refusal(value: &Value) -> Option<String> {
    let (schemas, index) = schema();
    schemas.validate(value, index).err().map(|error| format!("{error:#}"))
}

#[test]
fn every_row_is_as_the_schema_describes_it() {
    let tables = tables();
    let (schemas, index) = schema();
    for row in tables.rows() {
        let value = show::row_json(&tables, &row.id).expect("the row exists");
        if let Err(error) = schemas.validate(&value, index) {
            panic!("{}: {error:#}", row.id);
        }
    }
}

#[test]
fn every_call_and_state_is_as_the_schema_describes_it() {
    let tables = tables();
    for name in CallName::ALL {
        let value = show::call_json(&tables, *name).expect("every call has a table");
        assert_eq!(refusal(&value), None, "{name}");
    }
    for state in &tables.states {
        let value = show::state_json(&tables, &state.name).expect("the state exists");
        assert_eq!(refusal(&value), None, "{}", state.name);
    }
}

#[test]
fn the_schema_refuses_what_is_not_so() {
    let value = show::row_json(&tables(), "cat-count-used").expect("the row exists");
    assert_eq!(refusal(&value), None);
    let broken: [(&str, Value); 6] = [
        ("/spec_version", json!("next")),
        ("/kind", json!("call")),
        ("/row/id", json!("Cat_Count_Used")),
        ("/row/outcome/status/value", json!("0x8009031")),
        ("/row/sources", json!([])),
        ("/row/level", json!("may")),
    ];
    for (pointer, replacement) in broken {
        let mut value = value.clone();
        *value.pointer_mut(pointer).expect("the pointer leads somewhere") = replacement;
        assert!(refusal(&value).is_some(), "{pointer}");
    }
    assert!(refusal(&json!({ "spec_version": "0.1.0", "kind": "row" })).is_some());
}

/// The facts of one row as the pages state them: a replayed count is SEC_E_OUT_OF_SEQUENCE, 0x80090310.
#[test]
fn a_row_says_what_the_page_says() {
    let tables = tables();
    let value = show::row_json(&tables, "cat-count-used").expect("the row exists");
    assert_eq!(value["row"]["call"], "CompleteAuthToken");
    assert_eq!(value["row"]["outcome"]["status"], json!({ "name": "SEC_E_OUT_OF_SEQUENCE", "value": "0x80090310" }));
    assert_eq!(value["row"]["provenance"], "documented");
    assert_eq!(value["row"]["profiles"], json!(["digest-http"]));
    let text = show::row(&tables, "cat-count-used").expect("the row exists");
    assert!(text.contains("SEC_E_OUT_OF_SEQUENCE (0x80090310)"), "{text}");
    assert!(text.contains("CompleteAuthToken function (Sspi.h), Return value <https://learn.microsoft.com/"), "{text}");
}

#[test]
fn a_call_lists_its_facts_situations_and_rows() {
    let tables = tables();
    let call = tables.call(CallName::CompleteAuthToken, Profile::DigestHttp).expect("every call has a table");
    let text = show::call(&tables, CallName::CompleteAuthToken).expect("every call has a table");
    for word in call.facts.iter().map(|rule| rule.fact.name()) {
        assert!(text.contains(&format!("  {word}")), "{word}");
    }
    for id in call.situations.iter().map(|situation| &situation.id).chain(call.rows.iter().map(|row| &row.id)) {
        assert!(text.contains(&format!(" {id}: ")), "{id}");
    }
}

#[test]
fn a_call_is_shown_with_the_table_of_each_mechanism() {
    let tables = tables();
    let text = show::call(&tables, CallName::CompleteAuthToken).expect("every call has a table");
    assert!(text.starts_with("CompleteAuthToken (HTTP)\n"), "{text}");
    assert!(text.contains("\nCompleteAuthToken (SASL)\n"), "{text}");
    assert!(text.contains("\nCompleteAuthToken (any package)\n"), "{text}");
    let value = show::call_json(&tables, CallName::CompleteAuthToken).expect("every call has a table");
    let profiles: Vec<&Value> =
        value["tables"].as_array().expect("tables are a list").iter().map(|table| &table["profiles"]).collect();
    assert_eq!(profiles, [&json!(["digest-http"]), &json!(["digest-sasl"]), &json!(["any-package"])]);
    let shared = show::call_json(&tables, CallName::DeleteSecurityContext).expect("every call has a table");
    assert_eq!(shared["tables"][0]["profiles"], json!(["digest-http", "digest-sasl"]));
    assert_eq!(shared["tables"].as_array().map(Vec::len), Some(2));
    let open = show::row(&tables, "isc-any-begins").expect("the row exists");
    assert!(open.contains("  or             SEC_I_COMPLETE_NEEDED (0x00090313)\n"), "{open}");
    let row = show::row(&tables, "dec-sasl-lost").expect("the row exists");
    assert!(row.contains("call           DecryptMessage (SASL)\n"), "{row}");
}

#[test]
fn a_state_of_both_roles_is_shown_for_both() {
    let tables = tables();
    let text = show::state(&tables, "established").expect("the state exists");
    assert!(text.contains("acceptor `established`") && text.contains("initiator `established`"), "{text}");
    assert!(text.contains("asc-established: STATUS_LOGON_FAILURE, next same"), "{text}");
    let none = show::state_json(&tables, "none").expect("the state exists");
    let rows = none["states"][0]["rows"].as_array().expect("rows are a list").clone();
    assert!(rows.contains(&json!("cat-handle-names-nothing")), "{rows:?}");
}

#[test]
fn what_does_not_exist_is_not_shown() {
    let tables = tables();
    assert_eq!(show::row(&tables, "no-such-row"), None);
    assert_eq!(show::row_json(&tables, "no-such-row"), None);
    assert_eq!(show::state(&tables, "daydreaming"), None);
    assert_eq!(show::state_json(&tables, "daydreaming"), None);
}
