//! Tabs: their grids, and what their first rows look like.
//!
//! It asks; where columns stand is found in [`crate::layout`].

use std::collections::HashMap;

use google_sheets4::api::{CellData, Sheet, Spreadsheet};
use shared::config::Type;
use shared::{Failure, Kind, Result, reach};

use super::Client;
use crate::a1;

/// What is asked of a tab: its grid, what the first row shows, and which of its cells are merged.
const TAB_FIELDS: &str = "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount,frozenRowCount)),merges,data(rowData(values(formattedValue,effectiveFormat(numberFormat(type))))))";

/// A tab's grid and what its first rows look like.
#[derive(Clone, Debug)]
pub struct Tab {
    /// The sheet's id.
    pub id: i32,
    /// The rows of the grid.
    pub rows: u32,
    /// The columns of the grid.
    pub columns: u32,
    /// How many of its rows are frozen.
    pub frozen: u32,
    /// What the cells of the first row show.
    pub header: Vec<String>,
    /// What the cells of the second row are shown as, where that is a date or a time.
    pub shown_as: Vec<Option<Type>>,
    /// Cells of the first row that are merged: the first column and the last.
    pub merged: Vec<(u32, u32)>,
}

impl Client {
    /// A tab's grid and header, in one request.
    ///
    /// # Errors
    /// [`Kind::Config`] when there is no such spreadsheet or tab, and as every request.
    pub async fn tab(&mut self, title: &str) -> Result<Tab> {
        match self.tabs(&[title]).await {
            // Google also answers for a title that differs in case; the sync wants the very tab.
            Ok(mut tabs) => match tabs.remove(title) {
                Some(tab) => Ok(tab),
                None => {
                    Err(self.explain_missing_tab(title, Failure::bug("Google answered another tab")).await?)
                }
            },
            Err(failure) if failure.kind == Kind::Data => {
                Err(self.explain_missing_tab(title, failure).await?)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The grids and headers of several tabs by title, in one request.
    ///
    /// # Errors
    /// [`Kind::Data`] when one of them is not there, and as every request.
    pub async fn tabs(&mut self, titles: &[&str]) -> Result<HashMap<String, Tab>> {
        let ranges: Vec<String> = titles.iter().map(|title| a1::rows(title, (1, 2))).collect();
        let spreadsheet = self.metadata(TAB_FIELDS, &ranges).await?;
        Ok(spreadsheet.sheets.into_iter().flatten().filter_map(titled_tab).collect())
    }

    /// A range that cannot be parsed means a tab that is not there, if the list of tabs confirms it.
    async fn explain_missing_tab(&mut self, title: &str, failure: Failure) -> Result<Failure> {
        let spreadsheet = self.metadata("sheets(properties(title))", &[]).await?;
        let titles: Vec<String> =
            spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties?.title).collect();
        if titles.iter().any(|known| known == title) {
            return Ok(failure);
        }
        Ok(reach::no_such_tab(title, &titles))
    }

    /// A tab that may not be there.
    ///
    /// # Errors
    /// As every request.
    pub async fn find_tab(&mut self, title: &str) -> Result<Option<Tab>> {
        match self.tabs(&[title]).await {
            Ok(mut tabs) => Ok(tabs.remove(title)),
            // A range that cannot be parsed is how Google says that there is no such tab.
            Err(failure) if failure.kind == Kind::Data => {
                let titles = self.metadata("sheets(properties(title))", &[]).await?;
                if has_tab(titles, title) { Err(failure) } else { Ok(None) }
            }
            Err(failure) => Err(failure),
        }
    }
}

fn has_tab(spreadsheet: Spreadsheet, title: &str) -> bool {
    let mut properties = spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties?.title);
    properties.any(|known| known == title)
}

fn titled_tab(sheet: Sheet) -> Option<(String, Tab)> {
    let properties = sheet.properties?;
    let grid = properties.grid_properties?;
    let merges = sheet.merges.into_iter().flatten();
    let merged = merges
        .filter(|merge| merge.start_row_index.unwrap_or(0) == 0)
        .map(|merge| (count(merge.start_column_index), count(merge.end_column_index).saturating_sub(1)));
    let mut data = sheet.data.into_iter().flatten().flat_map(|data| data.row_data.into_iter().flatten());
    let mut cells = || data.next().and_then(|row| row.values).unwrap_or_default();
    let header = cells().into_iter().map(|cell| cell.formatted_value.unwrap_or_default()).collect();
    let tab = Tab {
        id: properties.sheet_id.unwrap_or(0),
        rows: count(grid.row_count),
        columns: count(grid.column_count),
        frozen: count(grid.frozen_row_count),
        header,
        shown_as: cells().iter().map(shown_as).collect(),
        merged: merged.collect(),
    };
    Some((properties.title?, tab))
}

fn shown_as(cell: &CellData) -> Option<Type> {
    match cell.effective_format.as_ref()?.number_format.as_ref()?.type_.as_deref()? {
        "DATE" => Some(Type::Date),
        "TIME" => Some(Type::Time),
        "DATE_TIME" => Some(Type::DateTime),
        _ => None,
    }
}

pub(super) fn count(number: Option<i32>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}
