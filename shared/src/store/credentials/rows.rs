//! A credential's history as a row of its table, there and back. What it means is decided in [`crate::credential::health`].

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{stamp, time};
use crate::credential::health::Health;
use crate::credential::token_error::TokenErrorClass;

const COLUMNS: &str = "fingerprint, kind, obtained, last_good, last_try, probed, first_failure, failures, class, words, \
    scopes, ends, week_death, reauths, recovered";

pub(super) fn load(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<Health>> {
    let query = format!("SELECT {COLUMNS} FROM credential WHERE name = ?1");
    transaction.query_row(&query, params![name], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Health> {
    let class: Option<String> = row.get(8)?;
    let scopes: String = row.get(10)?;
    Ok(Health {
        fingerprint: row.get(0)?,
        kind: row.get(1)?,
        obtained: time(row, 2)?.unwrap_or_default(),
        last_good: time(row, 3)?,
        last_try: time(row, 4)?,
        probed: time(row, 5)?,
        first_failure: time(row, 6)?,
        failures: row.get(7)?,
        class: class.as_deref().map(TokenErrorClass::from_name),
        words: row.get(9)?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        ends: time(row, 11)?,
        week_death: time(row, 12)?,
        reauths: row.get(13)?,
        recovered: time(row, 14)?,
    })
}

pub(super) fn save(transaction: &Transaction<'_>, name: &str, history: &Health) -> rusqlite::Result<()> {
    let insert = format!(
        "INSERT OR REPLACE INTO credential (name, {COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    );
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
            history.class.map(TokenErrorClass::as_str),
            history.words,
            history.scopes.join(" "),
            history.ends.map(stamp),
            history.week_death.map(stamp),
            history.reauths,
            history.recovered.map(stamp),
        ],
    )?;
    Ok(())
}
