//! Small requests, such as those to token endpoints, and the TLS connector that every client here uses.
//!
//! Each request is bounded: connecting, waiting for the headers and reading the body all count against one limit,
//! and a body is read up to a size. Nothing is retried here.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::form_urlencoded::Serializer;

use crate::{Failure, Kind, Result, Secret};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer read, in bytes: a token endpoint's is under 3 KiB.
const BODY_LIMIT: usize = 1024 * 1024;

/// A connector for https and, for loopback, http. Who may be reached over http is decided by the configuration.
/// All clients of a process share one: reading the machine's authorities takes longer than everything else before the
/// first request.
///
/// # Errors
/// [`Kind::Config`] when this machine has no certificate authorities installed.
pub fn connector() -> Result<HttpsConnector<HttpConnector>> {
    static CONNECTOR: OnceLock<HttpsConnector<HttpConnector>> = OnceLock::new();
    match CONNECTOR.get() {
        Some(connector) => Ok(connector.clone()),
        None => new_connector().map(|connector| CONNECTOR.get_or_init(|| connector).clone()),
    }
}

fn new_connector() -> Result<HttpsConnector<HttpConnector>> {
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.enforce_http(false);
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| {
            Failure::new(
                Kind::Config,
                format!("no trusted certificate authorities: {error}"),
                "apt-get install ca-certificates",
            )
        })?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
}

/// A body to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Headers beside that.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// A client for small requests.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, String>,
    timeout: Duration,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The server's clock, from the `Date` header.
    pub date: Option<DateTime<Utc>>,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// The mark of this version of the page.
    pub etag: Option<String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// A request with a token, for a server of the operator's own.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: &'a str,
    /// What authorizes it.
    pub token: &'a Secret,
    /// More headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, if there is one.
    pub json: Option<&'a str>,
}

/// Why there is no answer. It never holds what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoReply(String);

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Http {
    /// A client whose requests take at most `timeout` each.
    ///
    /// # Errors
    /// As [`connector`].
    pub fn new(timeout: Duration) -> Result<Self> {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector()?);
        Ok(Self { client, timeout })
    }

    /// The limit on each exchange.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Posts a form, as OAuth's token requests are (RFC 6749, section 4.1.3).
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached or did not answer whole in time.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> std::result::Result<Reply, NoReply> {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        self.send(request.map_err(|error| NoReply(error.to_string()))?).await
    }

    /// Posts an alert, with a token where the receiver wants one.
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached or did not answer whole in time.
    pub async fn post(
        &self,
        url: &str,
        token: Option<&Secret>,
        post: Post,
    ) -> std::result::Result<Reply, NoReply> {
        let request =
            Request::builder().method(Method::POST).uri(url).header(CONTENT_TYPE, post.content_type);
        let request =
            post.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let bearer = token.map(|token| format!("Bearer {}", token.expose()));
        let request = bearer.iter().fold(request, |request, bearer| request.header(AUTHORIZATION, bearer));
        self.send(request.body(post.body).map_err(|error| NoReply(error.to_string()))?).await
    }

    /// Gets a page.
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached or did not answer whole in time.
    pub async fn get(&self, url: &str) -> std::result::Result<Reply, NoReply> {
        let request = Request::builder().uri(url).body(String::new());
        self.send(request.map_err(|error| NoReply(error.to_string()))?).await
    }

    /// Gets a page with an access token.
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached or did not answer whole in time.
    pub async fn get_as(&self, token: &Secret, url: &str) -> std::result::Result<Reply, NoReply> {
        let bearer = format!("Bearer {}", token.expose());
        let request = Request::builder().uri(url).header(AUTHORIZATION, bearer).body(String::new());
        self.send(request.map_err(|error| NoReply(error.to_string()))?).await
    }

    /// Sends a request and answers as soon as the headers are there. The caller bounds the time and the body.
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached.
    pub async fn open(&self, request: Request<String>) -> std::result::Result<Response<Incoming>, NoReply> {
        self.client.request(request).await.map_err(|error| NoReply(chain(&error)))
    }

    /// Sends a request with a token.
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached or did not answer whole in time.
    pub async fn ask(&self, ask: Ask<'_>) -> std::result::Result<Reply, NoReply> {
        let bearer = format!("Bearer {}", ask.token.expose());
        let request = Request::builder().method(ask.method).uri(ask.url).header(AUTHORIZATION, bearer);
        let request =
            ask.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match ask.json {
            Some(json) => request.header(CONTENT_TYPE, "application/json").body(json.to_owned()),
            None => request.body(String::new()),
        };
        self.send(request.map_err(|error| NoReply(error.to_string()))?).await
    }

    async fn send(&self, request: Request<String>) -> std::result::Result<Reply, NoReply> {
        let exchange = async {
            let response = self.open(request).await?;
            let (parts, body) = response.into_parts();
            let body =
                Limited::new(body, BODY_LIMIT).collect().await.map_err(|error| NoReply(error.to_string()))?;
            Ok(Reply {
                status: parts.status.as_u16(),
                date: date(&parts.headers),
                retry_after: retry_after(&parts.headers),
                etag: parts.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned),
                body: body.to_bytes().to_vec(),
            })
        };
        let late =
            |_| NoReply(format!("no whole answer within {}", humantime::format_duration(self.timeout)));
        tokio::time::timeout(self.timeout, exchange).await.map_err(late)?
    }
}

/// `Retry-After`, in seconds or as the time until which to wait (RFC 9110, section 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - Utc::now()).to_std().ok(),
    }
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    Some(DateTime::parse_from_rfc2822(text).ok()?.to_utc())
}

/// An error with its causes: hyper's own text is only "client error (Connect)".
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
