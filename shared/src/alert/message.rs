//! An event as text and as data: JSON, chat, mail. Pure.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::alert::event::EventKind;
use crate::config::{Alert, PayloadFormat, executables};
use crate::sys::payload::Payload;
use crate::time::timestamp;

/// The longest subject of a mail and title of a notification, in characters.
const TITLE_CHARS: usize = 120;

/// The longest text that a chat takes: Discord's limit is 2000 characters.
const CHAT_CHARS: usize = 1_900;

/// One event on its way to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its number, by which a receiver recognises one that it already has.
    pub id: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What it is about: `sheet.port-sheet`.
    pub subject: String,
    /// What happened: a word of [`EventKind`], or `test`.
    pub kind: String,
    /// One line.
    pub text: String,
    /// The next command to type.
    pub hint: String,
}

/// What waits for a sink, each with the numbers of the events that are in it. Double bookings of one sheet go together:
/// bookings that are checked for the first time may hold hundreds.
pub fn gathered(waiting: Vec<Notification>) -> Vec<(Notification, Vec<i64>)> {
    let mut gathered: Vec<(Notification, Vec<i64>)> = Vec::new();
    for notification in waiting {
        let is_double = notification.kind == EventKind::DoubleBooking.as_str();
        let same = gathered.iter_mut().find(|(known, _)| {
            is_double && known.kind == notification.kind && known.subject == notification.subject
        });
        match same {
            Some((known, ids)) => {
                known.id = notification.id;
                ids.push(notification.id);
            }
            None => gathered.push((notification.clone(), vec![notification.id])),
        }
    }
    for (notification, ids) in gathered.iter_mut().filter(|(_, ids)| ids.len() > 1) {
        notification.text = format!("{}; and {} more such pairs", notification.text, ids.len() - 1);
    }
    gathered
}

impl Notification {
    /// A test, marked as one.
    pub fn test(job: &str, now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            at: now,
            subject: format!("job.{job}"),
            kind: "test".to_owned(),
            text: "this is a test: alerts of port-jobs arrive here".to_owned(),
            hint: "nothing to do".to_owned(),
        }
    }

    /// A failure that could not be recorded.
    pub fn unrecorded(text: String, hint: String, now: DateTime<Utc>) -> Self {
        let (subject, kind) = ("state.db".to_owned(), EventKind::FirstFailure.as_str().to_owned());
        // No number is known without the records; the second will do, since these are hours apart.
        Self { id: -now.timestamp(), at: now, subject, kind, text, hint }
    }

    /// What may leave the machine of it: a double booking quotes bookings, unless the configuration lets it.
    #[must_use]
    pub fn public(self, settings: &Alert) -> Self {
        if settings.booking_data || self.kind != EventKind::DoubleBooking.as_str() {
            return self;
        }
        let sheet = self.subject.strip_prefix("sheet.").unwrap_or(&self.subject);
        let text = format!("sheet {sheet:?}: two bookings have the same thing at the same time");
        let hint = format!("see which: {}, on the machine itself", executables::sync_dry_run(sheet));
        Self { text, hint, ..self }
    }

    /// Its fields, for programs. `machine` is the name of this one.
    pub fn json(&self, machine: &str) -> Value {
        json!({
            "id": self.id,
            "at": timestamp(self.at),
            "machine": machine,
            "subject": self.subject,
            "event": self.kind,
            "text": self.text,
            "hint": self.hint,
            "test": self.is_test(),
        })
    }

    /// What happened and where, in a line.
    pub fn title(&self, machine: &str) -> String {
        cut(&format!("{}port-jobs on {machine}: {}", self.mark(), self.text), TITLE_CHARS)
    }

    /// All of it as text.
    pub fn text(&self, machine: &str) -> String {
        format!(
            "{}\n\nWhat to do: {}\n\nWhen: {}\nWhere: {machine}\nWhat: {} ({}, number {})\n",
            self.text,
            self.hint,
            timestamp(self.at),
            self.subject,
            self.kind,
            self.id
        )
    }

    /// What a webhook of this format is sent.
    pub fn post(&self, format: PayloadFormat, machine: &str) -> Payload {
        match format {
            PayloadFormat::Json => json(&self.json(machine)),
            PayloadFormat::Slack => json(&json!({ "text": escape_slack(&self.chat(machine)) })),
            // The text of a server's error must not mention anyone.
            PayloadFormat::Discord => {
                json(&json!({ "content": self.chat(machine), "allowed_mentions": { "parse": [] } }))
            }
            PayloadFormat::Ntfy => Payload {
                content_type: "text/plain; charset=utf-8",
                headers: vec![
                    ("Title", encoded_word(&self.title(machine))),
                    ("Priority", if self.is_urgent() { "high" } else { "default" }.to_owned()),
                    ("Tags", if self.is_urgent() { "warning" } else { "white_check_mark" }.to_owned()),
                ],
                body: self.text(machine),
            },
        }
    }

    fn chat(&self, machine: &str) -> String {
        cut(&format!("*{}*\n{}\n`{}`", self.title(machine), self.text, self.hint), CHAT_CHARS)
    }

    fn is_test(&self) -> bool {
        self.kind == "test"
    }

    fn is_urgent(&self) -> bool {
        !self.is_test() && self.kind != EventKind::Recovered.as_str()
    }

    fn mark(&self) -> &'static str {
        if self.is_test() { "TEST: " } else { "" }
    }
}

/// <https://api.slack.com/reference/surfaces/formatting#escaping>
fn escape_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A header's value: as it is, or as RFC 2047 writes what is not ASCII, which ntfy takes.
fn encoded_word(text: &str) -> String {
    if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return text.to_owned();
    }
    let bytes: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
    format!("=?UTF-8?Q?{bytes}?=")
}

/// Dots of ASCII: what would otherwise be readable in a header stays so.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 3).chain("...".chars()).collect()
}

fn json(body: &Value) -> Payload {
    Payload { content_type: "application/json", headers: Vec::new(), body: body.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification() -> Notification {
        Notification {
            id: 7,
            at: "2026-05-13T12:00:00Z".parse().unwrap(),
            subject: "credential.a".into(),
            kind: "first-failure".into(),
            text: "credential \"a\" failed: <invalid_grant> & more".into(),
            hint: "token-login a".into(),
        }
    }

    #[test]
    fn every_format_says_what_and_the_command_to_type() {
        for format in [PayloadFormat::Json, PayloadFormat::Slack, PayloadFormat::Discord, PayloadFormat::Ntfy]
        {
            let body = notification().post(format, "quay").body;
            for part in ["invalid_grant", "token-login a", "quay"] {
                assert!(body.contains(part), "{format:?} lacks {part}: {body}");
            }
        }
    }

    #[test]
    fn slack_is_escaped_and_discord_calls_nobody() {
        assert!(
            notification()
                .post(PayloadFormat::Slack, "quay")
                .body
                .contains("&lt;invalid_grant&gt; &amp; more")
        );
        let discord: Value =
            serde_json::from_str(&notification().post(PayloadFormat::Discord, "quay").body).unwrap();
        assert_eq!(discord["allowed_mentions"], json!({ "parse": [] }));
    }

    #[test]
    fn a_title_is_short_and_a_header_ascii() {
        let long = Notification { text: "ü".repeat(500), ..notification() };
        assert_eq!(long.title("quay").chars().count(), TITLE_CHARS);
        let post = long.post(PayloadFormat::Ntfy, "quay");
        assert!(post.headers.iter().all(|(_, value)| value.is_ascii()), "{:?}", post.headers);
        assert_eq!(encoded_word("ü"), "=?UTF-8?Q?=C3=BC?=");
    }
}
