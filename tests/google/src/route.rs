//! Which part of the stand-in answers a path. Decides nothing else.

use serde_json::json;

use crate::auth::{self, Caller};
use crate::drive;
use crate::oauth;
use crate::reply::Reply;
use crate::request::Request;
use crate::sheets;
use crate::world::World;

const PAGES: &str = "/spreadsheets/d/";

/// Answers one request of the product's.
pub(crate) fn serve(world: &mut World, request: &Request) -> Reply {
    let path = request.path.as_str();
    if path.starts_with("/v4/") || path.starts_with("/drive/") {
        let caller = auth::caller(world, request);
        world.changes += u64::from(request.method != "GET");
        return serve_api(world, request, caller);
    }
    world.changes += 1;
    match (request.method.as_str(), path.trim_end_matches('/')) {
        ("POST", "/token") => oauth::token::serve(world, request),
        ("POST", "/revoke") => oauth::inspect::revoke(world, request),
        ("GET" | "POST", "/tokeninfo") => oauth::inspect::tokeninfo(world, request),
        ("GET", "/oauth2/v3/userinfo") => oauth::inspect::userinfo(world, request),
        ("GET" | "POST", "/o/oauth2/v2/auth" | "/o/oauth2/auth") => oauth::consent::serve(world, request),
        ("GET", page) if page.starts_with(PAGES) => sheet_page(world, page),
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

/// The spreadsheet as a person sees it, whoever they are: a browser brings no token.
fn sheet_page(world: &World, path: &str) -> Reply {
    let id = path.strip_prefix(PAGES).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match world.kept.files.get(id).and_then(|file| file.sheet.as_ref()) {
        Some(sheet) => Reply::html(200, sheet.html()),
        None => Reply::html(
            404,
            "<!DOCTYPE html>\n<p>Sorry, the file you have requested does not exist.</p>\n".to_owned(),
        ),
    }
}

fn not_found(path: &str) -> Reply {
    let message = format!("The requested URL {path} was not found on this server.");
    Reply::json(404, json!({"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}))
}
