//! A login: the user allows access in the browser, and the authorization code is exchanged for tokens.

use chrono::Utc;
use serde_json::Value;
use shared::credential::token_error::TokenErrorClass;
use shared::oauth::{Exchange, Granted, exchange};
use shared::run::{Context, Job};
use shared::sys::secret_file;
use shared::{Failure, Kind, Result, Secret};
use tokio::sync::mpsc;

use crate::authorization_response::{self, AuthorizationResponse};
use crate::callback::Callback;
use crate::client::OauthClient;
use crate::consent::Consent;
use crate::content::UserAuthorization;
use crate::install::{Destination, NewContent, Obtained, removal_note};
use crate::instructions::{self, BrowserRoute, Instructions};
use crate::terminal::{self, Terminal};
use crate::{Args, TokenLogin};

/// Obtains a credential with a login. `previous` is the installed file.
pub(crate) async fn log_in(
    context: &Context,
    args: &Args,
    destination: &Destination<'_>,
    previous: Option<&[u8]>,
) -> Result<Obtained> {
    let client = match &args.client {
        Some(path) => {
            let download =
                secret_file::read_download(path).map_err(|failure| failure.within(&destination.file))?;
            OauthClient::from_download(&download.content, path, &destination.file)?
        }
        None => OauthClient::from_credential(previous, &destination.file)?,
    };
    let account = args.login_hint.clone().or_else(|| known_account(previous));
    let callback = Callback::listen(args.port).await?;
    let redirect_uri = callback.redirect_uri();
    let consent = Consent::new(&client, &redirect_uri, destination.scopes, account.as_deref())?;
    let code = request_code(context, args, destination, &callback, &consent).await?;
    drop(callback);
    let login = Exchange {
        client_id: &client.id,
        client_secret: &client.secret,
        token_uri: &client.token_uri,
        redirect_uri: &redirect_uri,
        code: &code,
        verifier: &consent.verifier,
    };
    let granted = exchange(&login, &destination.http).await.map_err(|error| {
        let hint = hint_after_exchange(error.class, destination);
        destination.failure(error, hint)
    })?;
    let mut obtained = obtained(granted, client, account, destination)?;
    obtained.notes.extend(args.client.as_deref().map(removal_note));
    Ok(obtained)
}

/// The account of the last login: proposed again, and recorded unless `--login-hint` names another.
fn known_account(previous: Option<&[u8]>) -> Option<String> {
    let fields: Value = serde_json::from_slice(previous?).ok()?;
    fields["account"].as_str().filter(|account| !account.is_empty()).map(str::to_owned)
}

/// Prints the instructions, then waits for the browser and for pasted text.
async fn request_code(
    context: &Context,
    args: &Args,
    destination: &Destination<'_>,
    callback: &Callback,
    consent: &Consent,
) -> AuthorizationResponse {
    let seat = &context.environment.seat;
    let route = match (instructions::is_desktop(seat), args.no_browser) {
        (true, false) if instructions::open_browser(&consent.url) => BrowserRoute::Opened,
        (true, _) => BrowserRoute::Desktop,
        (false, _) => BrowserRoute::Tunnel,
    };
    // The echo is off from here on, so that an early paste is not shown either.
    let terminal = Terminal::from_stdin();
    let limit = context.config.job(TokenLogin::NAME).deadline.unwrap_or(TokenLogin::DEADLINE);
    let machine = rustix::system::uname();
    let instructions = Instructions {
        credential: &destination.file.name,
        url: &consent.url,
        port: callback.port(),
        route,
        seat,
        host: &machine.nodename().to_string_lossy(),
        limit: &humantime::format_duration(limit).to_string(),
        can_paste: terminal.is_some(),
    };
    terminal::say(&instructions.text());
    tokio::select! {
        response = callback.response(&consent.state) => response,
        response = pasted(terminal.as_ref(), &consent.state) => response,
    }
}

/// Waits for a pasted response; without a terminal, for ever.
async fn pasted(terminal: Option<&Terminal>, state: &Secret) -> AuthorizationResponse {
    let Some(terminal) = terminal else { return std::future::pending().await };
    let mut lines: mpsc::Receiver<String> = terminal.lines();
    while let Some(line) = lines.recv().await {
        match authorization_response::in_pasted(&line, state) {
            Some(response) => return response,
            None if line.trim().is_empty() => {}
            None => terminal::say(
                "That is not the address of the last page, nor the code in it. Copy it whole and paste it again:",
            ),
        }
    }
    std::future::pending().await
}

fn hint_after_exchange(class: TokenErrorClass, destination: &Destination<'_>) -> String {
    match class {
        TokenErrorClass::Broken => format!(
            "compare the OAuth client with https://console.cloud.google.com/apis/credentials, download it, then: {} --client FILE",
            destination.command()
        ),
        TokenErrorClass::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
        TokenErrorClass::Dead | TokenErrorClass::Transient | TokenErrorClass::Unknown => {
            format!(
                "a code is good for one exchange and a few minutes: log in again: {}",
                destination.command()
            )
        }
    }
}

fn obtained(
    granted: Granted,
    client: OauthClient,
    account: Option<String>,
    destination: &Destination<'_>,
) -> Result<Obtained> {
    let grant = granted.grant_info(Utc::now());
    let Some(refresh_token) = granted.refresh_token else {
        return Err(Failure::new(
            Kind::Credential,
            format!("{}: Google answered without a refresh token", destination.file),
            format!(
                "is the OAuth client of the type Desktop app? https://console.cloud.google.com/apis/credentials; then: {}",
                destination.command()
            ),
        ));
    };
    // A response that names no scopes granted the requested ones (RFC 6749, section 5.1).
    let scopes = granted.access_token.scopes.unwrap_or_else(|| destination.scopes.to_vec());
    let notes = granted.refresh_token_expires_in.map(|seconds| {
        let days = seconds / 86_400;
        format!("Google ends this authorization in {days} days; if the app is in testing, publish it at https://console.cloud.google.com/auth/audience and log in again")
    });
    let authorization =
        UserAuthorization { client, refresh_token, scopes: scopes.clone(), account: account.clone() };
    Ok(Obtained {
        content: NewContent::Login(authorization),
        token: granted.access_token.value,
        account,
        scopes,
        grant,
        notes: notes.into_iter().collect(),
    })
}
