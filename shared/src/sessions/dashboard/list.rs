//! The dashboard's list of tasks, and the form of their ids.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::Dashboard;
use crate::store::Listed;
use crate::sys::http::Reply;
use crate::{Failure, Kind, Result};

/// The longest id of a task, in characters.
const ID_LIMIT: usize = 128;

/// The reply to a request for the list.
#[derive(Debug)]
pub enum List {
    /// The list has not changed since the last request.
    Same,
    /// The list has changed.
    Tasks {
        /// The tasks that may be run.
        tasks: Vec<Listed>,
        /// The ETag of this list.
        etag: Option<String>,
        /// Why tasks with a bad id may not be run.
        refused: Vec<Failure>,
    },
}

#[derive(Deserialize)]
struct ListPage {
    tasks: Vec<ListEntry>,
}

#[derive(Deserialize)]
struct ListEntry {
    id: String,
    #[serde(default)]
    generation: u32,
    #[serde(default)]
    task: Value,
}

impl ListEntry {
    fn into_listed(self) -> Listed {
        Listed { id: self.id, generation: self.generation, body: self.task }
    }
}

impl Dashboard {
    /// The address of the list of a quota's tasks.
    pub fn list_url(&self, quota: &str) -> String {
        format!("{}{}", self.url, list_path(quota))
    }

    /// The tasks of a quota that may be run.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the dashboard does not respond, [`Kind::Credential`] when it refuses the token,
    /// [`Kind::Config`] when the address is not a dashboard's, [`Kind::Data`] when the response cannot be read.
    pub async fn list(&self, quota: &str, etag: Option<&str>) -> Result<List> {
        let path = list_path(quota);
        let headers: Vec<(&str, &str)> = etag.map(|etag| ("if-none-match", etag)).into_iter().collect();
        let reply = self.send(Method::GET, &path, &headers, None).await?;
        match reply.status {
            304 => Ok(List::Same),
            200 => page(&reply).map_err(|why| self.unreadable(&path, why)),
            _ => Err(self.refusal(&path, &reply)),
        }
    }
}

fn list_path(quota: &str) -> String {
    format!("tasks?quota={quota}")
}

fn page(reply: &Reply) -> serde_json::Result<List> {
    let page: ListPage = serde_json::from_slice(&reply.body)?;
    let (good, bad): (Vec<ListEntry>, Vec<ListEntry>) =
        page.tasks.into_iter().partition(|entry| is_id(&entry.id));
    let refused = bad.iter().map(|entry| bad_id(&entry.id)).collect();
    let tasks = good.into_iter().map(ListEntry::into_listed).collect();
    Ok(List::Tasks { tasks, etag: reply.etag.clone(), refused })
}

/// An id becomes the name of a directory, a part of an address and an argument of a command.
pub fn is_id(id: &str) -> bool {
    let is_plain = id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    (1..=ID_LIMIT).contains(&id.len()) && is_plain && !id.starts_with(['.', '-'])
}

/// The failure for a bad id.
pub fn bad_id(id: &str) -> Failure {
    let shown: String = id.chars().take(40).collect();
    let message = format!("{shown:?} is not an id of a task");
    Failure::new(
        Kind::Data,
        message,
        format!(
            "use 1 to {ID_LIMIT} letters, digits, '.', '_' and '-', and begin with a letter, a digit or '_'"
        ),
    )
}

#[cfg(test)]
mod tests {
    use crate::sessions::dashboard::list::*;

    #[test]
    fn an_id_can_be_a_directory_an_address_and_an_argument() {
        for id in ["a", "T-1", "01J_x.y", "9"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", ".", "..", ".hidden", "-x", "a/b", "a b", "é", "a%20", &"x".repeat(129)] {
            assert!(!is_id(id), "{id}");
        }
    }
}
