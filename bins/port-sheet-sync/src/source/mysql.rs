//! A query of a MySQL or MariaDB database: in a read-only transaction, row by row.
//!
//! The query is prepared, which refuses more than one statement and brings decimals as they are written.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use futures_util::TryFutureExt;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, Error, OptsBuilder, SslOpts, Value};
use shared::cause::Cause;
use shared::config::Server;
use shared::sys::http::chain;
use shared::{Failure, Result, Secret};

use crate::model::cell::Field;
use crate::source::RecordSink;
use crate::source::database;
use crate::source::database::DatabaseErrorClass;
use crate::source::database::decoded;

/// The number of the character set that is none.
const BINARY: u16 = 63;

/// Reads the rows of the query.
///
/// # Errors
/// [`shared::Kind::Unavailable`] when the server cannot be reached or takes too long, [`shared::Kind::Credential`] when it
/// refuses the user, [`shared::Kind::Config`] when the query is wrong or would write, [`shared::Kind::Data`] when it
/// fails on the data in the tables.
pub async fn read(server: &Server, password: Option<Secret>, sink: &mut impl RecordSink) -> Result<()> {
    let connecting = Conn::new(options(server, password)?).map_err(|error| refused(server, error));
    let mut connection = database::connected(server, connecting).await?;
    for setting in settings(server, &mut connection).await.map_err(|error| refused(server, error))? {
        connection.query_drop(setting).await.map_err(|error| refused(server, error))?;
    }
    let statement =
        connection.prep(server.query.sql.as_str()).await.map_err(|error| refused(server, error))?;
    let columns: Vec<Column> = statement.columns().to_vec();
    let names: Vec<String> = columns.iter().map(|column| column.name_str().into_owned()).collect();
    database::check(server, names.iter().map(String::as_str).zip(columns.iter().map(strange)))?;
    sink.begin(database::head(names.clone()))?;
    let mut result = connection.exec_iter(statement, ()).await.map_err(|error| refused(server, error))?;
    let mut at = 0;
    while let Some(row) = result.next().await.map_err(|error| refused(server, error))? {
        at += 1;
        let values = row.unwrap();
        let named = values.iter().zip(&columns).zip(&names);
        let fields = named.map(|((value, column), name)| {
            field(value, column).map_err(|why| format!("field {name:?} {why}"))
        });
        match fields.collect::<Result<Vec<_>, String>>() {
            Ok(fields) => sink.record(at, Ok(&fields))?,
            Err(reason) => sink.record(at, Err(reason))?,
        }
    }
    Ok(())
}

fn options(server: &Server, password: Option<Secret>) -> Result<OptsBuilder> {
    let url = server.address.expose();
    let mut options = OptsBuilder::default()
        .ip_or_hostname(url.host_str().unwrap_or_default())
        .tcp_port(url.port().unwrap_or(3306))
        .user(Some(decoded(url.username())))
        .pass(password.map(|password| password.expose().to_owned()))
        .db_name(Some(decoded(url.path().trim_start_matches('/'))))
        // Otherwise a loopback connection would look for the server's own socket.
        .prefer_socket(false)
        .socket(database::socket(server).map(|path| path.display().to_string()));
    if database::is_encrypted(server) {
        let roots = database::authorities(server.ca_file.as_deref())?;
        let roots = roots.iter().map(|root| root.to_vec().into()).collect();
        let tls = SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots);
        options = options.ssl_opts(tls);
    }
    Ok(options)
}

/// MySQL and MariaDB limit the time of a query by different settings, in different units.
async fn settings(server: &Server, connection: &mut Conn) -> Result<[String; 3], Error> {
    let version: Option<String> = connection.query_first("SELECT VERSION()").await?;
    let timeout = server.query.timeout;
    let limit = if version.is_some_and(|version| version.contains("MariaDB")) {
        format!("SET SESSION max_statement_time = {}", timeout.as_secs_f64())
    } else {
        format!("SET SESSION max_execution_time = {}", timeout.as_millis())
    };
    Ok([limit, "SET SESSION time_zone = '+00:00'".to_owned(), "START TRANSACTION READ ONLY".to_owned()])
}

