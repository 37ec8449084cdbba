//! A web server on loopback that answers what a test asks it to, byte for byte: broken answers are its purpose.
//!
//! One connection, one request, one answer. It stops when it is dropped.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A client that sends nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub struct WebServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    answers: VecDeque<Vec<u8>>,
    requests: Vec<String>,
    stalls: bool,
    is_over: bool,
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WebServer {
    /// Starts one that gives these answers one after the other, and the last one again and again.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
        let address = listener.local_addr().expect("the port just bound");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let seen = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if locked(&seen).is_over {
                    return;
                }
                // A client that goes away in the middle is its own business.
                drop(serve(stream, &seen));
            }
        });
        let server = Self { address, shared, thread: Some(thread) };
        server.answer(answers);
        server
    }

    /// Gives these answers from now on.
    pub fn answer(&self, answers: impl IntoIterator<Item = Vec<u8>>) {
        locked(&self.shared).answers = answers.into_iter().collect();
    }

    /// From now on says no more behind an answer, and does not hang up before its client does.
    pub fn stall(&self) {
        locked(&self.shared).stalls = true;
    }

    /// Its address with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of the requests so far, names of headers in lower case.
    pub fn requests(&self) -> Vec<String> {
        locked(&self.shared).requests.clone()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        locked(&self.shared).requests.clear();
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        locked(&self.shared).is_over = true;
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let (answer, stalls) = {
        let mut shared = locked(shared);
        shared.requests.push(String::from_utf8_lossy(&head).into_owned());
        let answer = match shared.answers.len() {
            0 | 1 => shared.answers.front().cloned(),
            _ => shared.answers.pop_front(),
        };
        (answer, shared.stalls)
    };
    stream.write_all(&answer.unwrap_or_default())?;
    if stalls { stream.read(&mut [0]).map(drop) } else { Ok(()) }
}

/// An answer with this status, these header lines and this body, its length told.
pub fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    unmeasured(status, &[headers, &[&length]].concat(), body)
}

/// The same without telling the length.
pub fn unmeasured(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    headers.iter().for_each(|line| answer.push_str(&format!("{line}\r\n")));
    answer.push_str("\r\n");
    [answer.as_bytes(), body].concat()
}
