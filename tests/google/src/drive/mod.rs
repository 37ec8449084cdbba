//! `/drive/v3/…`: the files that spreadsheets are, and who they are shared with. No file has parents here.

mod error;
mod fields;
mod files;
mod permissions;
mod query;
mod resource;
pub(crate) mod store;

use serde_json::{Value, json};
use sheets_model::ApiError;

use crate::auth::{self, Caller};
use crate::reply::{Layout, Reply};
use crate::request::Request;
use crate::world::World;
use error::DriveError;
use fields::Mask;
use store::{Access, File};

const READ_SCOPES: &[&str] =
    &["drive", "drive.readonly", "drive.file", "drive.metadata", "drive.metadata.readonly"];
const WRITE_SCOPES: &[&str] = &["drive", "drive.file"];
/// Scopes that reach files the account did not make with this client.
const WIDE_SCOPES: &[&str] = &["drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly"];

/// What a call answers: a body, or nothing at all.
type Outcome = Result<Option<Value>, DriveError>;

/// A Drive call, its caller known and its body read.
struct Call<'a> {
    request: &'a Request,
    caller: &'a Caller,
    body: Value,
}

/// Answers one request to the Drive API.
pub(crate) fn serve(world: &mut World, request: &Request, caller: Result<Caller, ApiError>) -> Reply {
    let outcome = caller.map_err(DriveError::from).and_then(|caller| answer(world, request, &caller));
    let mut reply = match outcome {
        Ok(Some(body)) => Reply::json(200, body),
        Ok(None) => Reply::empty(204),
        Err(error) => Reply::json(error.code(), error.body()),
    };
    if request.query_value("prettyPrint").as_deref() == Some("false") {
        reply.layout = Layout::Compact;
    }
    reply.with_api_headers()
}

fn answer(world: &mut World, request: &Request, caller: &Caller) -> Outcome {
    let path = request.decoded_path();
    let parts: Vec<&str> = path.trim_matches('/').split('/').skip(2).collect();
    let (scopes, needs) = match request.method.as_str() {
        "GET" => (READ_SCOPES, "Get"),
        _ => (WRITE_SCOPES, "Update"),
    };
    let name = format!("google.apps.drive.v3.DriveFiles.{needs}");
    auth::require_scope(caller, scopes, "drive.googleapis.com", &name)?;
    let body =
        request.json().map_err(|_| DriveError::bad_request("Parse Error"))?.unwrap_or_else(|| json!({}));
    let call = Call { request, caller, body };
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["about"]) => files::about(&call),
        ("GET", ["files"]) => files::list(world, &call),
        ("POST", ["files"]) => files::create(world, &call),
        ("GET", ["files", id]) => files::get(world, &call, id),
        ("PATCH", ["files", id]) => files::update(world, &call, id),
        ("DELETE", ["files", id]) => files::delete(world, &call, id),
        ("POST", ["files", id, "copy"]) => files::copy(world, &call, id),
        ("GET", ["files", id, "comments"]) => files::comments(world, &call, id),
        ("GET", ["files", id, "permissions"]) => permissions::list(world, &call, id),
        ("POST", ["files", id, "permissions"]) => permissions::create(world, &call, id),
        ("PATCH", ["files", id, "permissions", permission]) => {
            permissions::update(world, &call, id, permission)
        }
        ("DELETE", ["files", id, "permissions", permission]) => {
            permissions::delete(world, &call, id, permission)
        }
        _ => Err(DriveError::not_found("Not Found")),
    }
}

impl Call<'_> {
    /// A text field of the body.
    fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// What the caller may do with a file, given account and scopes.
    fn access(&self, file: &File) -> Access {
        let is_own = file.owner == self.caller.email;
        match () {
            () if !self.caller.has_scope(WIDE_SCOPES) && !is_own => Access::None,
            () if self.caller.sees_all => Access::Own,
            () => file.access(&self.caller.email),
        }
    }

    /// The file, when the caller may do as much with it; one that they may not even read does not exist for them.
    fn file<'w>(&self, world: &'w mut World, id: &str, needed: Access) -> Result<&'w mut File, DriveError> {
        let missing = || DriveError::no_file(id);
        let file = world.kept.files.get_mut(id).ok_or_else(missing)?;
        match self.access(file) {
            Access::None => Err(missing()),
            access if access < needed => Err(DriveError::not_allowed()),
            _ => Ok(file),
        }
    }

    /// The part of a resource that the caller asked for, or the part that Drive sends unasked.
    fn shown(&self, resource: &Value, unasked: &str) -> Option<Value> {
        let asked = self.request.query_value("fields");
        Some(Mask::parse(asked.as_deref().unwrap_or(unasked)).apply(resource))
    }
}
