//! README.md and docs/: what can be checked about them.

use crate::{shipped, sync, text};

const DOCUMENTS: [&str; 12] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/configuration.md",
    "docs/dependencies.md",
    "docs/operations.md",
    "docs/performance.md",
    "docs/quota.md",
    "docs/troubleshooting.md",
    "tests/google/README.md",
];

#[test]
fn the_readme_lists_the_exit_codes_that_help_lists() {
    let help = String::from_utf8(sync(&["--help"]).stdout).unwrap();
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<&str> =
        codes.lines().map_while(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(codes.len() > 8, "{codes:?}");
    let readme = text("README.md");
    let listed: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|word| word.parse::<u8>().is_ok())
        .collect();
    assert_eq!(listed, codes);
}

#[test]
fn every_flag_that_a_document_types_exists() {
    let help = String::from_utf8(sync(&["--help"]).stdout).unwrap();
    for document in DOCUMENTS {
        let text = text(document);
        let commands = text.lines().filter_map(|line| line.split_once("port-sheet-sync --"));
        for flag in commands.flat_map(|(_, rest)| {
            ["--", rest].concat().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        }) {
            let flag = flag.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let is_flag = flag.starts_with("--") && flag.len() > 2;
            assert!(!is_flag || help.contains(flag), "{document} types {flag}");
        }
    }
}

#[test]
fn every_link_inside_the_project_leads_somewhere() {
    for document in DOCUMENTS {
        let path = shipped(document);
        let text = text(document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let is_local = !file.is_empty() && !file.contains("://");
            assert!(!is_local || path.parent().unwrap().join(file).exists(), "{document} links to {target}");
        }
    }
}

#[test]
fn the_architecture_stays_short() {
    let text = text("docs/architecture.md");
    // A glossary is looked up, not read.
    let (read, looked_up) = text.split_once("\n## Glossary\n").unwrap();
    let words = |part: &str| part.split_whitespace().count();
    assert!(words(read) < 1_000, "{} words", words(read));
    assert!(words(looked_up) < 700, "{} words", words(looked_up));
}
