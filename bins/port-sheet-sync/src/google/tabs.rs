//! Tabs: their grids, and what their first rows look like.
//!
//! It requests; [`crate::sheet::layout`] finds the columns.

use std::collections::HashMap;

use google_sheets4::api::{CellData, Sheet, Spreadsheet};
use shared::config::Type;
use shared::google::access_check;
use shared::{Failure, Kind, Result};

use crate::google::{Client, url_length};
use crate::model::a1;
use crate::model::span::Span;
use crate::sheet::tab::Tab;

/// What is asked of a tab: its grid, what the first row shows, and which of its cells are merged.
const TAB_FIELDS: &str = "sheets(properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount,frozenRowCount)),merges,data(rowData(values(formattedValue,effectiveFormat(numberFormat(type)))))),namedRanges(namedRangeId,name)";

impl Client {
    /// A tab's grid and header, in one request.
    ///
    /// # Errors
    /// [`Kind::Config`] when there is no such spreadsheet or tab, and as every request.
    pub async fn tab(&mut self, title: &str) -> Result<Tab> {
        match self.tabs(&[title]).await {
            // Google also finds a title that differs in case; the sync requires the exact one.
            Ok(mut tabs) => match tabs.remove(title) {
                Some(tab) => Ok(tab),
                None => Err(self.explain_missing_tab(title, another_tab(title)).await?),
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
        let ranges: Vec<String> = titles.iter().map(|title| a1::rows(title, Span::new(1, 2))).collect();
        let mut tabs = HashMap::new();
        for ranges in url_length::parts(&ranges) {
            let spreadsheet = self.metadata(TAB_FIELDS, ranges).await?;
            let found = spreadsheet.sheets.iter().flatten().filter_map(|sheet| sheet.properties.as_ref());
            let named = spreadsheet.named_ranges.as_deref().unwrap_or_default();
            self.fences.note(found.map(|tab| tab.sheet_id.unwrap_or(0)), named);
            tabs.extend(spreadsheet.sheets.into_iter().flatten().filter_map(titled_tab));
        }
        Ok(tabs)
    }

    /// A range that cannot be parsed means a tab that is not there, if the list of tabs confirms it.
    async fn explain_missing_tab(&mut self, title: &str, failure: Failure) -> Result<Failure> {
        let spreadsheet = self.metadata("sheets(properties(title,sheetType))", &[]).await?;
        let tabs: Vec<_> =
            spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties).collect();
        match tabs.iter().find(|tab| tab.title.as_deref() == Some(title)) {
            Some(tab) if tab.sheet_type.as_deref().is_some_and(|kind| kind != GRID) => Ok(no_cells(title)),
            Some(_) => Ok(failure),
            None => {
                let titles: Vec<String> = tabs.into_iter().filter_map(|tab| tab.title).collect();
                Ok(access_check::no_such_tab(title, &titles))
            }
        }
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
                if !has_tab(titles, title) {
                    return Ok(None);
                }
                // Another run may have made it in between.
                self.tabs(&[title]).await.map(|mut tabs| tabs.remove(title))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// The type of a tab that has cells.
const GRID: &str = "GRID";

/// A tab with a chart or with data of BigQuery alone.
fn no_cells(title: &str) -> Failure {
    Failure::new(
        Kind::Config,
        format!("tab {title:?} is a chart or other object: it is not a table and has no cells"),
        "name a tab that has cells: tab = \"…\" in the configuration",
    )
}

/// Google returned something other than the tab that was asked for, which is there.
fn another_tab(title: &str) -> Failure {
    Failure::new(
        Kind::Unavailable,
        format!("Google Sheets: its answer does not have tab {title:?}, although the tab is there"),
        "nothing to do if it passes: the next run tries again",
    )
}

/// Whether a response can be true: a spreadsheet has tabs, a grid has rows and columns, and cells that were asked for are
/// there, range by range.
pub(super) fn is_plausible(spreadsheet: &Spreadsheet, fields: &str, ranges: usize) -> bool {
    let sheets = spreadsheet.sheets.as_deref().unwrap_or_default();
    let grids = sheets.iter().filter_map(|sheet| sheet.properties.as_ref()?.grid_properties.as_ref());
    let data: usize = sheets.iter().map(|sheet| sheet.data.as_ref().map_or(0, Vec::len)).sum();
    let are_objects = sheets.iter().any(|sheet| {
        sheet
            .properties
            .as_ref()
            .is_some_and(|properties| properties.sheet_type.as_deref().is_some_and(|kind| kind != GRID))
    });
    !sheets.is_empty()
        && grids.into_iter().all(|grid| count(grid.row_count) > 0 && count(grid.column_count) > 0)
        && (!fields.contains("data(") || are_objects || data == ranges)
}

fn has_tab(spreadsheet: Spreadsheet, title: &str) -> bool {
    let mut properties = spreadsheet.sheets.into_iter().flatten().filter_map(|sheet| sheet.properties?.title);
    properties.any(|known| known == title)
}

fn titled_tab(sheet: Sheet) -> Option<(String, Tab)> {
    let properties = sheet.properties?;
    let grid = properties.grid_properties?;
    let merges = sheet.merges.into_iter().flatten();
    let merged = merges.filter(|merge| merge.start_row_index.unwrap_or(0) == 0).map(|merge| {
        let first = count(merge.start_column_index);
        Span::new(first, count(merge.end_column_index).saturating_sub(1).max(first))
    });
    let mut data = sheet.data.into_iter().flatten().flat_map(|data| data.row_data.into_iter().flatten());
    let [first, second] =
        [data.next(), data.next()].map(|row| row.and_then(|row| row.values).unwrap_or_default());
    let header = first.into_iter().map(|cell| cell.formatted_value.unwrap_or_default()).collect();
    let tab = Tab {
        id: properties.sheet_id.unwrap_or(0),
        rows: count(grid.row_count),
        columns: count(grid.column_count),
        frozen: count(grid.frozen_row_count),
        header,
        shown_as: second.iter().map(shown_as).collect(),
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
