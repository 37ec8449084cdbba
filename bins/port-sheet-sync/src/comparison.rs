//! Rows that differ, fetched one at a time from the three files that hold them: spool, sheet, base.
//!
//! It only fetches; [`crate::plan::compare`] decides.

use std::path::Path;

use shared::{Failure, Result};

use crate::base::Base;
use crate::column::Columns;
use crate::journal::Intended;
use crate::plan::{RowFacts, RowUpdate, compare};
use crate::rows;
use crate::snapshot::Differing;
use crate::spool::Spool;
use crate::stray::Before;

/// The three files, open.
pub struct Comparison<'a> {
    columns: &'a Columns,
    intended: &'a Intended,
    before: &'a Before,
    base: Option<&'a mut Base>,
    source: rows::Reader,
    sheet: rows::Reader,
}

impl<'a> Comparison<'a> {
    /// Opens the files of spool and sheet.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn open(
        columns: &'a Columns,
        intended: &'a Intended,
        before: &'a Before,
        base: Option<&'a mut Base>,
        spool: &Spool,
        differing: &Path,
    ) -> Result<Self> {
        let sheet = rows::Reader::open(differing)?;
        let sheet =
            sheet.ok_or_else(|| Failure::bug("the rows that differ were just written and are gone"))?;
        Ok(Self { columns, intended, before, base, source: spool.reader()?, sheet })
    }

    /// What becomes of a row.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn update(&mut self, spool: &Spool, differing: &Differing) -> Result<RowUpdate> {
        let entry = spool
            .index
            .get(&differing.key)
            .ok_or_else(|| Failure::bug("a row that differs has no booking"))?;
        let (_, source) = self.source.row_at(entry.offset)?;
        let (_, sheet) = self.sheet.row_at(differing.offset)?;
        let base = match &mut self.base {
            Some(base) => base.cells(differing.key)?,
            None => None,
        };
        let key = self.columns.key_of(|index| source[index].clone()).map(|key| key.text).unwrap_or_default();
        let before = self.before.of(&key).map(<[crate::value::Cell]>::to_vec);
        let was_added = self.intended.added().contains(&differing.key);
        let facts = RowFacts { row: differing.row, source, sheet, base, before, was_added };
        let is_ours = |key: &str, cell: &crate::value::Cell| {
            self.intended.holds(key, differing.row, self.columns, cell)
        };
        Ok(compare(self.columns, facts, is_ours))
    }
}
