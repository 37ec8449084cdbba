//! The listener and its thread. Answers nothing itself; see `connection`.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::ops::Deref;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::Socket;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::admin::Admin;
use crate::connection::Connection;
use crate::route;
use crate::state::{self, Saver};
use crate::world::{Kept, World};

/// How often a changed state is saved.
const SAVE_EVERY: Duration = Duration::from_millis(250);
/// How long to wait after a connection could not be accepted, so that a lasting reason is no busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// How long a request that is being worked on may hold up the end.
const LAST_WORK: Duration = Duration::from_secs(10);

/// How a stand-in is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// A loopback address; port 0 picks one.
    pub listen: String,
    /// Where the state is loaded from and saved to.
    pub state: Option<PathBuf>,
    /// Takes every bearer token for a user who reaches everything.
    pub any_token: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: "127.0.0.1:0".to_owned(), state: None, any_token: false }
    }
}

/// A running stand-in; it stops, and its port is free again, when this is dropped.
///
/// It derefs to its [`Admin`] handle, so that a test says `server.spreadsheet(…)`.
#[derive(Debug)]
pub struct Server {
    admin: Admin,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Server {
    /// Starts one for a test, on a free port and with nothing in it.
    ///
    /// # Panics
    /// When no loopback port can be had, which leaves a test nothing to do.
    pub fn start() -> Self {
        Self::with(Options::default()).expect("a stand-in on a free loopback port")
    }

    /// Starts one as told.
    ///
    /// # Errors
    /// When the address is not loopback or is taken, or the state file cannot be read.
    pub fn with(options: Options) -> anyhow::Result<Self> {
        let listener = bind(&options.listen)?;
        let url = format!("http://{}", listener.local_addr()?);
        let kept = options.state.as_deref().map_or_else(|| Ok(Kept::default()), state::load)?;
        let admin = Admin::new(World::new(kept, url, options.any_token));
        let saver = options.state.map(|path| Saver::new(path, admin.clone()));
        let (stop, stopped) = oneshot::channel();
        let serving = admin.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("starting the runtime")?;
        let thread = std::thread::Builder::new()
            .name("google-standin".to_owned())
            .spawn(move || {
                let outcome = runtime.block_on(run(listener, serving, saver, stopped));
                runtime.shutdown_timeout(LAST_WORK);
                let mut saver = outcome?;
                saver.as_mut().map_or(Ok(()), Saver::save)
            })
            .context("starting the thread")?;
        Ok(Self { admin, stop: Some(stop), thread: Some(thread) })
    }

    /// The handle that sets the stand-in up and looks into it; it may outlive a borrow of the server.
    pub fn admin(&self) -> Admin {
        self.admin.clone()
    }

    /// Stops and saves, saying whether that went well.
    ///
    /// # Errors
    /// When the state could not be saved.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        drop(self.stop.take());
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(outcome) => outcome.unwrap_or_else(|_| anyhow::bail!("the stand-in panicked")),
        }
    }
}

impl Deref for Server {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // No one is left to tell; `stop` is for those who want to know.
        drop(self.end());
    }
}

fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    let addresses: Vec<SocketAddr> =
        listen.to_socket_addrs().with_context(|| format!("address {listen}"))?.collect();
    anyhow::ensure!(
        addresses.iter().all(|address| address.ip().is_loopback()),
        "{listen} is not loopback; this stand-in serves 127.0.0.1 and ::1 only"
    );
    let listener =
        TcpListener::bind(addresses.as_slice()).with_context(|| format!("listening on {listen}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Accepts connections until told to stop, saving the state now and then.
async fn run(
    listener: TcpListener,
    admin: Admin,
    mut saver: Option<Saver>,
    mut stopped: oneshot::Receiver<()>,
) -> anyhow::Result<Option<Saver>> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = route::router(admin.clone());
    let mut save = tokio::time::interval(SAVE_EVERY);
    save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut stopped => return Ok(saver),
            _ = save.tick(), if saver.is_some() => saver = tokio::task::spawn_blocking(|| saved(saver)).await?,
            accepted = listener.accept() => {
                // A client that is gone already, or a lack of descriptors, is no reason to stop serving the others.
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                tokio::spawn(serve(stream, admin.clone(), router.clone()));
            }
        }
    }
}

/// A failed save is tried again at the next turn and reported at the end.
fn saved(mut saver: Option<Saver>) -> Option<Saver> {
    drop(saver.as_mut().map(Saver::save));
    saver
}

/// Serves one connection to its end, good or bad; the client sees which.
async fn serve(stream: TcpStream, admin: Admin, router: Router) {
    drop(stream.set_nodelay(true));
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else { return };
    let connection = Connection { admin, router, socket: Arc::new(Socket::from(socket)) };
    let service = service_fn(move |request| connection.clone().answer(request));
    let served =
        http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(stream), service);
    drop(served.await);
}
