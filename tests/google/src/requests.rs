//! The log of requests that reached the stand-in, bounded in memory; admin calls never come here.

use std::collections::VecDeque;

use hyper::body::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::request::Request;

/// A longer body is not kept, only its size.
const KEPT_BODY_BYTES: usize = 8 << 20;
/// Beyond this many bytes of bodies the oldest bodies are let go.
const KEPT_TOTAL_BYTES: usize = 128 << 20;
/// Beyond this many entries the oldest entries are let go.
const KEPT_ENTRIES: usize = 100_000;

/// One request as it arrived, and how it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct LoggedRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without its question mark.
    pub query: String,
    /// The body: JSON when it is JSON, a string when it is a form or other text, null when there is none.
    pub body: Value,
    /// The status sent, null while the request has no answer or when it never got one.
    pub status: Option<u16>,
    /// The size of the body.
    pub bytes: usize,
}

/// The kept entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    first: u64,
    body_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    request: Request,
    bytes: usize,
    status: Option<u16>,
    is_applied: bool,
}

impl Log {
    /// Notes an arrival; the number is for `answered`.
    pub(crate) fn arrived(&mut self, request: &Request) -> u64 {
        let bytes = request.body.len();
        let mut request = request.clone();
        if bytes > KEPT_BODY_BYTES {
            request.body = Bytes::new();
        }
        self.body_bytes += request.body.len();
        self.entries.push_back(Entry { request, bytes, status: None, is_applied: false });
        self.shed();
        self.first + self.entries.len() as u64 - 1
    }

    /// Notes that the request did what it does, whether its answer is sent or not.
    pub(crate) fn applied(&mut self, number: u64) {
        if let Some(entry) = self.entry(number) {
            entry.is_applied = true;
        }
    }

    /// Notes the status sent.
    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        if let Some(entry) = self.entry(number) {
            entry.status = Some(status);
        }
    }

    /// None when the log was emptied meanwhile.
    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.entries.get_mut(index)
    }

    pub(crate) fn clear(&mut self) {
        self.first += self.entries.len() as u64;
        self.entries.clear();
        self.body_bytes = 0;
    }

    /// How many kept requests fit and have come so far.
    pub(crate) fn count(&self, progress: Progress, fits: &dyn Fn(&Request) -> bool) -> usize {
        let reached = |entry: &&Entry| progress == Progress::Arrived || entry.is_applied;
        self.entries.iter().filter(reached).filter(|entry| fits(&entry.request)).count()
    }

    pub(crate) fn entries(&self) -> Vec<LoggedRequest> {
        self.entries.iter().map(Entry::logged).collect()
    }

    fn shed(&mut self) {
        if self.entries.len() > KEPT_ENTRIES
            && let Some(entry) = self.entries.pop_front()
        {
            self.first += 1;
            self.body_bytes -= entry.request.body.len();
        }
        let mut oldest = self.entries.iter_mut();
        while self.body_bytes > KEPT_TOTAL_BYTES {
            let Some(entry) = oldest.next() else { return };
            self.body_bytes -= entry.request.body.len();
            entry.request.body = Bytes::new();
        }
    }
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Progress {
    Arrived,
    Applied,
}

impl Entry {
    fn logged(&self) -> LoggedRequest {
        LoggedRequest {
            method: self.request.method.clone(),
            path: self.request.path.clone(),
            query: self.request.query.clone(),
            body: self.body(),
            status: self.status,
            bytes: self.bytes,
        }
    }

    fn body(&self) -> Value {
        if self.request.body.is_empty() && self.bytes > 0 {
            return Value::String(format!("(not kept: {} bytes)", self.bytes));
        }
        let text = || Value::String(String::from_utf8_lossy(&self.request.body).into_owned());
        if self.request.is_form() {
            return text();
        }
        self.request.json().map_or_else(|_| text(), Option::unwrap_or_default)
    }
}
