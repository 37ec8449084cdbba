//! `[sheet.NAME]`: which source goes into which tab, and the policies of the sync.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::spelling;

use super::column::{self, Column};
use super::{CellAddress, Overlap, Reader, Source};

/// How often a sheet is read as a whole, even if its file's version is unchanged.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One tab and its source.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The name in the configuration.
    pub name: String,
    /// The name of the credential that reads and writes it.
    pub credential: String,
    /// The spreadsheet's id.
    pub spreadsheet: String,
    /// The tab's title.
    pub tab: String,
    /// The source fields that identify a booking.
    pub key: Vec<String>,
    /// The policy for rows whose booking left the source.
    pub on_missing: OnMissing,
    /// The policy for owned cells that a user edited.
    pub on_edit: OnEdit,
    /// The policy for the good rows of a source that has bad ones.
    pub on_bad_row: OnBadRow,
    /// The largest share of the sheet's bookings that may leave the source at once.
    pub max_shrink: Share,
    /// The header of the column in which missing bookings are flagged.
    pub status_header: String,
    /// The cell that says when the sheet was last synced.
    pub freshness_cell: Option<CellAddress>,
    /// The check for double bookings.
    pub overlap: Option<Overlap>,
    /// How long an unchanged file version may replace reading the sheet. Zero reads it with every run.
    pub full_read_every: Duration,
    /// The tab for rows of bookings that left the source, with `on-missing = "archive"`.
    pub archive_tab: String,
    /// Where the bookings come from.
    pub source: Source,
    /// The owned columns. `None` makes every field of the source a text column with its own name.
    pub columns: Option<Vec<Column>>,
}

/// The policy for a row whose booking left the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMissing {
    /// It stays as it is.
    Keep,
    /// It stays, struck through, with a note in the status column.
    Flag,
    /// It moves to the archive tab, with its human columns.
    Archive,
    /// It is deleted, with its human columns; the journal keeps them.
    Delete,
}

impl OnMissing {
    /// The names in the configuration.
    const NAMES: [(&'static str, Self); 4] =
        [("keep", Self::Keep), ("flag", Self::Flag), ("archive", Self::Archive), ("delete", Self::Delete)];
}

/// The policy for an owned cell that a user edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEdit {
    /// The sync writes the source's value again.
    Restore,
    /// The user's value stays.
    Keep,
    /// The run fails before it writes.
    Fail,
}

impl OnEdit {
    /// The names in the configuration.
    pub(super) const NAMES: [(&'static str, Self); 3] =
        [("restore", Self::Restore), ("keep", Self::Keep), ("fail", Self::Fail)];

    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, policy)| *policy == self).map_or("", |(name, _)| name)
    }
}

/// The policy for the good rows of a source that has bad ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBadRow {
    /// They are synced; the bad ones are set aside and the exit code is 65.
    Quarantine,
    /// The run fails before it writes.
    Fail,
}

/// A share from 0% to 100%, in hundredths of a percent so that it compares exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// Whether `part` of `whole` is more than this share.
    pub fn is_exceeded_by(self, part: usize, whole: usize) -> bool {
        part as u128 * 10_000 > whole as u128 * u128::from(self.0)
    }

    /// Reads a share such as `40%`.
    pub fn parse(text: &str) -> Option<Self> {
        let number: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
        #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "the range is checked")]
        (0.0..=100.0).contains(&number).then(|| Self((number * 100.0).round() as u32))
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", f64::from(self.0) / 100.0)
    }
}

impl Sheet {
    pub(super) fn read(name: &str, mut reader: Reader<'_>) -> Self {
        let credential = reader.required("credential").unwrap_or_default();
        let spreadsheet = reader.required("spreadsheet").unwrap_or_default();
        let spreadsheet = spreadsheet_id(&spreadsheet).unwrap_or_else(|| {
            if !spreadsheet.is_empty() {
                let what = if is_published(&spreadsheet) {
                    "is the address of the published copy, which cannot be written; open the sheet as its crew does, and take the address from there"
                } else {
                    "is neither a spreadsheet's address nor its id"
                };
                reader.problem("spreadsheet", format!("{spreadsheet:?} {what}"));
            }
            String::new()
        });
        let tab = reader.required("tab").unwrap_or_default();
        let mut sheet = Self {
            name: name.to_owned(),
            credential,
            spreadsheet,
            key: read_key(&mut reader),
            on_missing: reader.choice("on-missing", &OnMissing::NAMES).unwrap_or(OnMissing::Flag),
            on_edit: reader.choice("on-edit", &OnEdit::NAMES).unwrap_or(OnEdit::Restore),
            on_bad_row: reader
                .choice("on-bad-row", &[("quarantine", OnBadRow::Quarantine), ("fail", OnBadRow::Fail)])
                .unwrap_or(OnBadRow::Quarantine),
            max_shrink: read_max_shrink(&mut reader),
            status_header: reader.text("status-header").unwrap_or_else(|| "Sync status".to_owned()),
            archive_tab: reader.text("archive-tab").unwrap_or_else(|| format!("{tab} archive")),
            freshness_cell: None,
            overlap: None,
            full_read_every: reader.duration("full-read-every").unwrap_or(DAY),
            source: Source::read(&mut reader),
            columns: column::read_all(&mut reader),
            tab,
        };
        sheet.overlap = Overlap::read(&mut reader, sheet.columns.as_deref());
        sheet.freshness_cell = read_freshness_cell(&mut reader, &sheet.tab);
        sheet.check(&mut reader);
        reader.finish();
        sheet
    }

