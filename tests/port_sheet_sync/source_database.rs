//! Bookings from databases: real PostgreSQL and MariaDB servers of the test's own, and SQLite files.

use std::path::PathBuf;

use serde_json::{Value, json};
use support::{Builder, Database, PASSWORD, World};

use crate::world;

const MIB: u64 = 1024 * 1024;

/// A world that asks this server, as the user who may only read.
fn server_world(builder: Builder, database: &Database, query: &str) -> World {
    let world = builder.build();
    world.set_source(&database.source(query));
    world.write_secret("bookings.password", PASSWORD);
    world
}

/// The columns of a table that has every type, the last one with a time zone.
fn typed() -> Builder {
    let columns = [
        ("id", "Id", "integer"),
        ("name", "Name", "text"),
        ("fee", "Fee", "number"),
        ("exact", "Exact", "text"),
        ("paid", "Paid", "boolean"),
        ("day", "Day", "date"),
        ("at", "At", "time"),
        ("both_", "Both", "datetime"),
        ("instant", "Instant", "datetime"),
    ];
    world().key(&["id"]).columns(&columns).notation("instant", "time-zone = \"Europe/Berlin\"")
}

/// 2026-05-13 is day 46155; 10:00 UTC is noon in Berlin in summer.
fn typed_rows() -> Value {
    json!([
        [1, "=1+1 Möwe 🌵", 12.5, "1234567890123456789.10", true, 46155, 0.25, 46155.25, 46155.5],
        [2, "", "", "", false],
        [3],
    ])
}

#[track_caller]
fn arrives_typed(database: &Database) {
    let world = server_world(typed(), database, "SELECT * FROM typed ORDER BY id");
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()[1..]), typed_rows());
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0, "and stays what it is");
    world.replace_in_config("\ntime-zone = \"Europe/Berlin\"", "");
    world
        .run(&[])
        .exit(65)
        .error("row 1: field \"instant\" names a time zone: say with time-zone in which one to show it");
}

/// What a server may refuse: the query and, behind a line break, more of the table; the exit code; its words for it.
#[track_caller]
fn refuses(world: &World, database: &Database, query: &str, exit: i32, error: &str) {
    let (query, more) = query.split_once('\n').unwrap_or((query, ""));
    world.set_source(&format!("{}\n{more}", database.source(query)));
    let run = world.run(&["-vv", "--json"]);
    run.exit(exit).error(error);
    assert!(!run.stderr.contains(PASSWORD));
    assert_eq!(world.rows().len(), 0, "{query}");
}

/// A run over many rows stays far below what they take.
#[track_caller]
fn streams(database: &Database, query: &str) {
    let world = server_world(world().key(&["id"]).columns(&[("id", "Id", "integer")]), database, query);
    world.server.quota(0, 0);
    let run = world.process(&["--dry-run", "--json"]).without_trace().memory_limit(60 * MIB).run();
    assert_eq!(run.exit(0).sheet()["source_rows"], json!(200_000));
}

