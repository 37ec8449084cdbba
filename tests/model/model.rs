//! What the sheet should hold: bookings, and what people wrote beside them. It knows neither rows nor requests.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::World;

use crate::sheet::{Cells, Sheet, of_people};

/// The policies of a history.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What becomes of a row whose booking left.
    pub on_missing: &'static str,
    /// What becomes of an owned cell that a person changed.
    pub on_edit: &'static str,
}

/// A booking of the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    /// The ship.
    pub vessel: String,
    /// How long it stays.
    pub nights: u16,
}

/// The world as it should be.
#[derive(Debug)]
pub struct Model {
    /// The policies.
    pub policy: Policy,
    /// The source.
    pub source: BTreeMap<String, Booking>,
    /// Bookings that left the source.
    pub left: BTreeMap<String, Booking>,
    /// What people wrote beside a booking.
    pub beside: BTreeMap<String, Cells>,
    /// What people wrote over owned cells of a booking, where such edits are kept.
    pub over: BTreeMap<String, Cells>,
    /// Rows of people's own.
    pub strangers: Vec<Cells>,
    /// What people had written beside bookings whose rows were taken out of the sheet.
    pub archived: Vec<(String, Cells)>,
}

impl Model {
    /// A model with these bookings in the source.
    pub fn new(policy: Policy, bookings: &[(&str, &str, u16)]) -> Self {
        let booking = |(key, vessel, nights): &(&str, &str, u16)| {
            ((*key).to_owned(), Booking { vessel: (*vessel).to_owned(), nights: *nights })
        };
        Self {
            policy,
            source: bookings.iter().map(booking).collect(),
            left: BTreeMap::new(),
            beside: BTreeMap::new(),
            over: BTreeMap::new(),
            strangers: Vec::new(),
            archived: Vec::new(),
        }
    }

    /// The source as a file.
    pub fn csv(&self) -> Vec<String> {
        let line =
            |(key, booking): (&String, &Booking)| format!("{key},{},{}", booking.vessel, booking.nights);
        std::iter::once("booking_id,vessel,nights".to_owned()).chain(self.source.iter().map(line)).collect()
    }

    fn takes_rows_out(&self) -> bool {
        matches!(self.policy.on_missing, "archive" | "delete")
    }

    /// Follows what a run may have done whether or not it came to its end: rows of bookings that left may be out of the
    /// sheet, and what people had written there in the archive; the rows of bookings that are back may be back as well.
    pub fn observe(&mut self, sheet: &Sheet) {
        if !self.takes_rows_out() {
            return;
        }
        let stands = |key: &str| sheet.bookings().any(|(_, in_sheet, _)| in_sheet == key);
        let gone: Vec<String> = self.left.keys().filter(|key| !stands(key)).cloned().collect();
        for key in gone {
            self.over.remove(&key);
            if let Some(cells) = self.beside.remove(&key) {
                self.archived.push((key, cells));
            }
        }
        for (_, key, cells) in sheet.bookings() {
            if self.beside.contains_key(key) {
                continue;
            }
            let newest = self.archived.iter().rposition(|(archived, _)| archived == key);
            if let Some(newest) = newest.filter(|&at| self.archived[at].1 == of_people(cells)) {
                let (key, cells) = self.archived.remove(newest);
                self.beside.insert(key, cells);
            }
        }
    }

    /// What people wrote over owned cells, by booking and header, that a good run is about to put back.
    pub fn to_be_overwritten(&self, sheet: &Sheet) -> Vec<(String, &'static str, Value)> {
        let mut found = Vec::new();
        for (_, key, cells) in sheet.bookings().filter(|_| self.policy.on_edit == "restore") {
            for header in ["Vessel", "Nights"] {
                let value = cells.get(header).cloned().unwrap_or_default();
                let is_persons = value.as_u64().is_some_and(|nights| nights >= 100)
                    || value.as_str().is_some_and(|text| text.starts_with("Person's"));
                if is_persons && self.source.contains_key(key) {
                    found.push((key.to_owned(), header, value));
                }
            }
        }
        found
    }

