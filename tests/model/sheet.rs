//! The sheet as it is, read by header and key, so that nothing depends on where rows and columns are.

use std::collections::BTreeMap;

use serde_json::Value;
use support::World;

/// The columns of the sync, in the sheet and in the archive; all others are people's.
const OWNED: [&str; 5] = ["Booking", "Vessel", "Nights", "Sync status", "Archived"];

/// One row that is not blank: its cells by header, blanks left out.
pub type Cells = BTreeMap<String, Value>;

/// A tab.
#[derive(Debug)]
pub struct Sheet {
    /// The header row.
    pub header: Vec<String>,
    /// The rows below it with their numbers; blank ones are left out.
    pub rows: Vec<(usize, Cells)>,
}

impl Sheet {
    /// Reads a tab; none when there is no such tab. The archive has a header of its own above each of its parts.
    pub fn read(world: &World, tab: &str) -> Option<Self> {
        let mut sheet = Self { header: Vec::new(), rows: Vec::new() };
        for (at, row) in world.find_rows_as(tab, "UNFORMATTED_VALUE")?.into_iter().enumerate() {
            if at == 0 || row.first().is_some_and(|cell| cell == "Archived") {
                sheet.header = row.iter().map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect();
            } else {
                sheet.rows.push((at + 1, sheet.named(row)));
            }
        }
        sheet.rows.retain(|(_, cells)| !cells.is_empty());
        Some(sheet)
    }

    fn named(&self, row: Vec<Value>) -> Cells {
        let named = row.into_iter().enumerate().map(|(at, cell)| {
            let name = self.header.get(at).filter(|name| !name.is_empty());
            (name.cloned().unwrap_or_else(|| format!("column {at}")), cell)
        });
        named.filter(|(_, cell)| *cell != "").collect()
    }

    /// The rows of bookings, with their keys. A key that is twice is listed twice.
    pub fn bookings(&self) -> impl Iterator<Item = (usize, &str, &Cells)> {
        self.rows.iter().filter_map(|(row, cells)| Some((*row, cells.get("Booking")?.as_str()?, cells)))
    }

    /// The rows that people added without a booking.
    pub fn strangers(&self) -> impl Iterator<Item = &Cells> {
        self.rows.iter().map(|(_, cells)| cells).filter(|cells| !cells.contains_key("Booking"))
    }

    /// A cell's name, such as `C7`.
    pub fn cell(&self, header: &str, row: usize) -> String {
        let at = self.header.iter().position(|name| name == header).unwrap();
        let letter = char::from(b'A' + u8::try_from(at).unwrap());
        format!("{letter}{row}")
    }

    /// The number of the first row below everything.
    pub fn end(&self) -> usize {
        self.rows.last().map_or(1, |(row, _)| *row) + 1
    }
}

/// What people wrote in a row.
pub fn of_people(cells: &Cells) -> Cells {
    let theirs = cells.iter().filter(|(header, _)| !OWNED.contains(&header.as_str()));
    theirs.map(|(header, cell)| (header.clone(), cell.clone())).collect()
}
