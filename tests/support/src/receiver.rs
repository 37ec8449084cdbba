//! A real HTTP server that takes alerts and pings, or does not: it refuses, hangs or drops the connection when told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::{Router, serve};
use socket2::SockRef;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200.
    Take,
    /// Another status, and the request's own path as the body.
    Refuse(u16),
    /// Nothing, ever.
    Hang,
    /// The connection is closed without an answer.
    Drop,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its query.
    pub query: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
    /// What it was answered.
    pub answer: Answer,
}

#[derive(Default)]
struct Log {
    received: Vec<Received>,
    answers: VecDeque<Answer>,
}

type Shared = Arc<Mutex<Log>>;

/// The server. It stops when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    log: Shared,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts one on a free loopback port. It takes everything until told otherwise.
    ///
    /// # Panics
    /// When the machine does not let it.
    pub fn start() -> Self {
        Self::with(|listener, log| async {
            let router = Router::new().fallback(answer).with_state(log);
            serve(listener, router).await.expect("the server serves");
        })
    }

    /// Starts one that resets every connection once something was sent.
    ///
    /// # Panics
    /// When the machine does not let it.
    pub fn resetting() -> Self {
        Self::with(|listener, _log| async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                drop(stream.read(&mut [0; 16]).await);
                // To close without lingering, with something unread, is a reset.
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket's option");
            }
        })
    }

    fn with<F: Future<Output = ()>>(work: impl FnOnce(TcpListener, Shared) -> F + Send + 'static) -> Self {
        let log = Shared::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free loopback port");
        let address = listener.local_addr().expect("a bound port");
        let kept = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = work(listener, kept) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, log, stop: Some(stop), thread: Some(thread) }
    }

    /// Its address, ending in `/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Its host, as errors name it.
    pub fn host(&self) -> String {
        self.address.ip().to_string()
    }

    /// What the next requests are answered, in order; after them it takes everything again.
    pub fn answers(&self, answers: &[Answer]) {
        lock(&self.log).answers = answers.iter().copied().collect();
    }

    /// All requests, oldest first.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.log).received.clone()
    }

    /// The bodies that it took, oldest first, as JSON.
    ///
    /// # Panics
    /// When one is not JSON.
    pub fn taken(&self) -> Vec<serde_json::Value> {
        let taken = self.received().into_iter().filter(|received| received.answer == Answer::Take);
        taken.map(|received| serde_json::from_str(&received.body).expect("a body of JSON")).collect()
    }

    /// Forgets what it received.
    pub fn clear(&self) {
        lock(&self.log).received.clear();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn lock(log: &Shared) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(log): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let answer = note(&log, &method, &uri, headers, &body);
    match answer {
        Answer::Take => (StatusCode::OK, String::new()),
        Answer::Refuse(status) => {
            (StatusCode::from_u16(status).expect("a status"), format!("no: {}", uri.path()))
        }
        Answer::Hang => std::future::pending().await,
        // The server drops a connection whose handler panics; the unwinding itself says nothing.
        Answer::Drop => std::panic::resume_unwind(Box::new(())),
    }
}

fn note(log: &Shared, method: &Method, uri: &Uri, headers: HeaderMap, body: &Bytes) -> Answer {
    let mut log = lock(log);
    let answer = log.answers.pop_front().unwrap_or(Answer::Take);
    log.received.push(Received {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: String::from_utf8_lossy(body).into_owned(),
        answer,
    });
    answer
}
