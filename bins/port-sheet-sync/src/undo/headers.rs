//! Headers that the run added or cleared.

use std::collections::HashSet;

use shared::Result;

use crate::journal::Journal;
use crate::journal::Line;
use crate::model::cell::Cell;
use crate::model::operation::Operation;
use crate::plan::refuse_a_key_without_a_header;
use crate::spool::base;
use crate::undo::Undo;
use crate::undo::WriteResult;
use crate::undo::current::CurrentSheet;
use crate::undo::plan::UndoPlan;

struct HeaderWrite {
    column: u32,
    old: String,
    new: String,
}

impl Undo<'_> {
    /// Headers that the run cleared come first: without them no booking can be found.
    pub(super) async fn write_headers(&mut self, current: &CurrentSheet) -> WriteResult<bool> {
        let cleared = self.effect.headers.iter().filter(|(column, change)| {
            change.new.is_empty()
                && current.has_blank_header(**column)
                && !current.tab.header.contains(&change.old)
        });
        let headers = cleared.map(|(column, change)| HeaderWrite {
            column: *column,
            old: String::new(),
            new: change.old.clone(),
        });
        self.change_headers(headers.collect(), current).await
    }

    /// Headers that the run added go last: the status column's when it is blank below, the owned ones' when no booking is
    /// left.
    pub(super) async fn clear_headers(&mut self, current: &CurrentSheet) -> WriteResult<bool> {
        let is_first_load = current.is_empty()
            && current.keyless().is_empty()
            && self
                .columns
                .all()
                .iter()
                .all(|column| self.effect.headers.values().any(|change| change.new == column.header));
        let added: HashSet<&String> = self.effect.headers.values().map(|change| &change.new).collect();
        let headers: Vec<HeaderWrite> = (0..)
            .zip(&current.tab.header)
            .filter(|(column, text)| {
                let may_go = **text == self.then.status || is_first_load;
                !text.is_empty() && added.contains(text) && may_go && !current.filled.contains(column)
            })
            .map(|(column, text)| HeaderWrite { column, old: text.clone(), new: String::new() })
            .collect();
        // First: with a base that knows headers which are gone, the next sync would require them.
        if is_first_load && !headers.is_empty() {
            base::forget(&base::path(&self.context.state.spool(), &self.sheet.name))?;
        }
        self.change_headers(headers, current).await
    }

    /// Without the key's header no booking can be found, and each round would put the same row back again. In a dry run, headers
    /// that the run cleared are not back yet.
    pub(super) fn refuse_a_missing_key(
        &self,
        plan: &UndoPlan,
        current: &CurrentSheet,
        dry_run: bool,
    ) -> Result<()> {
        let come_first = self.effect.headers.values().any(|change| change.new.is_empty());
        if dry_run && come_first || current.keyless().is_empty() && plan.returns.is_empty() {
            return Ok(());
        }
        refuse_a_key_without_a_header(&self.columns, &current.layout, &self.sheet.tab)
    }

    async fn change_headers(
        &mut self,
        headers: Vec<HeaderWrite>,
        current: &CurrentSheet,
    ) -> WriteResult<bool> {
        if headers.is_empty() {
            return Ok(false);
        }
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        let mut operations = Vec::new();
        for HeaderWrite { column, old, new } in headers {
            let cell = if new.is_empty() { Cell::Empty } else { Cell::Text(new.clone()) };
            journal.put(&Line::Header { column, old, new })?;
            operations.push(Operation::Write { row: 1, column, cells: vec![cell] });
        }
        journal.commit()?;
        self.guarded(&current.tab, &operations).await.map(|_| true)
    }
}
