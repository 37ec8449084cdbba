//! From the queue to a session: sync with the dashboard, release, claim, run, record, tell.

use chrono::Utc;
use log::warn;
use shared::config::SessionRunEntry;
use shared::quota::Moment;
use shared::run::{Context, Report};
use shared::sessions;
use shared::sessions::dashboard::{ClaimReply, Dashboard, List, lease_of};
use shared::store::{Claim, ClaimOutcome, Finished, Grant, SessionEnding, SessionOutcome, Store};
use shared::{Failure, Kind, Result};
use tokio::time::{Duration, Instant, sleep};

use crate::result::{self, Body, SessionResult};
use crate::session::Session;
use crate::session_dir::{self, SessionDir};

/// How many tasks are tried that others take first.
const TRIES: usize = 20;

/// How long between two tries to record an outcome.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs one session, if one is due.
pub async fn serve(context: &Context, settings: &SessionRunEntry) -> Report<Body> {
    let mut body = Body::default();
    let mut failures = Vec::new();
    match Store::open(&context.state.database()) {
        Ok(mut store) => {
            let mut run =
                QueueRun { context, settings, store: &mut store, body: &mut body, failures: &mut failures };
            if let Err(failure) = run.serve().await {
                failures.push(failure);
            }
        }
        Err(failure) => failures.push(failure),
    }
    result::report(body, failures)
}

struct QueueRun<'a> {
    context: &'a Context,
    settings: &'a SessionRunEntry,
    store: &'a mut Store,
    body: &'a mut Body,
    failures: &'a mut Vec<Failure>,
}

