//! What a run reports beside its result: findings for alerts, and numbers for metrics. Pure.

use shared::alert::{Finding, Findings};
use shared::config::Config;
use shared::metrics::{self, Numbers, Sample};
use shared::run::Report;
use shared::{Failure, Kind};

use crate::report::result::Body;
use crate::report::result::SheetResult;

/// One finding for each sheet and each credential that was used. A refused credential file and a sheet that is not shared are
/// findings of the credential, in every job. A key that the source refuses is a finding of the sheet: other jobs would
/// report at once that the credential works.
pub fn findings(config: &Config, report: &Report<Body>) -> Option<Findings> {
    let sheets = &report.body.sheets;
    if sheets.is_empty() {
        return None;
    }
    let (mut parts, mut credentials): (Vec<Finding>, Vec<Finding>) = (Vec::new(), Vec::new());
    for sheet in sheets {
        let Some(name) = config.sheets.get(&sheet.sheet).map(|sheet| &sheet.credential) else { continue };
        let of_credential =
            sheet.error.clone().filter(|failure| failure.kind == Kind::Credential && !sheet.source_failed);
        if sheet.error.is_none() || of_credential.is_some() {
            add_credential(&mut credentials, name, of_credential.clone());
        }
        if of_credential.is_none() {
            let part = Finding::new("sheet", &sheet.sheet, sheet.error.clone());
            parts.push(Finding { credential: Some(name.clone()), ..part });
        }
    }
    parts.extend(credentials);
    Some(Findings { own: None, parts })
}

/// One finding a credential: the first failure, or that all its sheets were reached.
fn add_credential(credentials: &mut Vec<Finding>, name: &str, failure: Option<Failure>) {
    let finding = Finding::new("credential", name, failure);
    let finding = Finding { credential: Some(name.to_owned()), ..finding };
    match credentials.iter_mut().find(|known| known.subject == finding.subject) {
        Some(known) if known.failure.is_none() => *known = finding,
        Some(_) => {}
        None => credentials.push(finding),
    }
}

/// Rows, cells and requests, by sheet.
pub fn numbers(report: &Report<Body>) -> Numbers {
    let sheets = &report.body.sheets;
    let changed = sheets.iter().any(|sheet| sheet.added + sheet.updated + sheet.removed > 0);
    Numbers { changed, samples: sheets.iter().flat_map(samples).collect() }
}

fn samples(sheet: &SheetResult) -> Vec<Sample> {
    let name = ("sheet", sheet.sheet.as_str());
    let rows = [
        ("source", sheet.source_rows),
        ("rejected", sheet.rejected),
        ("added", sheet.added),
        ("updated", sheet.updated),
        ("removed", sheet.removed),
        ("unchanged", sheet.unchanged),
    ];
    let rows = rows.map(|(kind, number)| (metrics::ROWS, kind, number));
    let requests = [("read", sheet.reads), ("write", sheet.writes)]
        .map(|(kind, number)| (metrics::REQUESTS, kind, number));
    let cells = Sample::new(metrics::CELLS, &[name], metrics::count(sheet.cells_written));
    let by_kind = rows
        .into_iter()
        .chain(requests)
        .map(|(metric, kind, number)| Sample::new(metric, &[name, ("kind", kind)], metrics::count(number)));
    by_kind.chain([cells]).collect()
}
