//! `port-sheet-sync`, the executable: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::run::main::<port_sheet_sync::PortSheetSync>()
}
