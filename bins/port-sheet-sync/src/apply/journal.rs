//! A plan as lines of the journal.

use crate::journal::{Journal, Line};
use crate::model::column::Columns;
use crate::plan::Plan;
use crate::plan::RowUpdate;
use crate::sheet::snapshot::Differing;
use crate::spool::row_file;
use shared::Result;

/// Writes down the changes of a plan to cells, flags and headers, and the rows that it adds. `update` returns the change
/// of a row that differs.
///
/// # Errors
/// [`shared::Kind::Io`]; nothing may be written to the sheet then.
pub fn write(
    mut journal: Journal,
    columns: &Columns,
    plan: &Plan,
    added_headers: &[(u32, String)],
    mut update: impl FnMut(&Differing) -> Result<RowUpdate>,
    spool: &mut row_file::RowReader,
) -> Result<()> {
    for (column, header) in added_headers {
        journal.put(&Line::Header { column: *column, old: String::new(), new: header.clone() })?;
    }
    let updates = plan.updates.iter().map(&mut update);
    for changed in updates.chain(plan.repairs.iter().cloned().map(Ok)) {
        let RowUpdate { row, key, before, changes, .. } = changed?;
        for (index, new) in changes {
            let (header, old) = (columns.all()[index].header.clone(), before[index].clone());
            journal.put(&Line::Change { row, key: key.clone(), header, old, new })?;
        }
    }
    for flag in &plan.flags {
        let (row, key, new) = (flag.row, flag.key.text.clone(), plan.flag_text.clone());
        journal.put(&Line::Flag { row, key, new })?;
    }
    for flagged in &plan.unflags {
        let (key, old) = (flagged.key.text.clone(), flagged.status.clone());
        journal.put(&Line::Unflag { row: flagged.row, key, old })?;
    }
    for offset in &plan.adds {
        let (line, cells) = spool.row_at(*offset)?;
        let key = columns.key_of(|index| cells[index].clone()).map(|key| key.text).unwrap_or_default();
        journal.put(&Line::Add { line, key, cells })?;
    }
    journal.commit()
}
