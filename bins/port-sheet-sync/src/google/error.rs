//! What became of a request that google-sheets4 reports as failed. What that means is [`shared::google::api_error`]'s.

use std::time::Duration;

use google_sheets4::common;
use shared::cause::Cause;
use shared::google::api_error::ApiError;
use shared::sys::http;

/// The refusal in an error of the crate's.
pub(super) fn from_error(error: common::Error) -> ApiError {
    match error {
        common::Error::BadRequest(body) => ApiError::from_body(&body),
        common::Error::Failure(response) => ApiError::from_status(response.status().as_u16()),
        common::Error::HttpError(error) => {
            let words = http::chain(&error);
            let refusal =
                if error.is_connect() { ApiError::unreached(words) } else { ApiError::passing(words) };
            refusal.caused_by(Cause::new(error))
        }
        // The crate returns a body that broke off as an empty one. Its text is not shown: it is the sheet's.
        common::Error::JsonDecodeError(_, error) => ApiError::cut_off().caused_by(error),
        common::Error::Io(error) => ApiError::passing(error.to_string()).caused_by(error),
        other => ApiError::unsent(format!("the client refused the request: {other}").trim().to_owned()),
    }
}

/// The error of a response that was not complete in time.
pub(super) fn late(limit: Duration) -> ApiError {
    ApiError::passing(format!("no whole answer within {} s", limit.as_secs_f64()))
}
