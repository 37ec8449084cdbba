//! Waits on 127.0.0.1 for the browser's redirect with the authorization response. The socket is closed after one response.
//!
//! It is the only listener of the project. A browser also opens silent connections and requests an icon, so each
//! connection is served on its own, limited in bytes and time, and only a response ends the wait.

use std::net::Ipv4Addr;
use std::time::Duration;

use shared::{Failure, Kind, Result, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::authorization_response::{self, AuthorizationResponse};

/// The longest request head that is read: Google's is under 2 KiB.
const HEAD_LIMIT: usize = 16 * 1024;
/// The time limit of a connection.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);
/// How many connections are served at once; more must wait.
const CONNECTIONS: usize = 32;
/// The pause after a connection could not be accepted, so that a lasting reason causes no busy loop.
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
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await;
        let bound = bound.and_then(|listener| Ok(Self { port: listener.local_addr()?.port(), listener }));
        bound.map_err(|error| unusable(port, error))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address to which the browser is redirected.
    pub fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Waits for the response to the request with this state. The browser has its page before this returns.
    pub async fn response(&self, state: &Secret) -> AuthorizationResponse {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        let state = state.clone();
                        connections.spawn(async move { timeout(CONNECTION_LIMIT, serve(stream, &state)).await });
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
                Some(served) = connections.join_next() => if let Ok(Ok(Some(response))) = served {
                    return response;
                },
            }
        }
    }
}

fn unusable(port: Option<u16>, error: std::io::Error) -> Failure {
    let wanted = port.map_or_else(|| "a free port".to_owned(), |port| format!("port {port}"));
    let kind = match error.kind() {
        std::io::ErrorKind::AddrInUse => Kind::Busy,
        std::io::ErrorKind::PermissionDenied => Kind::Usage,
        _ => Kind::Io,
    };
    let message = format!("cannot wait for the browser on {wanted} of 127.0.0.1: {error}");
    Failure::new(kind, message, "leave --port out, or name another: --port 8976").caused_by(error)
}

/// Serves one request; returns the response in it, if any.
async fn serve(mut stream: TcpStream, state: &Secret) -> Option<AuthorizationResponse> {
    let head = head(&mut stream).await?;
    let response = query(&head).and_then(|query| authorization_response::in_query(query, state));
    let page = match &response {
        Some(Ok(_)) => page("200 OK", "Thank you. You can close this window; the terminal shows the result."),
        Some(Err(_)) => page("200 OK", "The login failed. You can close this window; the terminal says why."),
        None => page("404 Not Found", "Nothing is here."),
    };
    // A browser that has closed the connection does not change the response.
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
    response
}

/// A request up to its empty line; `None` when the browser does not send one.
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

/// The query of a `GET /?…`; `None` for an icon, another path or another method.
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
