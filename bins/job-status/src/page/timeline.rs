//! The last days of a job: a square a day at a glance, and the same numbers in a table to unfold.

use super::text::escape;
use crate::days::Day;
use crate::result::JobResult;

/// The days of one job; nothing when they are not known.
pub fn timeline(job: &JobResult) -> String {
    if job.days.is_empty() {
        return String::new();
    }
    let name = escape(&job.job);
    let longest = job.days.iter().map(|day| day.longest_ms).max().unwrap_or(0);
    let most = job.days.iter().map(|day| i64::from(day.rows)).max().unwrap_or(0);
    let squares: String = job.days.iter().map(square).collect();
    let rows: String =
        job.days.iter().rev().filter(|day| day.runs() > 0).map(|day| day_row(day, longest, most)).collect();
    let table = format!(
        "<details><summary>{name}, day by day</summary>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{name}, day by day\"><table><thead><tr>\
         <th scope=\"col\">Day</th><th scope=\"col\">Good</th><th scope=\"col\">Failed</th><th scope=\"col\">Skipped</th>\
         <th scope=\"col\">Never ended</th><th scope=\"col\">Longest run</th><th scope=\"col\">Rows changed</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div></details>\n"
    );
    format!("<h3>{name}</h3>\n<ol class=\"days\">\n{squares}</ol>\n{table}")
}

fn square(day: &Day) -> String {
    let (class, sign) = match day {
        day if day.is_bad() => ("bad", "✕"),
        day if day.runs() == 0 => ("none", "·"),
        day if day.good == 0 => ("none", "–"),
        _ => ("good", "✓"),
    };
    let words = format!(
        "{}: {} runs, {} failed, {} never ended",
        day.date.format("%-d %B"),
        day.runs(),
        day.failed,
        day.died
    );
    format!(
        "<li class=\"{class}\" title=\"{words}\"><span aria-hidden=\"true\">{sign}<small>{}</small></span><span class=\"heard\">{words}</span></li>\n",
        day.date.format("%-d")
    )
}

fn day_row(day: &Day, longest: i64, most: i64) -> String {
    let seconds = format!("{}.{} s", day.longest_ms / 1000, day.longest_ms % 1000 / 100);
    format!(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{seconds}{}</td><td>{}{}</td></tr>\n",
        day.date.format("%-d %b"),
        day.good,
        day.failed,
        day.skipped,
        day.died,
        bar(day.longest_ms, longest),
        day.rows,
        bar(i64::from(day.rows), most),
    )
}

/// A bar of up to 100 units beside a number that says the same.
pub fn bar(value: i64, most: i64) -> String {
    let width = if most > 0 { (value * 100 + most - 1) / most } else { 0 };
    format!(
        "<svg aria-hidden=\"true\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\"><rect width=\"{width}\" height=\"4\"/></svg>"
    )
}
