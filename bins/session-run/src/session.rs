//! One session: the command in a process group of its own, its lease renewed, its time bounded, nothing of it left.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use log::{info, warn};
use shared::config::SessionRunEntry;
use shared::quota::Moment;
use shared::sessions::MARK;
use shared::sessions::dashboard::{ClaimReply, Dashboard, lease_of};
use shared::store::{Claim, Grant, Store};
use shared::sys::process_tree::{KillScope, ProcessTree};
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep_until, timeout};

use crate::outcome::{self, Limits, ProcessEnd, ResultFile, SessionVerdict};
use crate::output;
use crate::session_dir::SessionDir;

/// How long the rest of the output is waited for once all who could write it are gone.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What a session is run with.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The settings.
    pub settings: &'a SessionRunEntry,
    /// What was granted.
    pub grant: &'a Grant,
    /// What was claimed.
    pub claim: Claim<'a>,
    /// The dashboard that the task came from.
    pub dashboard: Option<&'a Dashboard>,
    /// Where it lives.
    pub place: &'a SessionDir,
}

impl Session<'_> {
    /// Runs it to its end.
    pub async fn run(&self, store: &mut Store) -> SessionVerdict {
        let how = match self.place.make(self.grant) {
            Ok(()) => self.started(store).await,
            Err(failure) => ProcessEnd::Broken(failure.message),
        };
        let told = if matches!(how, ProcessEnd::Broken(_)) { ResultFile::Nothing } else { self.place.told() };
        let limits = Limits { turns: self.grant.turns, turn_limit_exit: self.settings.turn_limit_exit };
        outcome::judge(&how, &told, limits)
    }

    async fn started(&self, store: &mut Store) -> ProcessEnd {
        let (mut family, output) = match self.start() {
            Ok(started) => started,
            Err(error) => return ProcessEnd::Broken(format!("the command cannot be started: {error}")),
        };
        let how = self.watched(&mut family, store).await;
        if matches!(how, ProcessEnd::Late(_) | ProcessEnd::Withdrawn(_)) {
            family.terminate();
            // Whether it obeys or not: whatever is left of it is killed below.
            let _ = timeout(self.settings.grace, family.wait()).await;
        }
        let left = family.end().await;
        match timeout(LAST_WORDS, output).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(failure))) => warn!("{failure}"),
            Ok(Err(_)) | Err(_) => warn!("the end of the session's output is missing"),
        }
        if left > 0 {
            ProcessEnd::Broken(format!("{left} of its processes could not be killed"))
        } else {
            how
        }
    }

    /// Starts the command. Its standard input is the file of its task, so that one which never reads holds nothing up.
    fn start(&self) -> io::Result<(ProcessTree, JoinHandle<shared::Result<()>>)> {
        let (reader, writer) = io::pipe()?;
        let words = self.words();
        let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.place.checkpoint);
        command.stdin(std::fs::File::open(&self.place.task)?);
        command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
        command.envs(self.variables());
        let family = ProcessTree::start(&mut command, KillScope::Everything)?;
        info!(
            "session {} of {}: started {program} for task {}",
            self.grant.seq, self.grant.day, self.grant.task
        );
        let (path, limit) = (
            self.place.output.clone(),
            usize::try_from(self.settings.output_limit_kib).unwrap_or(usize::MAX).saturating_mul(1024),
        );
        let output = tokio::spawn(async move { output::keep(reader.into(), &path, limit).await });
        Ok((family, output))
    }

    fn words(&self) -> Vec<String> {
        self.settings.command.iter().map(|word| self.filled(word)).collect()
    }

    /// A word of the command with the placeholders filled in; in one pass, so that a task's id is never taken for one.
    fn filled(&self, word: &str) -> String {
        let values = [
            ("task}", self.grant.task.clone()),
            ("turns}", self.grant.turns.to_string()),
            ("checkpoint}", self.place.checkpoint.display().to_string()),
        ];
        let mut filled = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found =
                values.iter().find_map(|(name, value)| Some((after.strip_prefix(name)?, value.as_str())));
            let (after, value) = found.unwrap_or((after, "{"));
            filled.push_str(value);
            rest = after;
        }
        filled + rest
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let Grant { task, turns, resumes, quota, day, seq, .. } = self.grant;
        vec![
            (MARK, self.claim.runner.to_owned()),
            ("SESSION_TASK", task.clone()),
            ("SESSION_QUOTA", quota.clone()),
            ("SESSION_DAY", day.to_string()),
            ("SESSION_SEQ", seq.to_string()),
            ("SESSION_TURNS", turns.to_string()),
            ("SESSION_CHECKPOINT_TURN", self.settings.checkpoint_turn.to_string()),
            ("SESSION_CHECKPOINT", self.place.checkpoint.display().to_string()),
            ("SESSION_RESUMES", resumes.to_string()),
            ("SESSION_RESULT", self.place.result.display().to_string()),
        ]
    }

    /// Waits for the end, or for a reason to end it.
    async fn watched(&self, family: &mut ProcessTree, store: &mut Store) -> ProcessEnd {
        let limit = self.settings.deadline;
        let until = Instant::now() + limit;
        let mut beats = interval_at(Instant::now() + self.beat(), self.beat());
        loop {
            tokio::select! {
                ended = family.wait() => return ended.map_or_else(
                    |error| ProcessEnd::Broken(format!("the command cannot be waited for: {error}")),
                    how,
                ),
                () = sleep_until(until) => return ProcessEnd::Late(limit),
                _ = beats.tick() => if let Some(why) = self.renew(store).await { return ProcessEnd::Withdrawn(why) },
            }
        }
    }

    /// Renews the lease. A ledger or a dashboard that cannot be asked takes nothing away.
    async fn renew(&self, store: &mut Store) -> Option<&'static str> {
        match Moment::read().and_then(|moment| store.heartbeat(&self.claim, &moment)) {
            Ok(true) => {}
            Ok(false) => return Some("its claim was taken back: this runner was not heard of for a lease"),
            Err(failure) => warn!("the lease could not be renewed: {failure}"),
        }
        let claim = Claim { lease: lease_of(self.claim.lease), ..self.claim };
        // One that hangs must not cost the ledger's lease, which is renewed after it.
        match timeout(self.beat(), self.dashboard?.claim(&claim)).await {
            Ok(Ok(ClaimReply::Ours)) => return None,
            Ok(Ok(ClaimReply::NotOurs)) => return Some("the dashboard took the task back"),
            Ok(Err(failure)) => warn!("the dashboard's lease could not be renewed: {failure}"),
            Err(_) => warn!("the dashboard's lease could not be renewed: it did not answer in time"),
        }
        None
    }

    /// How often the lease is renewed.
    fn beat(&self) -> Duration {
        self.settings.lease / 3
    }
}

fn how(status: ExitStatus) -> ProcessEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => ProcessEnd::Exited(code),
        (None, Some(signal)) => ProcessEnd::Signalled(signal),
        (None, None) => ProcessEnd::Broken(format!("the command ended strangely: {status}")),
    }
}
