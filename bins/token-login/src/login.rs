//! A login: the person is asked, answers in the browser or on the terminal, and the answer becomes tokens.

use chrono::Utc;
use serde_json::Value;
use shared::job::{Context, Job};
use shared::oauth::{Class, Exchange, Granted, exchange};
use shared::{Failure, Kind, Result, Secret, private};
use tokio::sync::mpsc;

use crate::answer::{self, Answer};
use crate::callback::Callback;
use crate::client::OauthClient;
use crate::consent::Consent;
use crate::content::Person;
use crate::desk::{Content, Desk, Obtained, farewell};
use crate::guide::{self, Way, Words};
use crate::terminal::{self, Terminal};
use crate::{Args, TokenLogin};

/// Obtains a credential from a person. `before` is the file in place.
pub(crate) async fn log_in(
    context: &Context,
    args: &Args,
    desk: &Desk<'_>,
    before: Option<&[u8]>,
) -> Result<Obtained> {
    let client = match &args.client {
        Some(path) => {
            let download = private::read_download(path).map_err(|failure| failure.within(&desk.place))?;
            OauthClient::from_download(&download.content, path, &desk.place)?
        }
        None => OauthClient::from_credential(before, &desk.place)?,
    };
    let account = args.login_hint.clone().or_else(|| known_account(before));
    let callback = Callback::listen(args.port).await?;
    let redirect_uri = callback.redirect_uri();
    let consent = Consent::new(&client, &redirect_uri, desk.scopes, account.as_deref())?;
    let code = ask(context, args, desk, &callback, &consent).await?;
    drop(callback);
    let login = Exchange {
        client_id: &client.id,
        client_secret: &client.secret,
        token_uri: &client.token_uri,
        redirect_uri: &redirect_uri,
        code: &code,
        verifier: &consent.verifier,
    };
    let granted = exchange(&login, &desk.http)
        .await
        .map_err(|refusal| desk.refused(&refusal, hint_after_exchange(refusal.class, desk)))?;
    let mut obtained = obtained(granted, client, account, desk)?;
    obtained.notes.extend(args.client.as_deref().map(farewell));
    Ok(obtained)
}

/// Whom the last login was for: proposed again, and taken for the answer unless the person says otherwise.
fn known_account(before: Option<&[u8]>) -> Option<String> {
    let fields: Value = serde_json::from_slice(before?).ok()?;
    fields["account"].as_str().filter(|account| !account.is_empty()).map(str::to_owned)
}

/// Tells the person what to do and waits for whichever comes first, the browser or a paste.
async fn ask(
    context: &Context,
    args: &Args,
    desk: &Desk<'_>,
    callback: &Callback,
    consent: &Consent,
) -> Answer {
    let seat = &context.environment.seat;
    let way = match (guide::is_desktop(seat), args.no_browser) {
        (true, false) if guide::open_browser(&consent.url) => Way::Opened,
        (true, _) => Way::Here,
        (false, _) => Way::Elsewhere,
    };
    // From here on the echo is off, so that a paste that comes early is not shown either.
    let terminal = Terminal::of_stdin();
    let limit = context.config.job(TokenLogin::NAME).deadline.unwrap_or(TokenLogin::DEADLINE);
    let machine = rustix::system::uname();
    let words = Words {
        credential: &desk.place.name,
        url: &consent.url,
        port: callback.port(),
        way,
        seat,
        host: &machine.nodename().to_string_lossy(),
        limit: &humantime::format_duration(limit).to_string(),
        may_paste: terminal.is_some(),
    };
    terminal::say(&words.text());
    tokio::select! {
        answer = callback.answer(&consent.state) => answer,
        answer = pasted(terminal.as_ref(), &consent.state) => answer,
    }
}

/// Waits for a paste that is an answer; for ever where nobody can paste.
async fn pasted(terminal: Option<&Terminal>, state: &Secret) -> Answer {
    let Some(terminal) = terminal else { return std::future::pending().await };
    let mut lines: mpsc::Receiver<String> = terminal.lines();
    while let Some(line) = lines.recv().await {
        match answer::in_pasted(&line, state) {
            Some(answer) => return answer,
            None if line.trim().is_empty() => {}
            None => terminal::say(
                "That is not the address of the last page, nor the code in it. Copy it whole and paste it again:",
            ),
        }
    }
    std::future::pending().await
}

fn hint_after_exchange(class: Class, desk: &Desk<'_>) -> String {
    match class {
        Class::Broken => format!(
            "compare the OAuth client with https://console.cloud.google.com/apis/credentials, download it, then: {} --client FILE",
            desk.command()
        ),
        Class::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
        Class::Dead | Class::Transient | Class::Unknown => {
            format!("a code is good for one exchange and a few minutes: log in again: {}", desk.command())
        }
    }
}

fn obtained(
    granted: Granted,
    client: OauthClient,
    account: Option<String>,
    desk: &Desk<'_>,
) -> Result<Obtained> {
    let good = granted.good(Utc::now());
    let Some(refresh_token) = granted.refresh_token else {
        return Err(Failure::new(
            Kind::Credential,
            format!("{}: Google answered without a refresh token", desk.place),
            format!(
                "is the OAuth client of the type Desktop app? https://console.cloud.google.com/apis/credentials; then: {}",
                desk.command()
            ),
        ));
    };
    // An answer that names no scopes granted those asked for (RFC 6749, section 5.1).
    let scopes = granted.access_token.scopes.unwrap_or_else(|| desk.scopes.to_vec());
    let notes = granted.refresh_token_expires_in.map(|seconds| {
        let days = seconds / 86_400;
        format!("Google ends this authorization in {days} days; if the app is in testing, publish it at https://console.cloud.google.com/auth/audience and log in again")
    });
    let person = Person { client, refresh_token, scopes: scopes.clone(), account: account.clone() };
    Ok(Obtained {
        content: Content::Person(person),
        token: granted.access_token.value,
        account,
        scopes,
        good,
        notes: notes.into_iter().collect(),
    })
}
