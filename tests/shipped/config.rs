//! `examples/config.toml`, `examples/demo/config.toml` and `docs/configuration.md`.

use std::collections::BTreeSet;

use crate::{shipped, sync, text};

/// One table of each kind, each with a key that cannot exist.
const STRANGE: &str = r#"
nonsense = 1
monitor = { nonsense = 1 }
[alert]
nonsense = 1
[alert.after]
nonsense = 1
[[alert.sink]]
kind = "webhook"
nonsense = 1
[[alert.sink]]
kind = "smtp"
nonsense = 1
[[alert.sink]]
kind = "command"
nonsense = 1
[metrics]
nonsense = 1
[google]
nonsense = 1
[credential.a]
nonsense = 1
[sheet.a]
nonsense = 1
[sheet.a.source]
nonsense = 1
[[sheet.a.column]]
nonsense = 1
[token-check]
nonsense = 1
[quota.a]
nonsense = 1
[session-run]
nonsense = 1
[session-run.dashboard]
nonsense = 1
[job.port-sheet-sync]
nonsense = 1
"#;

#[test]
fn the_example_is_valid() {
    let path = shipped("examples/config.toml");
    let checked = sync(&["--check-config", "--config", path.to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&checked.stderr), "");
    assert_eq!(checked.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&checked.stdout), format!("{} is valid\n", path.display()));
}

#[test]
fn the_example_and_the_documentation_name_every_key_that_the_executable_knows() {
    let known = known_keys();
    assert!(known.len() > 20, "{known:?}");
    let documentation = text("docs/configuration.md");
    let example = text("examples/config.toml");
    for key in known {
        // A table may be named alone, `[google]`, or with a name of people's, `[sheet.NAME.source]`.
        let heads = [format!("[{key}]"), format!("[{key}."), format!(".{key}]")];
        let is_table = |text: &str| heads.iter().any(|head| text.contains(head));
        let is_set = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} ="));
        let shown = is_table(&example) || example.lines().any(is_set);
        assert!(shown, "examples/config.toml does not show {key}");
        let explained = is_table(&documentation) || documentation.contains(&format!("`{key}`"));
        assert!(explained, "docs/configuration.md does not explain {key}");
    }
}

/// The keys that the refusal of an unknown one lists.
pub fn known_keys() -> BTreeSet<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    shared::sys::atomic_file::replace(&path, STRANGE.as_bytes()).unwrap();
    let refused = sync(&["--check-config", "--config", path.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(78));
    let said = String::from_utf8(refused.stderr).unwrap();
    let lists: Vec<&str> =
        said.lines().filter_map(|line| line.split_once("known here: ")).map(|(_, list)| list).collect();
    assert_eq!(lists.len(), 18, "one refusal for each table: {said}");
    lists.iter().flat_map(|list| list.split(", ")).map(str::to_owned).collect()
}
