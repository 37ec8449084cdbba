//! Cells that a write hit because a column had moved at that moment, and where they belong now.
//!
//! Pure. Row 1 in the safety copy says what stood where at the instant of the write.

use crate::model::a1;
use crate::model::cell::Cell;
use crate::spool::safety_copy::{PlannedCell, SafetyCopy};

/// What a write did in columns that it did not mean.
#[derive(Debug, Default)]
pub struct Hits<'a> {
    /// Cells that were written over.
    pub cells: Vec<&'a PlannedCell>,
    /// Columns whose number format was set.
    pub formats: Vec<u32>,
    /// For each added row, the columns in which its values are not where they were meant.
    pub strays: Vec<u32>,
}

impl Hits<'_> {
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.formats.is_empty() && self.strays.is_empty()
    }
}

/// The hits of a write, at whose instant row 1 was `then`.
pub fn hits<'a>(copy: &'a SafetyCopy, then: &[String]) -> Hits<'a> {
    let is_hit =
        |column: u32| copy.taken.contains(&column) || text(&copy.header, column) != text(then, column);
    let width = copy.added.iter().map(Vec::len).max().unwrap_or(0);
    let strays = (0..u32::try_from(width).unwrap_or(0)).filter(|column| is_hit(*column));
    Hits {
        cells: copy.writes.iter().filter(|cell| is_hit(cell.column)).collect(),
        formats: copy.formats.iter().copied().filter(|column| is_hit(*column)).collect(),
        strays: strays.collect(),
    }
}

/// Whether no column had moved, if row 1 after the write was this.
pub fn is_in_place(copy: &SafetyCopy, after: &[String]) -> bool {
    let mut expected = copy.header.clone();
    for cell in copy.writes.iter().filter(|cell| cell.row == 1) {
        let at = cell.column as usize;
        expected.resize(expected.len().max(at + 1), String::new());
        expected[at] = match &cell.new {
            Some(new) => new.shown(shared::config::Type::Text).into_owned(),
            // A copy of another cell.
            None => text(after, cell.column).to_owned(),
        };
    }
    (0..).take(expected.len().max(after.len())).all(|at| text(&expected, at) == text(after, at))
}

/// Row 1 as it was planned where a header was renamed since, which is no move: neither text is in the other row.
pub fn without_renamed(copy: &SafetyCopy, now: &[String]) -> Vec<String> {
    let is_renamed = |at: usize, found: &String| {
        let planned = copy.header.get(at).filter(|planned| !planned.is_empty() && !found.is_empty());
        planned.is_some_and(|planned| !now.contains(planned) && !copy.header.contains(found))
    };
    let texts = now.iter().enumerate();
    texts.map(|(at, found)| if is_renamed(at, found) { &copy.header[at] } else { found }.clone()).collect()
}

/// The columns of a past moment in today's row 1.
#[derive(Debug)]
pub struct ColumnMap<'a> {
    then: &'a [String],
    now: Vec<String>,
}

impl<'a> ColumnMap<'a> {
    /// `then` is row 1 of that moment, `now` row 1 of today with the headers that the write put there.
    pub fn new(copy: &SafetyCopy, then: &'a [String], now: &[String]) -> Self {
        let mut now = now.to_vec();
        for cell in copy.writes.iter().filter(|cell| cell.row == 1) {
            let Some(Cell::Text(new)) = &cell.new else { continue };
            let was = text(then, cell.column);
            if let Some(at) = now.iter().position(|found| found == new) {
                was.clone_into(&mut now[at]);
            }
        }
        Self { then, now }
    }

    /// Where a column of that moment is now: the second of a text by the second, a column without a header by its place.
    pub fn now(&self, column: u32) -> Option<u32> {
        let wanted = text(self.then, column);
        if wanted.is_empty() {
            return text(&self.now, column).is_empty().then_some(column);
        }
        let before = self.then[..column as usize].iter().filter(|header| *header == wanted).count();
        let mut places = (0..).zip(&self.now).filter(|(_, header)| *header == wanted);
        places.nth(before).map(|(at, _)| at)
    }
}

/// The column of a header; `None` if it is not in row 1 exactly once.
pub fn column_of(header: &[String], wanted: &str) -> Option<u32> {
    let mut places = (0..).zip(header).filter(|(_, text)| *text == wanted).map(|(at, _)| at);
    places.next().filter(|_| places.next().is_none())
}

/// A cell of the sheet, for messages: `D5`.
pub fn shown(row: u32, column: u32) -> String {
    format!("{}{row}", a1::letters(column))
}

fn text(header: &[String], column: u32) -> &str {
    header.get(column as usize).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn copy(header: &[&str], writes: &[(u32, u32, &str)]) -> SafetyCopy {
        let cell = |(row, column, new): &(u32, u32, &str)| PlannedCell {
            row: *row,
            column: *column,
            new: Some(Cell::Text((*new).to_owned())),
        };
        SafetyCopy {
            title: "t".into(),
            rows: Vec::new(),
            header: names(header),
            writes: writes.iter().map(cell).collect(),
            formats: vec![1],
            added: vec![vec![Cell::Empty; 3]],
            seen: None,
            taken: Vec::new(),
            moved: None,
        }
    }

    #[test]
    fn a_write_hits_where_another_header_stood_at_that_instant() {
        let copy = copy(&["id", "pax", "note"], &[(2, 0, "x"), (2, 1, "7")]);
        assert!(hits(&copy, &names(&["id", "pax", "note"])).is_empty());
        assert!(hits(&copy, &names(&["id", "pax", "renamed"])).cells.is_empty());
        let hits = hits(&copy, &names(&["id", "note", "pax"]));
        assert_eq!(hits.cells.iter().map(|cell| cell.column).collect::<Vec<_>>(), [1]);
        assert_eq!((hits.formats, hits.strays), (vec![1], vec![1, 2]));
    }

    #[test]
    fn a_header_that_was_written_is_expected_there() {
        let copy = copy(&["id", "", "note", ""], &[(1, 1, "pax"), (2, 0, "x")]);
        assert!(is_in_place(&copy, &names(&["id", "pax", "note"])));
        assert!(!is_in_place(&copy, &names(&["id", "pax", "", "note"])));
    }

    #[test]
    fn a_renamed_header_is_no_moved_column() {
        let copy = copy(&["id", "pax", "note"], &[]);
        assert_eq!(without_renamed(&copy, &names(&["id", "guests", "note"])), copy.header);
        let moved = names(&["id", "note", "pax"]);
        assert_eq!(without_renamed(&copy, &moved), moved);
    }

    #[test]
    fn a_column_is_found_again_by_what_stood_above_it() {
        let copy = copy(&["id", "note"], &[(1, 2, "Status")]);
        let then = names(&["id", "", "note", "note"]);
        let map = ColumnMap::new(&copy, &then, &names(&["note", "id", "Status", "", "x"]));
        assert_eq!(map.now(0), Some(1));
        assert_eq!((map.now(2), map.now(3)), (Some(0), Some(2)), "Status was written over the second");
        assert_eq!(map.now(1), None, "a column without a header that is not in its place");
    }
}
