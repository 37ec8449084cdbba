//! One spreadsheet in one run: what its sheets share, so that three tabs do not cost three times as much.
//!
//! It keeps responses while they are current, and decides nothing about rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use shared::config::Sheet;
use shared::run::Context;
use shared::store::Purpose;
use shared::{Kind, Result};
use tokio::time::Instant;

use crate::google::Client;
use crate::google::file_version::FileVersion;
use crate::sheet::tab::Tab;

/// How long the grids and headers of further tabs stay good: users add rows meanwhile, and a row that is not read
/// would count as missing.
const FRESH: Duration = Duration::from_secs(10);

/// The spreadsheets of a run. Sheets of one spreadsheet and one credential share a connection, its access token and
/// what is known of the tabs.
pub struct Spreadsheets<'a> {
    sheets: Vec<&'a Sheet>,
    open: HashMap<(&'a str, &'a str), Spreadsheet>,
}

impl<'a> Spreadsheets<'a> {
    /// The spreadsheets that these sheets are in. No connection is open yet.
    pub fn of(sheets: &[&'a Sheet]) -> Self {
        Self { sheets: sheets.to_vec(), open: HashMap::new() }
    }

    /// The spreadsheet of a sheet, for work that must be done by `deadline`. It sends no request.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn open(
        &mut self,
        context: &Context,
        sheet: &'a Sheet,
        purpose: Purpose,
        deadline: Instant,
    ) -> Result<&mut Spreadsheet> {
        let slot = match self.open.entry(place(sheet)) {
            Entry::Occupied(slot) => return Ok(slot.into_mut()),
            Entry::Vacant(slot) => slot,
        };
        let client = connect(context, sheet, purpose, deadline)?;
        let tabs = self.sheets.iter().filter(|other| place(other) == place(sheet));
        Ok(slot.insert(Spreadsheet::new(client, tabs.map(|sheet| sheet.tab.clone()).collect())))
    }
}

/// What sheets of one connection have in common.
fn place(sheet: &Sheet) -> (&str, &str) {
    (sheet.credential.as_str(), sheet.spreadsheet.as_str())
}

/// A connection to a sheet's spreadsheet, for work that must be done by `deadline`. It sends no request.
///
/// # Errors
/// As [`Context::tokens_for`], [`Context::budget`] and [`Client::new`].
pub fn connect(context: &Context, sheet: &Sheet, purpose: Purpose, deadline: Instant) -> Result<Client> {
    let tokens = context.tokens_for(&sheet.credential, purpose)?;
    let budget = context.budget(&sheet.credential, deadline)?;
    Client::new(&context.config.google, tokens, &sheet.spreadsheet, &context.run, budget)
}

/// A spreadsheet and what is known of it.
pub struct Spreadsheet {
    /// The requests.
    pub client: Client,
    /// The tabs that are still to be synced.
    waiting: Vec<String>,
    tabs: HashMap<String, Tab>,
    read: Instant,
    writes_then: u64,
    first_version: Option<FileVersion>,
    version: Option<(u64, FileVersion)>,
}

impl Spreadsheet {
    /// A spreadsheet with the tabs to sync.
    fn new(client: Client, tabs: Vec<String>) -> Self {
        let (read, writes_then) = (Instant::now(), 0);
        Self {
            client,
            waiting: tabs,
            tabs: HashMap::new(),
            read,
            writes_then,
            first_version: None,
            version: None,
        }
    }

    /// A tab's grid and header. The tabs that come after it are read along with it, and are used as long as
    /// there was no write since then.
    ///
    /// # Errors
    /// As [`Client::tab`].
    pub async fn tab(&mut self, title: &str) -> Result<Tab> {
        self.waiting.retain(|waiting| waiting != title);
        let is_fresh = self.client.requests().1 == self.writes_then && self.read.elapsed() < FRESH;
        if let Some(tab) = self.tabs.remove(title).filter(|_| is_fresh) {
            return Ok(tab);
        }
        if self.waiting.is_empty() {
            return self.client.tab(title).await;
        }
        (self.read, self.writes_then) = (Instant::now(), self.client.requests().1);
        let titles: Vec<&str> =
            std::iter::once(title).chain(self.waiting.iter().map(String::as_str)).collect();
        match self.client.tabs(&titles).await {
            Ok(tabs) => self.tabs = tabs,
            // One of them is not there. Which one is its own sheet's failure, so each asks for itself from now on.
            Err(failure) if failure.kind == Kind::Data => self.waiting.clear(),
            Err(failure) => return Err(failure),
        }
        match self.tabs.remove(title) {
            Some(tab) => Ok(tab),
            None => self.client.tab(title).await,
        }
    }

    /// The file's version when the first sheet asked: what was the same then was not changed before this run.
    ///
    /// # Errors
    /// When there is no access token.
    pub async fn first_version(&mut self) -> Result<FileVersion> {
        if let Some(version) = &self.first_version {
            return Ok(version.clone());
        }
        let version = self.version().await?;
        Ok(self.first_version.insert(version).clone())
    }

    /// The file's version, asked for again after every write of ours.
    ///
    /// # Errors
    /// When there is no access token.
    pub async fn version(&mut self) -> Result<FileVersion> {
        let writes = self.client.requests().1;
        if let Some((then, version)) = &self.version
            && *then == writes
        {
            return Ok(version.clone());
        }
        let version = self.client.version().await?;
        self.version = Some((writes, version.clone()));
        Ok(version)
    }
}
