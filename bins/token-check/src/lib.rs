//! `token-check`: does every credential still work, for how long, and what must be done about it?
//!
//! Direction: `check` looks at one credential, `forecast` and `nagios` decide and touch nothing, `recovery`
//! starts what waited.

mod check;
mod forecast;
mod nagios;
mod recovery;
mod result;
mod table;

use std::time::Duration;

use shared::alert::{Finding, Findings};
use shared::config::Config;
use shared::run::{Context, Job, Plugin, Report};
use shared::{Failure, Kind};

pub use forecast::{Forecast, Reason};
pub use result::{Body, CredentialResult, SheetReach};

/// The job.
#[derive(Debug)]
pub struct TokenCheck;

/// Its own flags.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Args {
    /// Probe every credential now, due or not
    #[arg(long, conflicts_with = "offline")]
    now: bool,
    /// Look only at files and at what is known; send nothing
    #[arg(long)]
    offline: bool,
    /// Print one line for Nagios and end with its exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long)]
    nagios: bool,
    /// Print a failure that continues only when it begins and every six hours: for a schedule that mails
    #[arg(long, conflicts_with = "nagios")]
    only_news: bool,
}

impl Job for TokenCheck {
    const NAME: &'static str = "token-check";
    const ABOUT: &'static str = "Checks every credential: file, token, scopes, reach of its sheets, what it will die of; starts what waited";
    const EXAMPLE: &'static str = "token-check --config /etc/port-jobs/config.toml --now -v";
    /// More than on-recovery may take by default.
    const DEADLINE: Duration = Duration::from_secs(30 * 60);
    const UNFINISHED: &'static str = "the next run checks all of it again";
    type Args = Args;
    type Body = Body;

    fn check(config: &Config, _args: &Args) -> Vec<Failure> {
        let shown = config.path.display();
        let deadline = config.job(Self::NAME).deadline.unwrap_or(Self::DEADLINE);
        if config.token_check.on_recovery_timeout >= deadline {
            let message = format!(
                "{shown}: token-check.on-recovery-timeout: must be shorter than the deadline of a run, {}: the run would end before what it started, and the next one start it again",
                humantime::format_duration(deadline)
            );
            let hint = "shorten it, or raise deadline under [job.token-check]";
            return vec![Failure::new(Kind::Config, message, hint)];
        }
        if !config.credentials.is_empty() {
            return Vec::new();
        }
        let hint = format!("add a [credential.NAME] table to {shown}; examples/config.toml shows one");
        let message = format!("{shown}: there is no [credential.NAME] table, so nothing to check");
        vec![Failure::new(Kind::Config, message, hint)]
    }

    fn rehearses(args: &Args) -> bool {
        args.offline
    }

    /// A refused token is reported from its history, by the job that requested it; this is everything else that is wrong.
    fn findings(_config: &Config, report: &Report<Body>) -> Option<Findings> {
        let credentials = &report.body.credentials;
        let known: Vec<_> = credentials.iter().flat_map(|result| &result.failures).collect();
        let own = report.failures.iter().filter(|failure| !known.contains(failure));
        let own = own.min_by_key(|failure| failure.kind).cloned();
        let parts = credentials.iter().filter_map(finding).collect();
        (!credentials.is_empty()).then_some(Findings { own, parts })
    }

    fn prints_repeats(args: &Args) -> bool {
        !args.only_news
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let mut body = Body::default();
        for (name, entry) in &context.config.credentials {
            body.credentials.push(check::check(context, name, &entry.scopes, *args).await);
        }
        let mut failures: Vec<Failure> =
            body.credentials.iter().flat_map(|result| result.failures.iter().cloned()).collect();
        if !args.offline {
            for result in &mut body.credentials {
                failures.extend(recovery::after(context, result).await);
            }
        }
        let summary = table::lines(&body.credentials);
        Report { failures, body, output: String::new(), summary }
    }

    fn plugin(args: &Args, report: &Report<Body>) -> Option<Plugin> {
        args.nagios.then(|| nagios::plugin(report))
    }
}

/// What the history of a credential does not tell: that it works, or what beside a refusal is wrong with it. A file that
/// cannot be read, for one, never gets as far as a refusal, and may hide an older refusal.
fn finding(result: &CredentialResult) -> Option<Finding> {
    let refused = result.class.and(result.words.as_deref());
    let unknown = result
        .failures
        .iter()
        .filter(|failure| !refused.is_some_and(|words| failure.message.contains(words)));
    let failure = unknown.min_by_key(|failure| failure.kind).cloned();
    let tells = failure.is_some() || result.class.is_none();
    tells.then(|| Finding::new("credential", &result.credential, failure))
}
