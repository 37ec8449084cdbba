//! How the demonstration speaks: headlines, commands with their output, tables, and a mark for each check.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _, stderr, stdout};

use anyhow::{Context as _, Result, bail};

use crate::harbour::{Harbour, Ran};

/// Longer output is cut in the middle, and says so.
const HEAD: usize = 13;
const TAIL: usize = 4;

/// A step's headline and what it is about.
pub fn headline(number: usize, title: &str, about: &str) -> Result<()> {
    let rule = "─".repeat(74_usize.saturating_sub(title.len()));
    say(format_args!("\n{}", styled(Style::Bold, format_args!("── {number}. {title} {rule}"))))?;
    say(format_args!("   {about}\n"))
}

/// A command as it was typed, what it printed, and its exit code.
pub fn command(arguments: &[&str], ran: &Ran) -> Result<()> {
    let typed = ["$ port-sheet-sync --config config.toml", &arguments.join(" ")].join(" ");
    say(format_args!("   {}", styled(Style::Bold, typed.trim_end())))?;
    let lines: Vec<&str> = ran.stdout.lines().chain(ran.stderr.lines()).collect();
    let hidden = lines.len().saturating_sub(HEAD + TAIL);
    for (number, line) in lines.iter().enumerate() {
        if hidden < 2 || number < HEAD || number >= HEAD + hidden {
            say(format_args!("   {line}"))?;
        } else if number == HEAD {
            say(format_args!("   … {hidden} more lines …"))?;
        }
    }
    if lines.is_empty() {
        say("   (it printed nothing)")?;
    }
    match ran.code {
        Some(code) => say(format_args!("   [exit code {code}]\n")),
        None => say("   [killed]\n"),
    }
}

/// Some columns of some rows, with the header on top. A column is as wide as its widest cell.
pub fn table(rows: &[Vec<String>]) -> Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column| rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let padded = widths.iter().enumerate().map(|(column, width)| format!("{:width$}", cell(row, column)));
        say(format_args!("   │ {} │", padded.collect::<Vec<_>>().join(" │ ")))?;
    }
    Ok(())
}

/// Says that something is as it should be, or ends the demonstration.
pub fn check(what: impl Display, is_so: bool) -> Result<()> {
    if is_so {
        return say(format_args!("   {} {what}", styled(Style::Green, "✓")));
    }
    say(format_args!("   {} {what}", styled(Style::Red, "✗")))?;
    bail!("this was not as it should be: {what}")
}

/// How a piece of text is emphasised on a terminal.
#[derive(Clone, Copy)]
enum Style {
    Bold,
    Green,
    Red,
}

fn styled(style: Style, text: impl Display) -> String {
    if !stdout().is_terminal() {
        return text.to_string();
    }
    let code = match style {
        Style::Bold => 1,
        Style::Green => 32,
        Style::Red => 31,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// One line.
pub fn say(line: impl Display) -> Result<()> {
    writeln!(stdout(), "{line}").context("nobody reads the output any more")
}

/// Where to look and what to try.
pub fn invite(harbour: &Harbour, once: bool) -> Result<()> {
    if once {
        return say("\nEvery step was as it should be.");
    }
    say("\n── The sheet is yours ──────────────────────────────────────────────────────────")?;
    say(format_args!("   Look at it:    {}", harbour.address()))?;
    say(format_args!("   Change a booking in {}/charters.csv, then run", harbour.dir().display()))?;
    say(format_args!(
        "                  {} --config {}/config.toml",
        harbour.sync().display(),
        harbour.dir().display()
    ))?;
    say("   Ctrl-C ends the demonstration and removes everything it made.")
}

/// After Ctrl-C.
pub fn farewell() -> Result<()> {
    say("\nEnded; everything it made is removed.")
}

/// The last word when something went wrong. A terminal that is gone is no reason to panic.
pub fn complain(error: &anyhow::Error) {
    drop(writeln!(stderr(), "error: {error:#}"));
}
