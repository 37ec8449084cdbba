//! A small dashboard over real HTTP on the loopback: lists, leases, keys, entity tags, and faults on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done and nothing answered.
    Refuse,
    /// It is done, and the answer is lost.
    ApplyThenCut,
    /// 503.
    Unavailable,
    /// It takes the request and never answers.
    Hang,
    /// It ends here: nothing is done any more, also of the steps after.
    Gone,
}

#[derive(Default)]
struct Task {
    body: Value,
    generation: u32,
    holder: Option<String>,
    is_finished: bool,
    reports: BTreeMap<String, Value>,
}

#[derive(Default)]
struct Inner {
    token: String,
    tasks: BTreeMap<String, Task>,
    fault: Option<(String, Fault)>,
    is_gone: bool,
    log: Vec<String>,
}

/// A dashboard. It ends with the test.
pub struct Dashboard {
    url: String,
    inner: Arc<Mutex<Inner>>,
    _runtime: tokio::runtime::Runtime,
}

type Shared = Arc<Mutex<Inner>>;

impl Dashboard {
    /// Starts one that takes this token.
    #[expect(clippy::disallowed_methods, reason = "the test's own server")]
    pub fn start(token: &str) -> Self {
        let inner = Shared::new(Mutex::new(Inner { token: token.to_owned(), ..Inner::default() }));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, inner, _runtime: runtime }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn add(&self, id: &str, body: Value) {
        self.inner().tasks.insert(id.to_owned(), Task { body, ..Task::default() });
    }

    /// Lets a task run again that has ended.
    pub fn reopen(&self, id: &str) {
        let mut inner = self.inner();
        let task = inner.tasks.get_mut(id).unwrap();
        (task.generation, task.is_finished) = (task.generation + 1, false);
    }

    /// Another runner, of another machine, gets the task.
    pub fn give_away(&self, id: &str) {
        self.inner().tasks.get_mut(id).unwrap().holder = Some("another".to_owned());
    }

    pub fn expire_leases(&self) {
        self.inner().tasks.values_mut().for_each(|task| task.holder = None);
    }

    /// From now on every request of this step fails, until it comes back.
    pub fn fail_at(&self, step: &str, fault: Fault) {
        self.inner().fault = Some((step.to_owned(), fault));
    }

    pub fn come_back(&self) {
        let mut inner = self.inner();
        (inner.fault, inner.is_gone) = (None, false);
    }

    /// The last report of a task.
    pub fn report(&self, id: &str) -> Option<Value> {
        self.inner().tasks.get(id)?.reports.values().last().cloned()
    }

    /// How many different reports were taken.
    pub fn reports_taken(&self, id: &str) -> usize {
        self.inner().tasks[id].reports.len()
    }

    pub fn log(&self) -> Vec<String> {
        self.inner().log.clone()
    }
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let answer = shared.lock().unwrap().answer(&parts, &body);
    match answer {
        Some(response) => response,
        None => std::future::pending().await,
    }
}

/// An answer whose body breaks off: the client has no whole answer.
fn lost() -> Response {
    let broken = std::io::Error::other("cut");
    let stream = axum::body::Body::new(Broken(Some(broken)));
    Response::new(stream)
}

/// A body that is an error.
struct Broken(Option<std::io::Error>);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(self.0.take().map(Err))
    }
}

impl Inner {
    /// The answer, unless there must be none.
    fn answer(&mut self, parts: &Parts, body: &[u8]) -> Option<Response> {
        let step = parts.uri.path().rsplit('/').next().unwrap_or_default();
        let step = if step == "tasks" { "list" } else { step };
        let fault = self.fault.clone().filter(|(failing, _)| failing == step).map(|(_, fault)| fault);
        self.is_gone |= fault == Some(Fault::Gone);
        let response = match fault {
            _ if self.is_gone => lost(),
            Some(Fault::Refuse | Fault::Gone) => lost(),
            Some(Fault::Unavailable) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Some(Fault::ApplyThenCut) => {
                self.serve(&parts.method, &parts.uri, &parts.headers, body);
                lost()
            }
            Some(Fault::Hang) => return None,
            None => self.serve(&parts.method, &parts.uri, &parts.headers, body),
        };
        let key = parts
            .headers
            .get("idempotency-key")
            .map(|key| format!(" {}", key.to_str().unwrap()))
            .unwrap_or_default();
        let status = response.status().as_u16();
        self.log.push(format!("{} {}{key} → {status}", parts.method, parts.uri));
        Some(response)
    }

    fn serve(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let header = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        if header("authorization") != format!("Bearer {}", self.token) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let path: Vec<&str> = uri.path().trim_start_matches('/').split('/').collect();
        match (method, &path[..]) {
            (&Method::GET, ["tasks"]) => self.list(&header("if-none-match")),
            (&Method::POST, ["tasks", id, step]) => {
                let body: Value = serde_json::from_slice(body).unwrap();
                self.post(id, step, &header("idempotency-key"), body)
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn list(&self, known: &str) -> Response {
        let free = self.tasks.iter().filter(|(_, task)| !task.is_finished && task.holder.is_none());
        let tasks: Vec<Value> = free
            .map(|(id, task)| json!({"id": id, "generation": task.generation, "task": task.body}))
            .collect();
        // The mark is of the content, as a cache in front of a dashboard makes it.
        let etag = format!(
            "\"{}\"",
            json!(tasks)
                .to_string()
                .bytes()
                .fold(7_u64, |mark, byte| mark.wrapping_mul(31) + u64::from(byte))
        );
        if etag == known {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        ([("etag", etag)], Json(json!({"tasks": tasks}))).into_response()
    }

    fn post(&mut self, id: &str, step: &str, key: &str, body: Value) -> Response {
        let Some(task) = self.tasks.get_mut(id) else { return StatusCode::NOT_FOUND.into_response() };
        match step {
            "claim" if task.is_finished => StatusCode::GONE.into_response(),
            "claim" if task.holder.as_deref().is_some_and(|holder| holder != key) => {
                StatusCode::CONFLICT.into_response()
            }
            "claim" => {
                task.holder = Some(key.to_owned());
                Json(json!({})).into_response()
            }
            "report" if task.holder.as_deref().is_some_and(|holder| runner_of(holder) != runner_of(key)) => {
                StatusCode::CONFLICT.into_response()
            }
            "release" => StatusCode::NO_CONTENT.into_response(),
            "report" => {
                (task.is_finished, task.holder) = (body["state"] != "turn-limit", None);
                task.reports.insert(key.to_owned(), body);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

/// The last part of a key, claim:ID:ATTEMPT:RUNNER or report:ID:ATTEMPT:RUNNER.
fn runner_of(key: &str) -> &str {
    key.rsplit(':').next().unwrap_or_default()
}
