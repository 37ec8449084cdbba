//! `--history`: the runs that wrote to the sheets, as a table or as JSON. It only reads journals.

use std::fmt::Write;

use shared::config::Sheet;
use shared::run::{Context, Report};
use shared::time::timestamp;

use crate::journal::past;
use crate::journal::past::PastRun;
use crate::report::result::Body;

/// Lists them, the newest of each sheet first.
pub fn list(context: &Context, sheets: &[&Sheet], report: &mut Report<Body>) {
    let mut runs = Vec::new();
    for sheet in sheets {
        match past::runs(&crate::journal::journals(context, sheet), &sheet.name) {
            Ok(found) => runs.extend(found),
            Err(failure) => report.failures.push(failure),
        }
    }
    // An empty table would claim that there are no runs, which is unknown if a journal cannot be read.
    if report.failures.is_empty() || !runs.is_empty() {
        report.output = table(&runs);
    }
    report.body.runs = Some(runs);
}

fn table(runs: &[PastRun]) -> String {
    if runs.is_empty() {
        return "no run has written anything in the last 90 days\n".to_owned();
    }
    let width = runs.iter().map(|run| run.sheet.len()).chain(["sheet".len()]).max().unwrap_or(0);
    let mut text = String::new();
    let head = ["run", "began", "sheet", "added", "changed", "removed"];
    let _ = writeln!(
        text,
        "{:26}  {:20}  {:width$}  {:>7}  {:>7}  {:>7}",
        head[0], head[1], head[2], head[3], head[4], head[5]
    );
    for run in runs {
        let at = timestamp(run.at);
        let _ = write!(
            text,
            "{}  {at}  {:width$}  {:>7}  {:>7}  {:>7}",
            run.run, run.sheet, run.added, run.changed, run.removed
        );
        if let Some(other) = &run.undoes {
            let _ = write!(text, "  undoes {other}");
        }
        if let Some(other) = &run.undone_by {
            let _ = write!(text, "  undone by {other}");
        }
        text.push('\n');
    }
    text
}
