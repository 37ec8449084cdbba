//! docs/troubleshooting.md is held to the program: what it quotes, the program prints; what the program fails with, it
//! explains.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{shipped, text};

/// Words that another program or service says, and ours passes on.
const OTHERS: [&str; 33] = [
    // clap, of the command line.
    "unexpected argument '",
    "' found",
    "invalid value '",
    "' for '",
    "the argument '",
    "' cannot be used with '",
    "the following required arguments were not provided",
    // The operating system, of a port.
    "Permission denied",
    "Address already in use",
    // PostgreSQL, MariaDB and SQLite.
    "the source postgres",
    "the source mysql",
    "invalid input syntax for type",
    "division by zero",
    "canceling statement due to statement timeout",
    "max_statement_time exceeded",
    "database is locked",
    "unable to open database file",
    "password authentication failed",
    "Access denied",
    "permission denied for table",
    "command denied to user",
    // Google.
    "INVALID_ARGUMENT",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "invalid_rapt",
    "insufficient authentication scopes",
    "The caller does not have permission",
    "API has not been used in project",
    // systemd and the TOML reader.
    "Failed to set up credentials",
    "status=",
    "TOML parse error at line",
];

/// Shorter pieces prove nothing.
const FIXED: usize = 6;

/// The string literals of a source text, with where each begins and ends; what `{}` stands for becomes `…`.
fn literals(source: &str) -> Vec<(usize, usize, String)> {
    let bytes = source.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &source[at..];
        at = match bytes[at] {
            b'/' if rest.starts_with("//") => at + rest.find('\n').unwrap_or(rest.len()),
            b'r' if rest.starts_with("r#\"") => {
                let end = at + 3 + rest[3..].find("\"#").unwrap_or(rest.len() - 3);
                found.push((at, end + 1, shown(&source[at + 3..end])));
                end + 2
            }
            b'\'' => at + char_literal(rest),
            b'"' => {
                let end = at + 1 + closing_quote(&rest[1..]);
                found.push((at, end, shown(&source[at + 1..end])));
                end + 1
            }
            _ => at + rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    found
}

/// The length of a character literal, or 1 for the apostrophe of a lifetime.
fn char_literal(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    let first = inside.next().map_or(1, char::len_utf8);
    let is_escape = rest[1..].starts_with('\\');
    let body = if is_escape { 2 } else { first };
    if rest[1 + body..].starts_with('\'') { body + 2 } else { 1 }
}

fn closing_quote(inside: &str) -> usize {
    let mut is_escaped = false;
    inside
        .bytes()
        .position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })
        .unwrap()
}

/// A literal as it is printed, each value as `…`.
fn shown(literal: &str) -> String {
    let mut text = String::new();
    let mut rest = literal;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match (character, rest.chars().next()) {
            ('\\', Some('\n')) => rest = rest.trim_start(),
            ('\\', Some(escaped)) => {
                text.push(escaped);
                rest = &rest[1..];
            }
            ('{' | '}', Some(next)) if next == character => {
                text.push(next);
                rest = &rest[1..];
            }
            ('{', Some(_)) if rest.contains('}') => {
                text.push('…');
                rest = &rest[rest.find('}').unwrap() + 1..];
            }
            _ => text.push(character),
        }
    }
    text
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for root in ["bins", "shared"] {
        collect(&shipped(root), &mut found);
    }
    assert!(found.len() > 200, "{} files", found.len());
    found
}

fn collect(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        if path.is_dir() {
            collect(&path, found);
        } else if is_source && !path.ends_with("tests.rs") {
            let source = fs::read_to_string(&path).unwrap();
            let product = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            found.push((path, product));
        }
    }
}

/// What is fixed in a quoted fragment: no value, no number, no word in capitals that stands for one.
fn fixed_pieces(fragment: &str) -> Vec<&str> {
    let placeholders = ["FILE", "KEY", "NAME", "LINE"];
    let mut pieces = vec![fragment];
    for placeholder in placeholders {
        pieces = pieces.into_iter().flat_map(|piece| piece.split(placeholder)).collect();
    }
    let pieces = pieces.into_iter().flat_map(|piece| piece.split("…")).flat_map(|piece| piece.split(": "));
    let pieces = pieces.flat_map(|piece| piece.split(|c: char| c.is_ascii_digit()));
    pieces.map(edges_off).filter(|piece| piece.len() >= FIXED).collect()
}

/// How many bytes of a piece are fixed in a string whose values are `…`, if the string can print the piece; else 0.
fn fixed_in(piece: &str, string: &str) -> usize {
    if string.contains(piece) {
        return piece.len();
    }
    let segments: Vec<&str> = string.split('…').collect();
    (0..segments.len()).map(|first| fixed_from(piece, &segments[first..])).max().unwrap_or(0)
}

