//! `docs/schema/`: real output and real configurations are valid, and nothing more or less than the executable knows is.

use serde_json::{Value, json};
use support::{Run, World};

use crate::config::known_keys;
use crate::{SYNC, text};

fn schema(name: &str) -> Value {
    serde_json::from_str(&text(&format!("docs/schema/{name}"))).unwrap()
}

#[track_caller]
fn assert_valid(name: &str, instance: &Value) {
    let validator = jsonschema::validator_for(&schema(name)).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}\n{instance:#}");
}

fn world() -> support::Builder {
    World::of(SYNC)
}

#[track_caller]
fn assert_result(run: &Run, code: i32) {
    run.exit(code);
    assert_valid("port-sheet-sync.json", &run.json());
}

#[test]
fn results_of_every_outcome_are_valid() {
    let healthy = world().build();
    assert_result(&healthy.run(&["--json", "--dry-run"]), 0);
    assert_result(&healthy.run(&["--json"]), 0);
    let bad = world().csv(&["booking_id,vessel", "B-1,Alma", ",Borea"]).build();
    assert_result(&bad.run(&["--json"]), 65);
    let unshared = world().not_shared().build();
    assert_result(&unshared.run(&["--json"]), 77);
    let misspelt = world().tables("[nonsense]").build();
    assert_result(&misspelt.run(&["--json"]), 78);
}

#[test]
fn a_result_has_every_field_that_the_schema_names_and_a_strange_one_would_be_found() {
    let world = world().build();
    let mut result = world.run(&["--json"]).json();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let schema = schema("port-sheet-sync.json");
    let mut history = world.run(&["--history", "--json"]).json();
    result["runs"] = history["runs"].take();
    assert_eq!(sorted(names(&result)), sorted(names(&schema["properties"])));
    let run = names(&schema["$defs"]["run"]["properties"]);
    assert_eq!(sorted(names(&result["runs"][0])), sorted(run));
    let sheet = names(&schema["$defs"]["sheet"]["properties"]);
    assert_eq!(sorted(names(&result["sheets"][0])), sorted(sheet));
    result["sheets"][0]["strange"] = json!(1);
    assert!(!jsonschema::is_valid(&schema, &result));
}

#[test]
fn the_shipped_configurations_are_valid() {
    for path in ["examples/config.toml", "examples/demo/config.toml"] {
        // The demonstration fills in its directory, its address and its spreadsheet.
        let text = text(path).replace("DIRECTORY", "/dir").replace("GOOGLE", "http://127.0.0.1:1");
        let table: toml::Table = toml::from_str(&text).unwrap();
        assert_valid("config.json", &serde_json::to_value(table).unwrap());
    }
}

#[test]
fn the_schema_of_the_configuration_has_every_key_that_the_executable_knows_and_no_other() {
    let mut keys = Vec::new();
    collect(&schema("config.json"), &mut keys);
    // Under `job` are names of executables, which are no keys.
    keys.retain(|key| {
        !["job-status", "port-sheet-sync", "quota-reset", "token-login"].contains(&key.as_str())
    });
    keys.dedup();
    assert_eq!(keys, known_keys().into_iter().collect::<Vec<_>>());
}

/// The names under every `properties`, sorted.
fn collect(schema: &Value, keys: &mut Vec<String>) {
    for (name, value) in schema.as_object().into_iter().flatten() {
        if name == "properties" {
            keys.extend(value.as_object().unwrap().keys().cloned());
            value.as_object().unwrap().values().for_each(|value| collect(value, keys));
        } else {
            collect(value, keys);
        }
    }
    keys.sort();
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
