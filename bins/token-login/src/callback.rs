//! Waits on 127.0.0.1 for the browser to be sent back: one answer, and then nobody listens any more.
//!
//! The one listener of the project. A browser also opens silent connections and asks for an icon, so every visitor is
//! served on its own, bounded in bytes and time, and only an answer ends the waiting.

use std::net::Ipv4Addr;
use std::time::Duration;

use shared::{Failure, Kind, Result, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::answer::{self, Answer};

/// The longest request head that is read: Google's is under 2 KiB.
const HEAD_LIMIT: usize = 16 * 1024;
/// How long a visitor may take.
const VISIT: Duration = Duration::from_secs(10);
/// How many visitors are served at once; more have to wait.
const VISITORS: usize = 32;
/// How long to wait after a connection could not be accepted, so that a lasting reason is no busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The listening socket.
pub(crate) struct Callback {
    listener: TcpListener,
    port: u16,
}

impl Callback {
    /// Listens on this port, or on a free one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one listener: a browser on this machine is sent back to it"
    )]
    pub async fn listen(port: Option<u16>) -> Result<Self> {
        let unusable = |error: std::io::Error| {
            let wanted = port.map_or_else(|| "a free port".to_owned(), |port| format!("port {port}"));
            let kind = match error.kind() {
                std::io::ErrorKind::AddrInUse => Kind::Busy,
                std::io::ErrorKind::PermissionDenied => Kind::Usage,
                _ => Kind::Io,
            };
            let message = format!("cannot wait for the browser on {wanted} of 127.0.0.1: {error}");
            Failure::new(kind, message, "leave --port out, or name another: --port 8976")
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await.map_err(unusable)?;
        let port = listener.local_addr().map_err(unusable)?.port();
        Ok(Self { listener, port })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where the browser is sent back to.
    pub fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Waits for the answer to the request with this state. The visitor was told before this returns.
    pub async fn answer(&self, state: &Secret) -> Answer {
        let mut visitors = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if visitors.len() < VISITORS => match accepted {
                    Ok((stream, _)) => {
                        let state = state.clone();
                        visitors.spawn(async move { timeout(VISIT, visit(stream, &state)).await });
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
                Some(visited) = visitors.join_next() => if let Ok(Ok(Some(answer))) = visited {
                    return answer;
                },
            }
        }
    }
}

/// Serves one request; answers what it brought.
async fn visit(mut stream: TcpStream, state: &Secret) -> Option<Answer> {
    let head = head(&mut stream).await?;
    let (status, answer) = match query(&head) {
        Some(query) => match answer::in_query(query, state) {
            Some(answer) => ("200 OK", Some(answer)),
            None => ("404 Not Found", None),
        },
        None => ("404 Not Found", None),
    };
    let text = match &answer {
        Some(Ok(_)) => "Thank you. You can close this window; the rest is said in the terminal.",
        Some(Err(_)) => "The login failed. You can close this window; the terminal says why.",
        None => "Nothing is here.",
    };
    let page = page(status, text);
    // Whether the browser still listens does not change the answer.
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
    answer
}

/// A request up to its empty line; none if it does not come.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).await.ok().filter(|length| *length > 0)?;
        head.extend_from_slice(&buffer[..length]);
        if head.len() > HEAD_LIMIT {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

/// The query of a `GET /?…`; an icon, another path or another method has none.
fn query(head: &str) -> Option<&str> {
    let target = head.strip_prefix("GET ")?.split([' ', '\r', '\n']).next()?;
    target.strip_prefix("/?")
}

fn page(status: &str, text: &str) -> String {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>token-login</title>\n<p>{text}</p>\n</html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_of_the_root_has_a_query() {
        assert_eq!(query("GET /?code=c&state=s HTTP/1.1\r\nHost: x\r\n\r\n"), Some("code=c&state=s"));
        for head in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET /favicon.ico HTTP/1.1\r\n\r\n",
            "POST /?code=c HTTP/1.1\r\n\r\n",
            "GET /x?code=c HTTP/1.1\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(query(head), None, "{head}");
        }
    }
}
