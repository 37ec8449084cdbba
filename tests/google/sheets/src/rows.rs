//! The rows of one tab, in shared blocks.
//!
//! A copy of a tab shares every block with the original until one of them is written, so a request can work on a
//! copy of the whole spreadsheet and be thrown away when it is refused, at the cost of the rows it touches. Knows
//! cells only; how many rows and columns the grid has is not its business.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cell::{BLANK, Cell, Entered};

const BLOCK_ROWS: u32 = 1024;

type Row = Option<Arc<Vec<Cell>>>;

#[derive(Clone, Debug)]
struct Block {
    start: u32,
    rows: Arc<Vec<Row>>,
}

/// Rows of cells; rows and cells behind the stored ones are blank.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Vec<Cell>>", into = "Vec<Vec<Cell>>")]
pub struct Rows {
    blocks: Vec<Block>,
    formulas: bool,
}

impl Rows {
    /// How many rows are stored.
    pub fn len(&self) -> u32 {
        self.blocks.last().map_or(0, |block| block.start + length(&block.rows))
    }

    /// Whether a formula was ever entered. Without one, no one has to look for them.
    pub fn may_have_formulas(&self) -> bool {
        self.formulas
    }

    /// The stored cells of a row.
    pub fn row(&self, index: u32) -> &[Cell] {
        let Some(block) = self.block_of(index).and_then(|at| self.blocks.get(at)) else { return &[] };
        block.rows.get((index - block.start) as usize).and_then(Option::as_deref).map_or(&[], Vec::as_slice)
    }

    /// One cell.
    pub fn cell(&self, row: u32, column: u32) -> &Cell {
        self.row(row).get(column as usize).unwrap_or(&BLANK)
    }

    /// The rows of a span that hold anything, with their indices.
    pub fn filled(&self, span: Range<u32>) -> impl DoubleEndedIterator<Item = (u32, &[Cell])> {
        let first = self.block_of(span.start).unwrap_or(self.blocks.len());
        let last = self.blocks.partition_point(|block| block.start < span.end).max(first);
        self.blocks[first..last]
            .iter()
            .flat_map(|block| (block.start..block.start + length(&block.rows)).zip(block.rows.iter()))
            .filter(move |(index, _)| span.contains(index))
            .filter_map(|(index, row)| Some((index, row.as_deref()?.as_slice())))
    }

    /// Changes one row; blank cells at its end are dropped again afterwards.
    pub fn edit(&mut self, index: u32, change: impl FnOnce(&mut Vec<Cell>)) {
        self.reserve(index + 1);
        let Some(block) = self.block_of(index).map(|at| &mut self.blocks[at]) else { return };
        let slot = &mut Arc::make_mut(&mut block.rows)[(index - block.start) as usize];
        let mut row = slot.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        change(&mut row);
        while row.last().is_some_and(Cell::is_blank) {
            row.pop();
        }
        self.formulas |= row.iter().any(|cell| matches!(cell.value, Entered::Formula(_)));
        *slot = (!row.is_empty()).then(|| Arc::new(row));
    }

    /// Changes one cell.
    pub fn edit_cell(&mut self, row: u32, column: u32, change: impl FnOnce(&mut Cell)) {
        self.edit(row, |cells| change(cell_mut(cells, column)));
    }

    /// Replaces a row whole.
    pub fn replace(&mut self, index: u32, cells: Vec<Cell>) {
        self.edit(index, |row| *row = cells);
    }

    /// Takes rows out; those below move up.
    pub fn remove(&mut self, span: Range<u32>) {
        for block in &mut self.blocks {
            let from = span.start.max(block.start);
            let to = span.end.min(block.start + length(&block.rows));
            if from < to {
                let inside = (from - block.start) as usize..(to - block.start) as usize;
                Arc::make_mut(&mut block.rows).drain(inside);
            }
        }
        self.blocks.retain(|block| !block.rows.is_empty());
        self.number();
    }

