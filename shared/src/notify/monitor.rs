//! Pings to a monitor outside, in the protocol of Healthchecks (<https://healthchecks.io/docs/http_api/>): start,
//! success, exit status, each with the run's id. The monitor alerts when they are missing.
//!
//! A run that was skipped pings neither success nor failure, but leaves a line in the monitor's log. No ping changes a
//! run's outcome, and no body of one says what failed.

use std::time::Duration;

use url::Url;

use crate::config::Monitor;
use crate::outcome::Outcome;
use crate::sys::http::Http;

/// How long a ping may take.
pub const LIMIT: Duration = Duration::from_secs(5);

/// `{job}` in an address, percent-encoded.
const JOB: &str = "%7Bjob%7D";

/// A ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ping {
    /// The run has its lock and begins.
    Start,
    /// It ended with verified success.
    Success,
    /// It ended with this exit code.
    Exit(u8),
    /// It did not begin: for the log, without a change of state.
    Skipped,
}

/// The ping at the end of a run. Pure, and total: only a run that is both `ok` and zero is a success.
pub fn after(outcome: Outcome, exit: u8) -> Ping {
    match (outcome, exit) {
        (Outcome::Ok, 0) => Ping::Success,
        (Outcome::Skipped, _) => Ping::Skipped,
        // A failure without a code of its own is a failure as well: for a monitor 0 means success.
        (Outcome::Ok | Outcome::Failed, exit) => Ping::Exit(exit.max(1)),
    }
}

/// The address of a ping.
pub fn address(base: &Url, job: &str, run: &str, ping: Ping) -> String {
    let base = base.as_str().replace(JOB, job);
    let end = match ping {
        Ping::Start => "/start".to_owned(),
        Ping::Success => String::new(),
        Ping::Exit(code) => format!("/{code}"),
        Ping::Skipped => "/log".to_owned(),
    };
    format!("{}{end}?rid={}", base.trim_end_matches('/'), uuid(run))
}

/// A run's id as the protocol wants it: the same 128 bits in the form of a UUID.
fn uuid(run: &str) -> String {
    let number = run.parse::<ulid::Ulid>().map_or(0, u128::from);
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Sends a ping, if a monitor is configured.
///
/// # Errors
/// What went wrong, without the address: its path is what authorizes a ping.
pub async fn send(monitor: &Monitor, job: &str, run: &str, ping: Ping) -> Option<Result<(), String>> {
    let Monitor::Url(base) = monitor else { return None };
    let host = base.host_str().unwrap_or_default();
    let http = match Http::new(LIMIT) {
        Ok(http) => http,
        Err(failure) => return Some(Err(failure.message)),
    };
    Some(match http.get(&address(base, job, run, ping)).await {
        Ok(reply) if (200..300).contains(&reply.status) => Ok(()),
        Ok(reply) => Err(format!("the monitor at {host} answered {}", reply.status)),
        Err(why) => Err(format!("the monitor at {host} did not answer: {why}")),
    })
}

#[cfg(test)]
mod tests {
    use crate::notify::monitor::*;

    #[test]
    fn only_a_verified_success_pings_success() {
        for outcome in [Outcome::Ok, Outcome::Failed, Outcome::Skipped] {
            for exit in 0..=u8::MAX {
                let expected = match (outcome, exit) {
                    (Outcome::Ok, 0) => Ping::Success,
                    (Outcome::Skipped, _) => Ping::Skipped,
                    (_, 0) => Ping::Exit(1),
                    (_, exit) => Ping::Exit(exit),
                };
                assert_eq!(after(outcome, exit), expected, "{outcome:?} {exit}");
            }
        }
    }

    #[test]
    fn an_address_names_the_job_the_code_and_the_run() {
        let run = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let id = "01563e3a-b5d3-d676-4c61-efb99302bd5b";
        let shared: Url = "https://hc.example/key/{job}".parse().unwrap();
        let own: Url = "https://hc.example/ping/1234/".parse().unwrap();
        for (base, ping, expected) in [
            (&shared, Ping::Start, format!("https://hc.example/key/token-check/start?rid={id}")),
            (&own, Ping::Success, format!("https://hc.example/ping/1234?rid={id}")),
            (&own, Ping::Exit(77), format!("https://hc.example/ping/1234/77?rid={id}")),
            (&own, Ping::Skipped, format!("https://hc.example/ping/1234/log?rid={id}")),
        ] {
            assert_eq!(address(base, "token-check", run, ping), expected);
        }
    }
}
