//! How big a spreadsheet may become, in Google's numbers and words.

use crate::{ApiError, Spreadsheet};

/// Cells of all tabs together.
const CELLS: u64 = 10_000_000;
/// Columns of a tab.
const COLUMNS: u32 = 18_278;
/// Tabs of a spreadsheet.
const TABS: usize = 200;
/// Requests in one batch.
pub const REQUESTS: usize = 100_000;

impl Spreadsheet {
    /// Refuses a growth by so many cells when it ends above the limit.
    pub(crate) fn may_grow(&self, added: u64) -> Result<(), ApiError> {
        let total: u64 = self.sheets.iter().map(crate::sheet::Sheet::size).sum();
        if added == 0 || total + added <= CELLS {
            return Ok(());
        }
        let message = "This action would increase the number of cells in the workbook above the limit of";
        Err(ApiError::invalid(format!("{message} {CELLS} cells.")))
    }

    /// Refuses to make one tab `rows` by `columns` when that breaks a limit.
    pub(crate) fn may_resize(&self, sheet: usize, rows: u32, columns: u32) -> Result<(), ApiError> {
        if columns > COLUMNS {
            let message = "This action would increase the number of columns in the sheet above the limit of";
            return Err(ApiError::invalid(format!("{message} {COLUMNS} columns.")));
        }
        let size = u64::from(rows) * u64::from(columns);
        self.may_grow(size.saturating_sub(self.sheets.get(sheet).map_or(0, crate::sheet::Sheet::size)))
    }

    /// Refuses one tab too many.
    pub(crate) fn may_add_tab(&self) -> Result<(), ApiError> {
        if self.sheets.len() < TABS {
            return Ok(());
        }
        let message = "This action would increase the number of sheets in the workbook above the limit of";
        Err(ApiError::invalid(format!("{message} {TABS} sheets.")))
    }
}
