//! Small requests, such as those to token endpoints, and the TLS connector of every HTTP client in the workspace.
//!
//! Each request is bounded: connecting, waiting for the headers and reading the body share one time limit, and the size of
//! a body is limited. No request is retried here.

use std::error::Error;
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

use crate::cause::Cause;
use crate::sys::payload::Payload;
use crate::{Failure, Kind, Result, Secret};

/// The time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body that is read, in bytes: a token endpoint's is under 3 KiB.
const BODY_LIMIT: usize = 1024 * 1024;

/// A connector for https and http; the configuration limits http to loopback. All clients of a process share it, because
/// reading the machine's certificate authorities takes longer than everything else before the first request.
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
            .caused_by(error)
        })?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
}

/// A client for small requests.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, String>,
    timeout: Duration,
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The server's clock, from the `Date` header.
    pub date: Option<DateTime<Utc>>,
    /// The server's `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Identifies this version of the resource.
    pub etag: Option<String>,
    /// The complete body.
    pub body: Vec<u8>,
}

/// A request with a token, to a server of the operator.
#[derive(Clone, Debug)]
pub struct ApiRequest<'a> {
    /// The method.
    pub method: Method,
    /// The complete URL.
    pub url: &'a str,
    /// The bearer token.
    pub token: &'a Secret,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The JSON body, if any.
    pub json: Option<&'a str>,
}

/// Why there is no complete response. It never contains what was sent.
#[derive(Clone, Debug)]
pub struct NoReply {
    text: String,
    /// The error of the connection; `None` after the time limit.
    pub cause: Option<Cause>,
}

impl NoReply {
    fn new(text: String, error: impl Error + Send + Sync + 'static) -> Self {
        Self { text, cause: Some(Cause::new(error)) }
    }
}

impl From<http::Error> for NoReply {
    /// For a request that cannot be built, such as one to an invalid URL.
    fn from(error: http::Error) -> Self {
        Self::new(error.to_string(), error)
    }
}

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
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

    /// The time limit of each request.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Posts a form, as OAuth's token requests require (RFC 6749, section 4.1.3).
    ///
    /// # Errors
    /// [`NoReply`] when there is no complete response within the time limit.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Reply, NoReply> {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        self.send(request?).await
    }

    /// Posts an alert, with a token where the receiver requires one.
    ///
    /// # Errors
    /// [`NoReply`] when there is no complete response within the time limit.
    pub async fn post(&self, url: &str, token: Option<&Secret>, post: Payload) -> Result<Reply, NoReply> {
        let request =
            Request::builder().method(Method::POST).uri(url).header(CONTENT_TYPE, post.content_type);
        let request =
            post.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let bearer = token.map(|token| format!("Bearer {}", token.expose()));
        let request = bearer.iter().fold(request, |request, bearer| request.header(AUTHORIZATION, bearer));
        self.send(request.body(post.body)?).await
    }

    /// Sends a GET request.
    ///
    /// # Errors
    /// [`NoReply`] when there is no complete response within the time limit.
    pub async fn get(&self, url: &str) -> Result<Reply, NoReply> {
        let request = Request::builder().uri(url).body(String::new());
        self.send(request?).await
    }

    /// Sends a GET request with an access token.
    ///
    /// # Errors
    /// [`NoReply`] when there is no complete response within the time limit.
    pub async fn get_as(&self, token: &Secret, url: &str) -> Result<Reply, NoReply> {
        let bearer = format!("Bearer {}", token.expose());
        let request = Request::builder().uri(url).header(AUTHORIZATION, bearer).body(String::new());
        self.send(request?).await
    }

    /// Sends a request and returns as soon as the headers have arrived. The caller limits the time and the body.
    ///
    /// # Errors
    /// [`NoReply`] when the server could not be reached.
    pub async fn open(&self, request: Request<String>) -> Result<Response<Incoming>, NoReply> {
        self.client.request(request).await.map_err(|error| NoReply::new(chain(&error), error))
    }

    /// Sends a request to a server of the operator.
    ///
    /// # Errors
    /// [`NoReply`] when there is no complete response within the time limit.
    pub async fn request(&self, request: ApiRequest<'_>) -> Result<Reply, NoReply> {
        let ApiRequest { method, url, token, headers, json } = request;
        let bearer = format!("Bearer {}", token.expose());
        let mut request = Request::builder().method(method).uri(url).header(AUTHORIZATION, bearer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match json {
            Some(json) => request.header(CONTENT_TYPE, "application/json").body(json.to_owned()),
            None => request.body(String::new()),
        };
        self.send(request?).await
    }

    async fn send(&self, request: Request<String>) -> Result<Reply, NoReply> {
        let exchange = async {
            let response = self.open(request).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|error| NoReply {
                text: error.to_string(),
                cause: Some(Cause::from_boxed(error)),
            })?;
            Ok(Reply {
                status: parts.status.as_u16(),
                date: date(&parts.headers),
                retry_after: retry_after(&parts.headers),
                etag: parts.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned),
                body: body.to_bytes().to_vec(),
            })
        };
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or_else(|_| {
            let text = format!("no whole answer within {}", humantime::format_duration(self.timeout));
            Err(NoReply { text, cause: None })
        })
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

/// The text of an error with its causes: hyper's own text is only "client error (Connect)".
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
