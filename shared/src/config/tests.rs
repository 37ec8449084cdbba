use std::path::Path;

use super::credential::SPREADSHEETS_SCOPE;
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
            "monitor: is missing: say monitor = { url = \"https://…\" }, or monitor = \"none\" if nothing outside watches",
            "sheet.port-sheet.tab: must be a string in quotes, not a number",
            "sheet.port-sheet.max-shrink: \"lots\" is not a share from \"0%\" to \"100%\"",
            "sheet.port-sheet.onmissing: unknown key; known here: credential, spreadsheet, tab, key, on-missing, on-edit, \
             on-bad-row, max-shrink, status-header, archive-tab, full-read-every, source, column, overlap, overlap-resource, \
             overlap-start, overlap-end, freshness-cell",
            "sheet.port-sheet.credential: there is no [credential.portsheet]",
        ]
    );
}

#[test]
fn what_this_version_cannot_do_is_refused_and_not_ignored() {
    for (from, to, told) in [
        ("key = [", "on-missing = \"hide\"\nkey = [", "is not one of \"keep\", \"flag\""),
        ("kind = \"csv\"", "kind = \"oracle\"", "is not one of \"csv\", \"json\", \"sqlite\""),
    ] {
        let problems = problems(&GOOD.replace(from, to));
        assert!(problems.len() == 1 && problems[0].contains(told), "{to}: {problems:?}");
    }
}

#[test]
fn a_credential_file_has_one_name() {
    let two = format!("{GOOD}\n[credential.second]\nfile = \"port-sheet.json\"\n");
    let problems = problems(&two);
    assert!(
        problems.len() == 1 && problems[0].contains("is the file of credential \"port-sheet\""),
        "{problems:?}"
    );
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
        crate::sys::atomic_file::replace(&path, text.as_bytes()).unwrap();
        let config = Config::for_alerts(&path);
        (config.state_dir.is_some(), config.alert.sinks.len())
    };
    let sink = "[[alert.sink]]\nkind = \"command\"\ncommand = [\"/bin/true\"]\n";
    assert_eq!(of(&format!("state-dir = \"/s\"\nnonsense = 1\n{sink}")), (true, 1));
    assert_eq!(of(&format!("state-dir = \"/s\"\n{sink}strange = 1\n")), (true, 0));
    assert_eq!(of(&format!("state-dir = \"/s\"\n{sink}[")), (false, 0));
}

#[test]
fn no_duration_is_longer_than_a_year() {
    for table in
        ["[token-check]\nrecovery-interval", "[token-check]\nkey-age-fail", "[job.port-sheet-sync]\ndeadline"]
    {
        assert_eq!(problems(&format!("{GOOD}\n{table} = \"366d\"\n")).len(), 0, "{table}");
        for long in ["367d", "584542046090y"] {
            let problems = problems(&format!("{GOOD}\n{table} = \"{long}\"\n"));
            assert!(
                problems.len() == 1 && problems[0].contains(": at most 366 days"),
                "{table}: {problems:?}"
            );
        }
    }
}

/// The problems of a source with these lines in place of the file's.
fn source_problems(lines: &str) -> String {
    problems(&GOOD.replace("kind = \"csv\"\npath = \"/srv/booking/export.csv\"", lines)).join("\n")
}

#[test]
fn every_kind_of_source_takes_its_own_keys() {
    for lines in [
        "kind = \"csv\"\nurl = \"https://example.com/x.csv?key=s\"\ndelimiter = \"\\t\"\nencoding = \"windows-1252\"",
        "kind = \"json\"\nurl = \"http://127.0.0.1:1/\"\npointer = \"/data\"\nsecret-file = \"k\"\nmax-size = \"1 MiB\"",
        "kind = \"json\"\nurl = \"http://example.com/\"\nallow-http = true",
        "kind = \"sqlite\"\npath = \"/srv/x.db\"\nquery = \"SELECT 1\"\ntimeout = \"5s\"",
        "kind = \"postgres\"\nurl = \"postgres://sync@db.example.com/bookings\"\nquery = \"SELECT 1\"\npassword-file = \"p\"",
        "kind = \"mysql\"\nurl = \"mysql://sync@localhost/b?socket=/run/mysqld/mysqld.sock\"\nquery = \"SELECT 1\"",
    ] {
        assert_eq!(source_problems(lines), "", "{lines}");
    }
}