/// What a column is that no cell can hold.
fn strange(column: &Column) -> Option<&'static str> {
    use ColumnType::{
        MYSQL_TYPE_BIT, MYSQL_TYPE_BLOB, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_MEDIUM_BLOB,
        MYSQL_TYPE_STRING, MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_VAR_STRING,
    };
    let is_binary = column.character_set() == BINARY;
    match column.column_type() {
        MYSQL_TYPE_BIT if column.column_length() > 1 => Some("BIT, binary data"),
        MYSQL_TYPE_GEOMETRY => Some("GEOMETRY"),
        MYSQL_TYPE_BLOB | MYSQL_TYPE_TINY_BLOB | MYSQL_TYPE_MEDIUM_BLOB | MYSQL_TYPE_LONG_BLOB
            if is_binary =>
        {
            Some("BLOB, binary data")
        }
        MYSQL_TYPE_STRING | MYSQL_TYPE_VAR_STRING
            if is_binary && column.flags().contains(ColumnFlags::BINARY_FLAG) =>
        {
            Some("BINARY, binary data")
        }
        _ => None,
    }
}

fn field<'v>(value: &'v Value, column: &Column) -> Result<Field<'v>, String> {
    Ok(match value {
        Value::NULL => Field::Empty,
        Value::Int(number) => Field::Number(number.to_string().into()),
        Value::UInt(number) => Field::Number(number.to_string().into()),
        Value::Float(number) => Field::Number(number.to_string().into()),
        Value::Double(number) => Field::Number(number.to_string().into()),
        Value::Bytes(bytes) if column.column_type() == ColumnType::MYSQL_TYPE_BIT => {
            Field::Bool(bytes.last().is_some_and(|bit| *bit != 0))
        }
        Value::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
            match column.column_type() {
                ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
                    Field::Number(text.into())
                }
                _ => Field::text(text),
            }
        }
        Value::Date(year, month, day, hour, minute, second, micro) => {
            let date = NaiveDate::from_ymd_opt(i32::from(*year), u32::from(*month), u32::from(*day));
            let time = time(u32::from(*hour), *minute, *second, *micro);
            match (date, time, column.column_type()) {
                (Some(date), _, ColumnType::MYSQL_TYPE_DATE) => Field::Date(date),
                (Some(date), Some(time), ColumnType::MYSQL_TYPE_TIMESTAMP) => {
                    Field::Instant(DateTime::from_naive_utc_and_offset(date.and_time(time), chrono::Utc))
                }
                (Some(date), Some(time), _) => Field::DateTime(NaiveDateTime::new(date, time)),
                // MySQL keeps such dates as 0000-00-00.
                _ => return Err(format!("\"{year:04}-{month:02}-{day:02}\" is no date")),
            }
        }
        Value::Time(is_negative, days, hour, minute, second, micro) => {
            match time(u32::from(*hour), *minute, *second, *micro) {
                Some(time) if !is_negative && *days == 0 => Field::Time(time),
                // More than a day, or less than nothing, is a length of time and no time of day.
                _ => Field::Text(length(*is_negative, days * 24 + u32::from(*hour), *minute, *second).into()),
            }
        }
    })
}

fn time(hour: u32, minute: u8, second: u8, micro: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_micro_opt(hour, minute.into(), second.into(), micro)
}

fn length(is_negative: bool, hours: u32, minute: u8, second: u8) -> String {
    let mut text = if is_negative { "-".to_owned() } else { String::new() };
    let _ = write!(text, "{hours:02}:{minute:02}:{second:02}");
    text
}

/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
fn refused(server: &Server, error: Error) -> Failure {
    explain(server, &error).caused_by(Cause::new(error))
}

fn explain(server: &Server, error: &Error) -> Failure {
    let Error::Server(told) = error else {
        return database::failure(server, DatabaseErrorClass::Trouble, &chain(error));
    };
    let refusal = match told.code {
        // Access denied for a user, a database, a table, a column; no password given; more rights needed.
        1044 | 1045 | 1142 | 1143 | 1227 | 1698 => DatabaseErrorClass::Access,
        // Interrupted or past the time limit: MySQL's numbers and MariaDB's.
        1317 | 3024 | 1969 => DatabaseErrorClass::Late,
        // No such database, table or column; wrong syntax; a write in a read-only transaction.
        1046 | 1049 | 1054 | 1064 | 1146 | 1295 | 1305 | 1792 => DatabaseErrorClass::Query,
        _ if told.state.starts_with("22") => DatabaseErrorClass::Content,
        _ => DatabaseErrorClass::Trouble,
    };
    database::failure(server, refusal, &format!("{} ({})", told.message, told.code))
}
