//! A query of a PostgreSQL database: in a read-only transaction, row by row.
//!
//! Values come as the server writes them, so that numbers stay exact; their types come from preparing the query, which
//! also refuses more than one statement.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use futures_util::{StreamExt, pin_mut};
use rustls::{ClientConfig, RootCertStore};
use shared::cause::Cause;
use shared::config::Server;
use shared::sys::http::chain;
use shared::{Failure, Result, Secret};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Kind as TypeKind, Type};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::model::cell::Field;
use crate::source::RecordSink;
use crate::source::database;
use crate::source::database::DatabaseErrorClass;
use crate::source::database::decoded;

/// Reads the rows of the query.
///
/// # Errors
/// [`shared::Kind::Unavailable`] when the server cannot be reached or takes too long, [`shared::Kind::Credential`] when it
/// refuses the user, [`shared::Kind::Config`] when the query is wrong or would write, [`shared::Kind::Data`] when it
/// fails on the data in the tables.
pub async fn read(server: &Server, password: Option<Secret>, sink: &mut impl RecordSink) -> Result<()> {
    let client = database::connected(server, connect(server, password)).await?;
    // The time zone makes instants comparable; the style makes dates readable whatever the server's settings are.
    let settings = format!(
        "SET statement_timeout = {}; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; BEGIN READ ONLY",
        server.query.timeout.as_millis()
    );
    client.batch_execute(&settings).await.map_err(|error| refused(server, error))?;
    let columns = columns(server, &client).await?;
    sink.begin(database::head(columns.iter().map(|(name, _)| name.clone()).collect()))?;
    let rows = client.simple_query_raw(&server.query.sql).await.map_err(|error| refused(server, error))?;
    pin_mut!(rows);
    let mut at = 0;
    while let Some(message) = rows.next().await {
        let SimpleQueryMessage::Row(row) = message.map_err(|error| refused(server, error))? else { continue };
        at += 1;
        let fields = columns.iter().enumerate().map(|(index, (_, kind))| field(&row, index, kind));
        sink.record(at, Ok(&fields.collect::<Vec<_>>()))?;
    }
    Ok(())
}

/// The columns of the query's rows, all of which a sheet can hold.
async fn columns(server: &Server, client: &Client) -> Result<Vec<(String, Type)>> {
    let statement = client.prepare(&server.query.sql).await.map_err(|error| refused(server, error))?;
    let columns = statement.columns().iter().map(|column| (column.name().to_owned(), column.type_().clone()));
    let columns: Vec<_> = columns.collect();
    database::check(server, columns.iter().map(|(name, kind)| (name.as_str(), strange(kind))))?;
    Ok(columns)
}

async fn connect(server: &Server, password: Option<Secret>) -> Result<Client> {
    let config = config(server, password);
    // Each connection ends when its client is dropped.
    if !database::is_encrypted(server) {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(server, error))?;
        tokio::spawn(connection);
        return Ok(client);
    }
    let (client, connection) = config.connect(tls(server)?).await.map_err(|error| refused(server, error))?;
    tokio::spawn(connection);
    Ok(client)
}

fn config(server: &Server, password: Option<Secret>) -> Config {
    let url = server.address.expose();
    let mut config = Config::new();
    config.user(decoded(url.username())).dbname(decoded(url.path().trim_start_matches('/')));
    config.port(url.port().unwrap_or(5432)).application_name("port-sheet-sync");
    config.ssl_mode(if database::is_encrypted(server) { SslMode::Require } else { SslMode::Disable });
    match database::socket(server) {
        Some(directory) => config.host_path(directory),
        None => config.host(url.host_str().unwrap_or_default()),
    };
    if let Some(password) = password {
        config.password(password.expose());
    }
    config
}

fn tls(server: &Server) -> Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(database::authorities(server.ca_file.as_deref())?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::bug(error.to_string()).caused_by(Cause::new(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// What a type is that no cell can hold.
fn strange(kind: &Type) -> Option<&'static str> {
    match kind.kind() {
        _ if *kind == Type::BYTEA => Some("bytea, binary data"),
        TypeKind::Array(_) => Some("an array"),
        TypeKind::Composite(_) => Some("a composite"),
        _ => None,
    }
}

/// The value as the server wrote it, by the type of its column; of a domain the server gives the base type. What the
/// calendar does not have, such as `infinity`, stays text and is judged with the column.
fn field<'r>(row: &'r SimpleQueryRow, index: usize, kind: &Type) -> Field<'r> {
    let Some(text) = row.get(index) else { return Field::Empty };
    let typed = match *kind {
        Type::BOOL => Some(Field::Bool(text == "t")),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::NUMERIC | Type::FLOAT4 | Type::FLOAT8 => {
            Some(Field::Number(text.into()))
        }
        Type::DATE => text.parse::<NaiveDate>().ok().map(Field::Date),
        Type::TIME => text.parse::<NaiveTime>().ok().map(Field::Time),
        Type::TIMESTAMP => {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok().map(Field::DateTime)
        }
        Type::TIMESTAMPTZ => DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z")
            .ok()
            .map(|at| Field::Instant(at.to_utc())),
        _ => None,
    };
    typed.unwrap_or(Field::text(text))
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn refused(server: &Server, error: tokio_postgres::Error) -> Failure {
    explain(server, &error).caused_by(Cause::new(error))
}

fn explain(server: &Server, error: &tokio_postgres::Error) -> Failure {
    let refusal = match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => DatabaseErrorClass::Access,
        Some(&SqlState::QUERY_CANCELED) => DatabaseErrorClass::Late,
        Some(&SqlState::INVALID_CATALOG_NAME | &SqlState::READ_ONLY_SQL_TRANSACTION) => {
            DatabaseErrorClass::Query
        }
        Some(code) if code.code().starts_with("28") => DatabaseErrorClass::Access,
        Some(code) if code.code().starts_with("22") => DatabaseErrorClass::Content,
        Some(code) if ["42", "0A"].iter().any(|class| code.code().starts_with(class)) => {
            DatabaseErrorClass::Query
        }
        // Asked for a password that the configuration does not name, the client does not get as far as the server's code.
        None if error.to_string().contains("password missing")
            || chain(error).contains("password missing") =>
        {
            DatabaseErrorClass::Access
        }
        _ => DatabaseErrorClass::Trouble,
    };
    let words = match error.as_db_error() {
        Some(told) => [Some(told.message()), told.detail(), told.hint()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; "),
        None => chain(error),
    };
    database::failure(server, refusal, &words)
}
