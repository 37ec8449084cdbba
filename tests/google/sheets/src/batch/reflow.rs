//! What lies on a tab moves when rows or columns are put in or taken out before it.
//!
//! Merges, protected and named ranges, filters, groups, sizes and metadata. The cells themselves are moved where the
//! rows are.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::Spreadsheet;
use crate::cell::Entered;
use crate::formula::shift;
use crate::range::{Dimension, DimensionRange, GridRange, Rect};

/// One change along a dimension.
#[derive(Clone, Copy)]
pub enum Reflow {
    /// So many put in before `at`.
    Insert {
        /// Where.
        at: u32,
        /// How many.
        count: u32,
    },
    /// Those from `start` up to `end` taken out.
    Delete {
        /// The first.
        start: u32,
        /// The one after the last.
        end: u32,
    },
}

impl Reflow {
    /// Where a span goes; nothing when none of it is left.
    pub fn span(self, span: &Range<u32>) -> Option<Range<u32>> {
        let span = match self {
            Self::Insert { at, count } => {
                let start = if span.start >= at { span.start + count } else { span.start };
                let end = if span.end > at { span.end + count } else { span.end };
                start..end
            }
            Self::Delete { .. } => self.point(span.start)..self.point(span.end),
        };
        (span.start < span.end).then_some(span)
    }

    fn point(self, point: u32) -> u32 {
        match self {
            Self::Insert { at, count } => {
                if point >= at {
                    point + count
                } else {
                    point
                }
            }
            Self::Delete { start, end } => {
                if point >= end {
                    point - (end - start)
                } else {
                    point.min(start)
                }
            }
        }
    }

    /// Where an open span goes.
    fn open_span(self, start: Option<u32>, end: Option<u32>) -> Option<(Option<u32>, Option<u32>)> {
        let moved = self.span(&(start.unwrap_or(0)..end.unwrap_or(u32::MAX / 2)))?;
        Some((start.map(|_| moved.start), end.map(|_| moved.end)))
    }

    /// A `GridRange` message on the tab, moved; nothing when none of it is left.
    fn grid_range(self, message: &Value, sheet: i32, dimension: Dimension) -> Option<Value> {
        let mut range = GridRange::read(message);
        if range.sheet != sheet {
            return Some(message.clone());
        }
        let bounds = &mut range.bounds;
        match dimension {
            Dimension::Rows => {
                (bounds.start_row, bounds.end_row) = self.open_span(bounds.start_row, bounds.end_row)?;
            }
            Dimension::Columns => {
                (bounds.start_column, bounds.end_column) =
                    self.open_span(bounds.start_column, bounds.end_column)?;
            }
        }
        Some(range.message())
    }

    /// Moves the field `range` of each message, and drops those whose range is gone.
    fn ranges(self, messages: &mut Vec<Value>, sheet: i32, dimension: Dimension) {
        messages.retain_mut(|message| {
            let Some(range) = message.get("range") else { return true };
            let moved = self.grid_range(range, sheet, dimension);
            let stays = moved.is_some();
            message["range"] = moved.unwrap_or_default();
            stays
        });
    }
}

impl Spreadsheet {
    /// Moves everything on a tab but its cells.
    pub(crate) fn reflow(&mut self, at: usize, dimension: Dimension, reflow: Reflow) {
        let id = self.sheets[at].id;
        reflow.ranges(&mut self.named_ranges, id, dimension);
        self.metadata.retain_mut(|metadata| keep_metadata(metadata, id, dimension, reflow));
        let sheet = &mut self.sheets[at];
        let moved = |merge: &Rect| Some(merge.with_span(dimension, reflow.span(&merge.span(dimension))?));
        sheet.merges = sheet.merges.iter().filter_map(moved).collect();
        reflow.ranges(&mut sheet.protected, id, dimension);
        reflow.ranges(&mut sheet.filter_views, id, dimension);
        let mut filters: Vec<Value> = sheet.basic_filter.take().into_iter().collect();
        reflow.ranges(&mut filters, id, dimension);
        sheet.basic_filter = filters.pop();
        sheet.groups.retain_mut(|group| {
            let moved = reflow.span(&group.span).filter(|_| group.dimension == dimension);
            let stays = moved.is_some() || group.dimension != dimension;
            group.span = moved.unwrap_or_else(|| group.span.clone());
            stays
        });
        let properties = sheet.dimension_properties_mut(dimension);
        *properties = moved_keys(std::mem::take(properties), reflow);
        self.reflow_formulas(at, dimension, reflow);
    }

    /// Makes the formulas of all tabs continue meaning the same cells of this one.
    fn reflow_formulas(&mut self, at: usize, dimension: Dimension, reflow: Reflow) {
        let title = self.sheets[at].title.clone();
        for (index, sheet) in
            self.sheets.iter_mut().enumerate().filter(|(_, sheet)| sheet.cells.may_have_formulas())
        {
            let mut changes = Vec::new();
            for (row, cells) in sheet.cells.filled(0..sheet.rows) {
                for (column, cell) in (0..).zip(cells) {
                    let Entered::Formula(before) = &cell.value else { continue };
                    let after = shift::reflowed(before, &title, index == at, dimension, reflow);
                    if after != **before {
                        changes.push((row, column, after));
                    }
                }
            }
            for (row, column, formula) in changes {
                sheet.cells.edit_cell(row, column, |cell| cell.value = Entered::Formula(formula.into()));
            }
        }
    }
}

/// Moves metadata that hangs on a row or column; returns whether that is still there.
fn keep_metadata(metadata: &mut Value, sheet: i32, dimension: Dimension, reflow: Reflow) -> bool {
    let range = &metadata["location"]["dimensionRange"];
    let place = DimensionRange::read(range);
    if !range.is_object() || place.sheet != sheet || place.dimension != dimension {
        return true;
    }
    let moved = reflow.span(&(place.start..place.end.unwrap_or(place.start + 1)));
    let message = moved.as_ref().map(|span| DimensionRange::message(sheet, dimension, span));
    metadata["location"]["dimensionRange"] = message.unwrap_or_default();
    moved.is_some()
}

fn moved_keys(
    properties: BTreeMap<u32, Map<String, Value>>,
    reflow: Reflow,
) -> BTreeMap<u32, Map<String, Value>> {
    let moved = properties.into_iter().filter_map(|(at, one)| Some((reflow.span(&(at..at + 1))?.start, one)));
    moved.collect()
}
