//! One sheet, from source to commit: source → spool → snapshot → plan → journal → apply → verify → commit.
//!
//! It strings the steps together. A plan that was not verified is made again from what the sheet holds then.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::SystemTime;

use log::info;
use shared::config::Sheet;
use shared::http::Http;
use shared::job::Context;
use shared::oauth::TokenSource;
use shared::{Failure, Kind, Result};

use crate::apply::{self, Target, Written};
use crate::base::{self, Known};
use crate::column::{Columns, KeyHash};
use crate::google::{Client, Tab, Trouble};
use crate::layout::Layout;
use crate::plan::{self, Facts, Plan, several};
use crate::result::SheetResult;
use crate::snapshot::{self, Snapshot};
use crate::spool::{self, Spool};
use crate::value::Cell;
use crate::{Args, journal, show, verify};

/// How often a plan is made and written before giving up, when people or the network keep coming in between.
const ROUNDS: u32 = 3;

/// How many rows without a key are noted.
const NOTES: usize = 20;

/// Syncs one sheet; every failure ends up in the result. The text is a dry run's plan.
pub async fn sync(context: &Context, sheet: &Sheet, args: &Args) -> (SheetResult, String) {
    let mut result = SheetResult::new(&sheet.name);
    let mut text = String::new();
    if let Err(failure) = try_sync(context, sheet, args, &mut result, &mut text).await {
        result.fail(failure.within(format_args!("sheet {:?}", sheet.name)));
    }
    (result, text)
}

async fn try_sync(
    context: &Context,
    sheet: &Sheet,
    args: &Args,
    result: &mut SheetResult,
    text: &mut String,
) -> Result<()> {
    let (spool, columns) = spool::fill(&context.state.spool(), sheet)?;
    result.source_rows = spool.source_rows;
    result.rejected = spool.rejected;
    result.problems.clone_from(&spool.problems);
    let mut run =
        SheetRun { context, sheet, args, columns, spool, client: client(context, sheet)?, counted: false };
    let done = run.rounds(result, text).await;
    (result.reads, result.writes) = run.client.requests();
    done?;
    report_bad_rows(&run.spool, result)
}

/// Good rows are in the sheet by now; the bad ones still make the run fail.
fn report_bad_rows(spool: &Spool, result: &SheetResult) -> Result<()> {
    if result.rejected == 0 && result.problems.is_empty() {
        return Ok(());
    }
    let count = result.rejected.max(result.problems.len() as u64);
    Err(Failure::new(
        Kind::Data,
        format!(
            "{count} rows could not be used, the others are in step: {}",
            several(&result.problems, count)
        ),
        format!(
            "mend them where they come from; all refused rows of the source are listed in {}",
            spool.rejected_path.display()
        ),
    ))
}

fn client(context: &Context, sheet: &Sheet) -> Result<Client> {
    let google = &context.config.google;
    let granted = context.environment.credentials_directory.as_deref();
    let place = context.config.place(&sheet.credential, granted, &context.state.credentials())?;
    let scopes = context
        .config
        .credentials
        .get(&sheet.credential)
        .map(|entry| entry.scopes.clone())
        .unwrap_or_default();
    let tokens = TokenSource::new(
        place,
        scopes,
        context.state.locks(),
        Http::new(google.timeout)?,
        google.first_pause,
    );
    Client::new(google, tokens, &sheet.spreadsheet)
}

/// What the steps of one sheet share.
struct SheetRun<'a> {
    context: &'a Context,
    sheet: &'a Sheet,
    args: &'a Args,
    columns: Columns,
    spool: Spool,
    client: Client,
    counted: bool,
}

/// What was read and decided in one round.
struct Round {
    tab: Tab,
    layout: Layout,
    snapshot: Snapshot,
    plan: Plan,
}

