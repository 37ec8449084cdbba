//! The status as one HTML page that needs nothing else: no network, no script. Pure.
//!
//! What it shows is also text, so that it can be read without colours and by a screen reader. Booking data is left out as it is of alerts.

mod style;
mod text;
mod timeline;

use chrono::{DateTime, Utc};
use shared::Failure;
use shared::config::Alert;
use shared::store::{QuotaDay, QuotaSummary};
use shared::time::timestamp;

use crate::result::{Body, CredentialSummary, JobResult, outside};
use crate::state::State;
use crate::table::{self, ago, host, standing};
use text::escape;
use timeline::{bar, timeline};

/// How many errors of the past are shown.
const ERRORS_SHOWN: usize = 50;

/// The whole page.
pub fn render(body: &Body) -> String {
    let failures = body.failures();
    let (class, verdict) = match failures.len() {
        0 => ("good", "Everything is fresh and healthy".to_owned()),
        1 => ("bad", "1 thing needs a look".to_owned()),
        number => ("bad", format!("{number} things need a look")),
    };
    let parts = [
        section("Needs a look", "now", &problems(&failures, &body.alert)),
        section("Jobs", "jobs", &body.jobs.iter().map(|job| job_card(job, body.now)).collect::<String>()),
        section("Sheets and credentials", "credentials", &credentials(body)),
        section("The last 30 days", "days", &body.jobs.iter().map(timeline).collect::<String>()),
        section("Errors of the last 30 days", "errors", &errors(body)),
        section("Sessions", "sessions", &body.quotas.iter().map(quota).collect::<String>()),
        section(
            "This machine",
            "machine",
            &body.host.as_ref().map(|seen| format!("<p>{}</p>", escape(&host(seen)))).unwrap_or_default(),
        ),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{verdict} – port-jobs</title>\n<style>{}</style>\n</head>\n<body>\n<header>\n\
         <h1 class=\"{class}\">{}{verdict}</h1>\n<p>As of <time datetime=\"{}\">{}</time>. This page does not renew itself in \
         the browser; if that time is long ago, job-status does not run.</p>\n</header>\n<main>\n{}</main>\n</body>\n</html>\n",
        style::CSS,
        mark(class == "good"),
        timestamp(body.now),
        body.now.format("%-d %B %Y, %H:%M UTC"),
        parts.concat(),
    )
}

/// A part of the page; one that has nothing to say is left out.
fn section(title: &str, id: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{content}</section>\n")
}

/// A sign that is not only a colour; a word is beside it.
fn mark(is_good: bool) -> &'static str {
    if is_good { "<span aria-hidden=\"true\">✓ </span>" } else { "<span aria-hidden=\"true\">✕ </span>" }
}

fn problems(failures: &[Failure], settings: &Alert) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Failure> = failures.iter().collect();
    sorted.sort_by_key(|failure| failure.kind);
    let items: String =
        sorted.into_iter().map(|failure| format!("<li>{}</li>\n", told(failure, settings))).collect();
    format!("<ul class=\"problems\">\n{items}</ul>\n")
}

/// What is wrong, and the command to type.
fn told(failure: &Failure, settings: &Alert) -> String {
    let (words, hint) = outside(failure, settings);
    format!("<strong>{}</strong><p class=\"hint\">{}</p>", escape(&words), escape(&hint))
}

fn job_card(job: &JobResult, now: DateTime<Utc>) -> String {
    let good = job.state == State::Fresh;
    let every = humantime::format_duration(std::time::Duration::from_secs(job.every_seconds));
    let facts = [
        ("Last run", ago(job.last_run, now)),
        ("Last success", ago(job.last_success, now)),
        ("Last change", ago(job.last_change, now)),
        ("Expected", format!("every {every}")),
        ("Started by", job.schedule.text().to_owned()),
        ("Failures in a row", job.consecutive_failures.to_string()),
    ];
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(value)))
        .collect();
    format!(
        "<article><h3>{} <span class=\"{}\">{}{}</span></h3><dl>{facts}</dl></article>\n",
        escape(&job.job),
        if good { "good" } else { "bad" },
        mark(good),
        job.state.as_str(),
    )
}

fn credentials(body: &Body) -> String {
    let sheets = body.sheets.iter().map(|sheet| {
        let name = format!("sheet {}", sheet.sheet);
        state_row(&name, sheet.error.as_ref(), sheet.last_good, body.now)
    });
    let credentials = body.credentials.iter().map(|credential| {
        let name = format!("credential {}", credential.credential);
        state_row(&name, credential.error.as_ref(), credential.last_good, body.now)
    });
    let rows: String = sheets.chain(credentials).collect();
    let forecasts: String = body.credentials.iter().flat_map(forecasts).collect();
    if rows.is_empty() {
        return String::new();
    }
    let forecasts = if forecasts.is_empty() {
        String::new()
    } else {
        format!("<h3>To come</h3>\n<ul class=\"problems\">\n{forecasts}</ul>\n")
    };
    format!(
        "<table><thead><tr><th scope=\"col\">What</th><th scope=\"col\">State</th><th scope=\"col\">Last good</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n{forecasts}"
    )
}

fn state_row(
    name: &str,
    error: Option<&Failure>,
    last_good: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> String {
    let word = standing(error, last_good);
    let (class, sign) = match word {
        "fails" => ("bad", mark(false)),
        "works" => ("good", mark(true)),
        _ => ("none", ""),
    };
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"{class}\">{sign}{word}</td><td>{}</td></tr>\n",
        escape(name),
        ago(last_good, now)
    )
}

fn forecasts(credential: &CredentialSummary) -> Vec<String> {
    credential.forecasts.iter().map(forecast).collect()
}

fn forecast(forecast: &crate::result::ForecastSummary) -> String {
    format!(
        "<li><strong>{}</strong><p class=\"hint\">{}</p></li>\n",
        escape(&forecast.text),
        escape(&forecast.remedy)
    )
}

/// How much of a quota is used today, and the days before.
fn quota(quota: &QuotaSummary) -> String {
    let rows: String = quota.days.iter().map(day_row).collect();
    let head = "<thead><tr><th scope=\"col\">Day</th><th scope=\"col\">Sessions</th></tr></thead>";
    let table = if rows.is_empty() {
        String::new()
    } else {
        format!("<table>{head}\n<tbody>\n{rows}</tbody></table>\n")
    };
    format!("<p>{}</p>\n{table}", escape(&table::quota(quota)))
}

fn day_row(day: &QuotaDay) -> String {
    let QuotaDay { day, sessions, per_day } = day;
    let bar = bar(i64::from(*sessions), i64::from(*per_day));
    format!("<tr><th scope=\"row\">{}</th><td>{sessions} of {per_day}{bar}</td></tr>\n", escape(day))
}

fn errors(body: &Body) -> String {
    let shown = body.errors.iter().take(ERRORS_SHOWN);
    let items: String = shown.map(|error| repeated_error(error, body)).collect();
    if items.is_empty() { String::new() } else { format!("<ul class=\"problems\">\n{items}</ul>\n") }
}

fn repeated_error(error: &crate::errors::Repeated, body: &Body) -> String {
    let times = if error.times == 1 { "once".to_owned() } else { format!("{} times", error.times) };
    let (first, last) = (error.first.format("%-d %b %H:%M"), error.last.format("%-d %b %H:%M"));
    let when =
        if error.times == 1 { format!("{last} UTC") } else { format!("first {first}, last {last} UTC") };
    format!("<li>{}<p>{}, {times}: {when}</p></li>\n", told(&error.error, &body.alert), escape(&error.job))
}
