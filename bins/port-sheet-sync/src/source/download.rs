//! Fetches a file of bookings from a web server into the spool, or finds that the one fetched last is still good.
//!
//! Nothing is put in place before it has arrived whole. The address's query and the secret never leave this module but
//! for the server that they are meant for.

mod body;
mod kept;

use std::path::PathBuf;
use std::time::Duration;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION, USER_AGENT,
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use shared::config::{SentAs, Web};
use shared::http::{Http, NoReply, retry_after};
use shared::retry::{at_least, pauses_between};
use shared::{Failure, Kind, Result, Secret};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::Access;
use super::web::{Page, follow, is_login};
use kept::Kept;

/// How often a file is asked for within a run.
const TRIES: usize = 4;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// Brings the file here and answers where it is.
///
/// # Errors
/// [`Kind::Unavailable`] when it does not arrive whole, [`Kind::Credential`] when the server wants to know who is there,
/// [`Kind::Data`] when it is too large, [`Kind::Io`] when it cannot be written.
pub async fn fetch(web: &Web, what: &'static str, access: &Access<'_>) -> Result<PathBuf> {
    let secret = match &web.secret {
        Some(secret) => Some((access.secret(&secret.file)?, &secret.sent_as)),
        None => None,
    };
    let path = access.spool.join(format!("{}.download", access.sheet));
    let kept = Kept::read(&path, &web.address);
    let fetch = Fetch { web, what, secret, http: Http::new(web.timeout)?, kept, path };
    let mut pauses = pauses_between(web.first_pause, TRIES);
    loop {
        let tried = timeout(web.timeout, fetch.try_once()).await.unwrap_or_else(|_| Err(fetch.late()));
        let trouble = match tried {
            Ok(()) => return Ok(fetch.path),
            Err(trouble) => trouble,
        };
        let pause =
            pauses.next().filter(|_| trouble.may_pass).map(|pause| at_least(pause, trouble.retry_after));
        match pause {
            Some(pause) if Instant::now() + pause < access.end => sleep(pause).await,
            _ => return Err(trouble.failure),
        }
    }
}

/// Why a try failed.
struct Trouble {
    failure: Failure,
    may_pass: bool,
    retry_after: Option<Duration>,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { failure, may_pass: false, retry_after: None }
    }
}

struct Fetch<'a> {
    web: &'a Web,
    what: &'static str,
    secret: Option<(Secret, &'a SentAs)>,
    http: Http,
    kept: Option<Kept>,
    path: PathBuf,
}

impl Fetch<'_> {
    async fn try_once(&self) -> std::result::Result<(), Trouble> {
        let mut url = self.start();
        for _ in 0..=REDIRECTS {
            let request = self.request(&url)?;
            let response = self.http.open(request).await.map_err(|error| self.no_reply(&error))?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return self.answered(response).await;
            }
            let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            url = follow(&url, location, self.web.allow_http).map_err(|why| self.unusable(&why))?;
            if is_login(&url) {
                return Err(self.page(Page::Login).into());
            }
        }
        Err(self.unusable(&format!("redirects more than {REDIRECTS} times")).into())
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
        // Whoever a redirect leads to elsewhere has no business with the secret.
        if url.origin() == self.web.address.expose().origin()
            && let Some((secret, sent_as)) = &self.secret
        {
            let header = match sent_as {
                SentAs::Bearer => Some((AUTHORIZATION, format!("Bearer {}", secret.expose()))),
                SentAs::Header(name) => {
                    let name = HeaderName::from_bytes(name.as_bytes())
                        .map_err(|error| Failure::bug(error.to_string()))?;
                    Some((name, secret.expose().to_owned()))
                }
                SentAs::Parameter(_) => None,
            };
            if let Some((name, value)) = header {
                let mut value = HeaderValue::from_str(&value).map_err(|_| self.unusable_secret())?;
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        request.body(String::new()).map_err(|error| Failure::bug(error.to_string()))
    }

    async fn answered(&self, response: Response<Incoming>) -> std::result::Result<(), Trouble> {
        let status = response.status();
        let asked = retry_after(response.headers());
        match status.as_u16() {
            200 => self.keep(response).await,
            304 if self.kept.is_some() => Ok(()),
            401 | 403 => Err(self.refused(status).into()),
            408 | 429 | 500..=599 => Err(Trouble {
                failure: self.unusable(&format!("answered {status}")),
                may_pass: true,
                retry_after: asked,
            }),
            _ => Err(self.unusable(&format!("answered {status}")).into()),
        }
    }

    async fn keep(&self, response: Response<Incoming>) -> std::result::Result<(), Trouble> {
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let (etag, last_modified) =
            (header(ETAG).map(str::to_owned), header(LAST_MODIFIED).map(str::to_owned));
        let draft = body::receive(response, &self.path, self.what, self.web.max_size).await.map_err(
            |why| match why {
                body::Broken::Cut(why) => Trouble { may_pass: true, ..self.unusable(&why).into() },
                body::Broken::Unbounded(why) => self.unusable(&why).into(),
                body::Broken::TooLarge => self.too_large().into(),
                body::Broken::Page(page) => self.page(page).into(),
                body::Broken::Local(failure) => failure.into(),
            },
        )?;
        Kept::replace(&self.path, draft, &self.web.address, etag, last_modified).map_err(Trouble::from)
    }

    fn no_reply(&self, error: &NoReply) -> Trouble {
        Trouble { may_pass: true, ..self.unusable(&format!("did not answer: {error}")).into() }
    }

    fn late(&self) -> Trouble {
        let limit = humantime::format_duration(self.web.timeout);
        Trouble { may_pass: true, ..self.unusable(&format!("did not answer whole within {limit}")).into() }
    }

    fn unusable(&self, why: &str) -> Failure {
        let hint = format!(
            "the next run tries again; open {} in a browser to see what it answers",
            self.web.address
        );
        Failure::new(Kind::Unavailable, format!("the source {} {why}", self.web.address), hint)
    }

    fn refused(&self, status: StatusCode) -> Failure {
        let hint = match &self.web.secret {
            Some(secret) => {
                format!("ask whoever runs it for a new key, and put it into {}", secret.file.display())
            }
            None => "name the file with the key that it asks for in secret-file of the source".to_owned(),
        };
        Failure::new(Kind::Credential, format!("the source {} answered {status}", self.web.address), hint)
    }

    fn page(&self, page: Page) -> Failure {
        let shown = &self.web.address;
        match page {
            Page::Login => Failure::new(
                Kind::Credential,
                format!("the source {shown} shows a login page instead of bookings"),
                "it lets only people in: for an Apps Script, Deploy, Manage deployments, Who has access: Anyone; otherwise name a key in secret-file of the source",
            ),
            Page::Other => Failure::new(
                Kind::Unavailable,
                format!("the source {shown} shows a web page instead of bookings"),
                format!("read what it says: open {shown} in a browser"),
            ),
        }
    }

    fn too_large(&self) -> Failure {
        let limit = self.web.max_size / 1024 / 1024;
        Failure::new(
            Kind::Data,
            format!("the source {} is larger than max-size allows, {limit} MiB", self.web.address),
            "is it the right address? otherwise raise max-size of the source",
        )
    }

    fn unusable_secret(&self) -> Failure {
        let file =
            self.web.secret.as_ref().map(|secret| secret.file.display().to_string()).unwrap_or_default();
        Failure::new(
            Kind::Credential,
            format!("the secret in {file} holds signs that no header can carry"),
            "look whether it was copied whole, and alone",
        )
    }
}
