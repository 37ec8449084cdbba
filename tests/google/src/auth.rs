//! Who calls, and whether the token's scopes allow the call. Whether a file is shared is the file's own business.

use serde_json::json;
use sheets_model::ApiError;

use crate::oauth::accounts::AccessToken;
use crate::request::Request;
use crate::world::World;

/// Google's sentence for a bearer token it does not know or that has expired.
pub(crate) const INVALID_CREDENTIALS: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
     login cookie or other valid authentication credential. \
     See https://developers.google.com/identity/sign-in/web/devconsole-project.";
const UNREGISTERED: &str = "Method doesn't allow unregistered callers (callers without established identity). \
     Please use API Key or other form of API consumer identity to call this API.";

/// The account that a request acts for.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) email: String,
    scopes: Option<Vec<String>>,
    /// Reaches every file, shared or not.
    pub(crate) sees_all: bool,
    /// A person in front of a browser: no quota counts them.
    pub(crate) is_person: bool,
}

impl Caller {
    /// A person editing by hand: all scopes, but only the files shared with them.
    pub(crate) fn person(email: &str) -> Self {
        Self { email: email.to_owned(), scopes: None, sees_all: false, is_person: true }
    }

    /// Whether one of these scopes, named without their common prefix, was granted.
    pub(crate) fn has_scope(&self, wanted: &[&str]) -> bool {
        let Some(scopes) = &self.scopes else { return true };
        scopes
            .iter()
            .filter_map(|scope| scope.strip_prefix(SCOPE_PREFIX))
            .any(|scope| wanted.contains(&scope))
    }
}

const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";

/// The caller that the bearer token stands for.
pub(crate) fn caller(world: &World, request: &Request) -> Result<Caller, ApiError> {
    let Some(header) = &request.authorization else {
        return Err(error(403, "PERMISSION_DENIED", UNREGISTERED));
    };
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("bearer ")).unwrap_or_default();
    let known = world.kept.accounts.live_token(token, world.kept.clock.seconds());
    match known {
        Some(known) => Ok(from_token(known, world.any_token)),
        None if world.any_token && !token.is_empty() => Ok(anyone()),
        None => Err(error(401, "UNAUTHENTICATED", INVALID_CREDENTIALS)),
    }
}

/// 403 when the token has none of the scopes that the method takes.
pub(crate) fn require_scope(
    caller: &Caller,
    wanted: &[&str],
    service: &str,
    method: &str,
) -> Result<(), ApiError> {
    if caller.has_scope(wanted) {
        return Ok(());
    }
    let mut refusal = error(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.");
    refusal.details.push(json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": service, "method": method},
    }));
    Err(refusal)
}

/// 403 for a file that exists but is not shared with the caller.
pub(crate) fn not_shared() -> ApiError {
    error(403, "PERMISSION_DENIED", "The caller does not have permission")
}

fn error(code: u16, status: &'static str, message: &str) -> ApiError {
    ApiError { code, status, message: message.to_owned(), details: Vec::new() }
}

fn from_token(token: &AccessToken, any_token: bool) -> Caller {
    let scopes = (!any_token).then(|| token.scopes.clone());
    Caller { email: token.email.clone(), scopes, sees_all: any_token, is_person: false }
}

fn anyone() -> Caller {
    Caller { email: "any-token@example.com".to_owned(), scopes: None, sees_all: true, is_person: false }
}
