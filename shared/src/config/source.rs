//! `[sheet.NAME.source]`: where bookings come from and how they are read.
//!
//! The query of an address can be a secret, so addresses are shown without it.

mod read;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use encoding_rs::Encoding;
use url::Url;

/// Where bookings come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// CSV with a header line.
    Csv {
        /// Where the file is.
        origin: Origin,
        /// The ASCII character between fields.
        delimiter: u8,
        /// The encoding of a file without a byte order mark.
        encoding: &'static Encoding,
    },
    /// A JSON array of objects, or objects one after the other.
    Json {
        /// Where the file is.
        origin: Origin,
        /// The JSON pointer (RFC 6901) to the array in the document; empty for the document itself.
        pointer: String,
    },
    /// A query of an SQLite database.
    Sqlite {
        /// The database file, absolute.
        path: PathBuf,
        /// Its rows are the bookings.
        query: Query,
    },
    /// A query of a database server.
    Server(Server),
}

/// Where a file is.
#[derive(Clone, Debug)]
pub enum Origin {
    /// On this machine.
    File(PathBuf),
    /// On a web server.
    Web(Web),
}

/// A file on a web server.
#[derive(Clone, Debug)]
pub struct Web {
    /// The address of the file, shown without its query.
    pub address: Address,
    /// The secret that the server requires.
    pub secret: Option<WebSecret>,
    /// Whether http without TLS is allowed beyond this machine.
    pub allow_http: bool,
    /// The largest file that is read, in bytes, decompressed.
    pub max_size: u64,
    /// The limit on one try: connecting, headers and body together.
    pub timeout: Duration,
    /// The first pause before another try.
    pub first_pause: Duration,
}

/// A secret for a web server.
#[derive(Clone, Debug)]
pub struct WebSecret {
    /// The file with the secret, relative to the credentials folder or absolute.
    pub file: PathBuf,
    /// How it is sent.
    pub sent_as: SentAs,
}

/// How a secret is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentAs {
    /// `Authorization: Bearer …`.
    Bearer,
    /// In a header of this name.
    Header(String),
    /// In a parameter of this name in the query of the address.
    Parameter(String),
}

/// A query and how long it may take.
#[derive(Clone, Debug)]
pub struct Query {
    /// SQL that returns rows.
    pub sql: String,
    /// The limit that the database is given for it.
    pub timeout: Duration,
}

/// A database server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Which kind.
    pub kind: ServerKind,
    /// Its address, with user and database.
    pub address: Address,
    /// The file with the user's password, relative to the credentials folder or absolute.
    pub password_file: Option<PathBuf>,
    /// The certificate authorities to trust in place of the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The query and its limit.
    pub query: Query,
}

/// A kind of database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

/// An address that may hold a secret: it is shown without user and query.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Wraps an address.
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The address itself, for the wire.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.0.scheme(), self.0.host_str().unwrap_or_default());
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{scheme}://{host}{port}{}", self.0.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Csv { origin: Origin::File(path), .. }
            | Self::Json { origin: Origin::File(path), .. }
            | Self::Sqlite { path, .. } => write!(f, "{}", path.display()),
            Self::Csv { origin: Origin::Web(web), .. } | Self::Json { origin: Origin::Web(web), .. } => {
                web.address.fmt(f)
            }
            Self::Server(server) => server.address.fmt(f),
        }
    }
}
