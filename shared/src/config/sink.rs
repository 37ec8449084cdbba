//! `[[alert.sink]]`: where alerts are sent.
//!
//! It has no secret: a password, a token or a secret address is in a file of its own.

use std::collections::BTreeSet;
use std::path::PathBuf;

use lettre::message::Mailbox;
use url::Url;

use super::Reader;
use super::reader::count;
use crate::sys::url::is_confidential;

/// One sink.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The name in records and reports.
    pub name: String,
    /// How alerts are sent to it.
    pub transport: Transport,
}

/// How alerts are sent to a sink.
#[derive(Clone, Debug)]
pub enum Transport {
    /// An HTTP POST.
    Webhook(Webhook),
    /// A mail. Boxed, since it is by far the largest.
    Smtp(Box<Smtp>),
    /// A program and its arguments; it gets the alert as JSON on standard input.
    Command(Vec<String>),
}

/// A webhook and what it is sent.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address, or the file with it.
    pub address: Endpoint,
    /// The file with a token for `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// The format of what it is sent.
    pub format: PayloadFormat,
}

/// The address of a webhook. One that is a secret itself, as Slack's and Discord's are, is in a file.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// An open address.
    Url(Url),
    /// The file that holds it.
    File(PathBuf),
}

/// The format of a webhook's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadFormat {
    /// The alert's own fields.
    Json,
    /// Slack's, which Mattermost and others accept too.
    Slack,
    /// Discord's.
    Discord,
    /// ntfy's: the text as the body, the rest in headers.
    Ntfy,
}

/// A mail server, the sender and the recipients.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// The host name, which its certificate must have.
    pub host: String,
    /// Usually 587 with STARTTLS, 465 with TLS.
    pub port: u16,
    /// How the connection is secured.
    pub encryption: Encryption,
    /// The sender.
    pub from: Mailbox,
    /// The recipients.
    pub to: Vec<Mailbox>,
    /// The user to log in as, and the file with the password.
    pub login: Option<(String, PathBuf)>,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS after STARTTLS; without it no mail is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// No encryption; accepted only for this machine itself.
    None,
}

pub(super) fn read_sinks(reader: &mut Reader<'_>) -> Vec<Sink> {
    let tables = reader.tables("sink");
    let numbered = (1..).zip(tables);
    let sinks: Vec<Sink> = numbered
        .filter_map(|(number, table)| read_sink(reader.nested(&format!("sink[{number}]"), table)))
        .collect();
    let mut names = BTreeSet::new();
    for twice in sinks.iter().filter(|sink| !names.insert(&sink.name)) {
        reader.problem("sink", format!("{:?} is the name of two; give each a name = of its own", twice.name));
    }
    sinks
}

fn read_sink(mut reader: Reader<'_>) -> Option<Sink> {
    let kind = reader.required("kind");
    let name = reader.name("name").or_else(|| kind.clone());
    let transport = match kind.as_deref() {
        Some("webhook") => read_webhook(&mut reader).map(Transport::Webhook),
        Some("smtp") => read_smtp(&mut reader).map(|smtp| Transport::Smtp(Box::new(smtp))),
        Some("command") => read_command(&mut reader).map(Transport::Command),
        Some(other) => {
            reader.problem("kind", format!("{other:?} is not one of \"webhook\", \"smtp\", \"command\""));
            return None;
        }
        None => None,
    };
    reader.finish();
    Some(Sink { name: name?, transport: transport? })
}

fn read_webhook(reader: &mut Reader<'_>) -> Option<Webhook> {
    let (url, file) = (reader.text("url"), reader.text("url-file"));
    let address = match (url, file) {
        (Some(url), None) => open_address(reader, &url).map(Endpoint::Url),
        (None, Some(file)) => Some(Endpoint::File(file.into())),
        _ => {
            reader.problem("url", "say either url, or url-file if the address itself is a secret");
            None
        }
    };
    let formats = [
        ("json", PayloadFormat::Json),
        ("slack", PayloadFormat::Slack),
        ("discord", PayloadFormat::Discord),
        ("ntfy", PayloadFormat::Ntfy),
    ];
    let format = reader.choice("shape", &formats).unwrap_or(PayloadFormat::Json);
    let token_file = reader.text("token-file").map(PathBuf::from);
    Some(Webhook { address: address?, token_file, format })
}

/// An address to which alerts and pings may be sent: https, or http on loopback.
pub(super) fn open_address(reader: &mut Reader<'_>, text: &str) -> Option<Url> {
    let problem = match Url::parse(text) {
        Ok(url) if is_confidential(&url) => return Some(url),
        Ok(_) => "must begin with https:// (or http:// on loopback)".to_owned(),
        Err(error) => format!("is not a URL: {error}"),
    };
    reader.problem("url", problem);
    None
}

fn read_smtp(reader: &mut Reader<'_>) -> Option<Smtp> {
    let encryptions =
        [("starttls", Encryption::StartTls), ("tls", Encryption::Tls), ("none", Encryption::None)];
    let encryption = reader.choice("encryption", &encryptions).unwrap_or(Encryption::StartTls);
    let usual = match encryption {
        Encryption::StartTls => 587,
        Encryption::Tls => 465,
        Encryption::None => 25,
    };
    let host = reader.required("host");
    let is_here = host.as_deref().is_some_and(|host| ["127.0.0.1", "::1", "localhost"].contains(&host));
    if encryption == Encryption::None && !is_here {
        reader.problem(
            "encryption",
            "\"none\" is only for a mail server on this machine: say \"starttls\" or \"tls\"",
        );
    }
    let port = count(reader, "port", 1..=65_535).and_then(|port| u16::try_from(port).ok());
    let from = reader.required("from").and_then(|text| mailbox(reader, "from", &text));
    let to = reader.texts("to").unwrap_or_default();
    if to.is_empty() {
        reader.problem("to", "must name at least one address, such as [\"harbour@example.com\"]");
    }
    let to = to.iter().filter_map(|text| mailbox(reader, "to", text)).collect();
    let login = match (reader.text("user"), reader.text("password-file")) {
        (Some(user), Some(file)) => Some((user, PathBuf::from(file))),
        (None, None) => None,
        _ => {
            reader.problem("user", "and password-file belong together: say both or neither");
            None
        }
    };
    Some(Smtp { host: host?, port: port.unwrap_or(usual), encryption, from: from?, to, login })
}

fn mailbox(reader: &mut Reader<'_>, key: &str, text: &str) -> Option<Mailbox> {
    let parsed = text.parse();
    if parsed.is_err() {
        reader.problem(
            key,
            format!("{text:?} is not a mail address such as \"Port office <port@example.com>\""),
        );
    }
    parsed.ok()
}

fn read_command(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let command = reader.texts("command").unwrap_or_default();
    let is_empty = command.first().is_none_or(|program| program.is_empty());
    if is_empty {
        reader.problem("command", "must be a list that begins with the program to run");
    }
    (!is_empty).then_some(command)
}
