//! The list of a dashboard's tasks, and what may be the id of one.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::Dashboard;
use crate::http::Reply;
use crate::store::Listed;
use crate::{Failure, Kind, Result};

/// The longest id of a task.
const ID_LIMIT: usize = 128;

/// What the dashboard lists.
#[derive(Debug)]
pub enum List {
    /// The same as the last time.
    Same,
    /// These tasks.
    Tasks {
        /// What may be run.
        tasks: Vec<Listed>,
        /// The mark of this list.
        etag: Option<String>,
        /// What may not, and why.
        refused: Vec<Failure>,
    },
}

#[derive(Deserialize)]
struct Page {
    tasks: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    generation: u32,
    #[serde(default)]
    task: Value,
}

impl Dashboard {
    /// The address of the list of a quota's tasks.
    pub fn list_url(&self, quota: &str) -> String {
        format!("{}{}", self.url, list_path(quota))
    }

    /// The tasks of a quota that may be run.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when it does not answer, [`Kind::Credential`] when it does not take the token,
    /// [`Kind::Config`] when it is no such dashboard, [`Kind::Data`] when its answer cannot be read.
    pub async fn list(&self, quota: &str, etag: Option<&str>) -> Result<List> {
        let path = list_path(quota);
        let headers: Vec<(&str, &str)> = etag.map(|etag| ("if-none-match", etag)).into_iter().collect();
        let reply = self.send(Method::GET, &path, &headers, None).await?;
        match reply.status {
            304 => Ok(List::Same),
            200 => page(&reply).map_err(|why| self.unreadable(&path, &why)),
            _ => Err(self.refusal(&path, &reply)),
        }
    }
}

fn list_path(quota: &str) -> String {
    format!("tasks?quota={quota}")
}

fn page(reply: &Reply) -> std::result::Result<List, String> {
    let page: Page = serde_json::from_slice(&reply.body).map_err(|error| error.to_string())?;
    let (good, bad): (Vec<Entry>, Vec<Entry>) = page.tasks.into_iter().partition(|entry| is_id(&entry.id));
    let refused = bad.iter().map(|entry| bad_id(&entry.id)).collect();
    let listed = |entry: Entry| Listed { id: entry.id, generation: entry.generation, body: entry.task };
    Ok(List::Tasks { tasks: good.into_iter().map(listed).collect(), etag: reply.etag.clone(), refused })
}

/// Ids become names of directories, parts of addresses and arguments of commands.
pub fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=ID_LIMIT).contains(&id.len()) && id.chars().all(plain) && !id.starts_with(['.', '-'])
}

/// What is wrong with an id that is none.
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
    use super::*;

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
