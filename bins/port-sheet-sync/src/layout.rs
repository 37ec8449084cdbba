//! Where the owned columns stand in a tab: found by their exact header text, wherever people moved them.
//!
//! Pure. A header that is new is placed to the right of the last one; a header that was there at the last verified run
//! and is gone now was renamed or deleted by a person, and is asked about rather than added a second time.

use shared::config::{OnMissing, Sheet};
use shared::{Failure, Kind, Result};

use crate::a1;
use crate::column::{Columns, Remembered};

/// Where everything stands, columns counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each owned column, in the configuration's order.
    pub columns: Vec<u32>,
    /// The status column, if bookings are flagged: where it is, or would be.
    pub status: Option<u32>,
    /// The headers that stand there already, with where.
    found: Vec<(u32, String)>,
    /// Headers to be written, with where.
    pub added: Vec<(u32, String)>,
    /// The status column's header, while the tab has none and no flag needs one.
    reserved: Option<(u32, String)>,
    /// People's columns with their headers.
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
    /// [`Kind::Data`] when a header stands twice or a known one is gone.
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
            layout.reserved = found.is_none().then(|| (next, sheet.status_header.clone()));
            layout.found.extend(found.map(|at| (at, sheet.status_header.clone())));
            layout.status = found.or(Some(next));
        }
        let is_owned = |column: u32| layout.found.iter().any(|(found, _)| *found == column);
        let all = header.iter().enumerate().map(|(at, text)| (position(at), text.clone()));
        layout.people = all.filter(|(column, text)| !text.is_empty() && !is_owned(*column)).collect();
        Ok(layout)
    }

    /// A header in merged cells is not one column's alone: its neighbours hide behind it.
    ///
    /// # Errors
    /// [`Kind::Data`] when an owned header stands, or is to stand, in `merged` cells of row 1.
    pub fn refuse_merged_headers(&self, sheet: &Sheet, merged: &[(u32, u32)]) -> Result<()> {
        let covers = |column: u32| {
            merged.iter().find(|(first, last)| first < last && (*first..=*last).contains(&column))
        };
        let mut headers = self.found.iter().chain(&self.added);
        let Some((text, (first, last))) = headers.find_map(|(column, text)| Some((text, covers(*column)?)))
        else {
            return Ok(());
        };
        Err(Failure::new(
            Kind::Data,
            format!(
                "row 1 of tab {:?} is merged over columns {} to {}, where the header {text:?} stands or is to stand",
                sheet.tab,
                a1::letters(*first),
                a1::letters(*last)
            ),
            "select the merged cells and choose Format, Merge cells, Unmerge: each column of the sync needs a header of its own",
        ))
    }

    fn of_no_columns(grid: u32) -> Self {
        let (people, also) = (Vec::new(), Vec::new());
        let (columns, found, added) = (Vec::new(), Vec::new(), Vec::new());
        Self { columns, status: None, found, added, reserved: None, people, also, grid }
    }

    /// The headers that must be where they were found.
    pub fn headers(&self) -> impl Iterator<Item = (u32, &str)> {
        self.found.iter().map(|(column, text)| (*column, text.as_str()))
    }

    /// The same with people's columns to be read as well.
    pub fn with_people(&self) -> Self {
        Self { also: self.people.iter().map(|(column, _)| *column).collect(), ..self.clone() }
    }

    /// Has the status column's header written, if the tab has none yet.
    pub fn need_status(&mut self) {
        self.added.extend(self.reserved.take());
    }

    /// Whether a column has no header yet, so that what stands in it cannot be ours.
    pub fn is_headless(&self, column: u32) -> bool {
        self.added.iter().chain(&self.reserved).any(|(added, _)| *added == column)
    }

    /// The same once the new headers are written and the grid holds every owned column.
    pub fn written(&self) -> Self {
        let mut written = Self { grid: self.grid.max(self.width()), ..self.clone() };
        written.found.append(&mut written.added);
        written
    }

    /// Runs of neighbouring columns within the grid that must be read: first and last of each.
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let positions = self
            .columns
            .iter()
            .chain(&self.status)
            .chain(&self.also)
            .copied()
            .filter(|column| *column < self.grid);
        runs(positions.collect())
    }

    /// How wide a row must be to hold every owned column.
    pub fn width(&self) -> u32 {
        let status = self.status.filter(|_| self.reserved.is_none());
        self.columns.iter().chain(&status).max().map_or(0, |last| last + 1)
    }
}

/// Runs of neighbours among some positions: first and last of each.
pub fn runs(mut positions: Vec<u32>) -> Vec<(u32, u32)> {
    positions.sort_unstable();
    positions.dedup();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for position in positions {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == position => *last = position,
            _ => runs.push((position, position)),
        }
    }
    runs
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
                    "the header {text:?} stands more than once in row 1 of tab {:?} (columns {columns})",
                    sheet.tab
                ),
                "rename the copies in the sheet: the sync must know which column is its own",
            ))
        }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_cover_exactly_the_positions(positions in proptest::collection::vec(0u32..60, 0..40)) {
            let covered: Vec<u32> = runs(positions.clone()).into_iter().flat_map(|(first, last)| first..=last).collect();
            let mut expected = positions;
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(covered, expected);
        }

        #[test]
        fn runs_are_apart(positions in proptest::collection::vec(0u32..60, 0..40)) {
            prop_assert!(runs(positions).windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
