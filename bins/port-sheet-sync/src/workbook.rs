//! One spreadsheet in one run: what its sheets share, so that three tabs do not cost three times as much.
//!
//! It remembers answers for as long as they are as good as new, and decides nothing about rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use shared::config::Sheet;
use shared::job::Context;
use shared::store::Purpose;
use shared::{Kind, Result};
use tokio::time::Instant;

use crate::Args;
use crate::google::{Client, Tab};

/// How long the grids and headers of further tabs stay good: people add rows meanwhile, and a row that is not read
/// would be taken for missing.
const FRESH: Duration = Duration::from_secs(10);

/// The spreadsheets of a run. Sheets of one spreadsheet and one credential share a connection, its access token and
/// what is known of the tabs.
pub struct Workbooks<'a> {
    sheets: Vec<&'a Sheet>,
    open: HashMap<(&'a str, &'a str), Workbook>,
}

impl<'a> Workbooks<'a> {
    /// The spreadsheets that these sheets are in. None is open yet.
    pub fn of(sheets: &[&'a Sheet]) -> Self {
        Self { sheets: sheets.to_vec(), open: HashMap::new() }
    }

    /// The spreadsheet of a sheet, for work that must be done by `deadline`. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn open(
        &mut self,
        context: &Context,
        sheet: &'a Sheet,
        args: &Args,
        deadline: Instant,
    ) -> Result<&mut Workbook> {
        let place = |sheet: &'a Sheet| (sheet.credential.as_str(), sheet.spreadsheet.as_str());
        let slot = match self.open.entry(place(sheet)) {
            Entry::Occupied(slot) => return Ok(slot.into_mut()),
            Entry::Vacant(slot) => slot,
        };
        let client = connect(context, sheet, args, deadline)?;
        let tabs = self.sheets.iter().filter(|other| place(other) == place(sheet));
        Ok(slot.insert(Workbook::new(client, tabs.map(|sheet| sheet.tab.clone()).collect())))
    }
}

/// A connection to a sheet's spreadsheet, for work that must be done by `deadline`. Nothing is sent yet.
///
/// # Errors
/// As [`Context::tokens_for`], [`Context::budget`] and [`Client::new`].
pub fn connect(context: &Context, sheet: &Sheet, args: &Args, deadline: Instant) -> Result<Client> {
    // A dry run is not held up by a dead credential, so nothing is to start it again later.
    let purpose = if args.dry_run { Purpose::Look } else { Purpose::Work };
    let tokens = context.tokens_for(&sheet.credential, purpose)?;
    let budget = context.budget(&sheet.credential, deadline)?;
    Client::new(&context.config.google, tokens, &sheet.spreadsheet, budget)
}

/// The version of the spreadsheet's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// What Drive answered.
    Known(String),
    /// The credential may not ask.
    Unasked,
    /// Why Drive did not tell.
    Untold(String),
}

/// A spreadsheet and what is known of it.
pub struct Workbook {
    /// The requests.
    pub client: Client,
    /// The tabs that are still to be synced.
    waiting: Vec<String>,
    tabs: HashMap<String, Tab>,
    read: Instant,
    writes_then: u64,
    first_version: Option<Version>,
    version: Option<(u64, Version)>,
}

impl Workbook {
    /// A spreadsheet of which these tabs are to be synced.
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

    /// A tab's grid and header. The tabs that come after it are read along with it, and are taken from there as long as
    /// nothing was written since.
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
    pub async fn first_version(&mut self) -> Result<Version> {
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
    pub async fn version(&mut self) -> Result<Version> {
        let writes = self.client.requests().1;
        if let Some((then, version)) = &self.version
            && *then == writes
        {
            return Ok(version.clone());
        }
        let version = match self.client.version().await? {
            Some(Ok(version)) => Version::Known(version),
            Some(Err(refusal)) => Version::Untold(refusal.to_string()),
            None => Version::Unasked,
        };
        self.version = Some((writes, version.clone()));
        Ok(version)
    }
}
