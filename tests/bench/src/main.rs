//! Measures the sync against its targets, beside a floor and beside its peers, all doing the same work on the local
//! stand-in: `cargo run --release -p bench`.
//!
//! Requests and memory are exact and decide the exit code. Times are printed beside those of the floor and of the peers in
//! the same run, and decide nothing.

mod data;
mod floor;
mod measure;
mod peers;
mod standin;
mod table;
mod trial;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::ensure;
use clap::{Parser, Subcommand};

use standin::StandIn;
use table::{Limit, Table};
use trial::{Run, Trial};

const MIB: u64 = 1024 * 1024;

/// Measure port-sheet-sync against its targets; exits with 1 when requests or memory miss one.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Leave out gspread and gspread-dataframe
    #[arg(long)]
    without_peers: bool,
}

/// What the bench runs of itself.
#[derive(Subcommand)]
enum Part {
    /// Run a command and print what it cost
    #[command(hide = true)]
    Measure { command: Vec<String> },
    /// Parse a source and answers, and nothing else
    #[command(hide = true)]
    Floor { source: PathBuf, answers: PathBuf },
}

#[expect(clippy::print_stderr, reason = "an executable tells its user what is wrong")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.part {
        Some(Part::Measure { command }) => measure::measure(&command).map(|()| true),
        Some(Part::Floor { source, answers }) => floor::floor(&source, &answers).map(|()| true),
        None => bench(arguments.without_peers),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every target is met.
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn bench(without_peers: bool) -> anyhow::Result<bool> {
    let sync = built("port-sheet-sync")?;
    let standin = StandIn::start(&built("google-standin")?)?;
    let dir = tempfile::tempdir()?;
    let mut table = Table::default();
    start_up(&standin, dir.path(), &sync, &mut table)?;
    hotel(&standin, dir.path(), &sync, &mut table)?;
    ten_million_cells(&standin, dir.path(), &sync, &mut table)?;
    if !without_peers {
        peers::measure(&standin, dir.path(), &mut table)?;
    }
    println!("{table}");
    Ok(table.is_met())
}

/// Builds an executable by itself, so that no other package's features are in it, and returns where it is.
fn built(package: &str) -> anyhow::Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let args = ["build", "--quiet", "--locked", "--release", "--package", package];
    let status = Command::new(env!("CARGO")).current_dir(&root).args(args).status()?;
    ensure!(status.success(), "{package} could not be built");
    Ok(root.join("target/release").join(package).to_string_lossy().into_owned())
}

/// Whole runs over three bookings. One of which the first request is refused costs a little more than what happens
/// before it.
fn start_up(standin: &StandIn, dir: &Path, sync: &str, table: &mut Table) -> anyhow::Result<()> {
    let trial = Trial::new(standin, dir, "small", &data::cells(3, 4))?;
    trial.sync(sync)?;
    table.ours("3 bookings, no-op", &trial.sync(sync)?, Limit::NONE);
    let what = "start-up, a first request that is refused, and the end (start-up: at most 0.010 s of CPU)";
    table.ours(what, &trial.start(sync)?, Limit::NONE);
    Ok(())
}

fn hotel(standin: &StandIn, dir: &Path, sync: &str, table: &mut Table) -> anyhow::Result<()> {
    let bookings = data::hotel_bookings(None)?;
    let trial = Trial::new(standin, dir, data::HOTEL, &bookings)?;
    let load = trial.sync(sync)?;
    let requests = load.asked.sent.div_ceil(2_000_000) + 30;
    table.ours("full load", &load, Limit { requests, writes: requests, mib: 64 });
    let limit = Limit { requests: 1, writes: 0, mib: 32 };
    table.ours("no-op, file version unchanged", &trial.sync(sync)?, limit);
    trial.read_whole_always()?;
    let no_op = median(|| trial.sync(sync))?;
    table.ours("no-op with a full read", &no_op, Limit { requests: 25, writes: 0, mib: 64 });
    let answers = trial.answers()?;
    table.floor(&median(|| trial.floor(&answers))?, &no_op);
    trial.source(&data::hotel_bookings(Some(11_939))?)?;
    let requests = no_op.asked.reads + 3;
    table.ours("10 rows changed", &trial.sync(sync)?, Limit { requests, writes: 2, mib: 64 });
    Ok(())
}

/// Of so many runs the one that took as much of the processor as half of the others at most.
const RUNS: usize = 5;

fn median(mut run: impl FnMut() -> anyhow::Result<Run>) -> anyhow::Result<Run> {
    let mut runs: Vec<Run> = (0..RUNS).map(|_| run()).collect::<anyhow::Result<_>>()?;
    runs.sort_by_key(|run| run.cost.cpu);
    Ok(runs.swap_remove(RUNS / 2))
}

fn ten_million_cells(standin: &StandIn, dir: &Path, sync: &str, table: &mut Table) -> anyhow::Result<()> {
    let trial = Trial::new(standin, dir, "large", &data::cells(99_999, 100))?;
    table.ours("10,000,000 cells, full load", &trial.sync(sync)?, Limit::NONE);
    trial.read_whole_always()?;
    table.ours("10,000,000 cells, no-op", &trial.sync(sync)?, Limit { requests: 60, writes: 0, mib: 128 });
    Ok(())
}
