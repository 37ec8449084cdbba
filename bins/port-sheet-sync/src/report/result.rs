//! The result of a run: the `sheets` list of the JSON result, and the same as text.

use serde::Serialize;
use shared::Failure;
use shared::outcome::Outcome;

use crate::double_booking::DoubleBooking;
use crate::journal::past::PastRun;
use crate::model::column::Columns;
use crate::plan::Drift;

/// The job's part of the JSON result.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// True if the run must not write anything.
    pub dry_run: bool,
    /// One entry for each sheet.
    pub sheets: Vec<SheetResult>,
    /// With `--history`: the runs that wrote to the sheets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<PastRun>>,
}

/// One sheet. All counts are confirmed by reading back, except in a dry run, where they are what would be done.
#[derive(Clone, Debug, Serialize)]
pub struct SheetResult {
    /// Its name in the configuration.
    pub sheet: String,
    /// `ok` or `failed`.
    pub outcome: Outcome,
    /// The exit code that it alone would give.
    pub exit: u8,
    /// What failed.
    pub error: Option<Failure>,
    /// Whether it was the source that failed, before the sheet's credential was used for anything.
    #[serde(skip)]
    pub source_failed: bool,
    /// Whether rows of the sheet could be of one booking or of another.
    #[serde(skip)]
    pub has_undecided_rows: bool,
    /// Data rows of the source.
    pub source_rows: u64,
    /// Rows of it that could not be used.
    pub rejected: u64,
    /// Bookings that got a row.
    pub added: u64,
    /// Rows that got other cells.
    pub updated: u64,
    /// Rows flagged, archived or deleted because their booking left the source.
    pub removed: u64,
    /// Bookings that were in the sheet as they should be.
    pub unchanged: u64,
    /// Owned cells that users had changed.
    pub drifted: u64,
    /// The first of them, 200 at most.
    pub drifts: Vec<DriftedCell>,
    /// Owned cells of bookings that were written.
    pub cells_written: u64,
    /// Whether the sheet was read back and holds what it should.
    pub verified: bool,
    /// Whether the file's version proved that nothing changed, so that the sheet was not read.
    pub fast_path: bool,
    /// Read requests sent, tries included.
    pub reads: u64,
    /// Write requests sent, tries included.
    pub writes: u64,
    /// Bookings of the same thing at the same time, a thousand at most.
    pub overlaps: Vec<DoubleBooking>,
    /// Content of source and sheet that could not be used, a line each, a hundred at most.
    pub problems: Vec<String>,
    /// Remarks that are not failures, a line each.
    pub notes: Vec<String>,
}

/// An owned cell that a user changed, as text.
#[derive(Clone, Debug, Serialize)]
pub struct DriftedCell {
    /// The row's number when it was read.
    pub row: u32,
    /// Its booking.
    pub key: String,
    /// The column's header.
    pub header: String,
    /// What the user wrote.
    pub theirs: String,
    /// What the source says.
    pub ours: String,
    /// What the run does with it: `restore`, `keep` or `fail`.
    pub on_edit: &'static str,
}

impl DriftedCell {
    pub fn new(columns: &Columns, drift: &Drift) -> Self {
        let column = &columns.all()[drift.column];
        Self {
            row: drift.row,
            key: drift.key.clone(),
            header: column.header.clone(),
            theirs: drift.theirs.shown(column.kind).into_owned(),
            ours: drift.ours.shown(column.kind).into_owned(),
            on_edit: columns.on_edit(drift.column).as_str(),
        }
    }
}

impl SheetResult {
    /// The result of a run that has not begun.
    pub fn new(sheet: &str) -> Self {
        Self {
            sheet: sheet.to_owned(),
            outcome: Outcome::Ok,
            exit: 0,
            error: None,
            source_failed: false,
            has_undecided_rows: false,
            source_rows: 0,
            rejected: 0,
            added: 0,
            updated: 0,
            removed: 0,
            unchanged: 0,
            drifted: 0,
            drifts: Vec::new(),
            cells_written: 0,
            verified: false,
            fast_path: false,
            reads: 0,
            writes: 0,
            overlaps: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Notes that it failed. What was planned but not seen in the sheet does not count as done.
    pub fn fail(&mut self, failure: Failure) {
        if !self.verified {
            (self.added, self.updated, self.removed, self.cells_written) = (0, 0, 0, 0);
        }
        self.outcome = Outcome::Failed;
        self.exit = failure.kind.exit_code();
        self.error = Some(failure);
    }

    /// The counts in a line, the double bookings and the notes.
    pub fn summary(&self) -> Vec<String> {
        let overlaps = self.overlaps.iter().map(ToString::to_string);
        let lines = overlaps.chain(self.notes.iter().cloned()).map(|line| format!("{}: {line}", self.sheet));
        std::iter::once(self.counts()).chain(lines).collect()
    }

    fn counts(&self) -> String {
        format!(
            "{}: {} added, {} changed, {} removed, {} unchanged, {} refused; {} cells written, {}; {} reads, {} writes",
            self.sheet,
            self.added,
            self.updated,
            self.removed,
            self.unchanged,
            self.rejected,
            self.cells_written,
            match (self.fast_path, self.verified) {
                (true, _) => "proven by the file's version",
                (false, true) => "verified",
                (false, false) => "not verified",
            },
            self.reads,
            self.writes
        )
    }
}