impl SheetRun<'_> {
    async fn rounds(&mut self, result: &mut SheetResult, text: &mut String) -> Result<()> {
        for number in 1..=ROUNDS {
            let round = self.read_and_plan().await?;
            self.count(&round, result);
            if self.args.dry_run {
                *text = show::plan(
                    self.sheet,
                    &self.columns,
                    &round.layout,
                    &round.plan,
                    &mut self.spool.reader()?,
                )?;
                return Ok(());
            }
            if number > 1 && !round.plan.is_empty(&round.layout) {
                result
                    .notes
                    .push(format!("round {number} repaired what changed meanwhile: {}", round.plan.extent()));
            }
            if round.plan.is_empty(&round.layout) || self.write(number, &round).await? {
                return self.commit(&round, result);
            }
        }
        let round = self.read_and_plan().await?;
        if round.plan.is_empty(&round.layout) {
            return self.commit(&round, result);
        }
        Err(Failure::new(
            Kind::Data,
            format!(
                "after {ROUNDS} rounds the sheet still does not hold what was written: {}",
                several(&differences(&self.columns, &round.plan), round.plan.updates.len() as u64)
            ),
            "is someone sorting, is a script or a formula filling these columns? The next run tries again",
        ))
    }

    async fn read_and_plan(&mut self) -> Result<Round> {
        let base_path = self.base_path();
        let base_columns = base::columns(&base_path)?;
        let tab = self.client.tab(&self.sheet.tab).await?;
        let mut layout = Layout::find(self.sheet, &self.columns, &tab.header, tab.columns, &base_columns)?;
        let snapshot =
            snapshot::take(&mut self.client, self.sheet, &tab, &self.columns, &layout, &mut self.spool)
                .await?;
        let base = self.look_up(&base_path, &snapshot)?;
        let facts = Facts {
            sheet: self.sheet,
            columns: &self.columns,
            spool: &self.spool,
            snapshot: &snapshot,
            source: &self.source_cells(&snapshot)?,
            base: base.as_ref(),
            base_columns: &base_columns,
            allow_shrink: self.args.allow_shrink,
            today: self.context.started.date_naive(),
        };
        let plan = plan::make(&facts, &mut layout)?;
        Ok(Round { tab, layout, snapshot, plan })
    }

    /// What the base says about the rows in question; nothing is read when there is no question.
    fn look_up(&self, path: &std::path::Path, snapshot: &Snapshot) -> Result<Option<Known>> {
        let differing = snapshot.differing.iter().map(|row| row.key.hash);
        let wanted: HashSet<KeyHash> =
            differing.chain(snapshot.missing.iter().map(|row| row.key.hash)).collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        base::look_up(path, &self.columns, &wanted)
    }

    /// The source's cells for the rows that differ.
    fn source_cells(&self, snapshot: &Snapshot) -> Result<HashMap<KeyHash, Vec<Cell>>> {
        let mut reader = self.spool.reader()?;
        let entries = snapshot
            .differing
            .iter()
            .filter_map(|row| Some((row.key.hash, self.spool.index.get(&row.key.hash)?)));
        entries.map(|(key, entry)| Ok((key, reader.row_at(entry.offset)?.1))).collect()
    }

    /// Journals and writes a plan. Answers whether the sheet was seen to hold it.
    async fn write(&mut self, number: u32, round: &Round) -> Result<bool> {
        let dir = self.context.state.journal().join(&self.sheet.name);
        let mut rows = self.spool.reader()?;
        journal::write(
            &dir,
            &self.context.run,
            number,
            &self.columns,
            &round.plan,
            &round.layout.added,
            &mut rows,
        )?;
        let Round { tab, layout, snapshot, plan } = round;
        let target = Target { sheet: self.sheet, tab, columns: &self.columns, layout, snapshot };
        match apply::apply(&mut self.client, &target, plan, &mut rows).await {
            Ok(Written::Atomically) => verify::is_written(&mut self.client, &target, plan, &self.spool).await,
            // The next round reads everything and finds nothing left to do.
            Ok(Written::InBulk) => Ok(false),
            Err(Trouble::Unknown(failure)) if number < ROUNDS => {
                info!("{failure}; it may have been done all the same, so the sheet is read again");
                Ok(false)
            }
            Err(trouble) => Err(trouble.into_failure()),
        }
    }

    /// The first round's plan is the difference between before and after, whatever later rounds had to repeat.
    fn count(&mut self, round: &Round, result: &mut SheetResult) {
        if std::mem::replace(&mut self.counted, true) {
            return;
        }
        let plan = &round.plan;
        result.rejected += plan.held_back;
        result.problems.extend(plan.problems.iter().cloned());
        let blank = round.snapshot.blank_keys.iter().take(NOTES);
        result.notes.extend(
            blank.map(|row| format!("row {row} has cells in owned columns but no key; it was left alone")),
        );
        result.drifted = plan.drifts.len() as u64;
        result.added = plan.adds.len() as u64;
        result.updated = plan.updates.len() as u64;
        result.removed = plan.flags.len() as u64;
        result.cells_written = plan.cells(self.columns.count());
        result.unchanged = result.source_rows.saturating_sub(result.rejected + result.added + result.updated);
    }

    fn commit(&self, round: &Round, result: &mut SheetResult) -> Result<()> {
        base::commit(&self.base_path(), &self.columns, &self.spool, &round.snapshot)?;
        journal::prune(&self.context.state.journal().join(&self.sheet.name), SystemTime::now());
        result.verified = true;
        Ok(())
    }

    fn base_path(&self) -> PathBuf {
        base::path(&self.context.state.spool(), &self.sheet.name)
    }
}

fn differences(columns: &Columns, plan: &Plan) -> Vec<String> {
    let change = |update: &plan::RowUpdate| {
        let (index, cell) = update.changes.first()?;
        let column = &columns.all()[*index];
        Some(format!(
            "row {} ({}), {:?} should be {:?}",
            update.row,
            update.key,
            column.header,
            cell.shown(column.kind)
        ))
    };
    plan.updates.iter().take(5).filter_map(change).collect()
}
