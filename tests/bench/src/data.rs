//! The sources: hotel bookings with a key, and cells by the million.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

/// The name of the trial over the hotel bookings.
pub(crate) const HOTEL: &str = "hotel";

/// The 119,390 bookings of 32 fields with a row number in front, since they have nothing else that identifies them.
/// Every so many of them is changed.
pub(crate) fn hotel_bookings(change_every: Option<usize>) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/hotel-bookings.csv.gz");
    let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text)?;
    let mut out = String::with_capacity(text.len() + 1_000_000);
    for (number, line) in text.lines().enumerate() {
        let first = if number == 0 { "row".to_owned() } else { number.to_string() };
        let is_changed = number > 0 && change_every.is_some_and(|every| number.is_multiple_of(every));
        let line = if is_changed { line.replacen("Hotel", "Grand Hotel", 1) } else { line.to_owned() };
        writeln!(out, "{first},{line}")?;
    }
    Ok(out)
}

/// Rows of short numbers below a header, the first of each being its key.
pub(crate) fn cells(rows: usize, columns: usize) -> String {
    let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let line =
        |row: usize| (0..columns).map(|column| (row + column).to_string()).collect::<Vec<_>>().join(",");
    std::iter::once(header.join(",")).chain((0..rows).map(line)).collect::<Vec<_>>().join("\n") + "\n"
}