#[test]
fn postgres() {
    let database = Database::postgres();
    database.run(
        "CREATE TABLE typed (id int8, name text, fee float8, exact numeric, paid bool, day date, at time, both_ timestamp, instant timestamptz);
         INSERT INTO typed VALUES (1, '=1+1 Möwe 🌵', 12.5, 1234567890123456789.10, true, '2026-05-13', '06:00', '2026-05-13 06:00', '2026-05-13 12:00+02'),
           (2, '', NULL, NULL, false, NULL, NULL, NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
         CREATE TABLE secrets (x int); CREATE TABLE own (x int); GRANT SELECT ON typed TO sync; GRANT ALL ON own TO sync",
    );
    arrives_typed(&database);
    streams(&database, "SELECT id, repeat('x', 300) AS filler FROM generate_series(1, 200000) AS id");

    database.run("CREATE DOMAIN paid AS bool; CREATE DOMAIN surely_paid AS paid");
    let of_a_domain = world().key(&["x"]).columns(&[("x", "X", "text")]);
    let of_a_domain = server_world(of_a_domain, &database, "SELECT true::surely_paid AS x");
    of_a_domain.run(&[]).exit(0);
    assert_eq!(json!(of_a_domain.rows()), json!([["X"], ["true"]]), "it is what it is made of");

    let world = server_world(world().key(&["x"]).columns(&[("x", "X", "text")]), &database, "SELECT 1 AS x");
    for (query, exit, error) in [
        ("SELEC 1", 78, "syntax error at or near \"SELEC\""),
        ("SELECT x FROM nowhere", 78, "relation \"nowhere\" does not exist"),
        ("SELECT x FROM secrets", 77, "permission denied for table secrets"),
        ("SELECT 1 AS x; SELECT 2 AS x", 78, "cannot insert multiple commands into a prepared statement"),
        ("DELETE FROM own RETURNING x", 78, "cannot execute DELETE in a read-only transaction"),
        ("COMMIT", 78, "the query returns no rows"),
        ("SELECT 'a'::bytea AS x", 78, "field \"x\" is bytea, binary data, which a sheet cannot hold"),
        ("SELECT ARRAY[1] AS x", 78, "field \"x\" is an array"),
        ("SELECT 1 AS y", 65, "the source has no field \"x\"; its header is: y"),
        ("SELECT 1/0 AS x", 65, "division by zero"),
        ("SELECT pg_sleep(60)::text AS x\ntimeout = \"100ms\"", 69, "statement timeout"),
    ] {
        refuses(&world, &database, query, exit, error);
    }
    refuses_the_user(&world, &database);
    let broken = "SELECT CASE WHEN n = 150 THEN (1 / (n - 150))::text ELSE n::text END AS x FROM generate_series(1, 200) AS n";
    refuses(&world, &database, broken, 65, "division by zero");
    over_the_socket(&world, &database);
    let encrypted = "SELECT CASE WHEN ssl THEN 'socket' ELSE 'open' END AS x FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    over_tls(&world, &database, encrypted);
}

#[test]
fn mariadb() {
    let database = Database::mariadb();
    database.run(
        "CREATE TABLE typed (id bigint, name text, fee double, exact decimal(30,2), paid boolean, day date, at time, both_ datetime, instant timestamp NULL);
         SET time_zone = '+02:00';
         INSERT INTO typed VALUES (1, '=1+1 Möwe 🌵', 12.5, 1234567890123456789.10, true, '2026-05-13', '06:00', '2026-05-13 06:00', '2026-05-13 12:00'),
           (2, '', NULL, NULL, false, NULL, NULL, NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    arrives_typed(&database);
    streams(&database, "SELECT seq AS id, repeat('x', 300) AS filler FROM seq_1_to_200000");

    let world = server_world(world().key(&["x"]).columns(&[("x", "X", "text")]), &database, "SELECT 1 AS x");
    for (query, exit, error) in [
        ("SELEC 1", 78, "You have an error in your SQL syntax"),
        ("SELECT x FROM nowhere", 78, "Table 'bookings.nowhere' doesn't exist"),
        ("SELECT user AS x FROM mysql.global_priv", 77, "SELECT command denied to user 'sync'"),
        ("SELECT 1 AS x; SELECT 2 AS x", 78, "You have an error in your SQL syntax"),
        (
            "SELECT CAST('a' AS BINARY) AS x",
            78,
            "field \"x\" is BINARY, binary data, which a sheet cannot hold",
        ),
        ("SET @a = 1", 78, "the query returns no rows"),
        ("SELECT 1 AS y", 65, "the source has no field \"x\"; its header is: y"),
        ("SELECT ~0 + 1 AS x", 65, "value is out of range"),
        ("SELECT sleep(60) AS x\ntimeout = \"100ms\"", 69, "max_statement_time exceeded"),
    ] {
        refuses(&world, &database, query, exit, error);
    }
    refuses_the_user(&world, &database);
    over_the_socket(&world, &database);
    let encrypted = "SELECT IF(variable_value = '', 'open', 'socket') AS x FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'";
    over_tls(&world, &database, encrypted);
}

/// A wrong password and none at all are a person's business, and no password is reported.
#[track_caller]
fn refuses_the_user(world: &World, database: &Database) {
    world.write_secret("bookings.password", "a-wrong-password-of-the-reader");
    refuses(world, database, "SELECT 1 AS x", 77, "sync");
    let lines = database.source("SELECT 1 AS x").replace("\npassword-file = \"bookings.password\"", "");
    world.set_source(&lines);
    world.run(&["--json"]).exit(77).hint_with("password-file");
    world.write_secret("bookings.password", PASSWORD);
}

#[track_caller]
fn over_the_socket(world: &World, database: &Database) {
    world.set_source(
        &database.source("SELECT 'socket' AS x").replace(&database.url(), &database.socket_url()),
    );
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), json!([["X"], ["socket"]]));
}

/// An authority named in the configuration makes it TLS, for the name that the certificate has and no other.
#[track_caller]
fn over_tls(world: &World, database: &Database, query: &str) {
    let ca = format!("\nca-file = {:?}", database.certificate());
    let named = database.url().replace("127.0.0.1", "localhost");
    world.set_source(&(database.source(query).replace(&database.url(), &named) + &ca));
    world.run(&["--json"]).exit(0);
    world.set_source(&(database.source(query) + &ca));
    world.run(&[]).exit(69).error("certificate");
}

/// A SQLite database as a booking system keeps it: write-ahead log, still open. It lies outside of the world, since
/// looking through a world's files for secrets would let go of SQLite's locks, which belong to the process.
struct Booking {
    world: World,
    connection: rusqlite::Connection,
    dir: tempfile::TempDir,
}

impl Booking {
    fn path(&self) -> PathBuf {
        self.dir.path().join("booking.db")
    }

    fn set_query(&self, query: &str) {
        self.world.set_source(&format!("kind = \"sqlite\"\npath = {:?}\nquery = {query:?}", self.path()));
    }
}

fn sqlite() -> Booking {
    let (world, dir) = (world().build(), tempfile::tempdir().unwrap());
    let connection = rusqlite::Connection::open(dir.path().join("booking.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE booking (booking_id, vessel, arrival, nights, photo);
             INSERT INTO booking VALUES ('B-1', 'Alma', '2026-05-13', 3, NULL), ('B-2', '=1+1', NULL, 2.0, NULL)",
        )
        .unwrap();
    let booking = Booking { world, connection, dir };
    booking.set_query("SELECT booking_id, vessel, arrival, nights FROM booking ORDER BY booking_id");
    booking
}

#[test]
fn sqlite_is_read_beside_its_writer_and_never_written() {
    let booking = sqlite();
    let (world, connection) = (&booking.world, &booking.connection);
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()[1..]), json!([["B-1", "Alma", 46155, 3], ["B-2", "=1+1", "", 2]]));
    connection.execute_batch("BEGIN IMMEDIATE; UPDATE booking SET nights = 4").unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[1][3], json!(3), "what is not committed is not there");
    connection.execute_batch("COMMIT").unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.rows()[1][3], json!(4));
}

