//! What else is wrong with a credential whose token is good.

use rusqlite::{OptionalExtension, params};

use crate::store::Store;
use crate::{Failure, Kind, Result};

impl Store {
    /// What token-check found wrong with a credential whose token is good, such as a sheet that is not shared: it is
    /// kept until a later probe finds otherwise.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be read.
    pub fn standing(&mut self, credential: &str) -> Result<Option<Failure>> {
        self.transaction(|transaction| {
            let query = "SELECT exit, message, hint FROM standing WHERE credential = ?1";
            transaction
                .query_row(query, params![credential], |row| {
                    let (exit, message, hint): (u8, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    Ok(Failure::new(Kind::from_exit_code(exit), message, hint))
                })
                .optional()
        })
    }

    /// Records what is wrong, or that nothing is.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the database cannot be written.
    pub fn set_standing(&mut self, credential: &str, failure: Option<&Failure>) -> Result<()> {
        self.transaction(|transaction| {
            transaction.execute("DELETE FROM standing WHERE credential = ?1", params![credential])?;
            let Some(failure) = failure else { return Ok(()) };
            let insert = "INSERT INTO standing (credential, exit, message, hint) VALUES (?1, ?2, ?3, ?4)";
            let values = params![credential, failure.kind.exit_code(), failure.message, failure.hint];
            transaction.execute(insert, values).map(drop)
        })
    }
}
