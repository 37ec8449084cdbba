//! Puts back what a write hit because a column had moved at that moment.
//!
//! The safety copy has the rows as they were at the instant of the write, row 1 as well. What it is compared with, and what follows,
//! [`crate::plan::moved_columns`] says. The write that puts cells back is guarded as any other.

pub mod held_header;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use shared::{Failure, Kind, Result};

use crate::apply::guard::{ColumnGuard, ColumnsThen, claimed, remove, taken};
use crate::apply::rows::effective;
use crate::google::Client;
use crate::google::WriteError;
use crate::model::a1;
use crate::model::cell::Cell;
use crate::model::column::{Columns, KeyHash};
use crate::model::list::first_few;
use crate::model::operation::{CellPlace, Copied, Operation, WholeCell};
use crate::model::span::{Span, spans};
use crate::plan::moved_columns::{ColumnMap, Hits, column_of, hits, shown, without_renamed};
use crate::sheet::layout::Layout;
use crate::sheet::tab::Tab;
use crate::snapshot::chunks::{Chunks, NextChunk, rows_a_read};
use crate::spool::safety_copy::{self, PlannedCell, SafetyCopy};

/// How many writes are settled, those that put cells back included, before the run gives up.
const TRIES: u32 = 8;

/// A tab whose safety copies are settled.
pub struct PutBack<'a> {
    pub client: &'a mut Client,
    /// The title of the tab.
    pub title: &'a str,
    pub columns: &'a Columns,
    /// Where the list of safety copies is.
    pub copies: PathBuf,
    pub run: &'a str,
}

/// What the result says of cells that were put back.
pub fn note(cells: &[String]) -> Option<String> {
    let shown = first_few(cells, cells.len() as u64);
    let note = format!("columns moved while the sheet was written; cells put back as they were: {shown}");
    (!cells.is_empty()).then_some(note)
}

/// The hidden tab of a write, and row 1 at its instant.
struct Instant {
    kept: Option<Tab>,
    then: Vec<String>,
    /// Whether row 1 of that instant is not known, and today's stands for it.
    is_todays: bool,
}

/// What puts a write right.
#[derive(Default)]
struct Repair {
    operations: Vec<Operation>,
    /// The cells that get back what they held.
    cells: Vec<String>,
    /// The cells that cannot be found again.
    lost: Vec<String>,
}

