//! One connection: reads a request, lets a fault at it, and writes the answer. Decides no answer itself.

use std::future;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Response, StatusCode};
use serde_json::json;
use socket2::Socket;

use crate::admin::{self, Admin};
use crate::clock::http_date;
use crate::fault::{Fault, Stall};
use crate::pace::{BrokenOff, Ending, Paced};
use crate::reply::Reply;
use crate::request::Request;
use crate::route;

const LARGEST_BODY_BYTES: usize = 64 << 20;

/// What a connection needs to answer.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) admin: Admin,
    /// The same socket that hyper writes to, to end it rudely.
    pub(crate) socket: Arc<Socket>,
}

/// A reply laid out, so that no lock is held while it is written.
struct Written {
    status: u16,
    headers: Vec<(String, String)>,
    kind: Option<&'static str>,
    body: Bytes,
}

impl Connection {
    /// Answers one request; an error closes the connection.
    pub(crate) async fn answer(
        self,
        request: hyper::Request<Incoming>,
    ) -> Result<Response<Paced>, BrokenOff> {
        let Some(request) = read(request).await? else {
            let refusal = Reply::html(413, "Request payload size exceeds the limit.".to_owned());
            return self.response(write(refusal)?, Ending::Whole);
        };
        if request.path.starts_with("/_admin") {
            let handle = self.admin.clone();
            let written = blocking(move || write(admin::http::serve(&handle, &request))).await?;
            return self.response(written, Ending::Whole);
        }
        let (number, fault) = self.admin.arrived(&request);
        self.answer_product(request, number, fault).await
    }

    async fn answer_product(
        self,
        request: Request,
        number: u64,
        fault: Option<Fault>,
    ) -> Result<Response<Paced>, BrokenOff> {
        let fault = fault.unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        if fault.stall == Stall::Request {
            future::pending::<()>().await;
        }
        if fault.reset {
            return self.reset();
        }
        let mut written = match fault.answer(&request) {
            Some(reply) => write(reply)?,
            None => self.apply(request, number).await?,
        };
        if fault.stall == Stall::Applied {
            future::pending::<()>().await;
        }
        if fault.apply_then_reset {
            return self.reset();
        }
        written.headers.extend(fault.headers);
        self.admin.world().log.answered(number, written.status);
        let ending = match fault {
            Fault { cut: true, .. } => Ending::Cut,
            Fault { stall: Stall::Body, .. } => Ending::Stalled,
            _ => Ending::Whole,
        };
        self.response(written, ending)
    }

    async fn apply(&self, request: Request, number: u64) -> Result<Written, BrokenOff> {
        let admin = self.admin.clone();
        blocking(move || {
            let reply = route::serve(&mut admin.world(), &request);
            admin.applied(number);
            write(reply)
        })
        .await
    }

    /// Closing a socket that lingers for no time sends RST instead of FIN.
    fn reset<T>(&self) -> Result<T, BrokenOff> {
        self.socket.set_linger(Some(Duration::ZERO)).map_err(|_| BrokenOff)?;
        Err(BrokenOff)
    }

    fn response(&self, written: Written, ending: Ending) -> Result<Response<Paced>, BrokenOff> {
        let status = StatusCode::from_u16(written.status).map_err(|_| BrokenOff)?;
        let now = self.admin.world().kept.clock.now();
        let mut response = Response::builder().status(status).header("date", http_date(now));
        if let Some(kind) = written.kind {
            response = response.header(CONTENT_TYPE, kind);
        }
        for (name, value) in &written.headers {
            response = response.header(name, value);
        }
        response.body(Paced::new(written.body, ending)).map_err(|_| BrokenOff)
    }
}

/// Reads a request to its end; `None` when it is larger than is taken.
async fn read(request: hyper::Request<Incoming>) -> Result<Option<Request>, BrokenOff> {
    let (head, body) = request.into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = match Limited::new(body, LARGEST_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Ok(None),
        Err(_) => return Err(BrokenOff),
    };
    Ok(Some(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header(AUTHORIZATION),
        content_type: header(CONTENT_TYPE).unwrap_or_default(),
        body,
    }))
}

fn write(reply: Reply) -> Result<Written, BrokenOff> {
    let (kind, body) = reply.bytes().map_err(|_| BrokenOff)?;
    Ok(Written { status: reply.status, headers: reply.headers, kind, body })
}

/// Large sheets take a while, and the other connections go on meanwhile.
///
/// A panic is answered as Google answers its own bugs; a closed connection would look like a network's fault.
async fn blocking(
    work: impl FnOnce() -> Result<Written, BrokenOff> + Send + 'static,
) -> Result<Written, BrokenOff> {
    let Ok(done) = tokio::task::spawn_blocking(work).await else {
        let panicked = json!({"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"});
        return write(Reply::json(500, json!({ "error": panicked })));
    };
    done
}
