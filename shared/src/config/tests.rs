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
            "monitor: is missing: say monitor = \"none\" if nothing outside watches the exit codes",
            "sheet.port-sheet.tab: must be a string in quotes, not a number",
            "sheet.port-sheet.max-shrink: \"lots\" is not a share from \"0%\" to \"100%\"",
            "sheet.port-sheet.onmissing: unknown key; known here: credential, spreadsheet, tab, key, on-missing, on-edit, \
             on-bad-row, max-shrink, status-header, full-read-every, source, column, overlap, overlap-resource, \
             overlap-start, overlap-end, freshness-cell",
            "sheet.port-sheet.credential: there is no [credential.portsheet]",
        ]
    );
}

#[test]
fn what_this_version_cannot_do_is_refused_and_not_ignored() {
    for (from, to, told) in [
        ("monitor = \"none\"", "monitor = { url = \"https://hc.example/ping/x\" }", "sends no pings yet"),
        ("key = [", "on-missing = \"delete\"\nkey = [", "removes no rows yet"),
        ("kind = \"csv\"", "kind = \"postgres\"", "reads only \"csv\""),
        ("[credential.port-sheet]", "[alert]\n[credential.port-sheet]", "alert: unknown key"),
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
