//! The body of a POST request, as plain data: what decides what to send knows no HTTP client.

/// A body with its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Names and values of further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The encoded body.
    pub body: String,
}
