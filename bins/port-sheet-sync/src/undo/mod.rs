//! `--undo RUN`: puts back what a run changed, where nobody changed it since, and tells the rest.
//!
//! It works as a sync does: read, plan, journal, write, read again, until nothing is left to do; so it may be killed at any
//! point and typed again, and can itself be undone. What a run did comes from its journals alone.

mod ground;
mod headers;
mod net;
mod plan;
mod rows;
mod write;

use std::path::PathBuf;

use log::info;
use shared::config::Sheet;
use shared::job::Context;
use shared::{Failure, Kind, Result, retry};
use tokio::time::sleep;

use crate::column::Columns;
use crate::google::{Client, Trouble};
use crate::journal::{self, Heading, past};
use crate::plan::several;
use crate::proof;
use crate::result::SheetResult;
use ground::Ground;
use net::Net;
use plan::{Plan, Put, repairs};

/// How often the sheet is read and written before giving up: each kind of change has a round of its own, and people may
/// come in between.
const ROUNDS: u32 = 12;

/// How much of what stays as it is is told.
const TOLD: usize = 200;

/// What became of requests.
type Sent<T> = std::result::Result<T, Trouble>;

/// One undo.
struct Undo<'a> {
    context: &'a Context,
    sheet: &'a Sheet,
    client: Client,
    columns: Columns,
    heading: Heading,
    then: Heading,
    net: Net,
    /// Bookings whose row was put back.
    tried: Vec<String>,
    /// The writes of the round before, and what the sheet was then.
    last: Option<(Vec<Put>, Ground)>,
    /// Rows beside which people wrote.
    in_use: Vec<String>,
    /// Cells of rows that came back, whose column is gone.
    lost: Vec<String>,
    /// How many things stay as they are.
    left: usize,
}

/// Puts back what a run did; counts and what stays as it is are in the result, the text is for people.
///
/// # Errors
/// [`Kind::Usage`] when there is no such run, and as every request.
pub async fn undo(
    context: &Context,
    sheet: &Sheet,
    run: &str,
    dry_run: bool,
    client: Client,
    result: &mut SheetResult,
) -> Result<String> {
    let dir = journals(context, sheet);
    let (then, lines) = past::of_run(&dir, run)?.ok_or_else(|| unknown(run))?;
    if then.home != crate::spool::home(sheet) {
        return Err(Failure::new(
            Kind::Data,
            format!("run {run} wrote to another spreadsheet or tab than the configuration names today"),
            format!("set spreadsheet = and tab = of sheet {:?} back for the undo", sheet.name),
        ));
    }
    let columns = Columns::of_a_run(&then.columns, &then.key)?;
    let headers: Vec<String> = then.columns.iter().map(|column| column.header.clone()).collect();
    let heading =
        Heading { undoes: Some(run.to_owned()), ..Heading::new(context, sheet, &columns, &then.header) };
    let net = Net::of(lines, &headers);
    let mut undo = Undo {
        context,
        sheet,
        client,
        columns,
        heading,
        then,
        net,
        tried: Vec::new(),
        last: None,
        in_use: Vec::new(),
        lost: Vec::new(),
        left: 0,
    };
    if !dry_run {
        proof::revoke(&proof::path(&context.state.spool(), &sheet.name))?;
    }
    let done = undo.rounds(dry_run, result).await;
    (result.reads, result.writes) = undo.client.requests();
    done?;
    Ok(told(run, dry_run, undo.left, result))
}

/// Where a sheet's journals are.
pub fn journals(context: &Context, sheet: &Sheet) -> PathBuf {
    context.state.journal().join(&sheet.name)
}

fn unknown(run: &str) -> Failure {
    Failure::new(
        Kind::Usage,
        format!("no journal of a run {run:?} is left; they are kept for 90 days"),
        "the runs that can be undone: port-sheet-sync --history",
    )
}

/// What was done in this round.
enum Step {
    /// Nothing was left to do.
    Nothing,
    /// Something; the sheet must be read again.
    Something,
}