    /// Puts blank rows in; those from `at` on move down.
    pub fn insert(&mut self, at: u32, count: u32) {
        if at >= self.len() {
            return;
        }
        let Some(index) = self.block_of(at) else { return };
        let block = &mut self.blocks[index];
        if length(&block.rows) + count <= 2 * BLOCK_ROWS {
            let inside = (at - block.start) as usize;
            Arc::make_mut(&mut block.rows).splice(inside..inside, std::iter::repeat_n(None, count as usize));
        } else {
            let below = self.split_off(at);
            self.blocks.extend(blank_blocks(count));
            self.blocks.extend(below.blocks);
        }
        self.number();
    }

    /// Moves the rows from `at` on out into a list of their own.
    fn split_off(&mut self, at: u32) -> Self {
        let Some(index) = self.block_of(at) else { return Self::default() };
        let mut below = self.blocks.split_off(index);
        let head = below[0].rows[..(at - below[0].start) as usize].to_vec();
        let tail = below[0].rows[(at - below[0].start) as usize..].to_vec();
        if !head.is_empty() {
            self.blocks.push(Block { start: below[0].start, rows: Arc::new(head) });
        }
        below[0].rows = Arc::new(tail);
        Self { blocks: below, formulas: self.formulas }
    }

    /// Cuts the stored rows to `count`.
    pub fn truncate(&mut self, count: u32) {
        if count < self.len() {
            self.split_off(count);
        }
    }

    /// Stores blank rows until there are `count`. They all share one block.
    fn reserve(&mut self, count: u32) {
        let mut missing = count.saturating_sub(self.len());
        if let Some(last) = self.blocks.last_mut() {
            let room = BLOCK_ROWS.saturating_sub(length(&last.rows)).min(missing);
            if room > 0 {
                let rows = Arc::make_mut(&mut last.rows);
                rows.resize(rows.len() + room as usize, None);
                missing -= room;
            }
        }
        for block in blank_blocks(missing) {
            let start = self.len();
            self.blocks.push(Block { start, ..block });
        }
    }

    fn block_of(&self, index: u32) -> Option<usize> {
        let at = self.blocks.partition_point(|block| block.start <= index).checked_sub(1)?;
        (index < self.len()).then_some(at)
    }

    fn number(&mut self) {
        let mut start = 0;
        for block in &mut self.blocks {
            block.start = start;
            start += length(&block.rows);
        }
    }
}

/// So many blank rows; the blocks share one list.
fn blank_blocks(count: u32) -> impl Iterator<Item = Block> {
    let block = |rows: u32| Block { start: 0, rows: Arc::new(vec![None; rows as usize]) };
    let full = block(if count < BLOCK_ROWS { 0 } else { BLOCK_ROWS });
    let rest = (!count.is_multiple_of(BLOCK_ROWS)).then(|| block(count % BLOCK_ROWS));
    std::iter::repeat_n(full, (count / BLOCK_ROWS) as usize).chain(rest)
}

fn length(rows: &[Row]) -> u32 {
    u32::try_from(rows.len()).unwrap_or(u32::MAX)
}

/// The cell of a row in the making, which grows up to it.
pub fn cell_mut(cells: &mut Vec<Cell>, column: u32) -> &mut Cell {
    let column = column as usize;
    if cells.len() <= column {
        cells.resize(column + 1, Cell::default());
    }
    &mut cells[column]
}

impl From<Vec<Vec<Cell>>> for Rows {
    fn from(saved: Vec<Vec<Cell>>) -> Self {
        let mut rows = Self::default();
        for (index, cells) in (0..).zip(saved) {
            if !cells.is_empty() {
                rows.replace(index, cells);
            }
        }
        rows
    }
}

impl From<Rows> for Vec<Vec<Cell>> {
    fn from(rows: Rows) -> Self {
        let last = rows.filled(0..rows.len()).next_back().map_or(0, |(index, _)| index + 1);
        (0..last).map(|index| rows.row(index).to_vec()).collect()
    }
}
