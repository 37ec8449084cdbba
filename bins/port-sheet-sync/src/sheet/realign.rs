//! A row of a past day in the columns of today.
//!
//! Pure.

use serde_json::json;

use crate::model::operation::WholeCell;
use crate::sheet::holding_tab::lasting;

/// The cells of a row by today's header, found by theirs of that day, the second of the same text by the second; a column
/// without a header is found by its place. The headers of cells that have no column any more are the second part.
pub fn realign(cells: &[WholeCell], then: &[String], now: &[String]) -> (Vec<WholeCell>, Vec<String>) {
    let (then, now) = (lasting(then), lasting(now));
    let (mut row, mut lost) = (Vec::new(), Vec::new());
    for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| is_filled(cell)) {
        let text = then.get(at).cloned().unwrap_or_default();
        let place = if text.is_empty() {
            now.get(at).is_none_or(String::is_empty).then_some(at)
        } else {
            let before = then[..at].iter().filter(|header| **header == text).count();
            (0..now.len()).filter(|place| now[*place] == text).nth(before)
        };
        match place {
            Some(place) => {
                row.resize(row.len().max(place + 1), json!({}));
                row[place] = cell.clone();
            }
            None => lost.push(if text.is_empty() {
                crate::model::a1::letters(u32::try_from(at).unwrap_or(0))
            } else {
                text
            }),
        }
    }
    (row, lost)
}

fn is_filled(cell: &WholeCell) -> bool {
    cell.as_object().is_some_and(|cell| !cell.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_follow_their_headers_and_those_without_stay_where_they_are() {
        let text = |text: &str| json!({"note": text});
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let cells = [text("key"), json!({}), text("bare"), text("gone"), text("note")];
        let (row, lost) =
            realign(&cells, &names(&["Key", "A", "", "Old", "Notes"]), &names(&["Notes", "Key"]));
        assert_eq!(row, [text("note"), text("key"), text("bare")]);
        assert_eq!(lost, ["Old"]);
    }

    #[test]
    fn cells_below_the_same_text_stay_apart() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let cells = [json!({"note": "first"}), json!({}), json!({"note": "second"})];
        let then = names(&["Notes", "Key", "Notes"]);
        assert_eq!(realign(&cells, &then, &then).0, cells);
        let (row, lost) = realign(&cells, &then, &names(&["Key", "Notes"]));
        assert_eq!((row[1].clone(), lost), (cells[0].clone(), vec!["Notes".to_owned()]));
    }

    #[test]
    fn the_time_of_the_last_run_is_no_header_to_be_found_by() {
        let names = |time: &str| ["Key".to_owned(), format!("Synced 2026-05-13 {time} UTC")];
        let cells = [json!({"note": "key"}), json!({"note": "below the time"})];
        let (row, lost) = realign(&cells, &names("11:30"), &names("12:00"));
        assert_eq!((row.as_slice(), lost.len()), (cells.as_slice(), 0));
    }
}
