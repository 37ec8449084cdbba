//! Fetches a file of bookings from a web server into the spool, or finds that the one fetched last is still good.
//!
//! A file is put in place only after it has arrived whole. The address's query and the secret never leave this module but
//! for the server that they are meant for.

pub mod body;
pub mod kept;
pub mod refusal;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION, USER_AGENT,
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use shared::cause::Cause;
use shared::config::{SentAs, Web};
use shared::sys::http::{Http, NoReply, retry_after};
use shared::sys::retry::{at_least, pauses_between};
use shared::{Failure, Result, Secret};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use crate::source::SourceAccess;
use crate::source::download::kept::KeptDownload;
use crate::source::web::PageKind;
use crate::source::web::follow;
use crate::source::web::is_login;

/// How often a file is asked for within a run.
const TRIES: usize = 4;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// What a file looks like, which decides whether one that was cut off could pass for whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// Lines, any number of them.
    Lines,
    /// One JSON document, which says itself where it ends.
    Document,
    /// A JSON array, or objects on lines.
    Either,
}

/// Downloads the file and returns its path.
///
/// # Errors
/// [`shared::Kind::Unavailable`] when it does not arrive whole, [`shared::Kind::Credential`] when the server wants to know who is there,
/// [`shared::Kind::Data`] when it is too large, [`shared::Kind::Io`] when it cannot be written.
pub async fn fetch(web: &Web, format: BodyFormat, access: &SourceAccess<'_>) -> Result<PathBuf> {
    let secret = match &web.secret {
        Some(secret) => Some((access.secret(&secret.file)?, &secret.sent_as)),
        None => None,
    };
    let path = access.spool.join(format!("{}.download", access.sheet));
    let kept = KeptDownload::read(&path, &web.address);
    let fetch = Fetch { web, format, secret, http: Http::new(web.timeout)?, kept, path };
    let mut pauses = pauses_between(web.first_pause, TRIES);
    loop {
        let tried = timeout(web.timeout, fetch.try_once()).await.unwrap_or_else(|_| Err(fetch.late()));
        let trouble = match tried {
            Ok(()) => return Ok(fetch.path),
            Err(trouble) => trouble,
        };
        let pause =
            pauses.next().filter(|_| trouble.may_pass).and_then(|pause| at_least(pause, trouble.retry_after));
        match pause {
            Some(pause) if Instant::now() + pause < access.end => sleep(pause).await,
            _ => return Err(trouble.failure),
        }
    }
}

/// Why a try failed.
struct DownloadError {
    failure: Failure,
    may_pass: bool,
    retry_after: Option<Duration>,
}

impl From<Failure> for DownloadError {
    fn from(failure: Failure) -> Self {
        Self { failure, may_pass: false, retry_after: None }
    }
}

struct Fetch<'a> {
    web: &'a Web,
    format: BodyFormat,
    secret: Option<(Secret, &'a SentAs)>,
    http: Http,
    kept: Option<KeptDownload>,
    path: PathBuf,
}

impl Fetch<'_> {
    async fn try_once(&self) -> Result<(), DownloadError> {
        let mut url = self.start();
        for _ in 0..=REDIRECTS {
            let request = self.request(&url)?;
            let response = self.http.open(request).await.map_err(|error| self.no_reply(error))?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return self.answered(response).await;
            }
            let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            url = follow(&url, location, self.web.allow_http)
                .map_err(|why| refusal::unusable(self.web, &why))?;
            if is_login(&url) {
                return Err(refusal::page(self.web, PageKind::Login).into());
            }
        }
        Err(refusal::unusable(self.web, &format!("redirects more than {REDIRECTS} times")).into())
    }

    /// The configured address, with the secret where it is a parameter.
    fn start(&self) -> Url {
        let mut url = self.web.address.expose().clone();
        if let Some((secret, SentAs::Parameter(name))) = &self.secret {
            url.query_pairs_mut().append_pair(name, secret.expose());
        }
        url
    }

    fn request(&self, url: &Url) -> Result<Request<String>> {
        let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        let mut request =
            Request::builder().uri(url.as_str()).header(USER_AGENT, agent).header(ACCEPT_ENCODING, "gzip");
        if let Some(kept) = &self.kept {
            let conditions = [(IF_NONE_MATCH, &kept.etag), (IF_MODIFIED_SINCE, &kept.last_modified)];
            for (name, value) in
                conditions.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
            {
                request = request.header(name, value);
            }
        }
        // A redirect to another server must not receive the secret.
        if url.origin() == self.web.address.expose().origin()
            && let Some((secret, sent_as)) = &self.secret
        {
            let header = match sent_as {
                SentAs::Bearer => Some((AUTHORIZATION, format!("Bearer {}", secret.expose()))),
                SentAs::Header(name) => {
                    let name = HeaderName::from_bytes(name.as_bytes()).map_err(unsendable)?;
                    Some((name, secret.expose().to_owned()))
                }
                SentAs::Parameter(_) => None,
            };
            if let Some((name, value)) = header {
                // A secret is a line without control characters, which any header can carry.
                let mut value = HeaderValue::from_str(&value).map_err(unsendable)?;
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        request.body(String::new()).map_err(unsendable)
    }

    async fn answered(&self, response: Response<Incoming>) -> Result<(), DownloadError> {
        let status = response.status();
        let asked = retry_after(response.headers());
        match status.as_u16() {
            200 => self.keep(response).await,
            304 if self.kept.is_some() => Ok(()),
            401 | 403 => Err(refusal::refused(self.web, status).into()),
            408 | 429 | 500..=599 => Err(DownloadError {
                failure: refusal::unusable(self.web, &format!("answered {status}")),
                may_pass: true,
                retry_after: asked,
            }),
            _ => Err(refusal::unusable(self.web, &format!("answered {status}")).into()),
        }
    }

    async fn keep(&self, response: Response<Incoming>) -> Result<(), DownloadError> {
        let [etag, last_modified] = [ETAG, LAST_MODIFIED].map(|name| {
            response
                .headers()
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok().map(str::to_owned))
        });
        let draft = body::receive(response, &self.path, self.format, self.web.max_size).await.map_err(
            |why| match why {
                body::Broken::Cut(why) => {
                    let failure = refusal::unusable(self.web, &why.text).caused_by(why.cause);
                    DownloadError { may_pass: true, ..failure.into() }
                }
                body::Broken::Unbounded(why) => refusal::unusable(self.web, &why).into(),
                body::Broken::TooLarge => refusal::too_large(self.web).into(),
                body::Broken::PageKind(page) => refusal::page(self.web, page).into(),
                body::Broken::Local(failure) => failure.into(),
            },
        )?;
        KeptDownload::replace(&self.path, draft, &self.web.address, etag, last_modified)
            .map_err(DownloadError::from)
    }

    fn no_reply(&self, error: NoReply) -> DownloadError {
        let failure = refusal::unusable(self.web, &format!("did not answer: {error}"));
        DownloadError { may_pass: true, ..Failure { cause: error.cause, ..failure }.into() }
    }

    fn late(&self) -> DownloadError {
        let limit = humantime::format_duration(self.web.timeout);
        DownloadError {
            may_pass: true,
            ..refusal::unusable(self.web, &format!("did not answer whole within {limit}")).into()
        }
    }
}

/// A request that cannot be built from a configuration that was checked.
fn unsendable(error: impl Error + Send + Sync + 'static) -> Failure {
    Failure::bug(error.to_string()).caused_by(Cause::new(error))
}