#[test]
fn a_source_that_could_not_work_or_would_leak_is_refused_without_quoting_its_address() {
    let server = |url: &str| format!("kind = \"postgres\"\nquery = \"SELECT 1\"\nurl = \"{url}\"");
    for (lines, told) in [
        ("kind = \"csv\"".to_owned(), "source.path: is missing"),
        ("kind = \"csv\"\npath = \"/x\"\nquery = \"q\"".to_owned(), "query: is not for kind = \"csv\""),
        (
            "kind = \"csv\"\npath = \"/x\"\nmax-size = \"1 MiB\"".to_owned(),
            "is not for kind = \"csv\" without url",
        ),
        (
            "kind = \"csv\"\npath = \"/x\"\nurl = \"https://e.example\"".to_owned(),
            "cannot be used together with path",
        ),
        ("kind = \"csv\"\npath = \"/x\"\ndelimiter = \"ab\"".to_owned(), "one ASCII character"),
        ("kind = \"csv\"\npath = \"/x\"\nencoding = \"martian\"".to_owned(), "is not an encoding"),
        ("kind = \"json\"\nurl = \"http://e.example/?hidden\"".to_owned(), "unencrypted"),
        ("kind = \"json\"\nurl = \"https://u:hidden@e.example/\"".to_owned(), "no user and no password"),
        (
            "kind = \"json\"\nurl = \"https://e.example/\"\nsecret-header = \"X-Key\"".to_owned(),
            "secret-file: is missing",
        ),
        ("kind = \"json\"\npath = \"/x\"\npointer = \"data\"".to_owned(), "must begin with /"),
        ("kind = \"sqlite\"\npath = \"x.db\"\nquery = \"q\"".to_owned(), "must be an absolute path"),
        ("kind = \"mysql\"\nurl = \"mysql://u@h/d\"".to_owned(), "query: is missing"),
        (server("postgres://u:hidden@h/d"), "must hold no password"),
        (server("postgres://u@h/d?password=hidden"), "must hold no password"),
        (server("postgres://u@h/d?options=hidden"), "no setting but socket"),
        (server("postgres://h/d"), "must name user, host and database"),
        (server("mysql://u@h/d"), "such as \"postgres://USER@HOST/DATABASE\""),
    ] {
        let problems = source_problems(&lines);
        assert!(problems.contains(told) && !problems.contains("hidden"), "{lines}: {problems}");
    }
}

/// The problems of a column with these lines.
fn column_problems(lines: &str) -> String {
    let key = "[[sheet.port-sheet.column]]\nfield = \"booking_id\"\n";
    problems(&format!("{GOOD}\n{key}[[sheet.port-sheet.column]]\nfield = \"x\"\n{lines}\n")).join("\n")
}

#[test]
fn a_notation_fits_its_type() {
    for lines in [
        "type = \"number\"\ndecimal = \",\"\ngrouping = \".\"",
        "type = \"integer\"\ngrouping = \" \"",
        "type = \"time\"\npattern = [\"hh:mm\", \"hmm\"]",
        "type = \"datetime\"\ntime-zone = \"Europe/Berlin\"",
        "type = \"boolean\"\ntrue-words = [\"ja\"]\nfalse-words = [\"nein\", \"-\"]",
    ] {
        assert_eq!(column_problems(lines), "", "{lines}");
    }
    for (lines, told) in [
        ("decimal = \",\"", "is only for columns of type \"number\""),
        ("type = \"number\"\ndecimal = \",\"\ngrouping = \",\"", "must be another sign"),
        ("type = \"number\"\npattern = \"DD\"", "is only for columns of type \"date\""),
        ("type = \"date\"\npattern = \"DD.MM\"", "\"DD.MM\" needs a year"),
        ("type = \"datetime\"\ntime-zone = \"Mars/Olympus\"", "is not in this machine's time zones"),
        ("type = \"boolean\"\ntrue-words = [\"x\"]", "false-words: must name at least one word"),
        ("type = \"boolean\"\ntrue-words = [\"x\"]\nfalse-words = [\"X\"]", "is also in true-words"),
    ] {
        let problems = column_problems(lines);
        assert!(problems.contains(told), "{lines}: {problems}");
    }
}
