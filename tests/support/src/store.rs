//! The run records in `state.db`, as any SQLite client reads them.

use rusqlite::{Connection, OpenFlags};

use crate::world::World;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The executable.
    pub job: String,
    /// `running`, `ok`, `failed` or `skipped`.
    pub outcome: String,
    /// The exit code, once it has ended.
    pub exit: Option<i64>,
    /// The kind of its failure.
    pub kind: Option<String>,
    /// The text of its failure.
    pub message: Option<String>,
    /// The hint of its failure.
    pub hint: Option<String>,
    /// Its JSON result.
    pub result: Option<String>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When, in RFC 3339.
    pub at: String,
    /// What happened.
    pub kind: String,
    /// The text.
    pub text: String,
}

impl World {
    /// The events, oldest first.
    ///
    /// # Panics
    /// When the database is not there or not as documented.
    pub fn events(&self) -> Vec<Told> {
        let database = self.database();
        let mut query = database.prepare("SELECT at, kind, text FROM event ORDER BY id").expect("events");
        let told =
            |row: &rusqlite::Row<'_>| Ok(Told { at: row.get(0)?, kind: row.get(1)?, text: row.get(2)? });
        query.query_map([], told).expect("events").map(|event| event.expect("an event")).collect()
    }

    fn database(&self) -> Connection {
        let path = self.state().join("state.db");
        Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The run records, oldest first.
    ///
    /// # Panics
    /// When the database is not there or not as documented.
    pub fn records(&self) -> Vec<Record> {
        let database = self.database();
        let columns = "job, outcome, exit, kind, message, hint, result";
        let mut query = database
            .prepare(&format!("SELECT {columns} FROM run ORDER BY started, run"))
            .expect("the run table");
        let record = |row: &rusqlite::Row<'_>| {
            Ok(Record {
                job: row.get(0)?,
                outcome: row.get(1)?,
                exit: row.get(2)?,
                kind: row.get(3)?,
                message: row.get(4)?,
                hint: row.get(5)?,
                result: row.get(6)?,
            })
        };
        let records = query.query_map([], record).expect("run records");
        records.map(|record| record.expect("a run record")).collect()
    }
}
