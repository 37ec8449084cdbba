//! The server is aiosmtpd, in a Python environment that the first test makes under the build directory.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;
use support::World;

use crate::{sink_states, world};

/// What the mail server is asked for.
const PASSWORD: &str = "a password with \"quotes\"";

/// A Python with aiosmtpd.
fn python() -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aiosmtpd-1.4.6");
    let python = dir.join("bin/python");
    let has_it = |python: &Path| {
        Command::new(python).args(["-c", "import aiosmtpd"]).output().is_ok_and(|run| run.status.success())
    };
    if !has_it(&python) {
        run(&support::program("python3"), &["-m", "venv", "--clear", dir.to_str().unwrap()]);
        run(&python, &["-m", "pip", "install", "--quiet", "aiosmtpd==1.4.6"]);
    }
    python
}

fn run(program: &Path, arguments: &[&str]) {
    let run = Command::new(program).args(arguments).output().unwrap();
    assert!(run.status.success(), "{program:?} {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// A running mail server with a certificate for 127.0.0.1; it ends when it is dropped.
struct Server {
    process: Child,
    said: std::io::Lines<BufReader<std::process::ChildStdout>>,
    port: u16,
    certificate: PathBuf,
}

impl Server {
    fn start(world: &World, encryption: &str) -> Self {
        let (key, certificate) = (world.path("mail.key"), world.path("mail.crt"));
        run(
            &support::program("openssl"),
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=mail",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-keyout",
                key.to_str().unwrap(),
                "-out",
                certificate.to_str().unwrap(),
            ],
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/alerts/mail_server.py");
        let mut process = Command::new(python())
            .arg(script)
            .args([encryption, certificate.to_str().unwrap(), key.to_str().unwrap(), PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = said.next().unwrap().unwrap().parse().unwrap();
        Self { process, said, port, certificate }
    }

    fn table(&self, encryption: &str) -> String {
        format!(
            "[[alert.sink]]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\nencryption = {encryption:?}\n\
             from = \"Port jobs <jobs@harbour.example>\"\nto = [\"crew@harbour.example\", \"Büro <office@harbour.example>\"]\n\
             user = \"jobs\"\npassword-file = \"mail-password\"\n",
            self.port
        )
    }

    /// The next mail that it took.
    fn mail(&mut self) -> Value {
        serde_json::from_str(&self.said.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn world_with_mail(encryption: &str) -> (World, Server) {
    let world = world().build();
    let server = Server::start(&world, encryption);
    world.write_private(&world.path("state/credentials/mail-password"), PASSWORD.as_bytes());
    world.append_to_config(&server.table(encryption));
    world.replace_in_config("tab = \"Port sheet\"", "tab = \"Gone – away\"");
    (world, server)
}

fn fail(world: &World, server: &Server) {
    world.process(&[]).env("SSL_CERT_FILE", &server.certificate).run().exit(78);
}

#[test]
fn a_mail_server_gets_a_well_formed_mail_over_a_secured_connection() {
    for encryption in ["starttls", "tls"] {
        let (world, mut server) = world_with_mail(encryption);
        fail(&world, &server);
        let mail = server.mail();
        let text = |field: &str| mail[field].as_str().unwrap().to_owned();
        assert_eq!(mail["defects"], Value::Array(Vec::new()), "{mail}");
        assert_eq!(mail["secure"], true, "{encryption}");
        assert_eq!(mail["rcpt"], serde_json::json!(["crew@harbour.example", "office@harbour.example"]));
        assert_eq!(text("from"), "Port jobs <jobs@harbour.example>");
        assert!(
            text("subject").starts_with("port-jobs on ") && text("subject").contains("port-sheet"),
            "{mail}"
        );
        assert!(text("body").contains("Gone – away") && text("body").contains("What to do: "), "{mail}");
        assert!(
            text("message_id").ends_with(".port-jobs>") && text("message_id").starts_with("<1."),
            "{mail}"
        );
        assert_eq!(sink_states(&world)[0].1, 0);
    }
}

#[test]
fn a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_mail() {
    let (world, _server) = world_with_mail("starttls");
    world.run(&[]).exit(78);
    let error = sink_states(&world).remove(0).2.unwrap();
    assert!(error.contains("certificate"), "{error}");
}

#[test]
fn a_wrong_password_is_noted_in_the_servers_own_words() {
    let (world, server) = world_with_mail("tls");
    world.write_private(&world.path("state/credentials/mail-password"), b"a password that is wrong");
    fail(&world, &server);
    let error = sink_states(&world).remove(0).2.unwrap();
    assert!(error.contains("535") && !error.contains("that is wrong"), "{error}");
}
