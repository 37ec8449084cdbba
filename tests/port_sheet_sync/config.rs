//! The configuration and the command line: every mistake is reported at once, with its place and what to do, before anything
//! is touched.

use std::path::{Path, PathBuf};

use serde_json::json;
use support::{Process, Run, World};

use crate::world;

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The failing run of a configuration touches nothing.
#[track_caller]
fn fails_untouched(world: &World, process: Process<'_>, exit: i32) -> Run {
    let before = world.snapshot(world.dir());
    let run = process.run();
    run.exit(exit);
    assert!(world.snapshot(world.dir()) == before, "something was touched");
    assert_eq!(world.requests().len(), 0, "requests were sent");
    run
}

#[test]
fn five_mistakes_are_five_messages() {
    let world = world().build();
    world.replace_in_config("monitor = \"none\"\n", "");
    world.replace_in_config("sheets-url = \"http://127.0.0.1", "sheets-url = \"http://sheets.example.com");
    world.replace_in_config("first-pause = \"1ms\"", "first-pause = \"soon\"");
    world.replace_in_config("tab = \"Port sheet\"", "tabb = \"Port sheet\"");
    world.replace_in_config("type = \"integer\"", "type = \"number of nights\"");
    let config = world.config();
    for args in [&["--json"][..], &["--json", "--check-config"]] {
        let run = fails_untouched(&world, world.process(args), 78);
        let errors = run.errors();
        let expected = [
            "monitor: is missing: say monitor = { url = ",
            "google.sheets-url: ",
            "google.first-pause: \"soon\" is not a duration such as \"30s\" or \"25m\": ",
            "sheet.port-sheet.tab: is missing",
            "sheet.port-sheet.column[4].type: \"number of nights\" is not one of \"text\", ",
            "sheet.port-sheet.tabb: unknown key; known here: credential, spreadsheet, tab, key, ",
        ];
        for (error, expected) in errors.iter().zip(expected) {
            let expected = format!("{}: {expected}", shown(&config));
            assert!(error.starts_with(&expected), "{error:?} does not begin with {expected:?}");
        }
        assert_eq!(errors.len(), expected.len(), "a misspelt key is also a missing one: {errors:#?}");
        let hint =
            format!("edit {0}, then check it: port-sheet-sync --check-config --config {0}", shown(&config));
        assert!(run.hints().iter().all(|told| **told == hint), "{:#?}", run.hints());
        assert_eq!((run.json()["exit"].clone(), run.json()["sheets"].clone()), (json!(78), json!([])));
    }
}

#[test]
fn unknown_keys_and_tables_are_refused_wherever_they_stand() {
    for (from, to, place) in [
        ("monitor =", "moniter = 1\nmonitor =", "moniter"),
        ("[google]", "[google]\nretries = 3", "google.retries"),
        ("file =", "path = 1\nfile =", "credential.port-sheet.path"),
        ("kind = \"csv\"", "kind = \"csv\"\nquoting = \";\"", "sheet.port-sheet.source.quoting"),
        ("field = \"vessel\"", "field = \"vessel\"\nwidth = 3", "sheet.port-sheet.column[2].width"),
    ] {
        let world = world().build();
        world.replace_in_config(from, to);
        let run = fails_untouched(&world, world.process(&[]), 78);
        run.error(&format!("{}: {place}: unknown key; known here: ", shown(&world.config())));
    }
}

#[test]
fn a_file_that_is_not_toml_is_told_with_its_line() {
    let world = world().build();
    world.replace_in_config("monitor = \"none\"", "monitor = none");
    let run = fails_untouched(&world, world.process(&[]), 78);
    run.error(&format!("{}: TOML parse error at line 2, column 11: ", shown(&world.config())));
}

#[test]
fn a_secret_typed_into_the_configuration_is_not_quoted() {
    for (from, to, place) in [
        ("kind = \"csv\"", "kind = \"csv\"\npassword = \"hunter-2", "TOML parse error at line "),
        (
            "kind = \"csv\"\npath =",
            "kind = \"csv\"\nsecret-file = \"k\"\nsecret-header = \"Bearer hunter-2\"\nurl = \"https://a.example/\"\n#",
            "source.secret-header: must be the name of a header",
        ),
    ] {
        let world = world().build();
        world.replace_in_config(from, to);
        for args in [&["--check-config", "-vv"][..], &["--json", "-vv"]] {
            let run = fails_untouched(&world, world.process(args), 78);
            run.error(place);
            assert!(!run.stderr.contains("hunter-2") && !run.stdout.contains("hunter-2"), "{}", run.stderr);
        }
    }
}