impl Undo<'_> {
    async fn rounds(&mut self, dry_run: bool, result: &mut SheetResult) -> Result<()> {
        let mut pauses = retry::pauses(self.context.config.google.first_pause);
        for _ in 0..ROUNDS {
            match self.round(dry_run, result).await {
                Ok(Step::Nothing) => {
                    if !dry_run {
                        journal::commit_run(&self.journals(), &self.context.run)?;
                        result.verified = true;
                    }
                    return Ok(());
                }
                Ok(Step::Something) => {}
                Err(Trouble::Refused(failure)) => return Err(failure),
                Err(Trouble::Unknown(failure)) => {
                    let Some(pause) = pauses.next() else { return Err(failure) };
                    info!("{failure}; it may have been done all the same, so the sheet is read again");
                    sleep(pause).await;
                }
            }
        }
        Err(Failure::new(
            Kind::Data,
            format!("after {ROUNDS} rounds the sheet still does not hold what was put back"),
            "is someone sorting, or is a script writing? type the same command again",
        ))
    }

    async fn round(&mut self, dry_run: bool, result: &mut SheetResult) -> Sent<Step> {
        let spill = self.context.state.spool().join(format!("{}.undo", self.sheet.name));
        let mut ground =
            Ground::read(&mut self.client, self.sheet, &self.columns, &self.then, &spill).await?;
        // Rows are journaled in the columns of today.
        self.heading.header.clone_from(&ground.tab.header);
        if !dry_run && self.settle_removals(&ground).await? {
            return Ok(Step::Something);
        }
        if !dry_run && self.write_headers(&ground).await? {
            return Ok(Step::Something);
        }
        let mut plan = plan::make(&self.net, &self.columns, &mut ground, |key| {
            self.tried.iter().any(|tried| tried == key)
        })?;
        self.refuse_a_missing_key(&plan, &ground, dry_run)?;
        if let Some((last, mut before)) = self.last.take() {
            let repairs = repairs(&last, &mut before, &mut ground)?;
            if !repairs.is_empty() {
                result.notes.push(format!("people came in between; repaired: {} cells", repairs.len()));
                self.write_cells(&repairs, ground).await?;
                return Ok(Step::Something);
            }
        }
        self.keep_rows_in_use(&mut plan, &ground).await?;
        self.count(&plan, result);
        if dry_run { Ok(Step::Nothing) } else { self.carry_out(plan, ground).await }
    }

    /// One kind of change a round, since each moves what the next one is about.
    async fn carry_out(&mut self, plan: Plan, ground: Ground) -> Sent<Step> {
        if !plan.puts.is_empty() {
            self.write_cells(&plan.puts, ground).await?;
        } else if !plan.returns.is_empty() {
            self.put_back(plan.returns, &ground).await?;
        } else if !plan.removals.is_empty() {
            self.take_away(plan.removals, &ground).await?;
        } else if !self.clear_headers(&ground).await? {
            return Ok(Step::Nothing);
        }
        Ok(Step::Something)
    }

    /// The first plan is the difference between before and after; what stays is told as the last one has it.
    fn count(&mut self, plan: &Plan, result: &mut SheetResult) {
        if result.problems.is_empty() && result.cells_written + result.added + result.removed == 0 {
            result.cells_written = plan.puts.len() as u64;
            result.added = plan.returns.len() as u64;
            result.removed = plan.removals.len() as u64;
            let mut rows: Vec<u32> = plan.puts.iter().map(|put| put.row).collect();
            rows.dedup();
            result.updated = rows.len() as u64;
        }
        let left = || plan.left.iter().chain(&self.in_use).chain(&self.lost);
        self.left = left().count();
        result.problems = left().take(TOLD).cloned().collect();
        if self.left > TOLD {
            result.problems.push(format!("and {} more", self.left - TOLD));
        }
    }

    fn journals(&self) -> PathBuf {
        journals(self.context, self.sheet)
    }
}

fn told(run: &str, dry_run: bool, left: usize, result: &SheetResult) -> String {
    let done = if dry_run { "would be undone; nothing was written" } else { "is undone" };
    let mut text = format!(
        "{}: run {run} {done}: {} cells put back, {} rows put back, {} rows taken away, {left} things left as they are\n",
        result.sheet, result.cells_written, result.added, result.removed,
    );
    for left in &result.problems {
        text.push_str(&format!("  ! {left}\n"));
    }
    text.push_str("  The next sync brings the source's bookings again: change them there first, or stop the schedule.\n");
    text
}

/// The sheet that a run wrote to, when no `--sheet` names it.
///
/// # Errors
/// [`Kind::Usage`] when there is none, or several.
pub fn sheet_of<'a>(context: &Context, sheets: &[&'a Sheet], run: &str) -> Result<&'a Sheet> {
    let mut found = Vec::new();
    for sheet in sheets {
        if past::of_run(&journals(context, sheet), run)?.is_some() {
            found.push(*sheet);
        }
    }
    match found[..] {
        [] => Err(unknown(run)),
        [sheet] => Ok(sheet),
        _ => {
            let names: Vec<String> = found.iter().map(|sheet| sheet.name.clone()).collect();
            Err(Failure::new(
                Kind::Usage,
                format!("run {run} wrote to several sheets: {}", several(&names, names.len() as u64)),
                format!("undo one at a time: port-sheet-sync --undo {run} --sheet {}", names[0]),
            ))
        }
    }
}
