//! Faults: each kind, where it hits, and that it applies or does not apply what it should.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use google_standin::{Fault, Server, Stall};
use serde_json::{Value, json};

use crate::client::{admin, call, person, small_sheet};

const ANN: &str = "ann@example.com";

/// A server with a sheet that Ann may edit.
struct World {
    server: Server,
    token: String,
    id: String,
}

impl World {
    fn new() -> Self {
        let server = Server::start();
        let token = person(&server, ANN);
        let id = small_sheet(&server, &[ANN]);
        Self { server, token, id }
    }

    fn path(&self) -> String {
        format!("/v4/spreadsheets/{}/values/Ports!A1", self.id)
    }

    fn read(&self) -> u16 {
        call(&self.server, &self.token, "GET", &self.path(), None).status
    }

    /// What is in A1, seen past all faults.
    fn cell(&self) -> Value {
        self.server.call_as(ANN, "GET", &self.path(), None).1["values"][0][0].clone()
    }

    /// Sends a write of `new` to A1 over a bare socket.
    fn write(&self) -> TcpStream {
        let body = r#"{"values": [["new"]]}"#;
        let address = self.server.url().replace("http://", "");
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "PUT {}?valueInputOption=RAW HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.path(),
            self.token,
            body.len(),
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    fn last_status(&self) -> Option<u16> {
        self.server.requests().pop().unwrap().status
    }
}

/// Reads to the end of the connection; an error is how it ended.
fn drain(mut stream: TcpStream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (String::from_utf8(bytes).unwrap(), end)
}

#[test]
fn a_status_hits_the_nth_request_and_as_many_as_said() {
    let world = World::new();
    let fault = json!({"method": "GET", "path": "/values/", "nth": 2, "times": 2, "status": 503});
    assert_eq!(admin(&world.server, "POST", "faults", &fault).status, 200);
    let statuses: Vec<u16> = (0..4).map(|_| world.read()).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
}

#[test]
fn an_html_body_is_sent_as_html_and_extra_headers_with_it() {
    let world = World::new();
    let fault = json!({"status": 502, "body": "<html>Bad Gateway</html>", "headers": {"retry-after": "7"}});
    admin(&world.server, "POST", "faults", &fault);
    let answer = call(&world.server, &world.token, "GET", &world.path(), None);
    assert_eq!((answer.status, answer.text.as_str()), (502, "<html>Bad Gateway</html>"));
    assert_eq!(answer.header("content-type"), "text/html; charset=UTF-8");
    assert_eq!(answer.header("retry-after"), "7");
}

#[test]
fn faults_can_be_removed() {
    let world = World::new();
    world.server.fault(Fault { status: Some(500), times: u64::MAX, ..Fault::default() });
    assert_eq!(world.read(), 500);
    admin(&world.server, "DELETE", "faults", &json!({}));
    assert_eq!(world.read(), 200);
}

#[test]
fn a_reset_applies_nothing_and_the_client_sees_a_reset() {
    let world = World::new();
    world.server.fault(Fault { reset: true, ..Fault::default() });
    let (text, end) = drain(world.write());
    assert_eq!((text.as_str(), end), ("", Some(ErrorKind::ConnectionReset)));
    assert_eq!((world.cell(), world.last_status()), (Value::Null, None));
}

#[test]
fn apply_then_reset_has_written_the_cell() {
    let world = World::new();
    world.server.fault(Fault { apply_then_reset: true, ..Fault::default() });
    let (text, end) = drain(world.write());
    assert_eq!((text.as_str(), end), ("", Some(ErrorKind::ConnectionReset)));
    assert_eq!((world.cell(), world.last_status()), (json!("new"), None));
}

#[test]
fn a_cut_answer_announces_more_than_it_sends() {
    let world = World::new();
    world.server.fault(Fault { cut: true, ..Fault::default() });
    let (text, end) = drain(world.write());
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let announced = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    assert_eq!(body.len(), announced.parse::<usize>().unwrap() / 2);
    assert_eq!((end, world.cell()), (None, json!("new")));
}

#[test]
fn a_stalled_request_has_arrived_but_is_neither_applied_nor_answered() {
    let world = World::new();
    world.server.fault(Fault { stall: Stall::Request, ..Fault::default() });
    let stream = world.write();
    world.server.wait_for_request("PUT .*/values/", 1).unwrap();
    assert_eq!((world.cell(), world.last_status()), (Value::Null, None));
    drop(stream);
    assert_eq!(world.read(), 200, "others are served meanwhile");
}

#[test]
fn a_request_can_stall_after_it_was_applied() {
    let world = World::new();
    admin(&world.server, "POST", "faults", &json!({"method": "PUT", "stall": "applied"}));
    let stream = world.write();
    world.server.wait_for_applied("PUT ", 1).unwrap();
    assert_eq!((world.cell(), world.last_status()), (json!("new"), None));
    drop(stream);
}

#[test]
fn a_body_can_stall_after_its_headers() {
    let world = World::new();
    admin(&world.server, "POST", "faults", &json!({"stall": "body"}));
    let mut stream = world.write();
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    assert_eq!(world.cell(), json!("new"));
}

#[test]
fn a_delay_comes_before_the_answer() {
    let world = World::new();
    world.server.fault(Fault { delay_ms: 30, ..Fault::default() });
    let before = std::time::Instant::now();
    assert_eq!(world.read(), 200);
    assert!(before.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_fault_that_makes_no_sense_is_refused() {
    let world = World::new();
    for fault in [json!({"path": "("}), json!({"status": 7}), json!({"sttatus": 503})] {
        assert_eq!(admin(&world.server, "POST", "faults", &fault).status, 400, "{fault}");
    }
}
