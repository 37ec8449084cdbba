//! What the two kinds of database server have in common: where they are, whom they trust, and how they fail.
//!
//! It speaks to neither.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use shared::address::is_loopback;
use shared::config::Server;
use shared::{Failure, Kind, Result};

use super::Head;

/// What a server's refusal means for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
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
    let silent = || failure(server, Refusal::Trouble, "did not answer within 10s");
    tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(silent()))
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

/// A part of the address as people write it, `%40` for `@`.
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
    let read =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let hint = format!("put the authority's certificate there, in PEM: head -1 {}", file.display());
    let wrong = |why: String| {
        Failure::new(
            Kind::Config,
            format!("the certificates in {} cannot be used: {why}", file.display()),
            &hint,
        )
    };
    match read {
        Ok(found) if found.is_empty() => Err(wrong("it holds none".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// A refusal in the server's own words.
pub fn failure(server: &Server, refusal: Refusal, words: &str) -> Failure {
    let shown = &server.address;
    let kind = match refusal {
        Refusal::Access => Kind::Credential,
        Refusal::Query => Kind::Config,
        Refusal::Content => Kind::Data,
        Refusal::Late | Refusal::Trouble => Kind::Unavailable,
    };
    let hint = match (refusal, &server.password_file) {
        (Refusal::Access, None) => {
            "name the file with the user's password in password-file of the source".to_owned()
        }
        (Refusal::Access, Some(file)) => {
            format!(
                "look at user, rights and the password in {}; the user needs SELECT and nothing more",
                file.display()
            )
        }
        (Refusal::Query, _) => {
            "mend url or query of the source; the query must return rows and change nothing".to_owned()
        }
        (Refusal::Content, _) => {
            "mend that value where it comes from, or let query of the source pass over it".to_owned()
        }
        (Refusal::Late, _) => "make the query cheaper, or raise timeout of the source".to_owned(),
        (Refusal::Trouble, _) => {
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
        return Err(failure(server, Refusal::Query, "the query returns no rows"));
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
