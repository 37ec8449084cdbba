//! `token-login`: authorizes a credential with a login in the browser, from a desktop or a headless machine, or imports one.
//!
//! Google's revoke endpoint is never called: it ends every grant of the same project, the new one included.

mod result; //                 the JSON result
mod client; //                 the OAuth client. Pure
mod content; //                the content of a credential file. Pure
mod install; //                the destination: checked first, written last
mod consent; //                the request for the user's consent. Pure
mod authorization_response; // the response to it. Pure
mod callback; //               waits for the browser
mod terminal; //               the user's terminal
mod instructions; //           what the user must do
mod login; //                  obtains a credential with a login
mod takeover; //               obtains a credential from a file
mod access_trial; //           tries it on every sheet, before it is installed

use std::path::PathBuf;
use std::time::Duration;

use shared::config::Config;
use shared::run::{Context, Job, Report};
use shared::{Failure, Kind, Result};

use install::Destination;
pub use result::{Body, LoginResult, SheetAccess};

/// The job.
#[derive(Debug)]
pub struct TokenLogin;

/// Its own flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The credential of the configuration to authorize
    #[arg(value_name = "CREDENTIAL")]
    credential: String,
    /// The port of 127.0.0.1 that waits for the browser [default: a free one]
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
    /// Google's own limit for an authorization code.
    const DEADLINE: Duration = Duration::from_secs(10 * 60);
    const UNFINISHED: &'static str = "the credential is unchanged; type the same command again";
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

    /// The user sees the failure, so no alert is needed.
    fn rehearses(_args: &Args) -> bool {
        true
    }

    async fn run(context: &Context, args: &Args) -> Report<Body> {
        let mut result = LoginResult::new(&args.credential);
        let mut summary = Vec::new();
        let failures = match authorize(context, args, &mut result).await {
            Ok(AuthorizationOutcome::Installed(lines)) => {
                summary = lines;
                Vec::new()
            }
            Ok(AuthorizationOutcome::NoAccess(failures)) => failures,
            Err(failure) => vec![failure],
        };
        result.end(failures.is_empty());
        Report { failures, body: Body { credentials: vec![result] }, output: String::new(), summary }
    }
}

/// What became of a credential that was obtained.
enum AuthorizationOutcome {
    /// The file was replaced; the lines of the summary.
    Installed(Vec<String>),
    /// The file is unchanged, because scopes or sheets cannot be accessed.
    NoAccess(Vec<Failure>),
}

async fn authorize(context: &Context, args: &Args, result: &mut LoginResult) -> Result<AuthorizationOutcome> {
    let destination = Destination::new(context, &args.credential)?;
    let previous = destination.check()?;
    let obtained = match &args.import {
        Some(path) => takeover::import(&destination, path).await?,
        None => login::log_in(context, args, &destination, previous.as_deref()).await?,
    };
    result.account.clone_from(&obtained.account);
    result.scopes.clone_from(&obtained.scopes);
    let failures = access_trial::try_access(&destination, &obtained, result).await;
    if !failures.is_empty() {
        return Ok(AuthorizationOutcome::NoAccess(failures));
    }
    destination.install(&obtained).await?;
    Ok(AuthorizationOutcome::Installed(destination.summary(&obtained, result)))
}
