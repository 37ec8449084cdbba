//! Other sources than the usual CSV file, and the secrets that they need.

use std::path::PathBuf;

use serde_json::json;

use crate::world::World;

/// How the table of the source begins.
const TABLE: &str = "[sheet.port-sheet.source]\n";

impl World {
    /// Replaces the table of the source by these lines.
    ///
    /// # Panics
    /// When the configuration has no such table.
    pub fn set_source(&self, lines: &str) {
        let text = self.config_text();
        let (before, after) = text.split_once(TABLE).expect("a table of the source");
        let end = after.find("\n[").unwrap_or(after.len());
        self.write("config.toml", format!("{before}{TABLE}{lines}\n{}", &after[end..]).as_bytes());
    }

    /// Puts a secret into a file of the credentials directory, and remembers it, so that every later run is searched
    /// for it.
    pub fn write_secret(&self, name: &str, secret: &str) -> PathBuf {
        self.know_secrets_of(&json!({ "token": secret }));
        let path = self.state().join("credentials").join(name);
        self.write_private(&path, format!("{secret}\n").as_bytes());
        path
    }
}
