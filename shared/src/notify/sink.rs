//! Sends one notification through one sink: a webhook, a mail, a program. It keeps no books and has no limit of its
//! own.
//!
//! What it says of a failure never holds an address's path, a token or a password.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use url::Url;

use super::LIMIT;
use crate::alert::message::Notification;
use crate::config::{Encryption, Endpoint, Smtp, Transport, Webhook};
use crate::sys::command::{self, Stdin};
use crate::sys::dirs::StateDir;
use crate::sys::http::Http;
use crate::sys::secret_file;
use crate::sys::url::is_confidential;
use crate::{Failure, Secret};

/// How much of a server's own words is shown, in characters.
const WORDS_CHARS: usize = 200;

/// Why a sink did not take a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError(pub String);

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Failure> for DeliveryError {
    fn from(failure: Failure) -> Self {
        Self(format!("{}; {}", failure.message, failure.hint))
    }
}

/// Where secrets lie.
#[derive(Clone, Copy, Debug)]
pub struct SecretsDir<'a> {
    /// systemd's `$CREDENTIALS_DIRECTORY`.
    pub granted: Option<&'a Path>,
    /// The state directory.
    pub state: &'a StateDir,
}

impl SecretsDir<'_> {
    /// Reads a secret under the rules for credential files.
    fn read(self, file: &Path) -> Result<Secret, DeliveryError> {
        let path = secret_file::locate(file, self.granted, &self.state.credentials());
        let content = secret_file::read(&path, self.granted)?;
        let text = String::from_utf8(content)
            .map_err(|_| DeliveryError(format!("{} is not text", path.display())))?;
        Ok(Secret::new(text.trim()))
    }
}

/// Sends it.
///
/// # Errors
/// [`DeliveryError`] when the sink did not confirm that it has it.
pub async fn send(
    transport: &Transport,
    notification: &Notification,
    machine: &str,
    secrets: SecretsDir<'_>,
) -> Result<(), DeliveryError> {
    match transport {
        Transport::Webhook(webhook) => post(webhook, notification, machine, secrets).await,
        Transport::Smtp(smtp) => mail(smtp, notification, machine, secrets).await,
        Transport::Command(command) => {
            let words: Vec<OsString> = command.iter().map(OsString::from).collect();
            let given = notification.json(machine).to_string();
            let ended = command::run(&words, Stdin::Text(&given), LIMIT).await;
            ended
                .map_err(|why| DeliveryError(format!("{} {why}", command.first().map_or("", String::as_str))))
        }
    }
}

async fn post(
    webhook: &Webhook,
    notification: &Notification,
    machine: &str,
    secrets: SecretsDir<'_>,
) -> Result<(), DeliveryError> {
    let url = match &webhook.address {
        Endpoint::Url(url) => url.clone(),
        Endpoint::File(file) => secret_address(file, secrets.read(file)?.expose())?,
    };
    let token = webhook.token_file.as_deref().map(|file| secrets.read(file)).transpose()?;
    let host = url.host_str().unwrap_or_default();
    let reply = Http::new(LIMIT)?
        .post(url.as_str(), token.as_ref(), notification.post(webhook.format, machine))
        .await
        .map_err(|why| DeliveryError(format!("{host} did not answer: {why}")))?;
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    let words: String = String::from_utf8_lossy(&reply.body).chars().take(WORDS_CHARS).collect();
    let hidden = [url.path(), url.query().unwrap_or_default(), token.as_ref().map_or("", Secret::expose)];
    let words = hidden
        .iter()
        .filter(|secret| secret.len() > 1)
        .fold(words, |words, secret| words.replace(secret, "…"));
    Err(DeliveryError(format!("{host} answered {}: {}", reply.status, words.trim())))
}

/// The rules for an open address hold for a secret one too; its error does not show it.
fn secret_address(file: &Path, text: &str) -> Result<Url, DeliveryError> {
    let url = Url::parse(text).ok().filter(is_confidential);
    url.ok_or_else(|| {
        DeliveryError(format!("the file {} does not hold an https address", PathBuf::from(file).display()))
    })
}

async fn mail(
    smtp: &Smtp,
    notification: &Notification,
    machine: &str,
    secrets: SecretsDir<'_>,
) -> Result<(), DeliveryError> {
    let message = message(smtp, notification, machine).map_err(|error| DeliveryError(error.to_string()))?;
    let server = transport(smtp, secrets)?;
    let taken = server.send(message).await;
    taken
        .map(drop)
        .map_err(|error| DeliveryError(format!("{}: {}", smtp.host, crate::sys::http::chain(&error))))
}

fn message(smtp: &Smtp, notification: &Notification, machine: &str) -> Result<Message, lettre::error::Error> {
    let mut message = Message::builder()
        .from(smtp.from.clone())
        .subject(notification.title(machine))
        .date(notification.at.into())
        // The same for every try, so that a reader's program shows a mail that came twice once.
        .message_id(Some(format!(
            "<{}.{}@{machine}.port-jobs>",
            notification.id,
            notification.at.timestamp()
        )))
        .header(ContentType::TEXT_PLAIN);
    for to in &smtp.to {
        message = message.to(to.clone());
    }
    message.body(notification.text(machine))
}

fn transport(
    smtp: &Smtp,
    secrets: SecretsDir<'_>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryError> {
    let builder = match smtp.encryption {
        Encryption::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host),
        Encryption::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host),
        Encryption::None => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)),
    };
    let builder = builder.map_err(|error| DeliveryError(format!("{}: {error}", smtp.host)))?;
    let builder = builder.port(smtp.port).timeout(Some(LIMIT));
    let builder = match &smtp.login {
        Some((user, file)) => {
            let password = secrets.read(file)?;
            builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()))
        }
        None => builder,
    };
    Ok(builder.build())
}
