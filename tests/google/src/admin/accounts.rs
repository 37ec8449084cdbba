//! Accounts for tests: people with their grants, service accounts with their keys, and their end.

use serde_json::{Value, json};

use super::Admin;
use crate::oauth::accounts::{ServiceAccount, Terms, TokenError};
use crate::oauth::key;
use crate::{PROJECT_ID, random};

const SPREADSHEETS_SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

/// A new person's account and what they granted.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Made up when left out.
    pub email: Option<String>,
    /// The Sheets scope when left out.
    pub scopes: Option<Vec<String>>,
    /// Every refresh issues a new refresh token and kills the old one.
    pub rotates: bool,
    /// The life of the refresh token in seconds, for a grant given for a limited time.
    pub refresh_token_expires_in: Option<i64>,
}

/// The desktop client that people grant access to.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
}

impl Admin {
    /// A new account that granted these scopes; returns its `authorized_user` JSON.
    pub fn authorized_user(&self, email: Option<&str>, scopes: Option<&[&str]>) -> Value {
        let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        self.person(Person { email: email.map(str::to_owned), scopes, ..Person::default() })
    }

    /// As `authorized_user`, with a say in how the grant behaves.
    pub fn person(&self, person: Person) -> Value {
        let email = person.email.unwrap_or_else(|| format!("person-{}@example.com", random::hex(8)));
        let scopes = person.scopes.unwrap_or_else(|| vec![SPREADSHEETS_SCOPE.to_owned()]);
        let terms = Terms { rotates: person.rotates, expires_in: person.refresh_token_expires_in };
        let mut world = self.changing();
        let now = world.kept.clock.seconds();
        let refresh_token = world.kept.accounts.grant(&email, &scopes, terms, now);
        json!({
            "type": "authorized_user",
            "client_id": world.kept.accounts.client.id,
            "client_secret": world.kept.accounts.client.secret,
            "refresh_token": refresh_token,
            "token_uri": world.token_uri,
            "account": email,
            "universe_domain": "googleapis.com",
        })
    }

    /// A new service account with a fresh key; returns its key file's JSON.
    ///
    /// # Panics
    /// When no random key can be made.
    pub fn service_account(&self) -> Value {
        let key = key::generate().expect("a fresh RSA key");
        let email = format!("robot-{}@{PROJECT_ID}.iam.gserviceaccount.com", random::hex(8));
        let client_id = random::digits(21);
        let account =
            ServiceAccount { client_id: client_id.clone(), public_der: key.public_der, is_revoked: false };
        let mut world = self.changing();
        world.kept.accounts.services.insert(email.clone(), account);
        json!({
            "type": "service_account",
            "project_id": PROJECT_ID,
            "private_key_id": random::hex(40),
            "private_key": key.private_pem,
            "client_email": email,
            "client_id": client_id,
            "auth_uri": format!("{}/o/oauth2/v2/auth", world.url),
            "token_uri": world.token_uri,
            "auth_provider_x509_cert_url": format!("{}/oauth2/v1/certs", world.url),
            "client_x509_cert_url": format!("{}/robot/v1/metadata/x509/{}", world.url, email.replace('@', "%40")),
            "universe_domain": "googleapis.com",
        })
    }

    /// The desktop client that all people granted access to.
    pub fn client(&self) -> Client {
        let client = self.world().kept.accounts.client.clone();
        Client { id: client.id, secret: client.secret }
    }

    /// From now on this refresh token is `invalid_grant`, with the account's access tokens; false when unknown.
    pub fn revoke_refresh_token(&self, refresh_token: &str) -> bool {
        let mut world = self.changing();
        world.kept.accounts.revoke_grant(refresh_token)
    }

    /// From now on this account's key is refused; access tokens live on until they expire. False when unknown.
    pub fn revoke_service_account(&self, client_email: &str) -> bool {
        let mut world = self.changing();
        let account = world.kept.accounts.services.get_mut(client_email);
        account.map(|account| account.is_revoked = true).is_some()
    }

    /// Every refresh and access token given out since the start, dead or alive: what must not be found elsewhere.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.world().kept.accounts.issued.clone()
    }

    /// The account gets this answer from the token endpoint until it is taken back with `None`.
    pub fn token_error(&self, email: &str, answer: Option<(u16, Value)>) {
        let mut world = self.changing();
        let errors = &mut world.kept.accounts.token_errors;
        match answer {
            Some((status, body)) => drop(errors.insert(email.to_owned(), TokenError { status, body })),
            None => drop(errors.remove(email)),
        }
    }
}
