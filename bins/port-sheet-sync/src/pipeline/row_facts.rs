//! Rows that differ, fetched one at a time from the three files that hold them: spool, sheet, base.
//!
//! It only fetches; [`mod@crate::plan::compare`] decides.

use std::path::Path;

use shared::{Failure, Result};

use crate::journal::PendingWrites;
use crate::model::column::Columns;
use crate::plan::RowFacts;
use crate::plan::RowUpdate;
use crate::plan::compare;
use crate::sheet::snapshot::Differing;
use crate::spool::Spool;
use crate::spool::base::Base;
use crate::spool::before_image::BeforeImage;
use crate::spool::row_file;

/// The three files, open.
pub struct RowFactsReader<'a> {
    columns: &'a Columns,
    pending: &'a PendingWrites,
    before: &'a BeforeImage,
    base: Option<&'a mut Base>,
    source: row_file::RowReader,
    sheet: row_file::RowReader,
}

impl<'a> RowFactsReader<'a> {
    /// Opens the files of spool and sheet.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn open(
        columns: &'a Columns,
        pending: &'a PendingWrites,
        before: &'a BeforeImage,
        base: Option<&'a mut Base>,
        spool: &Spool,
        differing: &Path,
    ) -> Result<Self> {
        let sheet = row_file::reopen(differing)?;
        Ok(Self { columns, pending, before, base, source: spool.reader()?, sheet })
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
        let before = self.before.of(&key).map(<[crate::model::cell::Cell]>::to_vec);
        let was_added = self.pending.added().contains(&differing.key);
        let facts = RowFacts { row: differing.row, source, sheet, base, before, was_added };
        Ok(compare(self.columns, facts, |key, cell| {
            self.pending.holds(key, differing.row, self.columns, cell)
        }))
    }
}
