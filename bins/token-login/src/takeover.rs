//! Takes over a credential that another program made: Python's `token.json`, or a service account's key.
//!
//! It is proved by one real exchange. Google leaves the file good; a server that rotates refresh tokens does not, so what
//! it gave instead is what is kept.

use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::Value;
use shared::credential::{Credential, Place};
use shared::oauth::{self, Class};
use shared::{Failure, Kind, Result, private};

use crate::content;
use crate::desk::{Content, Desk, Obtained, farewell};
use crate::terminal::{self, Terminal};

/// What a person hands over.
struct Offered {
    content: Vec<u8>,
    /// Where it came from, as it is named in messages.
    source: PathBuf,
    notes: Vec<String>,
}

/// Reads, checks and proves a credential.
pub(crate) async fn take(desk: &Desk<'_>, file: &Path) -> Result<Obtained> {
    let offered = read(file).await.map_err(|failure| failure.within(&desk.place))?;
    let credential = parse(desk, &offered)?;
    let granted = match oauth::prove(&credential, desk.scopes, &desk.http).await {
        Ok(Ok(granted)) => granted,
        Ok(Err(refusal)) => return Err(desk.refused(&refusal, hint(refusal.class, desk))),
        Err(failure) => return Err(failure.within(&desk.place)),
    };
    let good = granted.good(Utc::now());
    let token = granted.access_token.value;
    match credential {
        Credential::ServiceAccount(account) => Ok(Obtained {
            content: Content::Whole(offered.content),
            token,
            account: Some(account.client_email),
            scopes: desk.scopes.to_vec(),
            good,
            notes: offered.notes,
        }),
        Credential::User(user) => Ok(Obtained {
            content: Content::Whole(content::taken_over(&offered.content, granted.refresh_token.as_ref())?),
            token,
            account: user.account.filter(|account| !account.is_empty()),
            // Neither the answer nor the file need tell; then the trial does.
            scopes: granted
                .access_token
                .scopes
                .or_else(|| scopes_of(&offered.content))
                .unwrap_or_else(|| desk.scopes.to_vec()),
            good,
            notes: offered.notes,
        }),
    }
}

async fn read(file: &Path) -> Result<Offered> {
    if file == Path::new("-") {
        let terminal = Terminal::of_stdin();
        if terminal.is_some() {
            terminal::say("Paste the JSON, then press Enter and Ctrl-D. What you paste is not shown.");
        }
        let content = terminal::whole_stdin().await?;
        return Ok(Offered { content, source: "standard input".into(), notes: Vec::new() });
    }
    let download = private::read_download(file)?;
    let mut notes = vec![farewell(file)];
    if download.is_loose {
        notes.push(format!(
            "other users of this machine could read {}; if there are any, make a new one",
            file.display()
        ));
    }
    Ok(Offered { content: download.content, source: file.to_owned(), notes })
}

fn parse(desk: &Desk<'_>, offered: &Offered) -> Result<Credential> {
    let place = &desk.place;
    let fields: Value = serde_json::from_slice(&offered.content).unwrap_or_default();
    if fields.get("installed").is_some() || fields.get("web").is_some() {
        return Err(Failure::new(
            Kind::Credential,
            format!("{place}: {} is an OAuth client, not a credential", offered.source.display()),
            format!("log in with it: {} --client FILE", desk.command()),
        ));
    }
    let source = Place { path: offered.source.clone(), ..place.clone() };
    let whole = "--import takes a service account's key as Google gives it, or a person's token.json as Python's google-auth writes it";
    // The hint about a strange host stands; the others speak of a file in its place.
    let is_strange = fields["token_uri"].as_str().is_some_and(|uri| !place.trusts(uri));
    source.parse_checked(&offered.content).map_err(|failure| {
        let hint = if is_strange { failure.hint.clone() } else { whole.to_owned() };
        Failure { hint, ..failure }
    })
}

fn hint(class: Class, desk: &Desk<'_>) -> String {
    match class {
        Class::Dead => format!(
            "it is not good any more: log in with {} --client FILE, or make a new key at https://console.cloud.google.com/iam-admin/serviceaccounts",
            desk.command()
        ),
        Class::Broken => {
            "its OAuth client was deleted or changed: https://console.cloud.google.com/apis/credentials"
                .to_owned()
        }
        Class::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
        Class::Transient | Class::Unknown => {
            "type the same command again; is the network up? curl -sI https://oauth2.googleapis.com/token"
                .to_owned()
        }
    }
}

/// `scopes` of Python's file: a list, or a text of words.
fn scopes_of(content: &[u8]) -> Option<Vec<String>> {
    let fields: Value = serde_json::from_slice(content).ok()?;
    match &fields["scopes"] {
        Value::Array(scopes) => Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        Value::String(scopes) => Some(scopes.split_whitespace().map(str::to_owned).collect()),
        _ => None,
    }
}