    /// Holds the journal against what is not in the sheet any more.
    ///
    /// # Panics
    /// When something was overwritten or removed that is not in it.
    pub fn holds_journal(&self, overwritten: &[(String, &'static str, Value)], journal: &[Value]) {
        for (key, header, value) in overwritten {
            let is_same =
                |old: &Value| old == value || old.as_f64().is_some() && old.as_f64() == value.as_f64();
            let tells = |line: &&Value| {
                line["what"] == "change"
                    && line["key"] == **key
                    && line["header"] == *header
                    && is_same(&line["old"])
            };
            assert!(
                journal.iter().any(|line| tells(&line)),
                "{key}, {header:?}: {value} is not in the journal"
            );
        }
        for (key, cells) in &self.archived {
            let removed = journal.iter().filter(|line| line["what"] == "remove" && line["key"] == **key);
            let removed: String = removed.map(Value::to_string).collect();
            for text in cells.values().filter_map(Value::as_str) {
                assert!(removed.contains(text), "{text:?}, beside {key}, is not in the journal");
            }
        }
    }

    /// A person deleted the row of a booking, and with it what was beside it.
    pub fn row_deleted(&mut self, key: &str) {
        self.beside.remove(key);
        self.over.remove(key);
    }

    /// Holds the sheet against the model, at a moment at which a run may have been cut short: people's cells.
    ///
    /// # Panics
    /// When a cell of a person's is not where it should be.
    pub fn holds_people(&self, sheet: &Sheet) {
        for (row, key, cells) in sheet.bookings() {
            let expected = self.beside.get(key).cloned().unwrap_or_default();
            assert_eq!(of_people(cells), expected, "what people wrote beside {key} in row {row}");
        }
        for key in self.beside.keys() {
            let times = sheet.bookings().filter(|(_, in_sheet, _)| in_sheet == key).count();
            assert_eq!(times, 1, "{key}, beside which people wrote, stands {times} times");
        }
        let sorted = |mut rows: Vec<Cells>| {
            rows.sort_by_key(|cells| format!("{cells:?}"));
            rows
        };
        let strangers = sheet.strangers().cloned().collect();
        assert_eq!(sorted(strangers), sorted(self.strangers.clone()), "rows of people's own");
    }

    /// Holds the sheet against the model after a run that ended well.
    ///
    /// # Panics
    /// When it differs.
    pub fn holds(&self, world: &World, sheet: &Sheet) {
        self.holds_people(sheet);
        for (key, booking) in &self.source {
            let rows: Vec<&Cells> = sheet
                .bookings()
                .filter(|(_, in_sheet, _)| in_sheet == key)
                .map(|(_, _, cells)| cells)
                .collect();
            assert_eq!(rows.len(), 1, "{key} stands {} times", rows.len());
            let mut expected: Cells = [
                ("Booking".to_owned(), json!(key)),
                ("Vessel".to_owned(), json!(booking.vessel)),
                ("Nights".to_owned(), json!(booking.nights)),
            ]
            .into();
            expected.extend(self.over.get(key).cloned().unwrap_or_default());
            expected.extend(self.beside.get(key).cloned().unwrap_or_default());
            assert_eq!(*rows[0], expected, "{key}");
        }
        for (_, key, cells) in sheet.bookings().filter(|(_, key, _)| !self.source.contains_key(*key)) {
            assert!(!self.takes_rows_out(), "{key} left and still stands");
            let flag = cells.get("Sync status").and_then(Value::as_str).unwrap_or_default();
            let is_flagged = flag.starts_with("Not in the bookings since");
            assert_eq!(is_flagged, self.policy.on_missing == "flag", "{key} left; its status is {flag:?}");
        }
        if self.policy.on_missing == "archive" {
            self.holds_archive(world);
        }
    }

    fn holds_archive(&self, world: &World) {
        let archive = Sheet::read(world, "Port sheet archive");
        let stands: Vec<(String, Cells)> = archive
            .iter()
            .flat_map(Sheet::bookings)
            .map(|(_, key, cells)| (key.to_owned(), of_people(cells)))
            .collect();
        for entry in &self.archived {
            let wanted = self.archived.iter().filter(|other| *other == entry).count();
            let found = stands.iter().filter(|other| *other == entry).count();
            assert!(found >= wanted, "{entry:?} is not in the archive: {stands:?}");
        }
    }
}
