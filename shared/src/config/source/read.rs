//! Reads the table. Each kind of source takes some of the keys and refuses the others.
//!
//! A problem never quotes an address: it may contain a secret.

use std::path::PathBuf;
use std::time::Duration;

use encoding_rs::Encoding;
use url::Url;

use super::{Address, Origin, Query, SentAs, Server, ServerKind, Source, Web, WebSecret};
use crate::config::Reader;
use crate::sys::url::is_loopback;

/// A limit for one try or one query.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A file of more than a million bookings is smaller.
const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// The kinds, and the keys that each of them takes.
const KINDS: [(&str, &[&str]); 5] = [
    ("csv", &["delimiter", "encoding"]),
    ("json", &["pointer"]),
    ("sqlite", &["path", "query", "timeout"]),
    ("postgres", &["url", "query", "timeout", "password-file", "ca-file"]),
    ("mysql", &["url", "query", "timeout", "password-file", "ca-file"]),
];

/// The keys of every file.
const FILE_KEYS: [&str; 2] = ["path", "url"];
/// The keys of files on a web server.
const WEB_KEYS: [&str; 7] =
    ["secret-file", "secret-header", "secret-parameter", "allow-http", "max-size", "timeout", "first-pause"];

/// Every key of the table, taken out of it once.
struct Keys {
    path: Option<PathBuf>,
    url: Option<String>,
    delimiter: Option<String>,
    encoding: Option<String>,
    pointer: Option<String>,
    query: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    secret_file: Option<PathBuf>,
    secret_header: Option<String>,
    secret_parameter: Option<String>,
    allow_http: Option<bool>,
    max_size: Option<u64>,
    timeout: Option<Duration>,
    first_pause: Option<Duration>,
}

impl Source {
    pub(in crate::config) fn read(reader: &mut Reader<'_>) -> Self {
        let Some(table) = reader.table("source") else {
            reader.problem("source", "is missing: say kind = \"csv\" and path = \"/where/the/export.csv\"");
            return Self::placeholder();
        };
        let given: Vec<String> = table.keys().cloned().collect();
        let mut reader = reader.nested("source", table);
        if !given.iter().any(|key| key == "kind") {
            reader.problem("kind", "is missing");
        }
        let words = KINDS.map(|(kind, _)| (kind, kind));
        let kind = reader.choice("kind", &words);
        let keys = Keys::take(&mut reader);
        let source = match kind {
            Some(kind) => {
                refuse_strange_keys(&mut reader, kind, &given);
                keys.source(kind, &mut reader)
            }
            None => Self::placeholder(),
        };
        reader.finish();
        source
    }

    /// The source of a table with problems, which are reported.
    fn placeholder() -> Self {
        Self::Json { origin: Origin::File(PathBuf::new()), pointer: String::new() }
    }
}

fn refuse_strange_keys(reader: &mut Reader<'_>, kind: &str, given: &[String]) {
    let of_kind = KINDS.iter().find(|(word, _)| *word == kind).map_or(&[][..], |(_, keys)| *keys);
    let is_file = matches!(kind, "csv" | "json");
    let is_web = is_file && given.iter().any(|key| key == "url");
    for key in given {
        let key = key.as_str();
        let is_known_elsewhere = KINDS.iter().any(|(_, keys)| keys.contains(&key))
            || FILE_KEYS.contains(&key)
            || WEB_KEYS.contains(&key);
        let fits = of_kind.contains(&key)
            || (is_file && FILE_KEYS.contains(&key))
            || (is_web && WEB_KEYS.contains(&key));
        if is_known_elsewhere && !fits {
            let note = if is_file && WEB_KEYS.contains(&key) { " without url" } else { "" };
            reader.problem(key, format!("is not for kind = \"{kind}\"{note}"));
        }
    }
}

impl Keys {
    fn take(reader: &mut Reader<'_>) -> Self {
        Self {
            path: reader.text("path").map(PathBuf::from),
            url: reader.text("url"),
            delimiter: reader.char("delimiter"),
            encoding: reader.text("encoding"),
            pointer: reader.text("pointer"),
            query: reader.text("query"),
            password_file: reader.text("password-file").map(PathBuf::from),
            ca_file: reader.text("ca-file").map(PathBuf::from),
            secret_file: reader.text("secret-file").map(PathBuf::from),
            secret_header: reader.text("secret-header"),
            secret_parameter: reader.text("secret-parameter"),
            allow_http: reader.flag("allow-http"),
            max_size: reader.size("max-size"),
            timeout: reader.positive_duration("timeout"),
            first_pause: reader.positive_duration("first-pause"),
        }
    }

    fn source(self, kind: &str, reader: &mut Reader<'_>) -> Source {
        match kind {
            "csv" => Source::Csv {
                delimiter: read_delimiter(self.delimiter.as_deref(), reader),
                encoding: read_encoding(self.encoding.as_deref(), reader),
                origin: self.origin(reader),
            },
            "json" => Source::Json {
                pointer: read_pointer(self.pointer.as_deref(), reader),
                origin: self.origin(reader),
            },
            "sqlite" => Source::Sqlite {
                path: absolute("path", self.path.clone(), reader),
                query: self.query(reader),
            },
            "postgres" => self.server(ServerKind::Postgres, &["postgres", "postgresql"], reader),
            _ => self.server(ServerKind::Mysql, &["mysql", "mariadb"], reader),
        }
    }

    fn origin(self, reader: &mut Reader<'_>) -> Origin {
        match (&self.path, &self.url) {
            (Some(_), Some(_)) => {
                reader.problem("url", "cannot be used together with path: the file is here or there")
            }
            (_, Some(url)) => {
                if let Some(url) = parse_url(url, reader) {
                    return Origin::Web(self.web(url, reader));
                }
            }
            (path, None) => return Origin::File(absolute("path", path.clone(), reader)),
        }
        Origin::File(PathBuf::new())
    }