#[test]
fn a_file_that_an_editor_saved_in_another_encoding_is_told_to_be_no_text() {
    let world = world().build();
    let config = shown(&world.config());
    // With the mark at the start that Windows writes, and without.
    let text = world.config_text();
    for text in [format!("\u{feff}{text}"), text] {
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        world.write("config.toml", &utf_16);
        fails_untouched(&world, world.process(&[]), 78)
            .error(&format!("cannot read the configuration {config}: it is not text in UTF-8"))
            .hint(&format!("see what it is: file {config}; save it as UTF-8"));
    }
}

#[test]
fn the_copy_that_is_published_to_the_web_is_told_to_be_one() {
    let world = world().build();
    let id = world.spreadsheet.clone();
    world.replace_in_config(&id, "https://docs.google.com/spreadsheets/d/e/2PACX-1vTx/pubhtml");
    fails_untouched(&world, world.process(&[]), 78)
        .error("sheet.port-sheet.spreadsheet: ")
        .error("is the address of the published copy, which cannot be written");
}

#[test]
fn a_named_file_that_is_missing_is_told_by_its_name() {
    let world = world().build();
    let missing = shown(&world.path("elsewhere.toml"));
    let run = fails_untouched(&world, world.bare(&["--json", "--config", &missing]), 78);
    run.error(&format!("cannot read the configuration {missing}: No such file or directory"));
    run.hint(&format!("look at it: ls -la {missing}"));
}

#[test]
fn without_any_file_the_places_are_told_where_one_was_looked_for() {
    let world = world().build();
    world.remove(&world.config());
    let systemd = world.make_private_dir("etc");
    let process = world.bare(&["--check-config"]).env("CONFIGURATION_DIRECTORY", &systemd);
    let run = fails_untouched(&world, process, 78);
    run.error(&format!("no configuration file: looked for {}", shown(&systemd.join("config.toml"))));
    run.error("/etc/port-jobs/config.toml");
    run.hint_with("copy examples/config.toml from the project").hint_with("--config FILE");
}

#[test]
fn check_config_touches_nothing() {
    let world = world().build();
    world.replace_in_config("/state\"", "/never-made\"");
    let before = world.snapshot(world.dir());
    let run = world.run(&["--check-config"]);
    assert_eq!(run.exit(0).stdout, format!("{} is valid\n", shown(&world.config())));
    let result = world.run(&["--check-config", "--json"]).exit(0).json();
    assert_eq!((&result["outcome"], &result["exit"]), (&json!("ok"), &json!(0)));
    assert!(world.snapshot(world.dir()) == before);
    assert_eq!(world.requests().len(), 0);
}

#[test]
fn a_wrong_command_line_is_64_with_where_to_look() {
    let world = world().build();
    for (args, error) in [
        (&["--dry-runn"][..], "unexpected argument '--dry-runn' found"),
        (&["everything"], "unexpected argument 'everything' found"),
        (&["-v", "-q"], "the argument '--verbose...' cannot be used with '--quiet'"),
        (&["--lock-wait", "soon"], "invalid value 'soon' for '--lock-wait <DURATION>'"),
        (&["--sheet"], "a value is required for '--sheet <NAME>' but none was supplied"),
    ] {
        let run = fails_untouched(&world, world.process(args), 64);
        run.error(error).hint("port-sheet-sync --help");
        assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), ("", 2), "{}", run.stderr);
    }
}

#[test]
fn a_sheet_that_nobody_configured_is_told_with_those_that_are() {
    let world = world().build();
    let run = fails_untouched(&world, world.process(&["--sheet", "crew", "--json"]), 64);
    run.error("has no sheet \"crew\"; it has port-sheet");
    assert_eq!(run.json()["error"]["kind"], "usage");
}

#[test]
fn json_is_one_object_even_for_a_wrong_command_line() {
    let world = world().build();
    for args in [&["--json", "--nonsense"][..], &["--nonsense", "--json"], &["--json", "--lock-wait", "soon"]]
    {
        let run = fails_untouched(&world, world.process(args), 64);
        let result = run.json();
        assert_eq!(
            (&result["job"], &result["outcome"], &result["exit"]),
            (&json!("port-sheet-sync"), &json!("failed"), &json!(64))
        );
        assert_eq!(result["error"]["kind"], "usage");
        assert_eq!(result["error"]["message"], json!(run.errors()[0]));
    }
}

