//! `token-login`: a person authorizes a credential again, on a desktop or a headless box, or takes one over.
//!
//! Direction: `login` and `takeover` obtain a credential, `trial` proves it, and only then `desk` puts it in place.
//! `consent`, `answer`, `client` and `content` decide and touch nothing; `callback` and `terminal` listen to the person.
//! Google's revoke endpoint is never called: it ends every grant of the same project, the new one included.

mod answer;
mod callback;
mod client;
mod consent;
mod content;
mod desk;
mod guide;
mod login;
mod result;
mod takeover;
mod terminal;
mod trial;

use std::path::PathBuf;
use std::time::Duration;

use shared::config::Config;
use shared::job::{Context, Job, Report};
use shared::{Failure, Kind, Result};

use desk::Desk;
pub use result::{Body, Entry, Reached};

/// The job.
#[derive(Debug)]
pub struct TokenLogin;

/// Its own flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The credential of the configuration to authorize
    #[arg(value_name = "CREDENTIAL")]
    credential: String,
    /// The port of 127.0.0.1 on which the browser's answer is awaited [default: a free one]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The account to propose on Google's page
    #[arg(long, value_name = "EMAIL")]
    login_hint: Option<String>,
    /// The OAuth client, as downloaded: client_secret….json [default: that of the credential]
    #[arg(long, value_name = "FILE")]
    client: Option<PathBuf>,
    /// Take over this token.json or service-account key instead of logging in; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["port", "login_hint", "client", "no_browser"])]
    import: Option<PathBuf>,
    /// Open no browser, only print the address
    #[arg(long)]
    no_browser: bool,
}

impl Job for TokenLogin {
    const NAME: &'static str = "token-login";
    const ABOUT: &'static str =
        "Lets a person authorize a credential, tries it on its sheets, and only then puts it in place";
    const EXAMPLE: &'static str = "sudo -u port-jobs token-login port-sheet --client client_secret.json";
    /// How long a person may take, Google's own limit for an authorization code.
    const DEADLINE: Duration = Duration::from_secs(10 * 60);
    const UNFINISHED: &'static str = "the credential is what it was; type the same command again";
    type Args = Args;
    type Body = Body;

    fn check(config: &Config, args: &Args) -> Vec<Failure> {
        if config.credentials.contains_key(&args.credential) {
            return Vec::new();
        }
        let shown = config.path.display();
        let known = config.credentials.keys().cloned().collect::<Vec<_>>();
        let (kind, message, hint) = match known.first() {
            Some(first) => (
                Kind::Usage,
                format!("{shown} has no credential {:?}; it has {}", args.credential, known.join(", ")),
                format!("token-login {first}"),
            ),
            None => (
                Kind::Config,
                format!("{shown}: there is no [credential.NAME] table, so nothing to log in for"),
                format!("add one to {shown}; examples/config.toml shows it"),
            ),
        };
        vec![Failure::new(kind, message, hint)]
    }

    /// The person who logs in sees what fails.
    fn rehearses(_args: &Args) -> bool {
        true
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let mut entry = Entry::new(&args.credential);
        let mut summary = Vec::new();
        let failures = match authorize(context, args, &mut entry).await {
            Ok(Ending::Replaced(lines)) => {
                summary = lines;
                Vec::new()
            }
            Ok(Ending::Unproven(failures)) => failures,
            Err(failure) => vec![failure],
        };
        entry.ended(failures.is_empty());
        Report { failures, body: Body { credentials: vec![entry] }, output: String::new(), summary }
    }
}

/// How an authorization that was obtained ended.
enum Ending {
    /// The file was replaced; what to tell the person.
    Replaced(Vec<String>),
    /// The file is what it was: scopes or sheets are out of reach.
    Unproven(Vec<Failure>),
}

async fn authorize(context: &Context, args: &Args, entry: &mut Entry) -> Result<Ending> {
    let desk = Desk::new(context, &args.credential)?;
    let before = desk.check_destination()?;
    let obtained = match &args.import {
        Some(file) => takeover::take(&desk, file).await?,
        None => login::log_in(context, args, &desk, before.as_deref()).await?,
    };
    entry.account.clone_from(&obtained.account);
    entry.scopes.clone_from(&obtained.scopes);
    let failures = trial::trial(&desk, &obtained, entry).await;
    if !failures.is_empty() {
        return Ok(Ending::Unproven(failures));
    }
    desk.put(&obtained).await?;
    Ok(Ending::Replaced(desk.summary(&obtained, entry)))
}
