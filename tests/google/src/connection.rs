//! One connection: reads a request, lets a fault at it, asks the router, and writes the answer. Decides no answer itself.

use std::future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use socket2::Socket;
use tower::ServiceExt as _;

use crate::admin::Admin;
use crate::clock::http_date;
use crate::fault::{Fault, Stall};
use crate::pace::{BrokenOff, Ending, Paced};
use crate::reply::Reply;
use crate::request::Request;

const LARGEST_BODY_BYTES: usize = 64 << 20;
/// How soon a held request notices that the faults were removed.
const HELD_FOR: Duration = Duration::from_millis(5);

/// What a connection needs to answer.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) admin: Admin,
    pub(crate) router: Router,
    /// The same socket that hyper writes to, to end it rudely.
    pub(crate) socket: Arc<Socket>,
}

/// An answer laid out, so that no lock is held while it is written.
struct Written {
    status: StatusCode,
    headers: HeaderMap,
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
            return self.response(written(refusal.into_response()).await?, Ending::Whole);
        };
        let request = Arc::new(request);
        if request.path.starts_with("/_admin") {
            let written = self.routed(&request).await?;
            return self.response(written, Ending::Whole);
        }
        let (number, fault) = self.admin.arrived(&request);
        self.answer_product(request, number, fault).await
    }

    async fn answer_product(
        self,
        request: Arc<Request>,
        number: u64,
        fault: Option<Fault>,
    ) -> Result<Response<Paced>, BrokenOff> {
        let fault = fault.unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        if let Some(act) = &fault.meanwhile {
            act.happen();
        }
        if fault.stall == Stall::Request {
            future::pending::<()>().await;
        }
        while fault.stall == Stall::Held && self.admin.world().faults.is_holding() {
            tokio::time::sleep(HELD_FOR).await;
        }
        if fault.reset {
            return self.reset();
        }
        let mut answer = match fault.answer(&request) {
            Some(reply) => written(reply.into_response()).await?,
            None => {
                let written = self.routed(&request).await?;
                self.admin.applied(number);
                written
            }
        };
        if let Some(act) = &fault.afterwards {
            act.happen();
        }
        if fault.stall == Stall::Applied {
            future::pending::<()>().await;
        }
        if fault.apply_then_reset {
            return self.reset();
        }
        for (name, value) in &fault.headers {
            let name = HeaderName::try_from(name).map_err(|_| BrokenOff)?;
            answer.headers.insert(name, HeaderValue::try_from(value).map_err(|_| BrokenOff)?);
        }
        self.admin.world().log.answered(number, answer.status.as_u16());
        let ending = match fault {
            Fault { cut: true, .. } => Ending::Cut,
            Fault { stall: Stall::Body, .. } => Ending::Stalled,
            _ => Ending::Whole,
        };
        self.response(answer, ending)
    }

    /// Asks the router, which knows paths without a slash at their end.
    async fn routed(&self, request: &Arc<Request>) -> Result<Written, BrokenOff> {
        let path = request.path.trim_end_matches('/');
        let asked = hyper::Request::builder()
            .method(request.method.as_str())
            .uri(if path.is_empty() { "/" } else { path })
            .extension(Arc::clone(request))
            .body(Body::empty())
            .map_err(|_| BrokenOff)?;
        let Ok(response) = self.router.clone().oneshot(asked).await;
        written(response).await
    }

    /// Closing a socket that lingers for no time sends RST instead of FIN.
    fn reset<T>(&self) -> Result<T, BrokenOff> {
        self.socket.set_linger(Some(Duration::ZERO)).map_err(|_| BrokenOff)?;
        Err(BrokenOff)
    }

    fn response(&self, answer: Written, ending: Ending) -> Result<Response<Paced>, BrokenOff> {
        let now = self.admin.world().kept.clock.now();
        let mut response = Response::new(Paced::new(answer.body, ending));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response.headers_mut().insert(DATE, HeaderValue::try_from(http_date(now)).map_err(|_| BrokenOff)?);
        Ok(response)
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

/// The length is left out: Google sends its answers in chunks.
async fn written(response: axum::response::Response) -> Result<Written, BrokenOff> {
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    let body = body.collect().await.map_err(|_| BrokenOff)?.to_bytes();
    Ok(Written { status: head.status, headers: head.headers, body })
}
