//! Where the owned columns are in a tab: found by their exact header text, wherever users moved them.
//!
//! Pure. A header that is new is placed to the right of the last one; a header that was there at the last verified run
//! and is missing now was renamed or deleted by a user, and is an error rather than added a second time.

use shared::config::{OnMissing, Sheet};
use shared::{Failure, Kind, Result, spelling};

use crate::model::a1;
use crate::model::column::Columns;
use crate::model::column::Remembered;
use crate::model::span::{Span, spans};

/// Where everything is; columns are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each owned column, in the configuration's order.
    pub columns: Vec<u32>,
    /// The status column, if bookings are flagged: where it is, or would be.
    pub status: Option<u32>,
    /// The headers that the tab has, with their columns.
    found: Vec<(u32, String)>,
    /// Headers to write, with their columns.
    pub added: Vec<(u32, String)>,
    /// The status column's header, while the tab has none and no flag needs one.
    reserved: Option<(u32, String)>,
    /// Human columns with their headers.
    pub people: Vec<(u32, String)>,
    /// Columns to be read beside the owned ones.
    also: Vec<u32>,
    /// How many columns the grid has.
    pub grid: u32,
}

impl Layout {
    /// Finds the columns in a tab's first row. `known` are the columns of the last verified run.
    ///
    /// # Errors
    /// [`Kind::Data`] when a header is there twice, a known one is missing, or one is there in another spelling.
    pub fn find(
        sheet: &Sheet,
        columns: &Columns,
        header: &[String],
        grid: u32,
        known: &[Remembered],
    ) -> Result<Self> {
        let blank = header.iter().all(|text| text.is_empty());
        let mut next = header.iter().rposition(|text| !text.is_empty()).map_or(0, |last| position(last) + 1);
        let mut layout = Self::of_no_columns(grid);
        for column in columns.all() {
            let was_there = known.iter().any(|known| known.header == column.header);
            match find_one(sheet, header, &column.header)? {
                Some(at) => {
                    layout.columns.push(at);
                    layout.found.push((at, column.header.clone()));
                }
                None if let Some(twin) = spelling::twin(&column.header, header) => {
                    return Err(alike(sheet, header, twin, &column.header));
                }
                None if was_there && !blank => return Err(gone(sheet, &column.header, header)),
                None => {
                    layout.columns.push(next);
                    layout.added.push((next, column.header.clone()));
                    next += 1;
                }
            }
        }
        if sheet.on_missing == OnMissing::Flag {
            let found = find_one(sheet, header, &sheet.status_header)?;
            if found.is_none()
                && let Some(twin) = spelling::twin(&sheet.status_header, header)
            {
                return Err(alike(sheet, header, twin, &sheet.status_header));
            }
            layout.reserved = found.is_none().then(|| (next, sheet.status_header.clone()));
            layout.found.extend(found.map(|at| (at, sheet.status_header.clone())));
            layout.status = found.or(Some(next));
        }
        let all = header.iter().enumerate().map(|(at, text)| (position(at), text.clone()));
        let human = all.filter(|(column, text)| !text.is_empty() && !layout.is_found(*column));
        layout.people = human.collect();
        Ok(layout)
    }

    /// A header in merged cells is not one column's alone: its neighbours hide behind it.
    ///
    /// # Errors
    /// [`Kind::Data`] when an owned header is, or would be, in `merged` cells of row 1.
    pub fn refuse_merged_headers(&self, sheet: &Sheet, merged: &[Span]) -> Result<()> {
        let mut headers = self.found.iter().chain(&self.added);
        let covered = headers.find_map(|(column, text)| {
            let wide = merged.iter().filter(|span| span.length() > 1);
            Some((text, wide.clone().find(|span| span.contains(*column))?))
        });
        let Some((text, span)) = covered else { return Ok(()) };
        Err(Failure::new(
            Kind::Data,
            format!(
                "row 1 of tab {:?} is merged over columns {} to {}, where the header {text:?} is or would be",
                sheet.tab,
                a1::letters(span.first),
                a1::letters(span.last)
            ),
            "select the merged cells and choose Format, Merge cells, Unmerge: each column of the sync needs a header of its own",
        ))
    }

