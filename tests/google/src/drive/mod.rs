//! `/drive/v3/…`: the files that spreadsheets are, and who they are shared with.

pub(crate) mod store;

use sheets_model::ApiError;

use crate::auth::Caller;
use crate::reply::{ErrorsArray, Reply};
use crate::request::Request;
use crate::world::World;

/// Answers one request to the Drive API.
pub(crate) fn serve(_world: &mut World, _request: &Request, caller: Result<Caller, ApiError>) -> Reply {
    match caller {
        Err(error) => Reply::error(&error, ErrorsArray::Sent),
        Ok(_) => Reply::error(&ApiError::not_found(), ErrorsArray::Sent),
    }
}
