//! Why there is no access token: a local failure, or a refusal by the token endpoint.

use std::fmt;

use crate::Failure;
use crate::credential::token_error::TokenError;
use crate::sys::http::NoReply;

/// Why there is no access token.
#[derive(Clone, Debug)]
pub enum TokenFailure {
    /// The file, the lock or the disk: the request was not sent, or its result could not be kept.
    Local(Failure),
    /// The token endpoint refused, or sent no complete response.
    Refused(TokenError),
}

impl TokenFailure {
    /// The same, with its subject in front of a local failure. A refusal becomes a message only later.
    #[must_use]
    pub fn within(self, subject: impl fmt::Display) -> Self {
        match self {
            Self::Local(failure) => Self::Local(failure.within(subject)),
            Self::Refused(error) => Self::Refused(error),
        }
    }
}

impl From<Failure> for TokenFailure {
    fn from(failure: Failure) -> Self {
        Self::Local(failure)
    }
}

impl From<NoReply> for TokenError {
    fn from(no_reply: NoReply) -> Self {
        Self { cause: no_reply.cause.clone(), ..Self::no_response(no_reply) }
    }
}

impl From<TokenError> for TokenFailure {
    fn from(error: TokenError) -> Self {
        Self::Refused(error)
    }
}