impl PutBack<'_> {
    /// Settles every safety copy, the newest first. Returns the cells that were put back.
    ///
    /// # Errors
    /// [`Kind::Data`] when a cell cannot be put back: its content is in the hidden tab that the message names.
    pub async fn settle(&mut self) -> Result<Vec<String>, WriteError> {
        let mut done = Vec::new();
        for _ in 0..TRIES {
            let mut copies = safety_copy::load(&self.copies)?;
            let Some(mut copy) = copies.pop() else { return Ok(done) };
            if let Some(instant) = self.instant(&mut copy).await? {
                let then = match instant.is_todays {
                    true => without_renamed(&copy, &instant.then),
                    false => instant.then.clone(),
                };
                let hits = hits(&copy, &then);
                if !hits.is_empty() {
                    let tab = self.client.tab(self.title).await?;
                    let repair = self.repair(&copy, &instant, &hits, &tab).await?;
                    if self.edit(&tab, &repair.operations).await? == ColumnsThen::Moved {
                        continue;
                    }
                    done.extend(repair.cells);
                    if !repair.lost.is_empty() {
                        if copy.title.is_empty() {
                            safety_copy::store(&self.copies, &copies)?;
                        }
                        return Err(self.lost(&copy, &repair.lost).into());
                    }
                }
                if let (Some(moved), Some(kept)) = (&copy.moved, &instant.kept) {
                    self.put_header_above(moved, kept, &copy.title).await?;
                }
                if let Some(kept) = instant.kept {
                    remove(self.client, kept.id).await?;
                }
            }
            safety_copy::store(&self.copies, &copies)?;
        }
        Err(Failure::new(
            Kind::Busy,
            format!("columns of tab {:?} moved each time cells were put back, {TRIES} times", self.title),
            "nothing is lost: the cells are in hidden tabs of the spreadsheet, and the next run continues",
        )
        .into())
    }

    async fn edit(&mut self, tab: &Tab, operations: &[Operation]) -> Result<ColumnsThen, WriteError> {
        if operations.is_empty() {
            return Ok(ColumnsThen::InPlace);
        }
        let guard = ColumnGuard { title: self.title, tab, copies: self.copies.clone(), run: self.run };
        guard.edit(self.client, operations).await
    }

    /// Row 1 at the instant of a write; `None` when the write was not applied.
    async fn instant(&mut self, copy: &mut SafetyCopy) -> Result<Option<Instant>> {
        if copy.title.is_empty() {
            let (then, is_todays) = match copy.seen.take() {
                Some(seen) => (seen, false),
                None => (self.client.tab(self.title).await?.header, true),
            };
            return Ok(Some(Instant { kept: None, then, is_todays }));
        }
        let Some(kept) = self.client.find_tab(&copy.title).await? else { return Ok(None) };
        if copy.taken.is_empty() {
            copy.taken = self.taken(copy).await?;
        }
        Ok(Some(Instant { then: kept.header.clone(), kept: Some(kept), is_todays: false }))
    }

    /// The columns that got a header although they had cells, where the response that would have shown them was lost.
    async fn taken(&mut self, copy: &SafetyCopy) -> Result<Vec<u32>> {
        let claimed = claimed(copy);
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let tab = self.client.tab(self.title).await?;
        let header = |column: u32| copy.writes.iter().find(|cell| (cell.row, cell.column) == (1, column));
        let places = claimed.iter().filter_map(|column| {
            let text = header(*column)?.new.as_ref()?.shown(shared::config::Type::Text).into_owned();
            Some((*column, column_of(&tab.header, &text)?))
        });
        let (claimed, places): (Vec<u32>, Vec<u32>) = places.unzip();
        let ranges: Vec<String> =
            places.iter().map(|at| a1::range(self.title, Span::one(*at), Span::new(1, tab.rows))).collect();
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.client.read(&ranges).await?;
        let found: Vec<_> =
            found.into_iter().map(|columns| columns.into_iter().next().unwrap_or_default()).collect();
        Ok(taken(copy, &claimed, &found))
    }

    async fn repair(
        &mut self,
        copy: &SafetyCopy,
        instant: &Instant,
        hits: &Hits<'_>,
        tab: &Tab,
    ) -> Result<Repair> {
        let map = ColumnMap::new(copy, &instant.then, &tab.header);
        let mut repair = Repair::default();
        if let Some(kept) = &instant.kept {
            self.repair_cells(copy, kept, hits, tab, &map, &mut repair).await?;
            self.repair_formats(kept, hits, tab, &map, &mut repair);
        }
        self.clear_strays(copy, hits, tab, &map, &mut repair).await?;
        Ok(repair)
    }

    async fn repair_cells(
        &mut self,
        copy: &SafetyCopy,
        kept: &Tab,
        hits: &Hits<'_>,
        tab: &Tab,
        map: &ColumnMap<'_>,
        repair: &mut Repair,
    ) -> Result<()> {
        let places: BTreeMap<u32, u32> = copy.rows.iter().copied().chain([(1, 1)]).collect();
        let rows = self.rows_now(copy, kept, hits, tab).await?;
        let numbers: Vec<u32> = rows.values().flatten().copied().collect();
        let now = self.whole_rows(self.title, numbers).await?;
        for cell in &hits.cells {
            let Some(row) = rows.get(&cell.row).copied().flatten() else { continue };
            let column = match (&cell.new, cell.row) {
                // Whoever changed it since knows better.
                (Some(Cell::Text(new)), 1) if !tab.header.contains(new) => continue,
                (Some(Cell::Text(new)), 1) => column_of(&tab.header, new),
                _ => map.now(cell.column),
            };
            let Some(column) = column else {
                repair.lost.push(format!("{} (row {row} now)", shown(cell.row, cell.column)));
                continue;
            };
            let found = effective(now.get(&row).and_then(|cells| cells.get(column as usize)));
            if cell.new.as_ref().is_some_and(|new| *new != found) {
                continue;
            }
            let Some(&source) = places.get(&cell.row) else {
                // The row was new.
                repair.operations.push(Operation::Write { row, column, cells: vec![Cell::Empty] });
                continue;
            };
            let back = Operation::CopyRows {
                rows: Span::one(source),
                columns: Span::one(cell.column),
                to: CellPlace { tab: tab.id, row, column },
                what: Copied::Everything,
            };
            repair.operations.push(Operation::On(kept.id, Box::new(back)));
            repair.cells.push(shown(row, column));
        }
        Ok(())
    }

    fn repair_formats(
        &self,
        kept: &Tab,
        hits: &Hits<'_>,
        tab: &Tab,
        map: &ColumnMap<'_>,
        repair: &mut Repair,
    ) {
        for &column in &hits.formats {
            match map.now(column).filter(|_| kept.rows > 1) {
                Some(at) => {
                    let back = Operation::CopyRows {
                        rows: Span::new(2, kept.rows.min(tab.rows).max(2)),
                        columns: Span::one(column),
                        to: CellPlace { tab: tab.id, row: 2, column: at },
                        what: Copied::Format,
                    };
                    repair.operations.push(Operation::On(kept.id, Box::new(back)));
                }
                None => repair.lost.push(format!("the number format of column {}", a1::letters(column))),
            }
        }
    }

    /// The rows that were hit, each with its number now; `None` for one that is gone.
    async fn rows_now(
        &mut self,
        copy: &SafetyCopy,
        kept: &Tab,
        hits: &Hits<'_>,
        tab: &Tab,
    ) -> Result<BTreeMap<u32, Option<u32>>> {
        let places: BTreeMap<u32, u32> = copy.rows.iter().copied().collect();
        let hit: BTreeMap<u32, u32> =
            hits.cells.iter().filter_map(|cell| Some((cell.row, *places.get(&cell.row)?))).collect();
        let then = self.whole_rows(&copy.title, hit.values().copied().collect()).await?;
        let keys: BTreeMap<u32, Option<KeyHash>> =
            hit.iter().map(|(row, place)| (*row, self.key_of(then.get(place), &kept.header))).collect();
        let wanted: HashSet<KeyHash> = keys.values().flatten().copied().collect();
        let found = self.rows_of(&wanted, tab).await?;
        let mut now: BTreeMap<u32, Option<u32>> = keys
            .into_iter()
            .map(|(row, key)| match key {
                Some(key) => (row, found.get(&key).copied()),
                None => (row, Some(row)),
            })
            .collect();
        let others = hits.cells.iter().map(|cell| cell.row).filter(|row| !hit.contains_key(row));
        now.extend(others.map(|row| (row, Some(row))));
        Ok(now)
    }

    fn key_of(&self, cells: Option<&Vec<WholeCell>>, header: &[String]) -> Option<KeyHash> {
        let cells = cells?;
        self.columns.key_hash(|index| {
            let column = column_of(header, &self.columns.all()[index].header);
            effective(column.and_then(|column| cells.get(column as usize)))
        })
    }

    /// Where some bookings are now.
    async fn rows_of(&mut self, wanted: &HashSet<KeyHash>, tab: &Tab) -> Result<HashMap<KeyHash, u32>> {
        let mut found = HashMap::new();
        let headers = self.columns.key().iter().map(|index| &self.columns.all()[*index].header);
        let places: Option<Vec<(u32, String)>> =
            headers.map(|text| Some((column_of(&tab.header, text)?, text.clone()))).collect();
        let Some(places) = places.filter(|_| !wanted.is_empty()) else { return Ok(found) };
        let layout = Layout::of_found(places, tab.columns);
        let mut chunks = Chunks::new(self.title, &layout, tab.rows, rows_a_read(&layout, 0));
        while let NextChunk::Rows(chunk) = chunks.next(self.client).await? {
            for row in chunk.rows() {
                let key = self.columns.key_hash(|index| {
                    let part = self.columns.key().iter().position(|key| *key == index).unwrap_or(0);
                    chunk.value(row, Some(layout.columns[part])).map_or(Cell::Empty, Cell::from_json)
                });
                found.extend(key.filter(|key| wanted.contains(key)).map(|key| (key, row)));
            }
        }
        Ok(found)
    }

    async fn whole_rows(&mut self, title: &str, mut rows: Vec<u32>) -> Result<HashMap<u32, Vec<WholeCell>>> {
        rows.sort_unstable();
        rows.dedup();
        let spans = spans(rows.clone(), 0);
        if spans.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(rows.into_iter().zip(self.client.whole_rows(title, &spans).await?).collect())
    }

    /// Values of added rows in columns that are not theirs are cleared; all of a row whose key is in another column.
    async fn clear_strays(
        &mut self,
        copy: &SafetyCopy,
        hits: &Hits<'_>,
        tab: &Tab,
        map: &ColumnMap<'_>,
        repair: &mut Repair,
    ) -> Result<()> {
        if hits.strays.is_empty() {
            return Ok(());
        }
        let all = Span::of_length(0, tab.columns);
        let found = self.client.read(&[a1::range(self.title, all, Span::new(1, tab.rows))]).await?;
        let columns = found.into_iter().next().unwrap_or_default();
        let value = |row: usize, column: u32| {
            Cell::of_json(columns.get(column as usize).and_then(|values| values.get(row))).map(str::to_owned)
        };
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        for added in &copy.added {
            let cells: Vec<PlannedCell> = (0..)
                .zip(added)
                .filter(|(_, cell)| **cell != Cell::Empty)
                .map(|(column, cell)| PlannedCell { row: 0, column, new: Some(cell.clone()) })
                .collect();
            let places: Option<Vec<u32>> = cells.iter().map(|cell| map.now(cell.column)).collect();
            let Some(places) = places else {
                repair.lost.push(format!("values of the new row {}", described(added)));
                continue;
            };
            let is_it = |row: &usize| {
                cells.iter().zip(&places).all(|(cell, at)| cell.new.as_ref() == Some(&value(*row, *at)))
            };
            let Some(row) = (1..rows).rev().find(is_it) else { continue };
            let number = u32::try_from(row + 1).unwrap_or(u32::MAX);
            let has_its_key = self.columns.key().iter().all(|index| {
                let header = &self.columns.all()[*index].header;
                let meant = column_of(&copy.header, header);
                meant.is_some_and(|column| !hits.strays.contains(&column))
            });
            for (cell, at) in cells.iter().zip(places) {
                if !has_its_key || hits.strays.contains(&cell.column) {
                    let clear = Operation::Write { row: number, column: at, cells: vec![Cell::Empty] };
                    repair.operations.push(clear);
                }
            }
        }
        Ok(())
    }

    fn lost(&self, copy: &SafetyCopy, lost: &[String]) -> Failure {
        let cells = first_few(lost, lost.len() as u64);
        let what = format!(
            "columns of tab {:?} moved while it was written, and {cells} could not be put back",
            self.title
        );
        if copy.title.is_empty() {
            return Failure::new(
                Kind::Data,
                what,
                "clear these cells in the sheet: they hold values of bookings in columns of other people",
            );
        }
        Failure::new(
            Kind::Data,
            format!("{what}; the rows as they were are in the hidden tab {:?}", copy.title),
            format!(
                "choose View, Hidden sheets, {:?}, copy these cells back by hand, delete that tab, and type the same command again",
                copy.title
            ),
        )
    }
}

fn described(cells: &[Cell]) -> String {
    let shown = cells.iter().filter(|cell| **cell != Cell::Empty).take(3);
    let shown: Vec<String> = shown.map(|cell| cell.shown(shared::config::Type::Text).into_owned()).collect();
    format!("{:?}", shown.join(", "))
}
