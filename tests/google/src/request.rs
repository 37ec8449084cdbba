//! A request as the stand-in sees it and the reply it decides on; knows nothing of sockets.

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

/// One HTTP request, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path as sent, still percent-encoded.
    pub(crate) path: String,
    /// The query as sent, without its question mark.
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: hyper::body::Bytes,
}

impl Request {
    /// A request that came over no wire; `target` is a path with an optional query.
    pub(crate) fn local(method: &str, target: &str, body: Option<&Value>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: None,
            content_type: "application/json".to_owned(),
            body: body.map(Value::to_string).unwrap_or_default().into(),
        }
    }

    /// The query's pairs, decoded, in order.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The first value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Whether the body is a form, which is never read as JSON.
    pub(crate) fn is_form(&self) -> bool {
        self.content_type.starts_with("application/x-www-form-urlencoded")
    }

    /// The form's pairs; none when the body is no form.
    pub(crate) fn form(&self) -> Form {
        let body: &[u8] = if self.is_form() { &self.body } else { &[] };
        Form(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The JSON body, `None` when there is no body.
    pub(crate) fn json(&self) -> serde_json::Result<Option<Value>> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        serde_json::from_slice(&self.body).map(Some)
    }

    /// The path with its percent-encoding undone, for people and regular expressions.
    pub(crate) fn decoded_path(&self) -> String {
        percent_decode_str(&self.path).decode_utf8_lossy().into_owned()
    }
}

/// The fields of a form, in order.
pub(crate) struct Form(pub(crate) Vec<(String, String)>);

impl Form {
    /// A field's value; an empty one counts as absent, as it does for Google.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Every value of a repeated field.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }
}
