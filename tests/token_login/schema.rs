//! `docs/schema/token-login.json` describes what `--json` answers, neither more nor less.

use serde_json::{Value, json};
use support::Run;

use crate::person::{address, allows, visit};
use crate::{built, world};

#[track_caller]
fn is_valid(run: &Run, code: i32) -> Value {
    run.exit(code);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/token-login.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut result = run.json();
    let wrong: Vec<String> = validator.iter_errors(&result).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{result:#}");
    let whole = result.clone();
    result["strange"] = json!(1);
    assert!(!validator.is_valid(&result));
    whole
}

#[test]
fn results_of_every_outcome_are_valid() {
    let world = built(world());
    is_valid(&world.run(&["--json"]), 64);
    is_valid(&world.run(&["port-sheet", "--json", "--import", "-"]), 77);
    let running = world.process(&["port-sheet", "--json"]).on_terminal().spawn();
    visit(&allows(&world, &address(&running)));
    let result = is_valid(&running.wait(), 0);
    assert!(result["credentials"][0]["sheets"][0]["reachable"] == json!(true), "{result}");
}
