//! Puts back the rows that the run removed, and removes those that it added.
//!
//! The plan says which; [`crate::apply::rows`] moves them safely.

use std::collections::HashSet;

use serde_json::json;
use shared::Result;

use crate::apply::rows::RowMover;
use crate::apply::rows::entered;
use crate::apply::rows::rows_a_request;
use crate::journal;
use crate::journal::Journal;
use crate::journal::Line;
use crate::model::operation::Operation;
use crate::model::operation::WholeCell;
use crate::model::span::{Span, spans};
use crate::plan::refuse_rows_that_cannot_come_back;
use crate::sheet::holding_tab;
use crate::sheet::holding_tab::HeldRow;
use crate::sheet::holding_tab::HoldingTab;
use crate::sheet::realign::realign;
use crate::sheet::snapshot::MissingRow;
use crate::snapshot;
use crate::undo::Undo;
use crate::undo::WriteResult;
use crate::undo::current::CurrentSheet;
use crate::undo::effect::MovedRow;
use crate::undo::plan::UndoPlan;

impl Undo<'_> {
    /// Checks removals that were not verified: rows that were removed by mistake come back, the others are deleted.
    pub(super) async fn settle_removals(&mut self, current: &CurrentSheet) -> WriteResult<bool> {
        if !journal::has_pending_rows(&self.journals()) {
            return Ok(false);
        }
        let in_doubt = journal::removals_in_doubt(&self.journals())?;
        for place in self.places() {
            let header = holding_tab::header(&current.tab, &current.layout);
            let client = &mut self.client;
            let found =
                snapshot::holding_tab::read(client, &place, &self.columns, &header, &in_doubt).await?;
            let Some(held) = found else { continue };
            refuse_rows_that_cannot_come_back(&held, &self.sheet.tab)?;
            let wrong: Vec<HeldRow> = held.rows.iter().filter(|row| row.is_wrong()).cloned().collect();
            let is_kept = place.is_kept;
            if !wrong.is_empty() {
                self.mover(current, place).bring_back(&held.tab, &wrong).await?;
                return Ok(true);
            }
            if !is_kept {
                self.mover(current, place).purge(&held).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The holding tabs that the run or this undo may have moved rows to.
    fn places(&self) -> Vec<HoldingTab> {
        let moved = self.effect.removed.values().chain(self.effect.returned.values());
        let archives: HashSet<&String> = moved.filter_map(|moved| moved.archive.as_ref()).collect();
        let kept = archives.into_iter().map(|title| HoldingTab { title: title.clone(), is_kept: true });
        kept.chain([HoldingTab::temporary(&self.sheet.tab)]).collect()
    }

    /// Puts rows back: from the archive or, if they are not in it, from the journal.
    pub(super) async fn put_back(
        &mut self,
        returns: Vec<(String, MovedRow)>,
        current: &CurrentSheet,
    ) -> WriteResult<()> {
        self.tried.extend(returns.iter().map(|(key, _)| key.clone()));
        let archives: HashSet<String> =
            returns.iter().filter_map(|(_, moved)| moved.archive.clone()).collect();
        let mut journaled = returns;
        for title in archives {
            let place = HoldingTab { title, is_kept: true };
            let header = holding_tab::header(&current.tab, &current.layout);
            let (client, in_doubt) = (&mut self.client, HashSet::new());
            let found =
                snapshot::holding_tab::read(client, &place, &self.columns, &header, &in_doubt).await?;
            let Some(held) = found.filter(|held| held.has_todays_columns) else { continue };
            let mut wanted: HashSet<String> = journaled
                .iter()
                .filter(|(_, moved)| moved.archive.as_ref() == Some(&place.title))
                .map(|(key, _)| key.clone())
                .collect();
            let mut there = Vec::new();
            for shelved in held.rows.iter().filter(|row| row.is_right()) {
                if wanted.remove(&shelved.mark.key) {
                    there.push(shelved.clone());
                }
            }
            journaled.retain(|(key, _)| !there.iter().any(|shelved| shelved.mark.key == *key));
            if !there.is_empty() {
                self.mover(current, place).bring_back(&held.tab, &there).await?;
                // Row numbers have changed, so the others follow in the next round.
                self.tried.retain(|key| !journaled.iter().any(|(waiting, _)| waiting == key));
                return Ok(());
            }
        }
        journaled.sort_by_key(|(_, moved)| moved.row);
        for rows in journaled.chunks(rows_a_request(current.tab.columns)) {
            self.insert(rows, current).await?;
        }
        Ok(())
    }

    async fn insert(&mut self, rows: &[(String, MovedRow)], current: &CurrentSheet) -> WriteResult<()> {
        let mut journal = Journal::of_rows(&self.journals(), &self.heading, self.client.requests().1)?;
        let mut operations = Vec::new();
        for (inserted, (key, moved)) in (0..).zip(rows) {
            let (cells, lost) = realign(&moved.cells, &self.then.header, &current.tab.header);
            let lost = lost.iter().map(|header| format!("{key}, {header:?}: its column is gone"));
            self.lost.extend(lost);
            let row = moved.row.clamp(2, current.tab.rows + inserted + 1);
            let line = (row, key.clone(), cells.clone());
            journal.put(&Line::Return {
                row: line.0,
                key: line.1,
                wrong: false,
                archive: None,
                cells: line.2,
            })?;
            operations
                .extend([Operation::InsertRows { rows: Span::one(row) }, Operation::Restore { row, cells }]);
        }
        self.mover(current, HoldingTab::temporary(&self.sheet.tab)).insert(journal, &operations).await
    }

    /// Removes rows: those that the run added, and those that it brought back.
    pub(super) async fn take_away(
        &mut self,
        removals: Vec<(MissingRow, Option<MovedRow>)>,
        current: &CurrentSheet,
    ) -> WriteResult<()> {
        let archive = removals.iter().find_map(|(_, moved)| moved.as_ref()?.archive.clone());
        let to_archive = removals
            .iter()
            .filter(|(_, moved)| moved.as_ref().and_then(|moved| moved.archive.as_ref()) == archive.as_ref());
        let rows: Vec<MissingRow> = to_archive.map(|(row, _)| row.clone()).collect();
        let place = match archive {
            Some(title) => HoldingTab { title, is_kept: true },
            None => HoldingTab::temporary(&self.sheet.tab),
        };
        self.mover(current, place).remove(&rows).await.map(drop)
    }

    /// Takes the rows in which users wrote since out of the plan.
    pub(super) async fn keep_rows_in_use(
        &mut self,
        plan: &mut UndoPlan,
        current: &CurrentSheet,
    ) -> Result<()> {
        self.in_use.clear();
        let mut free = Vec::new();
        for rows in std::mem::take(&mut plan.removals).chunks(rows_a_request(current.tab.columns)) {
            let numbers = rows.iter().map(|(row, _)| row.row).collect();
            let found = self.client.whole_rows(&self.sheet.tab, &spans(numbers, 0)).await?;
            for ((row, moved), cells) in rows.iter().zip(found) {
                if self.is_untouched(&entered(cells), moved.as_ref(), current) {
                    free.push((row.clone(), moved.clone()));
                } else {
                    let (row, key) = (row.row, &row.key.text);
                    self.in_use.push(format!("row {row} ({key}): people wrote in it since"));
                }
            }
        }
        plan.removals = free;
        Ok(())
    }

    /// A row that the run added has no human cells; a row that it brought back holds what it held then. Formulas are not
    /// compared: they follow their row.
    fn is_untouched(&self, cells: &[WholeCell], moved: Option<&MovedRow>, current: &CurrentSheet) -> bool {
        match moved {
            Some(moved) => {
                let (then, _) = realign(&moved.cells, &self.then.header, &current.tab.header);
                (0..cells.len().max(then.len())).all(|at| {
                    value(cells.get(at)) == value(then.get(at)) && note(cells.get(at)) == note(then.get(at))
                })
            }
            None => {
                let owned: HashSet<u32> = current.layout.columns.iter().copied().collect();
                (0..).zip(cells).all(|(column, cell)| {
                    (owned.contains(&column) || value(Some(cell)).is_null()) && cell.get("note").is_none()
                })
            }
        }
    }

    fn mover<'m>(&'m mut self, current: &'m CurrentSheet, place: HoldingTab) -> RowMover<'m> {
        let copies = self.copies();
        RowMover {
            client: &mut self.client,
            title: &self.sheet.tab,
            tab: &current.tab,
            columns: &self.columns,
            layout: &current.layout,
            place,
            journals: self.context.state.journal().join(&self.sheet.name),
            copies,
            heading: &self.heading,
            day: self.context.started.date_naive(),
        }
    }
}

/// A cell's value, where all formulas are the same.
fn value(cell: Option<&WholeCell>) -> WholeCell {
    let value = cell.and_then(|cell| cell.get("userEnteredValue")).cloned().unwrap_or_default();
    if value.get("formulaValue").is_some() { json!("a formula") } else { value }
}

fn note(cell: Option<&WholeCell>) -> Option<&WholeCell> {
    cell.and_then(|cell| cell.get("note"))
}
