//! Which part of the stand-in answers a path. Decides nothing else.

use serde_json::json;

use crate::auth::{self, Caller};
use crate::drive;
use crate::oauth;
use crate::reply::Reply;
use crate::request::Request;
use crate::sheets;
use crate::world::World;

/// Answers one request of the product's.
pub(crate) fn serve(world: &mut World, request: &Request) -> Reply {
    let path = request.path.as_str();
    if path.starts_with("/v4/") || path.starts_with("/drive/") {
        let caller = auth::caller(world, request);
        world.changes += u64::from(request.method != "GET");
        return serve_api(world, request, caller);
    }
    world.changes += 1;
    match path.trim_end_matches('/') {
        "/token" if request.method == "POST" => oauth::token::serve(world, request),
        _ => not_found(path),
    }
}

/// Answers one request that a person makes with their own account, past tokens, quotas and log.
pub(crate) fn serve_person(world: &mut World, email: &str, request: &Request) -> Reply {
    world.changes += 1;
    serve_api(world, request, Ok(Caller::person(email)))
}

fn serve_api(world: &mut World, request: &Request, caller: Result<Caller, sheets_model::ApiError>) -> Reply {
    if request.path.starts_with("/v4/spreadsheets") {
        return sheets::serve(world, request, caller);
    }
    if request.path.starts_with("/drive/v3/") {
        return drive::serve(world, request, caller);
    }
    not_found(&request.path)
}

fn not_found(path: &str) -> Reply {
    let message = format!("The requested URL {path} was not found on this server.");
    Reply::json(404, json!({"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}))
}
