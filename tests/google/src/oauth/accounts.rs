//! Every account the stand-in knows, with its grants and tokens. Holds facts; the endpoints decide what to say.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::random;

/// Google keeps so many live refresh tokens of an account and client; the oldest dies when one more is issued.
const LIVE_GRANTS: usize = 100;
/// A refresh token that was not used for six months dies.
const IDLE_GRANT_S: i64 = 183 * 24 * 3600;

/// Accounts, grants and tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) client: OauthClient,
    /// E-mail addresses of the people, oldest first.
    pub(crate) people: Vec<String>,
    pub(crate) services: BTreeMap<String, ServiceAccount>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) codes: HashMap<String, Code>,
    /// Answers given in place of tokens, by e-mail address.
    pub(crate) token_errors: BTreeMap<String, TokenError>,
    tokens: HashMap<String, AccessToken>,
    /// Every token given out since the start, dead or alive, for tests that search for leaks.
    #[serde(skip)]
    pub(crate) issued: Vec<String>,
}

/// The one desktop client of the stand-in's project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OauthClient {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A service account and the public half of its key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServiceAccount {
    pub(crate) client_id: String,
    pub(crate) public_der: Vec<u8>,
    pub(crate) is_revoked: bool,
}

/// What a person allowed the client, as a refresh token carries it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) refresh_token: String,
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) is_revoked: bool,
    pub(crate) terms: Terms,
    pub(crate) last_used: i64,
    /// When a grant given for a limited time ends.
    pub(crate) ends_at: Option<i64>,
}

/// How a grant behaves over time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// Every refresh issues a new refresh token and kills the old one.
    pub(crate) rotates: bool,
    /// The life of a refresh token, told as `refresh_token_expires_in`.
    pub(crate) expires_in: Option<i64>,
}

/// An authorization code, good for one exchange.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) expires_at: i64,
    pub(crate) is_used: bool,
}

/// An access token's account and reach.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: i64,
    /// The client's or the service account's id.
    pub(crate) issued_to: String,
    pub(crate) holder: Holder,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Holder {
    Person,
    Service,
}

/// A fixed answer of the token endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TokenError {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Default for Accounts {
    fn default() -> Self {
        let id = format!("{}-{}.apps.googleusercontent.com", crate::PROJECT_NUMBER, random::hex(32));
        Self {
            client: OauthClient { id, secret: random::client_secret() },
            people: Vec::new(),
            services: BTreeMap::new(),
            grants: Vec::new(),
            codes: HashMap::new(),
            token_errors: BTreeMap::new(),
            tokens: HashMap::new(),
            issued: Vec::new(),
        }
    }
}

impl Accounts {
    /// Notes a person, once.
    pub(crate) fn know(&mut self, email: &str) {
        if !self.people.iter().any(|known| known == email) {
            self.people.push(email.to_owned());
        }
    }

    /// Issues a refresh token; the oldest of too many dies without a word.
    pub(crate) fn grant(&mut self, email: &str, scopes: &[String], terms: Terms, now: i64) -> String {
        self.know(email);
        let refresh_token = random::refresh_token();
        let grant = Grant {
            refresh_token: refresh_token.clone(),
            email: email.to_owned(),
            scopes: scopes.to_vec(),
            is_revoked: false,
            terms,
            last_used: now,
            ends_at: terms.expires_in.map(|seconds| now.saturating_add(seconds)),
        };
        let live = self.grants.iter().filter(|grant| grant.email == email && !grant.is_revoked).count();
        if live >= LIVE_GRANTS
            && let Some(oldest) =
                self.grants.iter_mut().find(|grant| grant.email == email && !grant.is_revoked)
        {
            oldest.is_revoked = true;
        }
        self.grants.push(grant);
        self.issued.push(refresh_token.clone());
        refresh_token
    }

    /// The grant of a refresh token, dead or alive.
    pub(crate) fn find_grant(&mut self, refresh_token: &str) -> Option<&mut Grant> {
        self.grants.iter_mut().find(|grant| grant.refresh_token == refresh_token)
    }

    /// Keeps a new access token; those that expired are dropped on the way.
    pub(crate) fn issue(&mut self, token: AccessToken, now: i64) -> String {
        self.tokens.retain(|_, old| old.expires_at > now);
        let text = match token.holder {
            Holder::Person => random::user_access_token(),
            Holder::Service => random::service_access_token(),
        };
        self.tokens.insert(text.clone(), token);
        self.issued.push(text.clone());
        text
    }

    /// The access token, while it lives.
    pub(crate) fn live_token(&self, token: &str, now: i64) -> Option<&AccessToken> {
        self.tokens.get(token).filter(|token| token.expires_at > now)
    }

    /// Ends everything a person granted the client: all refresh tokens and access tokens.
    pub(crate) fn revoke_person(&mut self, email: &str) {
        for grant in self.grants.iter_mut().filter(|grant| grant.email == email) {
            grant.is_revoked = true;
        }
        self.tokens.retain(|_, token| token.email != email);
    }

    /// Ends one refresh token and the account's access tokens; false when there is no such refresh token.
    ///
    /// Who holds the first token of a rotating grant means the grant, so all of those end.
    pub(crate) fn revoke_grant(&mut self, refresh_token: &str) -> bool {
        let Some(grant) = self.find_grant(refresh_token) else { return false };
        grant.is_revoked = true;
        let email = grant.email.clone();
        if grant.terms.rotates {
            self.revoke_person(&email);
        }
        self.tokens.retain(|_, token| token.email != email);
        true
    }

    /// Ends one access token.
    pub(crate) fn forget_token(&mut self, token: &str) {
        self.tokens.remove(token);
    }
}

impl Grant {
    /// Whether the refresh token still works.
    pub(crate) fn is_live(&self, now: i64) -> bool {
        !self.is_revoked && now - self.last_used < IDLE_GRANT_S && self.ends_at.is_none_or(|end| now < end)
    }
}
