//! The story: eight steps, each explained and each checked.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::harbour::{Harbour, Ran};
use crate::{page, voice};

const NOTE: &str = "Skipper is new here: meet at the pier head";
const NOTED: &str = "C-2604";
/// The export holds so many bookings at first.
const BOOKINGS: usize = 16;

/// Runs the story. The first check that fails ends it.
pub fn tell(harbour: &mut Harbour) -> Result<()> {
    prepare(harbour)?;
    plan(harbour)?;
    first_sync(harbour)?;
    crew_and_office(harbour)?;
    second_sync(harbour)?;
    nothing_to_do(harbour)?;
    revoked(harbour)?;
    restored(harbour)
}

fn prepare(harbour: &Harbour) -> Result<()> {
    voice::headline(
        1,
        "A harbour office and its sheet",
        "A stand-in for Google runs on this machine. The export of the booking system is a CSV file.",
    )?;
    voice::say(format_args!("   {}", harbour.address()))?;
    voice::say(format_args!("   {}/charters.csv, config.toml, state/\n", harbour.dir().display()))?;
    let mode = harbour.credential().metadata()?.permissions().mode() & 0o777;
    voice::check("the credential is readable by no other user (mode 0600)", mode == 0o600)?;
    voice::check("the sheet is empty", harbour.rows()?.is_empty())?;
    voice::say("")?;
    run(harbour, &["--check-config"], 0).map(drop)
}

fn plan(harbour: &Harbour) -> Result<()> {
    voice::headline(2, "What would be written", "A dry run reads everything and writes nothing.")?;
    let ran = run(harbour, &["--dry-run"], 0)?;
    voice::check(
        format_args!("the plan is to add {BOOKINGS} bookings"),
        ran.stdout.contains(&format!("{BOOKINGS} to add, 0 to change, 0 to flag")),
    )?;
    voice::check("no write reached Google", harbour.count_writes() == 0)?;
    voice::check("the sheet is still empty", harbour.rows()?.is_empty())
}

fn first_sync(harbour: &Harbour) -> Result<()> {
    voice::headline(3, "The first sync", "Everything goes in at once and is read back.")?;
    let result = synced(harbour)?;
    voice::check("read back and verified", result["verified"] == true)?;
    voice::check(format_args!("{BOOKINGS} added"), result["added"] == BOOKINGS)?;
    let is_one_write = harbour.count_writes() == 2 && result["writes"] == 2;
    voice::check("all of it in one write request; a second one removed the safety copy", is_one_write)?;
    let rows = harbour.rows()?;
    voice::check("the sheet holds a header and every booking", rows.len() == BOOKINGS + 1)?;
    let first = ["C-2601", "Marlin Dawn", "04", "2026-12-01", "09:30:00", "6", "480", "TRUE"];
    voice::check("as typed: berth 04 is text, dates are dates, yes is TRUE", rows[1] == first)?;
    voice::say("")?;
    voice::table(&rows[..6])
}

fn crew_and_office(harbour: &mut Harbour) -> Result<()> {
    voice::headline(
        4,
        "The crew writes a note, the office changes bookings",
        "The crew adds a column of its own. Meanwhile the booking system exports again.",
    )?;
    harbour.type_into("I1", "Crew note")?;
    let row = row_of(&harbour.rows()?, NOTED)? + 1;
    harbour.type_into(&format!("I{row}"), NOTE)?;
    voice::say(format_args!("   crew    writes {NOTE:?} beside {NOTED}"))?;
    let changes = [
        (
            "moves",
            "C-2604,Juno of Rask,07,2026-12-02,08:45,2,210,no",
            "C-2604,Juno of Rask,14,2026-12-02,08:45,2,210,no",
        ),
        (
            "delays",
            "C-2609,Wavelet,09,2026-12-04,15:45,3,260,no",
            "C-2609,Wavelet,09,2026-12-04,17:15,4,310,no",
        ),
        ("cancels", "C-2614,Kestrel Bay,06,2026-12-06,17:10,2,210,no", ""),
    ];
    for (verb, old, new) in changes {
        harbour.rebook(old, new)?;
        let becomes = if new.is_empty() { String::new() } else { format!("  →  {new}") };
        voice::say(format_args!("   office  {verb:7} {old}{becomes}"))?;
    }
    let booked = "C-2617,Sula,06,2026-12-08,09:00,6,480,yes";
    harbour.book(booked)?;
    voice::say(format_args!("   office  books   {booked}"))
}

