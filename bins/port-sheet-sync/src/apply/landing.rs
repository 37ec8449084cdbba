//! Where new rows land: directly below the last booking, whatever fills users' columns further down.

use crate::apply::Target;
use crate::apply::count;
use crate::google::Client;
use crate::model::operation::WholeCell;
use crate::model::span::Span;
use shared::Result;

/// How many rows are looked at in one request.
const ROWS_A_READ: u32 = 2_000;

/// Where new rows land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Below everything in the tab. The server finds the place, so that a row that a user adds at the same moment is not overwritten.
    /// It writes from column A on, so every column between must be an owned one.
    BelowEverything,
    /// Directly below the last booking, in the owned columns only.
    BelowTheBookings,
}

/// Where new rows land in this tab: below the last booking if checkboxes and formulas alone fill users' columns further down.
///
/// # Errors
/// As every request.
pub async fn landing(client: &mut Client, target: &Target<'_>, added: usize) -> Result<Landing> {
    let snapshot = target.snapshot;
    let below = Span::new(snapshot.last_row + 1, snapshot.last_filled.max(snapshot.last_row + 1));
    let is_filled = added > 0 && snapshot.last_filled > snapshot.last_row;
    Ok(match is_filled && is_filler(client, target, below).await? {
        true => Landing::BelowTheBookings,
        false => Landing::BelowEverything,
    })
}

/// Where new rows land after Google refused them: in the owned columns alone, if others lie between, which may be protected.
///
/// # Errors
/// As every request.
pub async fn narrower(client: &mut Client, target: &Target<'_>, added: usize) -> Result<Option<Landing>> {
    let (layout, first) = (target.layout, target.snapshot.last_row + 1);
    let width = layout.columns.iter().max().map_or(0, |last| last + 1);
    let is_closed = (0..width).all(|column| layout.columns.contains(&column));
    if added == 0 || is_closed || target.snapshot.last_filled >= first {
        return Ok(None);
    }
    let last = target.tab.rows.min(target.snapshot.last_row.saturating_add(count(added)));
    let is_free = last < first || is_filler(client, target, Span::new(first, last)).await?;
    Ok(is_free.then_some(Landing::BelowTheBookings))
}

/// Whether nobody wrote in these rows: they hold nothing but checkboxes that are not ticked, and values of formulas elsewhere.
async fn is_filler(client: &mut Client, target: &Target<'_>, rows: Span) -> Result<bool> {
    let mut first = rows.first;
    while first <= rows.last {
        let last = rows.last.min(first.saturating_add(ROWS_A_READ - 1));
        let found = client.whole_rows(&target.sheet.tab, &[Span::new(first, last)]).await?;
        if found.iter().flatten().any(is_entered) {
            return Ok(false);
        }
        first = last + 1;
    }
    Ok(true)
}

/// Whether a user entered the content of a cell.
fn is_entered(cell: &WholeCell) -> bool {
    let value = &cell["userEnteredValue"];
    !cell["note"].is_null() || !(value.is_null() || value["boolValue"] == false)
}
