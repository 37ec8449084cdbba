//! One source and one sheet: a directory with a configuration and a state of its own.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::measure::{Cost, cost};
use crate::standin::{Asked, StandIn};

/// The tab of every trial.
pub(crate) const TAB: &str = "Port sheet";

/// How many rows one answer has, as the sync asks for them.
const ROWS_AN_ANSWER: usize = 8_192;

/// A source and a sheet.
pub(crate) struct Trial<'a> {
    standin: &'a StandIn,
    dir: PathBuf,
    pub(crate) spreadsheet: String,
    columns: usize,
    rows: usize,
}

/// What a run cost, and what it asked.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) cost: Cost,
    pub(crate) asked: Asked,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(standin: &'a StandIn, parent: &Path, name: &str, source: &str) -> anyhow::Result<Self> {
        let dir = parent.join(name);
        DirBuilder::new().mode(0o700).recursive(true).create(dir.join("state/credentials"))?;
        let header = source.lines().next().unwrap_or_default();
        let (columns, rows) = (header.split(',').count(), source.lines().count());
        let trial = Self { standin, dir, spreadsheet: standin.spreadsheet(TAB)?, columns, rows };
        write(&trial.dir.join("state/credentials/bench.json"), &standin.credential()?.to_string())?;
        let key = header.split(',').next().unwrap_or_default();
        write(&trial.config_path(), &trial.config(key))?;
        trial.source(source)?;
        standin.asked()?;
        Ok(trial)
    }

    fn config(&self, key: &str) -> String {
        let Self { standin, dir, spreadsheet, .. } = self;
        format!(
            "state-dir = {:?}\nmonitor = \"none\"\n[google]\nsheets-url = \"{}/\"\n\
             [credential.bench]\nfile = \"bench.json\"\nreads-per-minute = 10000\nwrites-per-minute = 10000\n\
             [sheet.bench]\ncredential = \"bench\"\nspreadsheet = {spreadsheet:?}\ntab = {TAB:?}\nkey = [{key:?}]\n\
             [sheet.bench.source]\nkind = \"csv\"\npath = {:?}\n",
            dir.join("state"),
            standin.url,
            self.source_path()
        )
    }

    fn config_path(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// From now on the sheet is read whole, whatever its file's version.
    pub(crate) fn read_whole_always(&self) -> anyhow::Result<()> {
        let config = std::fs::read_to_string(self.config_path())?;
        write(
            &self.config_path(),
            &config.replace("[sheet.bench.source]", "full-read-every = \"0s\"\n[sheet.bench.source]"),
        )
    }

    pub(crate) fn source_path(&self) -> PathBuf {
        self.dir.join("source.csv")
    }

    /// Replaces the source.
    pub(crate) fn source(&self, text: &str) -> anyhow::Result<()> {
        write(&self.source_path(), text)
    }

    /// Runs a command that is to succeed, and takes what it asked of the stand-in.
    pub(crate) fn run(&self, command: &[String]) -> anyhow::Result<Run> {
        self.run_to(0, command)
    }

    fn run_to(&self, code: i32, command: &[String]) -> anyhow::Result<Run> {
        let cost = cost(command)?;
        anyhow::ensure!(cost.code == code, "{} ended with {}: {}", command.join(" "), cost.code, cost.said);
        Ok(Run { cost, asked: self.standin.asked()? })
    }

    fn command(&self, program: &str) -> [String; 4] {
        let config = self.config_path().to_string_lossy().into_owned();
        [program.to_owned(), "--config".to_owned(), config, "--json".to_owned()]
    }

    /// Runs the sync with a token that is refused: it starts, sends its first request, and ends.
    pub(crate) fn start(&self, program: &str) -> anyhow::Result<Run> {
        let credential = std::fs::read_to_string(self.dir.join("state/credentials/bench.json"))?;
        let credential: Value = serde_json::from_str(&credential)?;
        self.standin.revoke(&credential["refresh_token"])?;
        self.run_to(77, &self.command(program))
    }

    /// Runs the sync.
    pub(crate) fn sync(&self, program: &str) -> anyhow::Result<Run> {
        let run = self.run(&self.command(program))?;
        let result: Value = serde_json::from_str(&run.cost.said)?;
        anyhow::ensure!(result["sheets"][0]["verified"] == true, "not verified: {result}");
        Ok(run)
    }

    /// Keeps the answers that a full read gets, and says where.
    pub(crate) fn answers(&self) -> anyhow::Result<PathBuf> {
        let answers = self.dir.join("answers");
        DirBuilder::new().mode(0o700).create(&answers)?;
        let last = letters(self.columns);
        for (number, first) in (2..=self.rows).step_by(ROWS_AN_ANSWER - 1).enumerate() {
            let end = (first + ROWS_AN_ANSWER - 1).min(self.rows);
            let path = format!(
                "/v4/spreadsheets/{}/values:batchGet?ranges=%27Port%20sheet%27%21A1:{last}1&ranges=%27Port%20sheet%27%21A{first}:{last}{end}\
                 &majorDimension=COLUMNS&valueRenderOption=UNFORMATTED_VALUE&dateTimeRenderOption=SERIAL_NUMBER\
                 &prettyPrint=false&fields=valueRanges(values)",
                self.spreadsheet
            );
            write(&answers.join(format!("{number:02}.json")), &self.standin.text("GET", &path, "")?)?;
        }
        self.standin.asked()?;
        Ok(answers)
    }

    /// Runs the floor over the same source and the same answers.
    pub(crate) fn floor(&self, answers: &Path) -> anyhow::Result<Run> {
        let program = std::env::current_exe()?;
        let paths = [program, "floor".into(), self.source_path(), answers.to_owned()];
        self.run(&paths.map(|path| path.to_string_lossy().into_owned()))
    }
}

/// The letters of the last of so many columns, at most 702.
fn letters(columns: usize) -> String {
    let letter = |index: usize| char::from(b'A' + u8::try_from(index % 26).unwrap_or(0));
    let last = columns - 1;
    let first = (last >= 26).then(|| letter(last / 26 - 1));
    first.into_iter().chain([letter(last)]).collect()
}

/// Writes a file that only this user reads.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
