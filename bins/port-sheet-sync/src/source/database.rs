//! What the two kinds of database server have in common: where they are, whom they trust, and how they fail.
//!
//! It speaks to neither.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use shared::cause::Cause;
use shared::config::Server;
use shared::sys::url::is_loopback;
use shared::{Failure, Kind, Result};

use crate::source::Head;

/// What a server's refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseErrorClass {
    /// The user or password is wrong, or the user may not read the tables.
    Access,
    /// There is no such database, or the query is wrong or would write.
    Query,
    /// A value in the database is not what the query takes it for. Its words may quote the value.
    Content,
    /// The query took too long.
    Late,
    /// Anything else, which may pass.
    Trouble,
}

/// How long a server may take until it lets us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until a server lets us in.
///
/// # Errors
/// Whatever it says, or [`Kind::Unavailable`] when it says nothing.
pub async fn connected<T>(server: &Server, connecting: impl Future<Output = Result<T>>) -> Result<T> {
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
    connected
        .unwrap_or_else(|_| Err(failure(server, DatabaseErrorClass::Trouble, "did not answer within 10s")))
}

/// The socket that an address names in place of a port.
pub fn socket(server: &Server) -> Option<PathBuf> {
    let pairs = server.address.expose().query_pairs();
    pairs.into_iter().find(|(name, _)| name == "socket").map(|(_, path)| PathBuf::from(path.as_ref()))
}

/// Whether the way to it must be encrypted: it leaves this machine, or the configuration names an authority to trust.
pub fn is_encrypted(server: &Server) -> bool {
    let url = server.address.expose();
    // Of a scheme that it does not know the URL's host is a name even where it is an address.
    let host = url.host_str().unwrap_or_default();
    let is_loopback_address = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    socket(server).is_none() && (server.ca_file.is_some() || !(is_loopback(url) || is_loopback_address))
}

/// A part of the address as it was typed, `%40` for `@`.
pub fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The certificates to trust: those of a file, or the system's.
///
/// # Errors
/// [`Kind::Config`] when there are none.
pub fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>> {
    let Some(file) = file else {
        let mut found = rustls_native_certs::load_native_certs().certs;
        // The system may hold some that rustls does not take.
        found.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
        return if found.is_empty() {
            Err(Failure::new(
                Kind::Config,
                "no trusted certificate authorities",
                "apt-get install ca-certificates",
            ))
        } else {
            Ok(found)
        };
    };
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let hint = format!("put the authority's certificate there, in PEM: head -1 {}", file.display());
    let (why, cause) = match read {
        Ok(found) if found.is_empty() => ("it holds none".to_owned(), None),
        Ok(found) => return Ok(found),
        Err(error) => (error.to_string(), Some(Cause::new(error))),
    };
    let message = format!("the certificates in {} cannot be used: {why}", file.display());
    Err(Failure { cause, ..Failure::new(Kind::Config, message, hint) })
}

/// A refusal in the server's own words.
pub fn failure(server: &Server, refusal: DatabaseErrorClass, words: &str) -> Failure {
    let shown = &server.address;
    let kind = match refusal {
        DatabaseErrorClass::Access => Kind::Credential,
        DatabaseErrorClass::Query => Kind::Config,
        DatabaseErrorClass::Content => Kind::Data,
        DatabaseErrorClass::Late | DatabaseErrorClass::Trouble => Kind::Unavailable,
    };
    let hint = match (refusal, &server.password_file) {
        (DatabaseErrorClass::Access, None) => {
            "name the file with the user's password in password-file of the source".to_owned()
        }
        (DatabaseErrorClass::Access, Some(file)) => {
            format!(
                "look at user, rights and the password in {}; the user needs SELECT and nothing more",
                file.display()
            )
        }
        (DatabaseErrorClass::Query, _) => {
            "correct url or query of the source; the query must return rows and change nothing".to_owned()
        }
        (DatabaseErrorClass::Content, _) => {
            "correct that value in the database, or exclude it in the query of the source".to_owned()
        }
        (DatabaseErrorClass::Late, _) => "make the query cheaper, or raise timeout of the source".to_owned(),
        (DatabaseErrorClass::Trouble, _) => {
            "the next run tries again; is the database up, and can this machine reach it?".to_owned()
        }
    };
    Failure::new(kind, format!("the source {shown}: {words}"), hint)
}

/// What is known of a query's rows before the first.
pub fn head(fields: Vec<String>) -> Head {
    Head { fields, unit: "row", file: None, ends_with_line_break: false }
}

/// That a query returns rows, and none with a column that a sheet cannot hold; each comes with what it is, if so.
///
/// # Errors
/// [`Kind::Config`].
pub fn check<'a>(
    server: &Server,
    columns: impl Iterator<Item = (&'a str, Option<&'static str>)>,
) -> Result<()> {
    let columns: Vec<_> = columns.collect();
    if columns.is_empty() {
        return Err(failure(server, DatabaseErrorClass::Query, "the query returns no rows"));
    }
    match columns.iter().find_map(|(name, strange)| Some((name, (*strange)?))) {
        None => Ok(()),
        Some((name, kind)) => Err(Failure::new(
            Kind::Config,
            format!("the source {}: field {name:?} is {kind}, which a sheet cannot hold", server.address),
            "leave the field out of query, or turn it into text there",
        )),
    }
}