/// The same for a piece that begins in the first segment, or in the value before it.
fn fixed_from(piece: &str, segments: &[&str]) -> usize {
    let [segment, values @ ..] = segments else { return 0 };
    let begun = piece.char_indices().map(|(at, _)| at).rev().find(|at| segment.ends_with(&piece[..*at]));
    let (fixed, mut rest) = match piece.find(segment).filter(|_| segment.len() >= FIXED) {
        Some(at) => (segment.len(), &piece[at + segment.len()..]),
        None => begun.map_or((0, piece), |at| (at, &piece[at..])),
    };
    let mut sum = fixed;
    for (index, next) in values.iter().enumerate() {
        match rest.find(next).filter(|_| !next.is_empty()) {
            Some(at) => {
                sum += next.len();
                rest = &rest[at + next.len()..];
            }
            None => {
                let ends = (0..=next.len()).rev().filter(|end| next.is_char_boundary(*end));
                let end = ends.into_iter().find(|end| rest.ends_with(&next[..*end])).unwrap_or(0);
                return if index == 0 && sum == 0 { 0 } else { sum + end };
            }
        }
    }
    sum
}

fn edges_off(piece: &str) -> &str {
    piece.trim_matches(|c: char| " :;,.()\"/".contains(c))
}

#[test]
fn every_fragment_that_is_quoted_is_among_the_programs_strings() {
    let strings: Vec<String> = sources()
        .iter()
        .flat_map(|(_, source)| literals(source).into_iter().map(|(_, _, text)| text))
        .collect();
    let document = text("docs/troubleshooting.md");
    let mut strange = Vec::new();
    let mut checked = 0;
    for row in document.lines().filter(|line| line.starts_with("| ")) {
        let errors = row.split(" |").next().unwrap_or_default();
        for fragment in errors.split('`').skip(1).step_by(2) {
            for piece in fixed_pieces(fragment) {
                checked += 1;
                let is_ours = strings.iter().any(|string| 5 * fixed_in(piece, string) >= 2 * piece.len());
                if !is_ours && !OTHERS.iter().any(|other| piece.contains(edges_off(other))) {
                    strange.push(format!("{piece:?} of {fragment:?}"));
                }
            }
        }
    }
    assert!(checked > 300, "{checked}");
    assert!(strange.is_empty(), "no program says:\n{}", strange.join("\n"));
}

/// Where the arguments of a call end, its parenthesis at `open` excluded; strings do not count.
fn arguments(source: &str, strings: &[(usize, usize, String)], open: usize) -> (Vec<usize>, usize) {
    let (mut depth, mut at, mut commas) = (1, open, Vec::new());
    while depth > 0 {
        if let Some((_, end, _)) = strings.iter().find(|(start, ..)| *start == at) {
            at = end + 1;
            continue;
        }
        match source.as_bytes()[at] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 1 => commas.push(at),
            _ => {}
        }
        at += 1;
    }
    (commas, at)
}

/// The messages of failures that are written out where the failure is made, each with its place.
fn messages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, source) in sources() {
        let strings = literals(&source);
        for (at, _) in source.match_indices("Failure::new(") {
            let open = at + "Failure::new(".len();
            let (commas, end) = arguments(&source, &strings, open);
            let [first, rest @ ..] = commas.as_slice() else { continue };
            let end = rest.first().copied().unwrap_or(end);
            let message = strings.iter().find(|(start, ..)| (*first..end).contains(start));
            let line = source[..at].lines().count();
            found.extend(message.map(|(.., text)| (format!("{}:{line}", path.display()), text.clone())));
        }
        // What job-status finds is put together before it becomes a failure.
        let texts: &[&str] =
            if path.to_string_lossy().contains("job-status") { &["let text = "] } else { &[] };
        for start in ["let message = "].iter().chain(texts) {
            for (at, _) in source.match_indices(*start) {
                let end = at + source[at..].find(";\n").unwrap_or(0);
                let message = strings.iter().find(|(start, ..)| (at..end).contains(start));
                let line = source[..at].lines().count();
                found.extend(message.map(|(.., text)| (format!("{}:{line}", path.display()), text.clone())));
            }
        }
    }
    found
}

#[test]
fn every_failure_with_a_hint_has_its_line() {
    let document = text("docs/troubleshooting.md");
    let messages = messages();
    assert!(messages.len() > 90, "{}", messages.len());
    let missing: Vec<String> = messages
        .into_iter()
        .filter_map(|(place, message)| {
            let pieces = message.split("…").map(edges_off);
            let longest = pieces.max_by_key(|piece| piece.len()).unwrap_or_default().to_owned();
            let is_there = longest.len() < FIXED || document.contains(&longest);
            (!is_there).then(|| format!("{place}: {longest:?}"))
        })
        .collect();
    assert!(missing.is_empty(), "not in docs/troubleshooting.md:\n{}", missing.join("\n"));
}
