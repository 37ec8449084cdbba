//! What became of a request that google-sheets4 reports as failed. What that means is [`shared::refusal`]'s.

use std::time::Duration;

use google_sheets4::common;
use shared::http;
use shared::refusal::Refusal;

/// The refusal in an error of the crate's.
pub(super) fn from_error(error: &common::Error) -> Refusal {
    match error {
        common::Error::BadRequest(body) => Refusal::from_body(body),
        common::Error::Failure(response) => Refusal::from_status(response.status().as_u16()),
        common::Error::HttpError(error) if error.is_connect() => Refusal::unreached(http::chain(error)),
        common::Error::HttpError(error) => Refusal::passing(http::chain(error)),
        // The crate answers a body that broke off as an empty one. Its text is not shown: it is the sheet's.
        common::Error::JsonDecodeError(..) => {
            Refusal::passing("its answer was cut off or is not JSON".to_owned())
        }
        common::Error::Io(error) => Refusal::passing(error.to_string()),
        other => Refusal::unsent(format!("the client refused the request: {other}").trim().to_owned()),
    }
}

/// The refusal in an answer that did not come whole in time.
pub(super) fn late(limit: Duration) -> Refusal {
    Refusal::passing(format!("no whole answer within {} s", limit.as_secs_f64()))
}