impl QueueRun<'_> {
    async fn serve(&mut self) -> Result<()> {
        let turn = sessions::settle(self.context, self.store).await?;
        self.body.notes.extend(sessions::warning(&turn));
        for lost in sessions::reclaim(self.store, &Moment::read()?)? {
            self.body.notes.push(format!("task {}: taken back, its runner {} died", lost.task, lost.runner));
        }
        let dashboard = match Dashboard::from_config(self.context) {
            Ok(dashboard) => dashboard,
            Err(failure) => {
                self.failures.push(failure);
                None
            }
        };
        // A dashboard that is away holds up neither the tasks of this machine nor what is known of its own.
        if let Some(dashboard) = &dashboard {
            let synced = self.sync(dashboard).await;
            self.failures.extend(synced.err());
        }
        self.store.release(&self.settings.quota, &Moment::read()?, &self.context.run)?;
        self.take_one(dashboard.as_ref()).await?;
        if let Some(dashboard) = dashboard.filter(|_| self.body.session.is_some()) {
            let told = dashboard.deliver(self.store).await;
            self.failures.extend(told.err());
        }
        // What the session left, a resumable or a spent day, is settled now and not in a minute.
        self.store.release(&self.settings.quota, &Moment::read()?, &self.context.run)?;
        Ok(())
    }

    async fn sync(&mut self, dashboard: &Dashboard) -> Result<()> {
        let told = dashboard.deliver(self.store).await;
        self.failures.extend(told.err());
        let quota = &self.settings.quota;
        let address = dashboard.list_url(quota);
        let etag = self.store.etag(&address)?;
        let List::Tasks { tasks, etag, refused } = dashboard.list(quota, etag.as_deref()).await? else {
            return Ok(());
        };
        self.failures.extend(refused);
        self.store.offer(quota, &tasks, &address, etag.as_deref(), Utc::now()).map(drop)
    }

    async fn take_one(&mut self, mut dashboard: Option<&Dashboard>) -> Result<()> {
        for _ in 0..TRIES {
            if let Some(idle) = self.idle()? {
                self.body.idle = Some(idle);
                return Ok(());
            }
            let Some((task, attempt, is_dashboards)) = self.store.next_ready(&self.settings.quota)? else {
                self.body.idle = Some("nothing-ready");
                return Ok(());
            };
            let runner = self.context.run.clone();
            let claim = Claim { task: &task, attempt, runner: &runner, lease: self.settings.lease };
            if is_dashboards && !self.claimed_there(&mut dashboard, &claim).await? {
                continue;
            }
            let dashboard = dashboard.filter(|_| is_dashboards);
            match self.store.claim(&claim, &Moment::read()?)? {
                ClaimOutcome::Granted(grant) => return self.run(&grant, claim, dashboard).await,
                ClaimOutcome::NotReady => {}
                ClaimOutcome::Spent => self.body.idle = Some("spent"),
                ClaimOutcome::Concurrency => self.body.idle = Some("concurrency"),
                ClaimOutcome::Clock => self.body.idle = Some("clock"),
            }
            if self.body.idle.is_some() {
                return Ok(());
            }
        }
        self.body.idle = Some("taken");
        Ok(())
    }

    /// Why no session may begin, before the dashboard is asked for a task. The ledger decides in any case.
    fn idle(&mut self) -> Result<Option<&'static str>> {
        let Some(standing) = self.store.quota_status(&self.settings.quota)? else { return Ok(None) };
        let concurrency =
            self.context.config.quotas.get(&self.settings.quota).map_or(1, |quota| quota.concurrency);
        Ok(match standing {
            standing if standing.left == 0 => Some("spent"),
            standing if standing.running >= u64::from(concurrency) => Some("concurrency"),
            _ => None,
        })
    }

    /// Claims a dashboard's task at the dashboard. A task that is not given out is left alone until it is listed again. A
    /// dashboard that fails is not asked again in this run, so that one which hangs holds up no task of this machine.
    async fn claimed_there(&mut self, dashboard: &mut Option<&Dashboard>, claim: &Claim<'_>) -> Result<bool> {
        let wanted = Claim { lease: lease_of(claim.lease), ..*claim };
        // Without one its failure is already reported, or the dashboard is no longer configured.
        let answer = match *dashboard {
            Some(known) => known.claim(&wanted).await,
            None => Ok(ClaimReply::NotOurs),
        };
        let is_ours = matches!(answer, Ok(ClaimReply::Ours));
        if let Err(failure) = answer {
            self.failures.push(failure);
            *dashboard = None;
        }
        if !is_ours {
            self.store.withdraw(claim.task)?;
        }
        Ok(is_ours)
    }

    async fn run(&mut self, grant: &Grant, claim: Claim<'_>, dashboard: Option<&Dashboard>) -> Result<()> {
        session_dir::drop_old(&self.context.state.sessions());
        let place = SessionDir::of(self.context, &grant.task);
        let session = Session { settings: self.settings, grant, claim, dashboard, place: &place };
        let verdict = session.run(self.store).await;
        let ending = SessionEnding {
            outcome: verdict.outcome,
            turns: verdict.turns,
            summary: &verdict.summary,
            max_resumes: self.settings.max_resumes,
        };
        let finished = self.finish(&claim, &ending).await?;
        if verdict.outcome == SessionOutcome::Done && finished != Finished::TakenBack {
            place.drop_checkpoint();
        }
        let mut result = SessionResult::of(grant, place.output.display().to_string());
        (result.outcome, result.turns, result.summary) = (verdict.outcome, verdict.turns, verdict.summary);
        result.state = match finished {
            Finished::Task(state) => Some(state),
            Finished::TakenBack => None,
        };
        self.failures.extend(failure(&result));
        self.body.session = Some(result);
        Ok(())
    }

    /// Records the outcome, as long as the claim lasts: without it, what is done would be done again. The ledger may be held
    /// by another program for a moment, or the disk be full.
    async fn finish(&mut self, claim: &Claim<'_>, ending: &SessionEnding<'_>) -> Result<Finished> {
        let until = Instant::now() + claim.lease;
        loop {
            match self.store.finish(claim, ending, Utc::now()) {
                Err(failure) if Instant::now() < until => {
                    warn!("the outcome is not recorded yet: {failure}");
                }
                recorded => return recorded,
            }
            sleep(PAUSE).await;
        }
    }
}

/// A session that failed, or whose task was withdrawn. A turn limit and a question to the user are not failures.
fn failure(result: &SessionResult) -> Option<Failure> {
    let is_failed =
        matches!(result.outcome, SessionOutcome::Failed | SessionOutcome::Lost) || result.state.is_none();
    is_failed.then(|| {
        let SessionResult { day, seq, task, summary, output, .. } = result;
        let message = format!("session {seq} of {day}, task {task:?}, failed: {summary}");
        let hint = format!("read what it said: tail -n 40 {output}; then: session-run --retry {task}");
        Failure::new(Kind::Unavailable, message, hint)
    })
}
