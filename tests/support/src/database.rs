//! Real PostgreSQL and MariaDB servers, started from the system's binaries for one test and ended with it.
//!
//! Each has a directory of its own, a socket in it and a loopback port. Where the test is root's they run as an ordinary
//! user, since PostgreSQL refuses root.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::program;

/// The user of a server that root starts.
const NOBODY: u32 = 65534;

/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Database {
    dir: TempDir,
    child: Child,
    port: u16,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Postgres,
    Mariadb,
}

/// The password of the user `sync`, who may read and nothing else.
pub const PASSWORD: &str = "a-pass'word \"of\" the % reader";

impl Database {
    /// A PostgreSQL server with a database `bookings`, over TLS as well, with a certificate for `localhost`.
    ///
    /// # Panics
    /// When its binaries are not installed or it does not start.
    pub fn postgres() -> Self {
        let bin = program("postgres");
        let dir = directory();
        let data = dir.path().join("data");
        let initdb = bin.with_file_name("initdb");
        done(
            ordinary(&initdb)
                .args(["--no-sync", "--auth=trust", "--username=owner", "--encoding=UTF8", "-D"])
                .arg(&data),
        );
        certificate(dir.path());
        let rules =
            "local all owner trust\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), rules).expect("a file of the server's");
        let port = free_port();
        let mut server = ordinary(&bin);
        server.arg("-D").arg(&data).arg("-k").arg(dir.path()).args(["-p", &port.to_string()]);
        for setting in [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            "ssl=on",
            "ssl_cert_file=../cert.pem",
            "ssl_key_file=../key.pem",
        ] {
            server.args(["-c", setting]);
        }
        let database = Self::started(dir, server, port, Kind::Postgres);
        database.run_in("postgres", "CREATE DATABASE bookings");
        database.run(&format!("CREATE ROLE sync LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
        database
    }

    /// A MariaDB server with a database `bookings`, over TLS as well, with a certificate for `localhost`.
    ///
    /// # Panics
    /// When its binaries are not installed or it does not start.
    pub fn mariadb() -> Self {
        let dir = directory();
        let data = dir.path().join("data");
        let make = program("mariadb-install-db");
        done(
            ordinary(&make)
                .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
                .arg(format!("--datadir={}", data.display())),
        );
        let port = free_port();
        let mut server = ordinary(&program("mariadbd"));
        server.args(["--no-defaults", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0"]);
        server.arg(format!("--datadir={}", data.display())).arg(format!("--port={port}"));
        server.arg(format!("--socket={}", dir.path().join("mysqld.sock").display()));
        server.arg(format!("--pid-file={}", dir.path().join("pid").display()));
        certificate(dir.path());
        server.arg(format!("--ssl-cert={}", dir.path().join("cert.pem").display()));
        server.arg(format!("--ssl-key={}", dir.path().join("key.pem").display()));
        let database = Self::started(dir, server, port, Kind::Mariadb);
        database.run_in("mysql", "CREATE DATABASE bookings CHARACTER SET utf8mb4");
        let password = PASSWORD.replace('\'', "''");
        database.run(&format!(
            "CREATE USER sync@'%' IDENTIFIED BY '{password}'; GRANT SELECT ON bookings.* TO sync@'%'"
        ));
        database
    }

    fn started(dir: TempDir, mut server: Command, port: u16, kind: Kind) -> Self {
        let log = File::create(dir.path().join("log")).expect("a log of the server's");
        let child = server.stdout(Stdio::null()).stderr(log).spawn().expect("the server's binary");
        let mut database = Self { dir, child, port, kind };
        let patience = Instant::now() + PATIENCE;
        while !database.client(database.first(), "SELECT 1").is_ok_and(|output| output.status.success()) {
            let is_alive = database.child.try_wait().expect("a child can be looked at").is_none();
            assert!(is_alive && Instant::now() < patience, "the database is not ready: {}", database.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        database
    }

    /// A database that is there from the beginning.
    fn first(&self) -> &'static str {
        if self.kind == Kind::Postgres { "postgres" } else { "mysql" }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Runs statements in the database `bookings` as its owner.
    ///
    /// # Panics
    /// When they are refused.
    pub fn run(&self, sql: &str) {
        self.run_in("bookings", sql);
    }

    fn run_in(&self, database: &str, sql: &str) {
        let output = self.client(database, sql).expect("the database's own client");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn client(&self, database: &str, sql: &str) -> std::io::Result<Output> {
        let mut client = match self.kind {
            Kind::Postgres => {
                let mut client = Command::new(program("psql"));
                client.args([
                    "-X",
                    "-q",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-U",
                    "owner",
                    "-p",
                    &self.port.to_string(),
                    "-h",
                ]);
                client.arg(self.dir.path()).args(["-d", database, "-c", sql]);
                client
            }
            Kind::Mariadb => {
                let mut client = Command::new(program("mariadb"));
                client.args(["--no-defaults", "--user=root", "--default-character-set=utf8mb4"]);
                client.arg(format!("--socket={}", self.socket().display())).args(["-e", sql, database]);
                client
            }
        };
        client.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null()).output()
    }

    /// What `?socket=` takes: PostgreSQL's directory, MariaDB's file.
    pub fn socket(&self) -> PathBuf {
        match self.kind {
            Kind::Postgres => self.dir.path().to_owned(),
            Kind::Mariadb => self.dir.path().join("mysqld.sock"),
        }
    }

    /// Its certificate.
    pub fn certificate(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    /// Its address for the user `sync`, over the port.
    pub fn url(&self) -> String {
        let scheme = if self.kind == Kind::Postgres { "postgres" } else { "mysql" };
        format!("{scheme}://sync@127.0.0.1:{}/bookings", self.port)
    }

    /// Its address over the socket.
    pub fn socket_url(&self) -> String {
        // PostgreSQL's socket is named after the port.
        format!("{}?socket={}", self.url(), self.socket().display())
    }

    /// The lines of a source that asks it this.
    pub fn source(&self, query: &str) -> String {
        let kind = if self.kind == Kind::Postgres { "postgres" } else { "mysql" };
        format!(
            "kind = {kind:?}\nurl = {:?}\nquery = {query:?}\npassword-file = \"bookings.password\"",
            self.url()
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Killed at once, PostgreSQL would leave shared memory behind for ever; told to quit, it takes it along.
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let (Kind::Postgres, Some(pid)) = (self.kind, pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
            let patience = Instant::now() + Duration::from_secs(5);
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A directory that an ordinary user may use. Its path is short, as those of sockets must be.
fn directory() -> TempDir {
    let dir = tempfile::Builder::new().prefix("db-").tempdir_in("/tmp").expect("a directory for the server");
    give(dir.path());
    dir
}

fn give(path: &Path) {
    if rustix::process::geteuid().is_root() {
        lchown(path, Some(NOBODY), Some(NOBODY)).expect("root may give files away");
    }
}

/// A command of an ordinary user, in a session of its own so that no Ctrl-C of the test's ends it early.
fn ordinary(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/tmp")
        .stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn done(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for `localhost` that is self-signed, and its key.
fn certificate(dir: &Path) {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let mut openssl = Command::new(program("openssl"));
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.args([
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    done(openssl.arg("-out").arg(&cert).arg("-keyout").arg(&key));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("the mode of one's own file");
    [cert, key].iter().for_each(|path| give(path));
}

/// A port that is free now. PostgreSQL and MariaDB cannot choose one themselves.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free loopback port");
    listener.local_addr().expect("the port just bound").port()
}
