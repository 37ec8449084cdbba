//! The dashboard from which tasks can come: a small REST contract, `docs/dashboard-openapi.yaml`.
//!
//! A run sends each request once: the next run comes in a minute, and every request may be repeated.

mod list;

use std::time::Duration;

use chrono::Utc;
use http::Method;
use log::{info, warn};
use serde_json::json;

use crate::config;
use crate::run::Context;
use crate::store::{Claim, OutboxReport, Store};
use crate::sys::http::{ApiRequest, Http, Reply};
use crate::sys::secret_file;
use crate::{Failure, Kind, Result, Secret};

pub use list::{List, bad_id, is_id};

/// How many reports are read from the ledger at a time.
const BATCH: u32 = 100;

/// A client of the configured dashboard.
#[derive(Debug)]
pub struct Dashboard {
    http: Http,
    url: String,
    token: Secret,
    token_file: std::path::PathBuf,
}

/// The dashboard's reply to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimReply {
    /// This runner has the task as long as the lease lasts.
    Ours,
    /// Another runner has the task, or it does not exist any more.
    NotOurs,
}

impl Dashboard {
    /// Opens the dashboard of the configuration, if it names one.
    ///
    /// # Errors
    /// [`Kind::Credential`] when the token file is missing or not safe.
    pub fn from_config(context: &Context) -> Result<Option<Self>> {
        let Some(settings) = context.config.session_run.as_ref().and_then(|run| run.dashboard.as_ref())
        else {
            return Ok(None);
        };
        Self::open(settings, context).map(Some).map_err(|failure| failure.within("dashboard"))
    }

    fn open(settings: &config::DashboardEntry, context: &Context) -> Result<Self> {
        let granted = context.environment.credentials_directory.as_deref();
        let path = secret_file::locate(&settings.token_file, granted, &context.state.credentials());
        let token = String::from_utf8_lossy(&secret_file::read(&path, granted)?).trim().to_owned();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token {
            let message = format!("{} does not hold one token of visible characters", path.display());
            let hint =
                format!("write the token into it: sudo -u port-jobs tee {}", secret_file::shell(&path));
            return Err(Failure::new(Kind::Credential, message, hint));
        }
        let http = Http::new(settings.timeout)?;
        Ok(Self { http, url: settings.url.to_string(), token: Secret::new(token), token_file: path })
    }

    /// Claims a task, or renews the claim of the same runner.
    ///
    /// # Errors
    /// As [`Dashboard::list`].
    pub async fn claim(&self, claim: &Claim<'_>) -> Result<ClaimReply> {
        let Claim { task, attempt, runner, lease } = claim;
        let body = json!({"runner": runner, "attempt": attempt, "lease_s": lease.as_secs()});
        let path = format!("tasks/{task}/claim");
        let key = format!("claim:{task}:{attempt}:{runner}");
        let reply =
            self.send(Method::POST, &path, &[("idempotency-key", &key)], Some(&body.to_string())).await?;
        match reply.status {
            200..=299 => Ok(ClaimReply::Ours),
            404 | 409 | 410 => {
                info!("the dashboard answered {} to the claim of {task}", reply.status);
                Ok(ClaimReply::NotOurs)
            }
            _ => Err(self.refusal(&path, &reply)),
        }
    }

    /// Sends the unsent reports, oldest first, and returns how many were accepted. A refused report is kept and does not
    /// stop the others. A report about a task that the dashboard does not have counts as accepted.
    ///
    /// # Errors
    /// As [`Dashboard::list`]; the first of several.
    pub async fn deliver(&self, store: &mut Store) -> Result<usize> {
        let (mut last, mut taken, mut refused) = (0, 0, Ok(()));
        loop {
            let reports = store.unsent(last, BATCH)?;
            let Some(newest) = reports.last() else { return refused.map(|()| taken) };
            last = newest.id;
            for report in reports {
                match self.post(&report).await {
                    Ok(()) => {
                        store.sent(report.id, Utc::now())?;
                        taken += 1;
                    }
                    Err(failure) if failure.kind == Kind::Data => refused = refused.and(Err(failure)),
                    Err(failure) => return Err(failure),
                }
            }
        }
    }

    async fn post(&self, report: &OutboxReport) -> Result<()> {
        let path = format!("tasks/{}/{}", report.task, report.what);
        let headers = [("idempotency-key", report.key.as_str())];
        let reply = self.send(Method::POST, &path, &headers, Some(&report.body)).await?;
        match reply.status {
            200..=299 => Ok(()),
            404 | 409 | 410 => {
                warn!(
                    "the dashboard does not want the {} of {}: it answered {}",
                    report.what, report.task, reply.status
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
        let request = ApiRequest { method, url: &url, token: &self.token, headers, json: body };
        self.http.request(request).await.map_err(|why| {
            let message = format!("the dashboard did not answer: {url}: {why}");
            let hint = format!("nothing is lost: the next run tries again; is it up? curl -sI {}", self.url);
            Failure { cause: why.cause, ..Failure::new(Kind::Unavailable, message, hint) }
        })
    }

    fn refusal(&self, path: &str, reply: &Reply) -> Failure {
        let status = reply.status;
        let words: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
        // A response that repeats the request must not bring the token into a log.
        let words = words.replace(self.token.expose(), "(secret)");
        let (kind, hint) = match status {
            401 | 403 => (
                Kind::Credential,
                format!("put a token that the dashboard takes into {}", secret_file::shell(&self.token_file)),
            ),
            408 | 429 | 500..=599 => {
                (Kind::Unavailable, "nothing is lost: the next run tries again".to_owned())
            }
            404 | 405 => {
                (Kind::Config, format!("is {} the address of the dashboard's REST endpoint? correct url under [session-run.dashboard]", self.url))
            }
            _ => (Kind::Data, "the dashboard's words above say what it does not take; docs/dashboard-openapi.yaml says what it is sent".to_owned()),
        };
        Failure::new(kind, format!("the dashboard answered {status} to {path}: {words}"), hint)
    }

    fn unreadable(&self, path: &str, why: serde_json::Error) -> Failure {
        let hint = format!("look at it: docs/dashboard-openapi.yaml says what {}{path} answers", self.url);
        Failure::new(Kind::Data, format!("the dashboard's answer to {path} cannot be read: {why}"), hint)
            .caused_by(why)
    }
}

/// The lease to request from the dashboard: twice our own, so that one renewal may fail.
pub fn lease_of(lease: Duration) -> Duration {
    lease.saturating_mul(2)
}
