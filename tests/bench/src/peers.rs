//! gspread and gspread-dataframe, from PyPI in an environment of their own, doing the same work.
//!
//! Without Python, pip or a network they are left out, and the table says why.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::data;
use crate::standin::StandIn;
use crate::table::Table;
use crate::trial::{TAB, Trial};

/// The versions that are measured.
const PACKAGES: [&str; 3] = ["gspread==6.2.1", "gspread-dataframe==4.0.0", "pandas"];

/// Measures them, or says why not.
pub(crate) fn measure(standin: &StandIn, dir: &Path, table: &mut Table) -> anyhow::Result<()> {
    let python = match environment() {
        Ok(python) => python,
        Err(error) => {
            table.note(&format!("gspread and gspread-dataframe are left out: {error:#}"));
            return Ok(());
        }
    };
    let trial = Trial::new(standin, dir, "peers", &data::hotel_bookings(None)?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.py");
    let source = trial.source_path();
    let run = |mode: &str| {
        let paths = [python.as_path(), script.as_path()].map(|path| path.to_string_lossy().into_owned());
        let args =
            [mode, &standin.url, &trial.spreadsheet, TAB, &source.to_string_lossy()].map(str::to_owned);
        trial.run(&[&paths[..], &args].concat())
    };
    table.peer("gspread: full load", &run("gspread-load")?);
    table.peer("gspread: no-op (get_all_values, compare)", &run("gspread-sync")?);
    trial.source(&data::hotel_bookings(Some(11_939))?)?;
    table.peer("gspread: 10 rows changed (and batch_update)", &run("gspread-sync")?);
    table.peer("gspread-dataframe: no-op (it always writes everything)", &run("dataframe")?);
    Ok(())
}

/// The Python of an environment with the packages, made below target/ where there is none yet.
fn environment() -> anyhow::Result<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    done(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES),
    )?;
    Ok(python)
}

fn done(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.lines().last().unwrap_or("it failed"));
    Ok(())
}
