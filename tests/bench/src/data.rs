//! The sources: hotel bookings with a key, and cells by the million.

use anyhow::Context as _;

/// The name of the trial over the hotel bookings.
pub(crate) const HOTEL: &str = "hotel";

/// The 119,390 bookings of 32 fields with a row number in front, since they have nothing else that identifies them; the real
/// ones where they are present. Every so many of them is changed.
pub(crate) fn hotel_bookings(change_every: Option<usize>) -> anyhow::Result<String> {
    let data = test_data::hotel_bookings().pop().context("there is always generated data")?;
    Ok(test_data::numbered(&data.csv, change_every))
}

/// Rows of short numbers below a header, the first of each being its key.
pub(crate) fn cells(rows: usize, columns: usize) -> String {
    let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
    let line =
        |row: usize| (0..columns).map(|column| (row + column).to_string()).collect::<Vec<_>>().join(",");
    std::iter::once(header.join(",")).chain((0..rows).map(line)).collect::<Vec<_>>().join("\n") + "\n"
}
