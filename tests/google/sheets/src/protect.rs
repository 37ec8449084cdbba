//! Who may edit what: protected ranges and their editors.
//!
//! Only answers the question; every write asks it before it changes anything.

use serde_json::Value;

use crate::range::{GridRange, Rect};
use crate::sheet::Sheet;
use crate::{ApiError, Spreadsheet, place};

const REFUSAL: &str = "You are trying to edit a protected cell or object. \
                       Please contact the spreadsheet owner to remove protection if you need to edit.";

impl Spreadsheet {
    /// Refuses an edit of cells that a protected range keeps from the caller.
    pub(crate) fn may_edit(&self, sheet: usize, rect: &Rect, caller: &str) -> Result<(), ApiError> {
        let sheet = &self.sheets[sheet];
        let blocked =
            sheet.protected.iter().any(|range| !allows(range, caller) && self.covers(sheet, range, rect));
        if blocked { Err(refusal()) } else { Ok(()) }
    }

    /// Whether a protected range covers any cell of `rect` outside its unprotected parts.
    fn covers(&self, sheet: &Sheet, protected: &Value, rect: &Rect) -> bool {
        let named = protected.get("namedRangeId").and_then(|id| {
            let named = self.named_ranges.iter().find(|named| named.get("namedRangeId") == Some(id))?;
            named.get("range")
        });
        let range = GridRange::read(protected.get("range").or(named).unwrap_or(&Value::Null));
        let Ok(whole) = place::fit(sheet, &range.bounds) else { return false };
        let open = protected.get("unprotectedRanges").and_then(Value::as_array).into_iter().flatten();
        let mut open = open.filter_map(|range| place::fit(sheet, &GridRange::read(range).bounds).ok());
        whole.meets(rect) && !open.any(|open| open.contains(rect))
    }
}

/// Whether a protected range lets the caller edit: it only warns, or names them.
pub fn allows(protected: &Value, caller: &str) -> bool {
    if protected.get("warningOnly") == Some(&Value::Bool(true)) {
        return true;
    }
    let editors = protected.get("editors");
    let anyone = editors.and_then(|editors| editors.get("domainUsersCanEdit")) == Some(&Value::Bool(true));
    let users = editors.and_then(|editors| editors.get("users")?.as_array()).into_iter().flatten();
    anyone || users.filter_map(Value::as_str).any(|user| user.eq_ignore_ascii_case(caller))
}

/// Google's refusal.
pub fn refusal() -> ApiError {
    ApiError::invalid(REFUSAL)
}
