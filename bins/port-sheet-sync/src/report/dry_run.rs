//! The plan as text, for `--dry-run`.

use std::fmt::Write;

use shared::Result;
use shared::config::{OnEdit, OnMissing, Sheet};

use crate::model::column::Columns;
use crate::plan::Drift;
use crate::plan::Plan;
use crate::plan::describe_drift;
use crate::sheet::layout::Layout;
use crate::spool::row_file;

/// How many rows of each kind are listed.
const LISTED: usize = 200;

/// The plan in lines: `+` added, `~` changed, `-` removed, `!` changed by a user, `?` not understood.
///
/// # Errors
/// [`shared::Kind::Io`] when the spool cannot be read.
pub fn plan(
    sheet: &Sheet,
    columns: &Columns,
    layout: &Layout,
    plan: &Plan,
    spool: &mut row_file::RowReader,
) -> Result<String> {
    let mut lines = Vec::new();
    lines.extend(layout.added.iter().map(|(_, header)| format!("+ column {header:?}")));
    for offset in plan.adds.iter().take(LISTED) {
        let (_, cells) = spool.row_at(*offset)?;
        let key = columns.key_of(|index| cells[index].clone()).map(|key| key.text).unwrap_or_default();
        let shown = columns.all().iter().zip(&cells).map(|(column, cell)| (column, cell.shown(column.kind)));
        let filled = shown
            .filter(|(_, text)| !text.is_empty())
            .map(|(column, text)| format!("{}: {text}", column.header));
        lines.push(format!("+ {key}  {}", filled.collect::<Vec<_>>().join(", ")));
    }
    more(&mut lines, plan.adds.len());
    for update in plan.shown.iter().take(LISTED) {
        for (index, new) in &update.changes {
            let column = &columns.all()[*index];
            let (old, new) = (update.before[*index].shown(column.kind), new.shown(column.kind));
            lines
                .push(format!("~ {} (row {})  {}: {old:?} → {new:?}", update.key, update.row, column.header));
        }
    }
    more(&mut lines, plan.updates.len());
    lines.extend(
        plan.flags
            .iter()
            .take(LISTED)
            .map(|flag| format!("- {} (row {})  flagged: {}", flag.key.text, flag.row, plan.flag_text)),
    );
    more(&mut lines, plan.flags.len());
    let fate = if sheet.on_missing == OnMissing::Archive {
        format!("archived in tab {:?}", sheet.archive_tab)
    } else {
        "deleted".to_owned()
    };
    let removed = plan.removals.iter().take(LISTED);
    lines.extend(removed.map(|row| format!("- {} (row {})  {fate}", row.key.text, row.row)));
    more(&mut lines, plan.removals.len());
    let back = plan.returns.iter().take(LISTED);
    lines.extend(back.map(|row| {
        let key = row.key.as_ref().map_or("a row without a key", |key| &key.text);
        format!("+ {key}  comes back with everything that people wrote beside it")
    }));
    lines.extend(
        plan.unflags
            .iter()
            .take(LISTED)
            .map(|row| format!("~ {} (row {})  is back: no longer flagged", row.key.text, row.row)),
    );
    let drifts = plan.drifts.iter().take(LISTED);
    lines.extend(
        drifts.map(|drift| format!("! {}: {}", describe_drift(columns, drift), drift_fate(columns, drift))),
    );
    lines.extend(plan.problems.iter().take(LISTED).map(|problem| format!("? {problem}: left alone")));
    let mut text = format!("{} → tab {:?}\n", sheet.name, sheet.tab);
    for line in lines {
        let _ = writeln!(text, "  {}", line.replace(['\n', '\r'], " "));
    }
    let _ = writeln!(text, "  {}", totals(plan));
    Ok(text)
}

fn drift_fate(columns: &Columns, drift: &Drift) -> &'static str {
    match columns.on_edit(drift.column) {
        OnEdit::Restore => "restored",
        OnEdit::Keep | OnEdit::Fail => "kept",
    }
}

fn totals(plan: &Plan) -> String {
    format!(
        "{} to add, {} to change, {} to flag, {} to remove, {} changed by people; nothing was written",
        plan.adds.len() + plan.returns.len(),
        plan.updates.len(),
        plan.flags.len(),
        plan.removals.len(),
        plan.drifted
    )
}

fn more(lines: &mut Vec<String>, total: usize) {
    if total > LISTED {
        lines.push(format!("… and {} more", total - LISTED));
    }
}
