//! What the stand-in answers, in Google's JSON layout; decides no content.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sheets_model::ApiError;

/// The body of a reply.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Empty,
    Json(Value),
    Text { kind: &'static str, text: String },
}

/// One answer, before it is written to a socket.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
    pub(crate) layout: Layout,
}

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    Pretty,
    Compact,
}

/// Whether error bodies carry the `errors` array of the old client libraries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ErrorsArray {
    Sent,
    Left,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(body), layout: Layout::Pretty }
    }

    pub(crate) fn html(status: u16, text: String) -> Self {
        let content = Content::Text { kind: "text/html; charset=UTF-8", text };
        Self { status, headers: Vec::new(), content, layout: Layout::Pretty }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Empty, layout: Layout::Pretty }
    }

    pub(crate) fn redirect(location: &str) -> Self {
        Self::empty(302).header("location", location)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The headers that the APIs send with every answer.
    pub(crate) fn with_api_headers(self) -> Self {
        self.header("vary", "Origin, X-Origin, Referer")
            .header("cache-control", "private")
            .header("server", "ESF")
    }

    /// Google's error body for the Sheets API.
    pub(crate) fn error(error: &ApiError, array: ErrorsArray) -> Self {
        let mut body = error.body();
        if array == ErrorsArray::Sent {
            body = with_errors(error);
        }
        Self::json(error.code, body)
    }

    /// The content type and the bytes to send.
    pub(crate) fn bytes(&self) -> serde_json::Result<(Option<&'static str>, Bytes)> {
        Ok(match &self.content {
            Content::Empty => (None, Bytes::new()),
            Content::Text { kind, text } => (Some(*kind), Bytes::from(text.clone())),
            Content::Json(value) => (Some("application/json; charset=UTF-8"), lay_out(value, self.layout)?),
        })
    }

    /// The body as JSON, a text as a string.
    pub(crate) fn into_value(self) -> Value {
        match self.content {
            Content::Empty => Value::Null,
            Content::Json(value) => value,
            Content::Text { text, .. } => Value::String(text),
        }
    }
}

impl IntoResponse for Reply {
    /// What cannot be laid out is the stand-in's own bug, and answered as one.
    fn into_response(self) -> Response {
        let laid_out = || {
            let (kind, bytes) = self.bytes().ok()?;
            let mut response = Response::builder().status(self.status);
            if let Some(kind) = kind {
                response = response.header(CONTENT_TYPE, kind);
            }
            for (name, value) in &self.headers {
                response = response.header(name, value);
            }
            response.body(Body::from(bytes)).ok()
        };
        laid_out().unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

fn lay_out(value: &Value, layout: Layout) -> serde_json::Result<Bytes> {
    if layout == Layout::Compact {
        return serde_json::to_vec(value).map(Bytes::from);
    }
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes.into())
}

/// The array is between the message and the status.
fn with_errors(error: &ApiError) -> Value {
    let reason = match error.code {
        401 => "authError",
        403 => "forbidden",
        404 => "notFound",
        429 => "rateLimitExceeded",
        500.. => "backendError",
        _ => "badRequest",
    };
    let mut inner = json!({
        "code": error.code,
        "message": error.message,
        "errors": [{"message": error.message, "domain": "global", "reason": reason}],
        "status": error.status,
    });
    if !error.details.is_empty() {
        inner["details"] = Value::Array(error.details.clone());
    }
    json!({ "error": inner })
}