fn second_sync(harbour: &Harbour) -> Result<()> {
    voice::headline(
        5,
        "A small plan",
        "Only what differs is written, in one request that applies whole or not at all.",
    )?;
    let ran = run(harbour, &["--dry-run"], 0)?;
    voice::check("a dry run shows it", ran.stdout.contains("1 to add, 2 to change, 1 to flag"))?;
    voice::say("")?;
    let result = synced(harbour)?;
    let counts = [("added", 1), ("updated", 2), ("removed", 1), ("unchanged", 13), ("cells_written", 12)];
    for (name, count) in counts {
        voice::check(format_args!("{count} {}", name.replace('_', " ")), result[name] == count)?;
    }
    voice::check("one write request, and one that removed the safety copy", harbour.count_writes() == 2)?;
    let rows = harbour.rows()?;
    let cell = |booking, column: usize| -> Result<String> {
        Ok(rows[row_of(&rows, booking)?].get(column).cloned().unwrap_or_default())
    };
    voice::check("C-2604 has its new berth, and the crew's note is kept", {
        cell("C-2604", 2)? == "14" && cell("C-2604", 8)? == NOTE
    })?;
    voice::check("C-2609 comes later, with one guest more", {
        cell("C-2609", 4)? == "17:15:00" && cell("C-2609", 5)? == "4"
    })?;
    voice::check("C-2614 is not deleted but flagged", cell("C-2614", 9)?.starts_with("Not in the bookings"))?;
    voice::check("C-2617 has a row", cell("C-2617", 1)? == "Sula")?;
    voice::say("")?;
    let shown = ["Booking", "C-2604", "C-2609", "C-2614", "C-2617"];
    let shown: Result<Vec<usize>> = shown.iter().map(|booking| row_of(&rows, booking)).collect();
    voice::table(&shown?.into_iter().map(|row| rows[row].clone()).collect::<Vec<_>>())
}

fn nothing_to_do(harbour: &Harbour) -> Result<()> {
    voice::headline(
        6,
        "Nothing to do",
        "Run again, as cron does every 30 minutes. Success is quiet: cron sends no mail.",
    )?;
    let ran = run(harbour, &[], 0)?;
    voice::check("it printed nothing", ran.stdout.is_empty() && ran.stderr.is_empty())?;
    voice::check("0 writes reached Google", harbour.count_writes() == 0)
}

fn revoked(harbour: &mut Harbour) -> Result<()> {
    voice::headline(
        7,
        "The authorization is revoked",
        "A booking comes in while the token is dead. One line says why, one what to do.",
    )?;
    let before = harbour.rows()?;
    harbour.revoke();
    harbour.book("C-2618,Tern Rock,02,2026-12-09,10:40,5,395,no")?;
    let ran = run(harbour, &[], 77)?;
    voice::check("the error names the cause", has_line(&ran, "error: ", "invalid_grant"))?;
    voice::check("the hint says what to do about which credential", has_line(&ran, "hint: ", "harbour"))?;
    voice::check("the sheet is as it was", harbour.count_writes() == 0 && harbour.rows()? == before)
}

fn restored(harbour: &mut Harbour) -> Result<()> {
    voice::headline(
        8,
        "Authorized again",
        "A new credential is put in place. The next run adds what was missed.",
    )?;
    harbour.authorize()?;
    let result = synced(harbour)?;
    voice::check("the booking that came in meanwhile is added", result["added"] == 1)?;
    let rows = harbour.rows()?;
    voice::check("nothing else changed", result["updated"] == 0 && result["unchanged"] == 16)?;
    voice::check("no booking is there twice, none is lost", rows.len() == BOOKINGS + 3)?;
    let page = page::get(&harbour.address())?;
    voice::check(
        "a browser shows the sheet, note included",
        page.contains("Tern Rock") && page.contains(NOTE),
    )
}

/// Runs the sync, which must end with this exit code.
fn run(harbour: &Harbour, arguments: &[&str], expected: i32) -> Result<Ran> {
    let ran = harbour.run(arguments)?;
    voice::command(arguments, &ran)?;
    voice::check(format_args!("exit code {expected}"), ran.code == Some(expected))?;
    Ok(ran)
}

/// Syncs with `--json`; returns the sheet's part of the result.
fn synced(harbour: &Harbour) -> Result<Value> {
    let ran = run(harbour, &["--json"], 0)?;
    let result: Value = serde_json::from_str(&ran.stdout).context("the result is not JSON")?;
    Ok(result["sheets"][0].clone())
}

fn has_line(ran: &Ran, start: &str, part: &str) -> bool {
    ran.stderr.lines().any(|line| line.starts_with(start) && line.contains(part))
}

/// The place of a booking among the rows.
fn row_of(rows: &[Vec<String>], booking: &str) -> Result<usize> {
    let found = rows.iter().position(|row| row.first().is_some_and(|cell| cell == booking));
    found.with_context(|| format!("no row of the sheet holds {booking}"))
}
