//! Imports a credential that another program created: Python's `token.json`, or a service account's key.
//!
//! One real exchange proves it. With Google the refresh token stays valid. A server that rotates refresh tokens returns a
//! new one, which then replaces the one in the file.

use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::Value;
use shared::credential::token_error::TokenErrorClass;
use shared::credential::{Credential, CredentialFile};
use shared::oauth::{self, TokenFailure};
use shared::sys::secret_file;
use shared::{Failure, Kind, Result};

use crate::content;
use crate::install::{Destination, NewContent, Obtained, removal_note};
use crate::terminal::{self, Terminal};

/// A file that the user provided.
struct Provided {
    content: Vec<u8>,
    /// Its path, for messages.
    source: PathBuf,
    notes: Vec<String>,
}

/// Reads, checks and tries a credential.
pub(crate) async fn import(destination: &Destination<'_>, path: &Path) -> Result<Obtained> {
    let provided = read(path).await.map_err(|failure| failure.within(&destination.file))?;
    let credential = parse(destination, &provided)?;
    let granted = match oauth::try_credential(&credential, destination.scopes, &destination.http).await {
        Ok(granted) => granted,
        Err(TokenFailure::Refused(error)) => {
            let hint = hint(error.class, destination);
            return Err(destination.failure(error, hint));
        }
        Err(TokenFailure::Local(failure)) => return Err(failure.within(&destination.file)),
    };
    let grant = granted.grant_info(Utc::now());
    let token = granted.access_token.value;
    match credential {
        Credential::ServiceAccount(account) => Ok(Obtained {
            content: NewContent::Imported(provided.content),
            token,
            account: Some(account.client_email),
            scopes: destination.scopes.to_vec(),
            grant,
            notes: provided.notes,
        }),
        Credential::User(user) => Ok(Obtained {
            content: NewContent::Imported(content::imported(
                &provided.content,
                granted.refresh_token.as_ref(),
            )?),
            token,
            account: user.account.filter(|account| !account.is_empty()),
            // If neither the response nor the file names them, the trial shows what is missing.
            scopes: granted
                .access_token
                .scopes
                .or_else(|| scopes_of(&provided.content))
                .unwrap_or_else(|| destination.scopes.to_vec()),
            grant,
            notes: provided.notes,
        }),
    }
}

async fn read(file: &Path) -> Result<Provided> {
    if file == Path::new("-") {
        let terminal = Terminal::from_stdin();
        if terminal.is_some() {
            terminal::say("Paste the JSON, then press Enter and Ctrl-D. What you paste is not shown.");
        }
        let content = terminal::whole_stdin().await?;
        return Ok(Provided { content, source: "standard input".into(), notes: Vec::new() });
    }
    let download = secret_file::read_download(file)?;
    let mut notes = vec![removal_note(file)];
    if download.is_loose {
        notes.push(format!(
            "other users of this machine could read {}; if there are any, make a new one",
            file.display()
        ));
    }
    Ok(Provided { content: download.content, source: file.to_owned(), notes })
}

fn parse(destination: &Destination<'_>, provided: &Provided) -> Result<Credential> {
    let file = &destination.file;
    let fields: Value = serde_json::from_slice(&provided.content).unwrap_or_default();
    if fields.get("installed").is_some() || fields.get("web").is_some() {
        return Err(Failure::new(
            Kind::Credential,
            format!("{file}: {} is an OAuth client, not a credential", provided.source.display()),
            format!("log in with it: {} --client FILE", destination.command()),
        ));
    }
    let source = CredentialFile { path: provided.source.clone(), ..file.clone() };
    let accepted = "--import takes a service account's key as Google gives it, or a person's token.json as Python's google-auth writes it";
    // The hint about an unknown host is kept. The others are about an installed file.
    let is_strange = fields["token_uri"].as_str().is_some_and(|uri| !file.trusts(uri));
    source.parse_checked(&provided.content).map_err(|failure| {
        let hint = if is_strange { failure.hint.clone() } else { accepted.to_owned() };
        Failure { hint, ..failure }
    })
}

fn hint(class: TokenErrorClass, destination: &Destination<'_>) -> String {
    match class {
        TokenErrorClass::Dead => format!(
            "it is not good any more: log in with {} --client FILE, or make a new key at https://console.cloud.google.com/iam-admin/serviceaccounts",
            destination.command()
        ),
        TokenErrorClass::Broken => {
            "its OAuth client was deleted or changed: https://console.cloud.google.com/apis/credentials"
                .to_owned()
        }
        TokenErrorClass::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
        TokenErrorClass::Transient | TokenErrorClass::Unknown => {
            "type the same command again; is the network up? curl -sI https://oauth2.googleapis.com/token"
                .to_owned()
        }
    }
}

/// `scopes` of Python's file: a list, or scopes separated by spaces.
fn scopes_of(content: &[u8]) -> Option<Vec<String>> {
    let fields: Value = serde_json::from_slice(content).ok()?;
    match &fields["scopes"] {
        Value::Array(scopes) => Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        Value::String(scopes) => Some(scopes.split_whitespace().map(str::to_owned).collect()),
        _ => None,
    }
}