#[test]
fn what_sqlite_refuses_is_told_in_its_words() {
    let booking = sqlite();
    let (world, connection) = (&booking.world, &booking.connection);
    connection.execute_batch("UPDATE booking SET photo = x'ff' WHERE booking_id = 'B-2'").unwrap();
    for (query, exit, error) in [
        ("SELEC 1", 78, "near \"SELEC\": syntax error"),
        ("SELECT x FROM nowhere", 78, "no such table: nowhere"),
        ("DELETE FROM booking RETURNING *", 78, "it must return rows and change nothing"),
        ("SELECT 1; DELETE FROM booking", 78, "cannot be used: "),
        ("SELECT 1 AS y", 65, "the source has no field \"booking_id\"; its header is: y"),
        (
            "SELECT booking_id, photo AS vessel, arrival, nights FROM booking",
            65,
            "row 2: field \"vessel\" is a BLOB",
        ),
    ] {
        booking.set_query(query);
        world.run(&["--json"]).exit(exit).error(error);
    }
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS booking_id, 1 AS vessel, 1 AS arrival, 1 AS nights FROM n";
    booking.set_query(endless);
    world.replace_in_config("kind = \"sqlite\"", "kind = \"sqlite\"\ntimeout = \"50ms\"");
    world.run(&["--json"]).exit(69).error("took longer than 50ms").hint_with("raise timeout");
    assert_eq!(connection.query_row("SELECT count(*) FROM booking", [], |row| row.get::<_, i64>(0)), Ok(2));
}

#[test]
fn what_is_no_sqlite_database_is_refused_and_none_is_made() {
    let Booking { world, connection, dir } = sqlite();
    drop(connection);
    let path = dir.path().join("booking.db");
    world.remove(&path);
    world.run(&[]).exit(69).error("No such file or directory");
    assert!(!path.exists());
    world.write_private(&path, &[b'x'; 4096]);
    world.run(&[]).exit(65).error("file is not a database").hint_with("file ");
    world.remove(&path);
    world.make_fifo(&path);
    world.run(&[]).exit(65).error("is not a regular file");
}

#[test]
fn two_hundred_thousand_rows_of_sqlite_are_never_held() {
    let booking = sqlite();
    let (world, connection) = (&booking.world, &booking.connection);
    connection
        .execute_batch(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 199998)
             INSERT INTO booking SELECT 'N-' || x, hex(zeroblob(150)), NULL, x, NULL FROM n",
        )
        .unwrap();
    world.server.quota(0, 0);
    let run = world.process(&["--dry-run", "--json"]).without_trace().memory_limit(60 * MIB).run();
    assert_eq!(run.exit(0).sheet()["source_rows"], json!(200_000));
}