    fn web(self, url: Url, reader: &mut Reader<'_>) -> Web {
        let allow_http = self.allow_http.unwrap_or(false);
        if !matches!(url.scheme(), "http" | "https") {
            reader.problem("url", "must begin with https:// or http://");
        } else if url.scheme() == "http" && !is_loopback(&url) && !allow_http {
            reader.problem("url", "would fetch bookings unencrypted: use https, or say allow-http = true");
        }
        if !url.username().is_empty() || url.password().is_some() {
            reader.problem(
                "url",
                "must hold no user and no password: put the secret into a file and name it in secret-file",
            );
        }
        Web {
            address: Address::new(url),
            allow_http,
            max_size: self.max_size.unwrap_or(MAX_SIZE),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            first_pause: self.first_pause.unwrap_or(Duration::from_secs(1)),
            secret: self.web_secret(reader),
        }
    }

    fn web_secret(self, reader: &mut Reader<'_>) -> Option<WebSecret> {
        let sent_as = match (self.secret_header, self.secret_parameter) {
            (Some(_), Some(_)) => {
                reader.problem(
                    "secret-parameter",
                    "cannot be used together with secret-header: the secret is sent in one place",
                );
                SentAs::Bearer
            }
            (Some(name), None) => SentAs::Header(name),
            (None, Some(name)) => SentAs::Parameter(name),
            (None, None) => SentAs::Bearer,
        };
        if let SentAs::Header(name) = &sent_as
            && http::HeaderName::from_bytes(name.as_bytes()).is_err()
        {
            reader.problem(
                "secret-header",
                "must be the name of a header; the secret itself is in secret-file",
            );
        }
        if self.secret_file.is_none() && sent_as != SentAs::Bearer {
            reader.problem("secret-file", "is missing: name the file that holds the secret");
        }
        Some(WebSecret { file: self.secret_file?, sent_as })
    }

    fn query(self, reader: &mut Reader<'_>) -> Query {
        if self.query.is_none() {
            reader.problem(
                "query",
                "is missing: say which bookings to read, such as \"SELECT * FROM bookings\"",
            );
        }
        Query { sql: self.query.unwrap_or_default(), timeout: self.timeout.unwrap_or(TIMEOUT) }
    }

    fn server(self, kind: ServerKind, schemes: &[&str], reader: &mut Reader<'_>) -> Source {
        let example = format!("such as \"{}://USER@HOST/DATABASE\"", schemes[0]);
        let url = match &self.url {
            None => {
                reader.problem("url", format!("is missing: say where the database is, {example}"));
                None
            }
            Some(url) => parse_url(url, reader),
        };
        if let Some(url) = &url {
            check_server_url(url, schemes, &example, reader);
        }
        let ca_file = self.ca_file.clone().map(|path| absolute("ca-file", Some(path), reader));
        let password_file = self.password_file.clone();
        let query = self.query(reader);
        let Some(url) = url else { return Source::placeholder() };
        Source::Server(Server { kind, address: Address::new(url), password_file, ca_file, query })
    }
}

fn check_server_url(url: &Url, schemes: &[&str], example: &str, reader: &mut Reader<'_>) {
    if !schemes.contains(&url.scheme()) || url.username().is_empty() || url.path().len() < 2 {
        reader.problem("url", format!("must name user, host and database, {example}"));
    }
    let names_password = url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("password"));
    if url.password().is_some() || names_password {
        reader.problem("url", "must hold no password: put it into a file and name it in password-file");
    }
    if url.query_pairs().any(|(name, _)| name != "socket") {
        reader.problem("url", "may have no setting but socket behind its question mark");
    }
}

/// The problem does not quote the address: it may contain a secret.
fn parse_url(text: &str, reader: &mut Reader<'_>) -> Option<Url> {
    Url::parse(text).map_err(|error| reader.problem("url", format!("is not a URL: {error}"))).ok()
}

fn absolute(key: &str, path: Option<PathBuf>, reader: &mut Reader<'_>) -> PathBuf {
    match &path {
        None => reader.problem(key, "is missing"),
        Some(path) if path.is_relative() => {
            reader.problem(key, "must be an absolute path: a job's working directory varies");
        }
        Some(_) => {}
    }
    path.unwrap_or_default()
}

fn read_delimiter(text: Option<&str>, reader: &mut Reader<'_>) -> u8 {
    match text.map(str::as_bytes) {
        None => b',',
        Some([sign]) if sign.is_ascii() && !matches!(sign, b'"' | b'\n' | b'\r') => *sign,
        Some(_) => {
            reader.problem("delimiter", "must be one ASCII character, such as \";\" or \"\\t\"");
            b','
        }
    }
}

fn read_encoding(label: Option<&str>, reader: &mut Reader<'_>) -> &'static Encoding {
    let Some(label) = label else { return encoding_rs::UTF_8 };
    Encoding::for_label_no_replacement(label.as_bytes()).unwrap_or_else(|| {
        let what =
            format!("{label:?} is not an encoding such as \"utf-8\", \"windows-1252\" or \"utf-16le\"");
        reader.problem("encoding", what);
        encoding_rs::UTF_8
    })
}

fn read_pointer(text: Option<&str>, reader: &mut Reader<'_>) -> String {
    let text = text.unwrap_or_default();
    if !text.is_empty() && !text.starts_with('/') {
        reader.problem("pointer", format!("{text:?} must begin with /, such as \"/data/bookings\""));
    }
    text.to_owned()
}
