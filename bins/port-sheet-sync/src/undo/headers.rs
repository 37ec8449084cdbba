//! Headers that the run added or cleared.

use std::collections::HashSet;

use shared::Result;

use super::ground::Ground;
use super::plan::Plan;
use super::{Sent, Undo};
use crate::base;
use crate::edit::Edit;
use crate::journal::{Journal, Line};
use crate::plan::refuse_a_key_without_a_header;
use crate::value::Cell;

impl Undo<'_> {
    /// Headers that the run cleared come first: without them no booking is found.
    pub(super) async fn write_headers(&mut self, ground: &Ground) -> Sent<bool> {
        let is_blank = |column: u32| {
            ground.tab.header.get(column as usize).is_none_or(String::is_empty) && column < ground.tab.columns
        };
        let cleared = self.net.headers.iter().filter(|(column, (old, new))| {
            new.is_empty() && is_blank(**column) && !ground.tab.header.contains(old)
        });
        let headers: Vec<(u32, String, String)> =
            cleared.map(|(column, (old, _))| (*column, String::new(), old.clone())).collect();
        self.change_headers(&headers, ground).await
    }

    /// Headers that the run added go last: the status column's when nothing is left below it, the owned ones' when no
    /// booking is left at all.
    pub(super) async fn clear_headers(&mut self, ground: &Ground) -> Sent<bool> {
        let is_first_load = ground.is_empty()
            && ground.keyless().is_empty()
            && self
                .columns
                .all()
                .iter()
                .all(|column| self.net.headers.values().any(|(_, new)| *new == column.header));
        let goes = |text: &str| text == self.then.status || is_first_load;
        let added: HashSet<&String> = self.net.headers.values().map(|(_, new)| new).collect();
        let headers: Vec<(u32, String, String)> = (0..)
            .zip(&ground.tab.header)
            .filter(|(column, text)| {
                !text.is_empty() && added.contains(text) && goes(text) && !ground.filled.contains(column)
            })
            .map(|(column, text)| (column, text.clone(), String::new()))
            .collect();
        // Before they go: a base that knows headers which are gone would have the next sync ask for them.
        if is_first_load && !headers.is_empty() {
            base::forget(&base::path(&self.context.state.spool(), &self.sheet.name))?;
        }
        self.change_headers(&headers, ground).await
    }

    /// Without the key's header no booking is found, and a row that was put back would be put back again. In a dry run,
    /// headers that the run cleared are not there yet.
    pub(super) fn refuse_a_missing_key(&self, plan: &Plan, ground: &Ground, dry_run: bool) -> Result<()> {
        let come_first = self.net.headers.values().any(|(_, new)| new.is_empty());
        if dry_run && come_first || ground.keyless().is_empty() && plan.returns.is_empty() {
            return Ok(());
        }
        refuse_a_key_without_a_header(&self.columns, &ground.layout, &self.sheet.tab)
    }

    async fn change_headers(&mut self, headers: &[(u32, String, String)], ground: &Ground) -> Sent<bool> {
        if headers.is_empty() {
            return Ok(false);
        }
        let mut journal = Journal::of_cells(&self.journals(), &self.heading, self.client.requests().1)?;
        let mut edits = Vec::new();
        for (column, old, new) in headers {
            let (column, text) = (*column, Cell::Text(new.clone()));
            journal.put(&Line::Header { column, old: old.clone(), new: new.clone() })?;
            let cell = if new.is_empty() { Cell::Empty } else { text };
            edits.push(Edit::Write { row: 0, column, cells: vec![cell] });
        }
        journal.commit()?;
        self.client.edit(ground.tab.id, &edits).await.map(|()| true)
    }
}
