//! Checks of tables against each other.

use std::collections::BTreeMap;

use super::{CredentialEntry, OnMissing, Quota, Reader, SessionRunEntry, Sheet};

/// Locks and health records have the credential's name: two names for one file would race its rotation.
pub(super) fn refuse_shared_files(credentials: &BTreeMap<String, CredentialEntry>, reader: &mut Reader<'_>) {
    let mut files = BTreeMap::new();
    for (name, entry) in credentials.iter().filter(|(_, entry)| !entry.file.as_os_str().is_empty()) {
        if let Some(first) = files.insert(&entry.file, name) {
            let what = format!("is the file of credential {first:?} as well; let the sheets name that one");
            reader.problem(&format!("credential.{name}.file"), what);
        }
    }
}

/// Two sheets in one tab would undo each other's work forever.
pub(super) fn refuse_shared_tabs(sheets: &BTreeMap<String, Sheet>, reader: &mut Reader<'_>) {
    let mut tabs = BTreeMap::new();
    for sheet in sheets.values().filter(|sheet| !sheet.spreadsheet.is_empty()) {
        if let Some(first) = tabs.insert((&sheet.spreadsheet, sheet.tab.to_lowercase()), &sheet.name) {
            let what = format!("is the tab of sheet {first:?} as well; each sheet needs a tab of its own");
            reader.problem(&format!("sheet.{}.tab", sheet.name), what);
        }
    }
}

/// Checks `[session-run]` against its quota.
pub(super) fn check_sessions(
    run: Option<&SessionRunEntry>,
    quotas: &BTreeMap<String, Quota>,
    reader: &mut Reader<'_>,
) {
    let Some(run) = run.filter(|run| !run.quota.is_empty()) else { return };
    match quotas.get(&run.quota) {
        None => reader.problem("session-run.quota", format!("there is no [quota.{}]", run.quota)),
        Some(quota) if run.checkpoint_turn > quota.turns => {
            let what = format!("must not be more than turns under [quota.{}], {}", run.quota, quota.turns);
            reader.problem("session-run.checkpoint-turn", what);
        }
        Some(_) => {}
    }
}

/// Rows that move to an archive shift those below, and a sync would take them for bookings.
pub(super) fn refuse_synced_archives(sheets: &BTreeMap<String, Sheet>, reader: &mut Reader<'_>) {
    for sheet in sheets.values().filter(|sheet| sheet.on_missing == OnMissing::Archive) {
        let archive = sheet.archive_tab.to_lowercase();
        let mut others = sheets.values().filter(|other| other.name != sheet.name);
        if let Some(other) = others.find(|other| is_tab_of(other, &sheet.spreadsheet, &archive)) {
            let what = format!("is the tab of sheet {:?}; the archive needs a tab of its own", other.name);
            reader.problem(&format!("sheet.{}.archive-tab", sheet.name), what);
        }
    }
}

/// The cell must not be among synced rows, where it would be sorted and counted with them, and it can show the time of
/// one sheet only.
pub(super) fn refuse_misplaced_freshness(sheets: &BTreeMap<String, Sheet>, reader: &mut Reader<'_>) {
    let mut cells = BTreeMap::new();
    let with_cell = sheets.values().filter_map(|sheet| Some((sheet, sheet.freshness_cell.as_ref()?)));
    for (sheet, cell) in with_cell {
        let place = format!("sheet.{}.freshness-cell", sheet.name);
        let tab = cell.tab.to_lowercase();
        let other = sheets.values().find(|other| is_tab_of(other, &sheet.spreadsheet, &tab));
        if let Some(other) = other.filter(|_| cell.row > 1) {
            let what = format!(
                "row {} of tab {:?} is among the bookings of sheet {:?}; name a cell of row 1 or of another tab",
                cell.row, cell.tab, other.name
            );
            reader.problem(&place, what);
        }
        if let Some(first) = cells.insert((&sheet.spreadsheet, tab, cell.column, cell.row), &sheet.name) {
            reader.problem(&place, format!("is the freshness-cell of sheet {first:?} as well"));
        }
    }
}

/// Google compares titles of tabs without case; `tab` is in lower case.
fn is_tab_of(sheet: &Sheet, spreadsheet: &str, tab: &str) -> bool {
    sheet.spreadsheet == spreadsheet && sheet.tab.to_lowercase() == tab
}