    fn is_found(&self, column: u32) -> bool {
        self.found.iter().any(|(found, _)| *found == column)
    }

    fn of_no_columns(grid: u32) -> Self {
        let (people, also) = (Vec::new(), Vec::new());
        let (columns, found, added) = (Vec::new(), Vec::new(), Vec::new());
        Self { columns, status: None, found, added, reserved: None, people, also, grid }
    }

    /// Columns that were found elsewhere, with their headers.
    pub fn of_found(found: Vec<(u32, String)>, grid: u32) -> Self {
        Self { columns: found.iter().map(|(at, _)| *at).collect(), found, ..Self::of_no_columns(grid) }
    }

    /// The headers that must be where they were found.
    pub fn headers(&self) -> impl Iterator<Item = (u32, &str)> {
        self.found.iter().map(|(column, text)| (*column, text.as_str()))
    }

    /// The same, with the human columns to read as well.
    pub fn with_people(&self) -> Self {
        Self { also: self.people.iter().map(|(column, _)| *column).collect(), ..self.clone() }
    }

    /// Has the status column's header written, if the tab has none yet.
    pub fn need_status(&mut self) {
        self.added.extend(self.reserved.take());
    }

    /// The columns that have no header yet.
    pub fn headless(&self) -> impl Iterator<Item = u32> {
        self.added.iter().chain(&self.reserved).map(|(column, _)| *column)
    }

    /// Whether a column has no header yet, so that its cells cannot be ours.
    pub fn is_headless(&self, column: u32) -> bool {
        self.headless().any(|headless| headless == column)
    }

    /// The same once the new headers are written and the grid holds every owned column.
    pub fn written(&self) -> Self {
        let mut written = Self { grid: self.grid.max(self.width()), ..self.clone() };
        written.found.append(&mut written.added);
        written
    }

    /// The columns within the grid that must be read.
    pub fn spans(&self) -> Vec<Span> {
        let positions = self
            .columns
            .iter()
            .chain(&self.status)
            .chain(&self.also)
            .copied()
            .filter(|column| *column < self.grid);
        spans(positions.collect(), 0)
    }

    /// How wide a row must be to hold every owned column.
    pub fn width(&self) -> u32 {
        let status = self.status.filter(|_| self.reserved.is_none());
        self.columns.iter().chain(&status).max().map_or(0, |last| last + 1)
    }
}

fn find_one(sheet: &Sheet, header: &[String], text: &str) -> Result<Option<u32>> {
    let found: Vec<u32> =
        header.iter().enumerate().filter(|(_, cell)| *cell == text).map(|(at, _)| position(at)).collect();
    match found[..] {
        [] => Ok(None),
        [at] => Ok(Some(at)),
        _ => {
            let columns = found.iter().map(|&at| a1::letters(at)).collect::<Vec<_>>().join(", ");
            Err(Failure::new(
                Kind::Data,
                format!(
                    "the header {text:?} is more than once in row 1 of tab {:?} (columns {columns})",
                    sheet.tab
                ),
                "rename the copies in the sheet: the sync must know which column is its own",
            ))
        }
    }
}

/// A header in another spelling: a second one beside it would leave users with the old column.
fn alike(sheet: &Sheet, header: &[String], found: &str, text: &str) -> Failure {
    let at = header.iter().position(|cell| cell == found).map_or(0, position);
    Failure::new(
        Kind::Data,
        format!(
            "the header {found:?} in column {} of tab {:?} and the header {text:?} of the configuration {}",
            a1::letters(at),
            sheet.tab,
            spelling::ALIKE
        ),
        format!(
            "write {text:?} into cell {}1 of the sheet, or set header = {found:?} for this column of sheet {:?} in the configuration",
            a1::letters(at),
            sheet.name
        ),
    )
}

fn gone(sheet: &Sheet, text: &str, header: &[String]) -> Failure {
    let shown = header
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| format!("{text:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    Failure::new(
        Kind::Data,
        format!("the header {text:?} is gone from row 1 of tab {:?}; there are {shown}", sheet.tab),
        format!(
            "rename it back in the sheet, or give the column its new header in the configuration of sheet {:?}",
            sheet.name
        ),
    )
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