#[test]
fn help_ends_with_an_example_and_the_exit_codes() {
    let world = world().build();
    let run = fails_untouched(&world, world.bare(&["--help"]), 0);
    let (_, end) = run.stdout.split_once("Example:\n").unwrap();
    assert!(
        end.starts_with("  port-sheet-sync --config /etc/port-jobs/config.toml --dry-run\n\nExit codes:\n"),
        "{end}"
    );
    for code in [0, 64, 65, 69, 70, 74, 75, 77, 78] {
        assert!(end.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}: {end}");
    }
    for flag in
        ["--config", "--state-dir", "--json", "--check-config", "--lock-wait", "--version", "--dry-run"]
    {
        assert!(run.stdout.contains(flag), "{flag}: {}", run.stdout);
    }
}

#[test]
fn version_is_the_name_and_the_number() {
    let world = world().build();
    let run = fails_untouched(&world, world.bare(&["--version"]), 0);
    assert_eq!(run.stdout, format!("port-sheet-sync {}\n", env!("CARGO_PKG_VERSION")));
}

/// A copy of the configuration at this place.
fn copied(world: &World, dir: &str, name: &str) -> PathBuf {
    world.make_private_dir(dir);
    let relative = format!("{dir}/{name}");
    world.write(&relative, world.config_text().as_bytes());
    world.path(&relative)
}

#[test]
fn the_configuration_is_looked_up_in_the_contracts_order() {
    let world = world().build();
    let flag = copied(&world, "by-flag", "any-name.toml");
    let variable = copied(&world, "by-variable", "any-name.toml");
    let systemd = copied(&world, "by-systemd", "config.toml");
    let home = copied(&world, ".config/port-jobs", "config.toml");
    let valid = |path: &Path| format!("{} is valid\n", shown(path));
    let process = || world.bare(&["--check-config"]).as_ordinary_user();
    let by_systemd = || process().env("CONFIGURATION_DIRECTORY", world.path("by-systemd"));
    let by_variable = || by_systemd().env("PORT_JOBS_CONFIG", &variable);
    assert_eq!(by_variable().arg("--config").arg(&flag).run().exit(0).stdout, valid(&flag));
    assert_eq!(by_variable().run().exit(0).stdout, valid(&variable));
    assert_eq!(by_systemd().run().exit(0).stdout, valid(&systemd));
    assert_eq!(process().run().exit(0).stdout, valid(&home));
    // What systemd names but does not hold is passed over; what a person names is not.
    let none = world.make_private_dir("none");
    assert_eq!(process().env("CONFIGURATION_DIRECTORY", &none).run().exit(0).stdout, valid(&home));
    process().env("PORT_JOBS_CONFIG", none.join("config.toml")).run().exit(78);
}

/// Root's files are in /etc and /var/lib: what lies in a home directory is no one's configuration for a system job.
#[test]
fn roots_home_is_not_looked_into() {
    if !rustix::process::geteuid().is_root() {
        // No one else can be root; what others do is tested above.
        return;
    }
    let world = world().build();
    copied(&world, ".config/port-jobs", "config.toml");
    let run = world.bare(&["--check-config", "--json"]).run();
    assert!(!run.stdout.contains(".config"), "{}", run.stdout);
    assert!(!run.stderr.contains(".config"), "{}", run.stderr);
}

#[test]
fn the_state_is_looked_up_in_the_contracts_order() {
    let world = world().build();
    let credential = world.credential();
    world.replace_in_config("file = \"port-sheet.json\"", &format!("file = {credential:?}"));
    let config = shown(&world.config());
    let process = || world.bare(&["--config", &config]).as_ordinary_user();
    let by_systemd = || process().env("STATE_DIRECTORY", world.path("by-systemd"));
    let used = |relative: &str| world.path(relative).join("state.db").exists();
    let flag = shown(&world.path("by-flag"));
    by_systemd().args(&["--state-dir", &flag]).run().exit(0);
    assert!(used("by-flag") && !used("by-systemd") && !used("state"));
    by_systemd().run().exit(0);
    assert!(used("by-systemd") && !used("state"));
    process().run().exit(0);
    assert!(used("state") && !used(".local/state/port-jobs"));
    let line = world.config_text().lines().next().unwrap().to_owned();
    assert!(line.starts_with("state-dir"), "{line}");
    world.replace_in_config(&line, "");
    process().run().exit(0);
    assert!(used(".local/state/port-jobs"));
}
