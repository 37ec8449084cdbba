//! The result as a table, with the forecasts below.

use chrono::{DateTime, Utc};

use crate::result::CredentialResult;

const HEADER: [&str; 5] = ["credential", "state", "obtained", "last good", "next probe"];

/// The lines.
pub fn lines(results: &[CredentialResult]) -> Vec<String> {
    let rows: Vec<[String; 5]> =
        std::iter::once(HEADER.map(str::to_owned)).chain(results.iter().map(row)).collect();
    let widths: Vec<usize> = (0..HEADER.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    rows.iter().map(|row| line(row, &widths)).chain(results.iter().flat_map(notes)).collect()
}

fn line(row: &[String; 5], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn row(result: &CredentialResult) -> [String; 5] {
    let next = match (&result.kind, result.next_probe) {
        (None, _) => "–".to_owned(),
        (Some(_), None) => "now".to_owned(),
        (Some(_), Some(at)) => shown(Some(at)),
    };
    [result.credential.clone(), state(result), shown(result.obtained), shown(result.last_good), next]
}

fn state(result: &CredentialResult) -> String {
    match (result.class, &result.error) {
        (Some(class), _) => class.as_str().to_owned(),
        (None, Some(_)) => "failed".to_owned(),
        (None, None) if !result.tried => "not tried yet".to_owned(),
        (None, None) => "ok".to_owned(),
    }
}

fn notes(result: &CredentialResult) -> Vec<String> {
    let name = &result.credential;
    let reached = result.sheets.iter().filter(|sheet| sheet.reached);
    let reached = reached.map(|sheet| {
        let part = if sheet.writable.is_none() { "; a part of its tab is protected from it" } else { "" };
        format!("{name}: reaches sheet {:?}{part}", sheet.sheet)
    });
    let forecasts = result.forecasts.iter();
    let forecasts = forecasts.map(|forecast| format!("{name}: {}; {}", forecast.text, forecast.remedy));
    let blocked = result.blocked.iter();
    let blocked =
        blocked.map(|blocked| format!("{name}: {} waits since {}", blocked.job, shown(Some(blocked.since))));
    reached.chain(forecasts).chain(blocked).collect()
}

fn shown(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "–".to_owned(), |time| time.format("%Y-%m-%d %H:%MZ").to_string())
}
