use std::path::Path;

use super::*;

const GOOD: &str = r#"
monitor = "none"

[credential.port-sheet]
file = "port-sheet.json"

[sheet.port-sheet]
credential = "port-sheet"
spreadsheet = "https://docs.google.com/spreadsheets/d/1AbC/edit"
tab = "Port sheet"
key = ["booking_id"]

[sheet.port-sheet.source]
kind = "csv"
path = "/srv/booking/export.csv"
"#;

fn problems(text: &str) -> Vec<String> {
    Config::parse(Path::new("config.toml"), text).err().unwrap_or_default()
}

#[test]
fn a_short_configuration_has_careful_defaults() {
    let config = Config::parse(Path::new("config.toml"), GOOD).unwrap();
    let sheet = &config.sheets["port-sheet"];
    assert_eq!(
        (sheet.on_missing, sheet.on_edit, sheet.on_bad_row),
        (OnMissing::Flag, OnEdit::Restore, OnBadRow::Quarantine)
    );
    assert_eq!((sheet.spreadsheet.as_str(), sheet.max_shrink.to_string().as_str()), ("1AbC", "40%"));
    assert_eq!(config.credentials["port-sheet"].scopes, [SPREADSHEETS_SCOPE]);
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let text = GOOD
        .replace("monitor = \"none\"", "")
        .replace("credential = \"port-sheet\"", "credential = \"portsheet\"")
        .replace("tab = \"Port sheet\"", "tab = 5\nmax-shrink = \"lots\"\nonmissing = \"keep\"");
    assert_eq!(
        problems(&text),
        [
            "monitor: is missing: say monitor = { url = \"https://…\" }, or monitor = \"none\" if nobody outside watches",
            "sheet.port-sheet.tab: must be a string in quotes, not a number",
            "sheet.port-sheet.max-shrink: \"lots\" is not a share from \"0%\" to \"100%\"",
            "sheet.port-sheet.onmissing: unknown key; known here: credential, spreadsheet, tab, key, on-missing, on-edit, \
             on-bad-row, max-shrink, status-header, source, column",
            "sheet.port-sheet.credential: there is no [credential.portsheet]",
        ]
    );
}

#[test]
fn what_this_version_cannot_do_is_refused_and_not_ignored() {
    for (from, to, told) in [
        ("key = [", "on-missing = \"delete\"\nkey = [", "removes no rows yet"),
        ("kind = \"csv\"", "kind = \"postgres\"", "reads only \"csv\""),
    ] {
        let problems = problems(&GOOD.replace(from, to));
        assert!(problems.len() == 1 && problems[0].contains(told), "{to}: {problems:?}");
    }
}

#[test]
fn tokens_are_never_sent_in_the_clear() {
    let with = |url: &str| problems(&format!("{GOOD}\n[google]\nsheets-url = \"{url}\"\n"));
    assert!(with("http://127.0.0.1:8899/").is_empty());
    assert!(with("https://sheets.example.com/").is_empty());
    assert!(with("http://sheets.example.com/")[0].contains("unencrypted"));
    assert!(with("http://127.0.0.1:8899/v4")[0].contains("must end in /"));
}

#[test]
fn a_key_needs_a_column_and_headers_are_unique() {
    let columns = "[[sheet.port-sheet.column]]\nfield = \"vessel\"\n[[sheet.port-sheet.column]]\nfield = \"boat\"\nheader = \"vessel\"\n";
    let problems = problems(&format!("{GOOD}\n{columns}"));
    assert!(problems.iter().any(|line| line.contains("the header \"vessel\" is used twice")), "{problems:?}");
    assert!(problems.iter().any(|line| line.contains("\"booking_id\" has no column")), "{problems:?}");
}

#[test]
fn a_monitor_and_sinks_are_reached_over_https_only_and_named_apart() {
    let sink = |keys: &str| problems(&format!("{GOOD}\n[[alert.sink]]\n{keys}\n"));
    let mail =
        "kind = \"smtp\"\nhost = \"mail.example.com\"\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]";
    for good in [
        "kind = \"webhook\"\nurl = \"https://ntfy.example/x\"\nshape = \"ntfy\"",
        "kind = \"webhook\"\nurl-file = \"slack-url\"\nshape = \"slack\"",
        "kind = \"command\"\ncommand = [\"/usr/local/bin/call\", \"now\"]",
        mail,
        &format!("{mail}\nencryption = \"tls\"\nuser = \"a\"\npassword-file = \"p\""),
    ] {
        assert_eq!(sink(good), [""; 0], "{good}");
    }
    for (wrong, told) in [
        ("kind = \"webhook\"\nurl = \"http://hook.example/x\"", "sink[1].url: must begin with https://"),
        ("kind = \"webhook\"", "sink[1].url: say either url, or url-file"),
        ("kind = \"webhook\"\nurl = \"https://a.example\"\nhost = \"b\"", "sink[1].host: unknown key"),
        ("kind = \"pigeon\"", "is not one of \"webhook\", \"smtp\", \"command\""),
        ("kind = \"command\"\ncommand = []", "must be a list that begins with the program"),
        (&format!("{mail}\nencryption = \"none\""), "only for a mail server on this machine"),
        (&format!("{mail}\nuser = \"a\""), "belong together"),
        (&mail.replace("b@example.com", "b at example"), "is not a mail address"),
        (&format!("{mail}\n[[alert.sink]]\n{mail}"), "is the name of two"),
    ] {
        let problems = sink(wrong);
        assert!(problems.len() == 1 && problems[0].contains(told), "{wrong}: {problems:?}");
    }
    let monitor = |value: &str| problems(&GOOD.replace("monitor = \"none\"", &format!("monitor = {value}")));
    assert_eq!(monitor("{ url = \"https://hc.example/key/{job}\" }"), [""; 0]);
    assert!(
        monitor("{ url = \"http://hc.example/x\" }")[0].starts_with("monitor.url: must begin with https")
    );
    assert!(monitor("\"later\"")[0].contains("must be \"none\" or"));
}

#[test]
fn a_job_has_its_own_monitor_and_credentials_the_common_habits() {
    let text = format!(
        "{GOOD}\n[alert]\nremind-every = \"1h\"\nescalate-after = 5\n[job.token-check]\nmonitor = {{ url = \"https://hc.example/ping/x\" }}\n"
    );
    let config = Config::parse(Path::new("config.toml"), &text).unwrap();
    assert_eq!(config.monitor("port-sheet-sync"), &Monitor::None);
    assert!(matches!(config.monitor("token-check"), Monitor::Url(_)));
    assert_eq!(config.token_check.remind_every, Duration::from_secs(60 * 60));
    assert_eq!(config.token_check.escalate_after, 5);
    assert_eq!(config.every("port-sheet-sync"), Some(Duration::from_secs(30 * 60)));
    assert_eq!(config.every("token-login"), None);
}

#[test]
fn of_a_broken_file_as_much_is_known_as_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    let of = |text: &str| {
        crate::file::replace(&path, text.as_bytes()).unwrap();
        let config = Config::of_alerts(&path);
        (config.state_dir.is_some(), config.alert.sinks.len())
    };
    let sink = "[[alert.sink]]\nkind = \"command\"\ncommand = [\"/bin/true\"]\n";
    assert_eq!(of(&format!("state-dir = \"/s\"\nnonsense = 1\n{sink}")), (true, 1));
    assert_eq!(of(&format!("state-dir = \"/s\"\n{sink}strange = 1\n")), (true, 0));
    assert_eq!(of(&format!("state-dir = \"/s\"\n{sink}[")), (false, 0));
}
