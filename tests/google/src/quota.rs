//! Google's per-minute quotas of the Sheets API, per user and per project. Counts; knows no request.

use std::collections::HashMap;

use serde_json::json;
use sheets_model::ApiError;

use crate::PROJECT_NUMBER;

/// Google's limit per minute and user.
const PER_USER: u32 = 60;
/// The project may do what five users may, as Google has it: 300.
const PROJECT_USERS: u32 = 5;
const WINDOW_S: i64 = 60;

/// Which of the two quotas a request uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// The limits and what was used of them.
#[derive(Debug)]
pub(crate) struct Quota {
    reads_per_minute: u32,
    writes_per_minute: u32,
    used: HashMap<(Kind, Holder), Window>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    User(String),
    Project,
}

/// A minute that began with its first request.
#[derive(Debug)]
struct Window {
    since: i64,
    used: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self { reads_per_minute: PER_USER, writes_per_minute: PER_USER, used: HashMap::new() }
    }
}

impl Quota {
    /// Sets the limits per user; the project's are five times as high. 0 switches a quota off.
    pub(crate) fn set(&mut self, reads: Option<u32>, writes: Option<u32>) {
        self.reads_per_minute = reads.unwrap_or(self.reads_per_minute);
        self.writes_per_minute = writes.unwrap_or(self.writes_per_minute);
        self.used.clear();
    }

    /// Uses one request up; a refused one costs nothing.
    pub(crate) fn spend(&mut self, kind: Kind, user: &str, now: i64) -> Result<(), ApiError> {
        let limit = match kind {
            Kind::Read => self.reads_per_minute,
            Kind::Write => self.writes_per_minute,
        };
        if limit == 0 {
            return Ok(());
        }
        let user = (kind, Holder::User(user.to_owned()));
        let project = (kind, Holder::Project);
        if self.current(&user, now) >= limit {
            return Err(exceeded(kind, &user.1));
        }
        if self.current(&project, now) >= limit.saturating_mul(PROJECT_USERS) {
            return Err(exceeded(kind, &project.1));
        }
        for key in [user, project] {
            self.used.entry(key).or_insert(Window { since: now, used: 0 }).used += 1;
        }
        Ok(())
    }

    /// What is used of the running minute; a minute that is over, or lies ahead since the clock went back, is forgotten.
    fn current(&mut self, key: &(Kind, Holder), now: i64) -> u32 {
        let Some(window) = self.used.get(key) else { return 0 };
        if (window.since..window.since + WINDOW_S).contains(&now) {
            return window.used;
        }
        self.used.remove(key);
        0
    }
}

/// The body as recorded.
fn exceeded(kind: Kind, holder: &Holder) -> ApiError {
    let (word, metric) = match kind {
        Kind::Read => ("Read", "read_requests"),
        Kind::Write => ("Write", "write_requests"),
    };
    let (whose, suffix) = match holder {
        Holder::User(_) => (" per user", "PerUser"),
        Holder::Project => ("", "PerProject"),
    };
    let message = format!(
        "Quota exceeded for quota metric '{word} requests' and limit '{word} requests per minute{whose}' \
         of service 'sheets.googleapis.com' for consumer 'project_number:{PROJECT_NUMBER}'."
    );
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": {
            "consumer": format!("projects/{PROJECT_NUMBER}"),
            "quota_limit": format!("{word}RequestsPerMinute{suffix}"),
            "quota_metric": format!("sheets.googleapis.com/{metric}"),
            "service": "sheets.googleapis.com",
        },
    });
    ApiError { code: 429, status: "RESOURCE_EXHAUSTED", message, details: vec![info] }
}
