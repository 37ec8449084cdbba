//! A credential's history as a row of its table, there and back. What it means is decided in [`crate::history`].

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{stamp, time};
use crate::history::{History, Told};
use crate::oauth::Class;

const COLUMNS: &str = "fingerprint, kind, obtained, last_good, last_try, probed, first_failure, failures, class, words, \
    scopes, ends, week_death, reauths, told_first, told_escalated, told_reminded, recovered";

pub(super) fn load(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<History>> {
    let query = format!("SELECT {COLUMNS} FROM credential WHERE name = ?1");
    transaction.query_row(&query, params![name], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<History> {
    let class: Option<String> = row.get(8)?;
    let scopes: String = row.get(10)?;
    Ok(History {
        fingerprint: row.get(0)?,
        kind: row.get(1)?,
        obtained: time(row, 2)?.unwrap_or_default(),
        last_good: time(row, 3)?,
        last_try: time(row, 4)?,
        probed: time(row, 5)?,
        first_failure: time(row, 6)?,
        failures: row.get(7)?,
        class: class.map(|word| Class::of_word(&word).unwrap_or(Class::Unknown)),
        words: row.get(9)?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        ends: time(row, 11)?,
        week_death: time(row, 12)?,
        reauths: row.get(13)?,
        told: Told { first: time(row, 14)?, escalated: time(row, 15)?, reminded: time(row, 16)? },
        recovered: time(row, 17)?,
    })
}

pub(super) fn save(transaction: &Transaction<'_>, name: &str, history: &History) -> rusqlite::Result<()> {
    let insert = format!(
        "INSERT OR REPLACE INTO credential (name, {COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
    );
    let told = &history.told;
    transaction.execute(
        &insert,
        params![
            name,
            history.fingerprint,
            history.kind,
            stamp(history.obtained),
            history.last_good.map(stamp),
            history.last_try.map(stamp),
            history.probed.map(stamp),
            history.first_failure.map(stamp),
            history.failures,
            history.class.map(Class::word),
            history.words,
            history.scopes.join(" "),
            history.ends.map(stamp),
            history.week_death.map(stamp),
            history.reauths,
            told.first.map(stamp),
            told.escalated.map(stamp),
            told.reminded.map(stamp),
            history.recovered.map(stamp),
        ],
    )?;
    Ok(())
}
