//! The one line and the exit code of a Nagios plugin. Pure.

use std::fmt::Write as _;

use shared::run::nagios::{Level, line};
use shared::run::{Plugin, Report};

use crate::result::{Body, CredentialResult};

/// The line and the code for a monitor.
pub fn plugin(report: &Report<Body>) -> Plugin {
    let credentials = &report.body.credentials;
    let level = level(report);
    let failing = credentials.iter().filter(|result| result.error.is_some()).count();
    let mut numbers = format!("credentials={} failing={failing};;0", credentials.len());
    for result in credentials {
        let _ = write!(
            numbers,
            " '{}_failures'={} '{}_forecasts'={}",
            result.credential,
            result.failed_refreshes,
            result.credential,
            result.forecasts.len()
        );
    }
    line("TOKEN", level, &text(report), &numbers)
}

/// A run that checked nothing knows nothing.
fn level(report: &Report<Body>) -> Level {
    if report.body.credentials.is_empty() {
        Level::Unknown
    } else if report.failures.is_empty() && forecasts(report).next().is_some() {
        Level::Warning
    } else {
        Level::from_failures(&report.failures)
    }
}

fn text(report: &Report<Body>) -> String {
    let worst = report.failures.iter().min_by_key(|failure| failure.kind);
    match worst {
        Some(failure) => format!("{}; {}", failure.message, failure.hint),
        None => forecasts(report).next().unwrap_or_else(|| works(&report.body.credentials)),
    }
}

/// The state of a credential that no job has tried is unknown.
fn works(credentials: &[CredentialResult]) -> String {
    let untried: Vec<&str> =
        credentials.iter().filter(|result| !result.tried).map(|result| result.credential.as_str()).collect();
    let tried = format!("{} credentials work", credentials.len() - untried.len());
    if untried.is_empty() { tried } else { format!("{tried}; not tried yet: {}", untried.join(", ")) }
}

fn forecasts(report: &Report<Body>) -> impl Iterator<Item = String> {
    report.body.credentials.iter().flat_map(|result| {
        let forecasts = result.forecasts.iter();
        forecasts.map(|forecast| format!("{}: {}; {}", result.credential, forecast.text, forecast.remedy))
    })
}

#[cfg(test)]
mod tests {
    use shared::{Failure, Kind};

    use super::*;
    use crate::forecast::{Forecast, Reason};

    fn report(failure: Option<Failure>, forecasts: usize) -> Report<Body> {
        let forecast = Forecast { reason: Reason::Idle, date: None, text: "t".into(), remedy: "r".into() };
        let mut result = CredentialResult::new("a");
        result.tried = true;
        result.forecasts = vec![forecast; forecasts];
        failure.iter().for_each(|failure| result.fail(failure.clone()));
        let body = Body { credentials: vec![result] };
        Report { failures: failure.into_iter().collect(), body, output: String::new(), summary: Vec::new() }
    }

    #[test]
    fn each_state_has_its_word_and_its_code_and_a_bar_stands_once() {
        let fails = |kind| Some(Failure::new(kind, "a|b", "hint"));
        for (report, code, start) in [
            (report(None, 0), 0, "TOKEN OK - 1 credentials work | credentials=1 failing=0;;0 'a_failures'=0"),
            (report(None, 1), 1, "TOKEN WARNING - a: t; r | "),
            (report(fails(Kind::Unavailable), 0), 1, "TOKEN WARNING - a/b; hint | "),
            (
                report(fails(Kind::Credential), 0),
                2,
                "TOKEN CRITICAL - a/b; hint | credentials=1 failing=1;;0",
            ),
        ] {
            let plugin = plugin(&report);
            assert_eq!(plugin.code, code, "{}", plugin.line);
            assert!(plugin.line.starts_with(start), "{}", plugin.line);
            assert_eq!(plugin.line.matches('|').count(), 1, "{}", plugin.line);
        }
    }

    #[test]
    fn a_credential_that_nobody_tried_is_not_said_to_work() {
        let mut report = report(None, 0);
        report.body.credentials[0].tried = false;
        let plugin = plugin(&report);
        assert!(
            plugin.line.starts_with("TOKEN OK - 0 credentials work; not tried yet: a | "),
            "{}",
            plugin.line
        );
    }

    #[test]
    fn a_run_that_checked_nothing_is_unknown() {
        let nothing = Report { body: Body::default(), ..report(None, 0) };
        assert_eq!(plugin(&nothing).code, 3);
    }
}
