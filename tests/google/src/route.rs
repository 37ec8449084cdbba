//! Which part of the stand-in answers a path: the routes of an axum router. Decides nothing else.
//!
//! Faults and sockets are below it, in `connection`: no framework resets or cuts a connection on purpose.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, any, get, on, post};
use axum::{Extension, Router};
use serde_json::json;

use crate::admin::{self, Admin};
use crate::auth::{self, Caller};
use crate::drive;
use crate::oauth;
use crate::reply::Reply;
use crate::request::Request;
use crate::sheets;
use crate::world::World;

const PAGES: &str = "/spreadsheets/d/";

/// An answer under way.
type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// How a part answers.
type Serve = fn(&Admin, &Request) -> Reply;

/// All routes. Each request comes with its body read, as an extension.
pub(crate) fn router(admin: Admin) -> Router {
    let either = |serve| on(MethodFilter::GET.or(MethodFilter::POST), handler(serve));
    Router::new()
        .route("/token", post(handler(|admin, request| page(admin, request, oauth::token::serve))))
        .route("/revoke", post(handler(|admin, request| page(admin, request, oauth::inspect::revoke))))
        .route(
            "/tokeninfo",
            either(|admin, request| {
                page(admin, request, |world, request| oauth::inspect::tokeninfo(world, request))
            }),
        )
        .route(
            "/oauth2/v3/userinfo",
            get(handler(|admin, request| {
                page(admin, request, |world, request| oauth::inspect::userinfo(world, request))
            })),
        )
        .route("/o/oauth2/v2/auth", either(|admin, request| page(admin, request, oauth::consent::serve)))
        .route("/o/oauth2/auth", either(|admin, request| page(admin, request, oauth::consent::serve)))
        .route("/spreadsheets/d/{*rest}", get(handler(|admin, request| page(admin, request, sheet_page))))
        .route("/v4/{*rest}", everything(api))
        .route("/drive/{*rest}", everything(api))
        .route("/_admin/{*rest}", everything(admin::http::serve))
        .fallback(handler(|_, request| not_found(&request.path)))
        .method_not_allowed_fallback(handler(|_, request| not_found(&request.path)))
        .with_state(admin)
}

fn everything(serve: Serve) -> MethodRouter<Admin> {
    any(handler(serve))
}

/// Large sheets take a while, and the other connections continue meanwhile.
///
/// A panic is answered as Google answers its own bugs; a closed connection would look like a network's fault.
fn handler(
    serve: Serve,
) -> impl Fn(State<Admin>, Extension<Arc<Request>>) -> Answer + Clone + Send + Sync + 'static {
    move |State(admin), Extension(request)| {
        Box::pin(async move {
            let answer = move || serve(&admin, &request).into_response();
            let panicked =
                json!({"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"});
            let answered = tokio::task::spawn_blocking(answer).await;
            answered.unwrap_or_else(|_| Reply::json(500, json!({ "error": panicked })).into_response())
        })
    }
}

/// Answers one of the plain endpoints, which may change something whatever the method is.
fn page(admin: &Admin, request: &Request, serve: fn(&mut World, &Request) -> Reply) -> Reply {
    let mut world = admin.world();
    world.changes += 1;
    serve(&mut world, request)
}

/// The longest URL that Google's front end takes, in bytes.
const LONGEST_URL: usize = 8_192;

fn api(admin: &Admin, request: &Request) -> Reply {
    if request.path.len() + 1 + request.query.len() > LONGEST_URL {
        return too_long();
    }
    let mut world = admin.world();
    let caller = auth::caller(&world, request);
    world.changes += u64::from(request.method != "GET");
    serve_api(&mut world, request, caller)
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

/// The spreadsheet as anyone sees it: a browser brings no token.
fn sheet_page(world: &mut World, request: &Request) -> Reply {
    let id = request.path.strip_prefix(PAGES).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match world.kept.files.get(id).and_then(|file| file.sheet.as_ref()) {
        Some(sheet) => Reply::html(200, sheet.html()),
        None => Reply::html(
            404,
            "<!DOCTYPE html>\n<p>Sorry, the file you have requested does not exist.</p>\n".to_owned(),
        ),
    }
}

/// Google's front end answers before the API sees the request.
fn too_long() -> Reply {
    let page = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 414 (Request-URI Too Large)!!1</title>\n<p><b>414.</b> <ins>That’s an error.</ins>\n<p>The requested URL is too large to process. <ins>That’s all we know.</ins>\n";
    Reply::html(414, page.to_owned())
}

fn not_found(path: &str) -> Reply {
    let message = format!("The requested URL {path} was not found on this server.");
    Reply::json(404, json!({"error": {"code": 404, "message": message, "status": "NOT_FOUND"}}))
}
