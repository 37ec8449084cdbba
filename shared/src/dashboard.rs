//! The dashboard that tasks may come from: a small REST contract, `docs/dashboard-openapi.yaml`.
//!
//! Nothing is tried twice within a run: the next one comes in a minute, and every request may be repeated.

mod list;

use std::time::Duration;

use chrono::Utc;
use http::Method;
use log::{info, warn};
use serde_json::json;

use crate::config;
use crate::http::{Ask, Http, Reply};
use crate::job::Context;
use crate::store::{Claim, Post, Store};
use crate::{Failure, Kind, Result, Secret, private};

pub use list::{List, bad_id, is_id};

/// How many posts are read from the ledger at a time.
const BATCH: u32 = 100;

/// A dashboard.
#[derive(Debug)]
pub struct Dashboard {
    http: Http,
    url: String,
    token: Secret,
    token_file: std::path::PathBuf,
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The task is ours for as long as the lease lasts.
    Ours,
    /// It is somebody else's, or gone.
    NotOurs,
}

impl Dashboard {
    /// The dashboard of the configuration, if there is one.
    ///
    /// # Errors
    /// [`Kind::Credential`] when its token's file is not safe or not there.
    pub fn of(context: &Context) -> Result<Option<Self>> {
        let Some(settings) = context.config.session_run.as_ref().and_then(|run| run.dashboard.as_ref())
        else {
            return Ok(None);
        };
        Self::open(settings, context).map(Some).map_err(|failure| failure.within("dashboard"))
    }

    fn open(settings: &config::Dashboard, context: &Context) -> Result<Self> {
        let granted = context.environment.credentials_directory.as_deref();
        let path = private::locate(&settings.token_file, granted, &context.state.credentials());
        let token = String::from_utf8_lossy(&private::read(&path, granted)?).trim().to_owned();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token {
            let message = format!("{} does not hold one token of visible characters", path.display());
            let hint = format!("write the token into it: sudo -u port-jobs tee {}", private::shell(&path));
            return Err(Failure::new(Kind::Credential, message, hint));
        }
        let http = Http::new(settings.timeout)?;
        Ok(Self { http, url: settings.url.to_string(), token: Secret::new(token), token_file: path })
    }

    /// Claims a task, or renews the claim of the same runner.
    ///
    /// # Errors
    /// As [`Dashboard::list`].
    pub async fn claim(&self, claim: &Claim<'_>) -> Result<Answer> {
        let Claim { task, attempt, runner, lease } = claim;
        let body = json!({"runner": runner, "attempt": attempt, "lease_s": lease.as_secs()});
        let path = format!("tasks/{task}/claim");
        let key = format!("claim:{task}:{attempt}:{runner}");
        let reply =
            self.send(Method::POST, &path, &[("idempotency-key", &key)], Some(&body.to_string())).await?;
        match reply.status {
            200..=299 => Ok(Answer::Ours),
            404 | 409 | 410 => {
                info!("the dashboard answered {} to the claim of {task}", reply.status);
                Ok(Answer::NotOurs)
            }
            _ => Err(self.refusal(&path, &reply)),
        }
    }

    /// Sends what the dashboard has not been told yet, oldest first, and answers how much it took. What it refuses is
    /// kept and does not hold up the rest; what it says is none of its own is not told again.
    ///
    /// # Errors
    /// As [`Dashboard::list`]; the first of several.
    pub async fn deliver(&self, store: &mut Store) -> Result<usize> {
        let (mut last, mut taken, mut refused) = (0, 0, Ok(()));
        loop {
            let posts = store.unsent(last, BATCH)?;
            let Some(newest) = posts.last() else { return refused.map(|()| taken) };
            last = newest.id;
            for post in posts {
                match self.post(&post).await {
                    Ok(()) => {
                        store.sent(post.id, Utc::now())?;
                        taken += 1;
                    }
                    Err(failure) if failure.kind == Kind::Data => refused = refused.and(Err(failure)),
                    Err(failure) => return Err(failure),
                }
            }
        }
    }

    async fn post(&self, post: &Post) -> Result<()> {
        let path = format!("tasks/{}/{}", post.task, post.what);
        let headers = [("idempotency-key", post.key.as_str())];
        let reply = self.send(Method::POST, &path, &headers, Some(&post.body)).await?;
        match reply.status {
            200..=299 => Ok(()),
            404 | 409 | 410 => {
                warn!(
                    "the dashboard does not want the {} of {}: it answered {}",
                    post.what, post.task, reply.status
                );
                Ok(())
            }
            _ => Err(self.refusal(&path, &reply)),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Reply> {
        let url = format!("{}{path}", self.url);
        let ask = Ask { method, url: &url, token: &self.token, headers, json: body };
        self.http.ask(ask).await.map_err(|why| {
            Failure::new(
                Kind::Unavailable,
                format!("the dashboard did not answer: {url}: {why}"),
                format!("nothing is lost: the next run tries again; is it up? curl -sI {}", self.url),
            )
        })
    }

    fn refusal(&self, path: &str, reply: &Reply) -> Failure {
        let status = reply.status;
        let words: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
        // A page that echoes the request must not bring the token into a log.
        let words = words.replace(self.token.expose(), "(secret)");
        let (kind, hint) = match status {
            401 | 403 => (
                Kind::Credential,
                format!("put a token that the dashboard takes into {}", private::shell(&self.token_file)),
            ),
            408 | 429 | 500..=599 => {
                (Kind::Unavailable, "nothing is lost: the next run tries again".to_owned())
            }
            404 | 405 => {
                (Kind::Config, format!("is {} the address of the dashboard's REST endpoint? mend url under [session-run.dashboard]", self.url))
            }
            _ => (Kind::Data, "the dashboard's words above say what it does not take; docs/dashboard-openapi.yaml says what it is sent".to_owned()),
        };
        Failure::new(kind, format!("the dashboard answered {status} to {path}: {words}"), hint)
    }

    fn unreadable(&self, path: &str, why: &str) -> Failure {
        let hint = format!("look at it: docs/dashboard-openapi.yaml says what {}{path} answers", self.url);
        Failure::new(Kind::Data, format!("the dashboard's answer to {path} cannot be read: {why}"), hint)
    }
}

/// How long a dashboard's lease is asked for, so that one renewal may fail.
pub fn lease_of(lease: Duration) -> Duration {
    lease.saturating_mul(2)
}
