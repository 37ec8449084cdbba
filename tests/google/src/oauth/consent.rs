//! `/o/oauth2/v2/auth`: the page on which a person allows or denies, and the way back to the client.
//!
//! It can be driven without a browser: the request's own parameters plus `approve=1` or `deny=1`.

use url::{Host, Url};

use super::accounts::Code;
use super::assertion::is_scope;
use super::page;
use crate::random;
use crate::reply::Reply;
use crate::request::{Form, Request};
use crate::world::World;

/// How long an authorization code waits for its exchange.
const CODE_LIFE_S: i64 = 600;

/// What a client asks a person for.
pub(super) struct Ask {
    pub(super) parameters: Form,
    pub(super) redirect_uri: Url,
    pub(super) scopes: Vec<String>,
    pub(super) email: String,
}

/// A request that is not even shown to the person, nor sent back to the client.
struct Unacceptable(u16, &'static str, String);

/// Shows the page, or does what the person decided.
pub(crate) fn serve(world: &mut World, request: &Request) -> Reply {
    let mut parameters = request.query_pairs();
    parameters.extend(request.form().0);
    let ask = match accept(world, Form(parameters)) {
        Ok(ask) => ask,
        Err(Unacceptable(status, error, message)) => {
            return Reply::html(status, page::refusal(status, error, &message));
        }
    };
    match ask.decision() {
        Decision::Open => Reply::html(200, page::question(&ask)),
        Decision::Deny => ask.back(&[("error", "access_denied")]),
        Decision::Allow => allow(world, &ask),
    }
}

fn accept(world: &World, parameters: Form) -> Result<Ask, Unacceptable> {
    let bad = |error, message: &str| Unacceptable(400, error, message.to_owned());
    let need = |name: &str| parameters.get(name).ok_or(Unacceptable(400, "invalid_request", missing(name)));
    if need("client_id")? != world.kept.accounts.client.id {
        return Err(Unacceptable(401, "invalid_client", "The OAuth client was not found.".to_owned()));
    }
    if need("response_type")? != "code" {
        return Err(bad("unsupported_response_type", "Only response_type=code is served."));
    }
    let redirect_uri = Url::parse(need("redirect_uri")?).ok().filter(is_loopback);
    let redirect_uri = redirect_uri.ok_or_else(|| {
        bad("redirect_uri_mismatch", "A desktop client is sent back to a loopback address only.")
    })?;
    if parameters.get("code_challenge").is_some() && parameters.get("code_challenge_method") != Some("S256") {
        return Err(bad("invalid_request", "Only code_challenge_method=S256 is served."));
    }
    let scopes: Vec<String> = need("scope")?.split_whitespace().map(str::to_owned).collect();
    if let Some(unknown) = scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(bad(
            "invalid_scope",
            &format!("Some requested scopes were invalid. {{invalid=[{unknown}]}}"),
        ));
    }
    let email = chosen_email(world, &parameters);
    Ok(Ask { redirect_uri, scopes, email, parameters })
}

fn missing(name: &str) -> String {
    format!("Missing required parameter: {name}")
}

fn is_loopback(uri: &Url) -> bool {
    let is_here = match uri.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    uri.scheme() == "http" && is_here
}

/// The account on the page: chosen there, hinted by the client, or the last one made.
fn chosen_email(world: &World, parameters: &Form) -> String {
    let asked = parameters.get("email").or_else(|| parameters.get("login_hint"));
    let last = world.kept.accounts.people.last().map(String::as_str);
    asked.or(last).unwrap_or("person@example.com").to_owned()
}

fn allow(world: &mut World, ask: &Ask) -> Reply {
    let scopes = ask.allowed_scopes();
    let code = Code {
        email: ask.email.clone(),
        scopes: scopes.clone(),
        redirect_uri: ask.parameters.get("redirect_uri").unwrap_or_default().to_owned(),
        challenge: ask.parameters.get("code_challenge").map(str::to_owned),
        expires_at: world.kept.clock.seconds() + CODE_LIFE_S,
        is_used: false,
    };
    let text = random::authorization_code();
    world.kept.accounts.know(&ask.email);
    world.kept.accounts.codes.insert(text.clone(), code);
    ask.back(&[("code", &text), ("scope", &scopes.join(" "))])
}

enum Decision {
    Open,
    Allow,
    Deny,
}

impl Ask {
    fn decision(&self) -> Decision {
        match (self.parameters.get("approve"), self.parameters.get("deny")) {
            (Some(_), None) => Decision::Allow,
            (_, Some(_)) => Decision::Deny,
            (None, None) => Decision::Open,
        }
    }

    /// All scopes, or those of them that stay ticked on the page.
    fn allowed_scopes(&self) -> Vec<String> {
        let ticked = self.parameters.all("granted");
        let is_allowed = |scope: &&String| ticked.is_empty() || ticked.contains(scope);
        self.scopes.iter().filter(is_allowed).cloned().collect()
    }

    /// Sends the browser back to the client with an outcome.
    fn back(&self, outcome: &[(&str, &str)]) -> Reply {
        let mut uri = self.redirect_uri.clone();
        if let Some(state) = self.parameters.get("state") {
            uri.query_pairs_mut().append_pair("state", state);
        }
        uri.query_pairs_mut().extend_pairs(outcome);
        Reply::redirect(uri.as_str())
    }
}