    /// Checks keys against each other.
    fn check(&self, reader: &mut Reader<'_>) {
        if self.archive_tab.to_lowercase() == self.tab.to_lowercase() {
            reader.problem("archive-tab", "must be another tab than the sheet's own");
        }
        let Some(columns) = &self.columns else { return };
        let mut headers = BTreeSet::new();
        let mut fields = BTreeSet::new();
        for column in columns {
            if let Some(twin) = spelling::twin(&column.header, headers.iter().copied()) {
                let header = &column.header;
                reader.problem("column", format!("the headers {twin:?} and {header:?} {}", spelling::ALIKE));
            }
            if !headers.insert(&column.header) {
                reader.problem("column", format!("the header {:?} is used twice", column.header));
            }
            if !fields.insert(&column.field) {
                reader.problem("column", format!("the field {:?} is used twice", column.field));
            }
        }
        if self.on_missing == OnMissing::Flag && headers.contains(&self.status_header) {
            reader
                .problem("status-header", format!("{:?} is also the header of a column", self.status_header));
        }
        for field in self.key.iter().filter(|field| !fields.contains(field)) {
            reader.problem(
                "key",
                format!("the field {field:?} has no column, so rows could not be found again"),
            );
        }
    }
}

fn read_freshness_cell(reader: &mut Reader<'_>, own: &str) -> Option<CellAddress> {
    let text = reader.text("freshness-cell")?;
    let cell = CellAddress::parse(&text, own);
    if cell.is_none() {
        reader.problem("freshness-cell", format!("{text:?} is not a cell such as \"B1\" or \"Info!B1\""));
    }
    cell
}

fn read_key(reader: &mut Reader<'_>) -> Vec<String> {
    let key = reader.texts("key");
    match &key {
        None => reader
            .problem("key", "must name the source fields that identify a booking, such as [\"booking_id\"]"),
        Some(fields) if fields.is_empty() || fields.iter().any(|field| field.trim().is_empty()) => {
            reader.problem("key", "must name at least one field, and none may be blank");
        }
        Some(fields) if fields.iter().collect::<BTreeSet<_>>().len() < fields.len() => {
            reader.problem("key", "names a field twice");
        }
        Some(_) => {}
    }
    key.unwrap_or_default()
}

fn read_max_shrink(reader: &mut Reader<'_>) -> Share {
    let Some(text) = reader.text("max-shrink") else {
        return Share(4_000);
    };
    Share::parse(&text).unwrap_or_else(|| {
        reader.problem("max-shrink", format!("{text:?} is not a share from \"0%\" to \"100%\""));
        Share(0)
    })
}

/// The id in a spreadsheet's address, or the id itself. The address can have the number of a browser's account behind
/// `/spreadsheets`.
fn spreadsheet_id(text: &str) -> Option<String> {
    let behind = text.split_once("/spreadsheets/").map(|(_, rest)| rest);
    let id =
        match behind.and_then(|rest| rest.strip_prefix("d/").or(rest.split_once("/d/").map(|(_, id)| id))) {
            Some(id) => id.split(['/', '?', '#']).next().unwrap_or_default(),
            None => text.trim(),
        };
    let is_plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (!id.is_empty() && is_plain && !is_published(text)).then(|| id.to_owned())
}

/// Whether this is the copy of a spreadsheet that *File, Share, Publish to web* makes, which cannot be written.
fn is_published(text: &str) -> bool {
    text.contains("/d/e/") || text.starts_with("2PACX-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_an_id_name_the_same_spreadsheet() {
        for text in [
            "1AbC-_9",
            "https://docs.google.com/spreadsheets/d/1AbC-_9/edit?gid=0#gid=0",
            "https://docs.google.com/spreadsheets/u/1/d/1AbC-_9/edit",
            "http://127.0.0.1:1/spreadsheets/d/1AbC-_9",
        ] {
            assert_eq!(spreadsheet_id(text).as_deref(), Some("1AbC-_9"), "{text}");
        }
        for text in [
            "https://example.com/x",
            "https://docs.google.com/spreadsheets/d/e/2PACX-1vAbC/pubhtml",
            "2PACX-1vAbC",
        ] {
            assert_eq!(spreadsheet_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_is_exceeded_by_more_and_not_by_as_much() {
        let share = Share::parse("40%").unwrap();
        assert!(!share.is_exceeded_by(4, 10));
        assert!(share.is_exceeded_by(5, 10));
        assert!(!share.is_exceeded_by(0, 0));
        assert_eq!((Share::parse("101%"), Share::parse("40"), Share::parse("-1%")), (None, None, None));
        assert_eq!(Share::parse("12.5%").unwrap().to_string(), "12.5%");
    }
}
