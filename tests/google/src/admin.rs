//! The handle that tests use: sets the stand-in up, moves its clock, breaks it, and looks into it.
//!
//! Every call here does at once what the `/_admin/` call of the same name does over HTTP.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use regex::Regex;
use serde_json::{Value, json};
use sheets_model::{Spreadsheet, Tab};

use crate::drive::store::{Access, File};
use crate::fault::{Fault, request_matches};
use crate::oauth::accounts::{ServiceAccount, Terms, TokenError};
use crate::oauth::key;
use crate::reply::ErrorsArray;
use crate::request::Request;
use crate::requests::{LoggedRequest, Progress};
use crate::world::World;
use crate::{OWNER, PROJECT_ID, random, route};

/// How long a test waits for a request that does not come.
const PATIENCE: Duration = Duration::from_secs(60);
const SPREADSHEETS_SCOPE: &str = "https://www.googleapis.com/auth/spreadsheets";

/// A handle on a stand-in; clones act on the same one.
#[derive(Clone, Debug)]
pub struct Admin(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// Told whenever a request arrives or is applied.
    moved: Condvar,
}

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
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Shared { world: Mutex::new(world), moved: Condvar::new() }))
    }

    /// A request that panicked half-way spoils its own answer only.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs an arrival and finds the fault that is due on it.
    pub(crate) fn arrived(&self, request: &Request) -> (u64, Option<Fault>) {
        let mut world = self.world();
        let number = world.log.arrived(request);
        let fault = world.faults.due(request);
        drop(world);
        self.0.moved.notify_all();
        (number, fault)
    }

    /// Notes that a request did what it does.
    pub(crate) fn applied(&self, number: u64) {
        self.world().log.applied(number);
        self.0.moved.notify_all();
    }

    /// Where the stand-in is reached, without a trailing slash.
    pub fn url(&self) -> String {
        self.world().url.clone()
    }

    /// A new account that granted these scopes; answers its `authorized_user` JSON.
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

    /// A new service account with a fresh key; answers its key file's JSON.
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

    /// A new spreadsheet of `OWNER`'s that these addresses, or `anyone`, may edit; answers its id.
    pub fn spreadsheet(&self, title: &str, tabs: &[Tab], share: &[&str]) -> String {
        let id = random::file_id();
        let sheet = match tabs {
            [] => Spreadsheet::new(&id, title),
            tabs => Spreadsheet::with_tabs(&id, title, tabs),
        };
        let mut world = self.changing();
        let mut file = File::of_spreadsheet(sheet, OWNER, world.kept.clock.now());
        for with in share {
            file.share(with, Access::Write);
        }
        world.kept.files.add(file);
        id
    }

    /// Shares a file with one more address, or `anyone`, as `reader` or `writer`; false when there is no such file.
    pub fn share(&self, id: &str, with: &str, role: &str) -> bool {
        let Some(access) = Access::of_role(role) else { return false };
        let mut world = self.changing();
        world.kept.files.get_mut(id).map(|file| file.share(with, access)).is_some()
    }

    /// Takes a file away from an address, or from `anyone`.
    pub fn unshare(&self, id: &str, with: &str) {
        if let Some(file) = self.changing().kept.files.get_mut(id) {
            file.permissions.retain(|permission| permission.email.as_deref().unwrap_or("anyone") != with);
        }
    }

    /// Drive's `version` of a file, which grows with every change; `None` when there is no such file.
    pub fn version(&self, id: &str) -> Option<u64> {
        self.world().kept.files.get(id).map(|file| file.version)
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

    /// The account gets this answer from the token endpoint until it is taken back with `None`.
    pub fn token_error(&self, email: &str, answer: Option<(u16, Value)>) {
        let mut world = self.changing();
        let errors = &mut world.kept.accounts.token_errors;
        match answer {
            Some((status, body)) => drop(errors.insert(email.to_owned(), TokenError { status, body })),
            None => drop(errors.remove(email)),
        }
    }

    /// The log, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.world().log.entries()
    }

    /// Empties the log.
    pub fn clear_requests(&self) {
        self.world().log.clear();
    }

    /// Sets one more fault.
    ///
    /// # Panics
    /// When its path is no regular expression or its status no status, which is the test's mistake.
    pub fn fault(&self, fault: Fault) {
        self.try_fault(fault).expect("a fault with a valid path and status");
    }

    pub(crate) fn try_fault(&self, fault: Fault) -> Result<(), String> {
        self.world().faults.add(fault)
    }

    /// Removes all faults; requests that are stalled already stay so.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Sets the clock, which runs on from there.
    pub fn set_clock(&self, now: DateTime<Utc>) {
        self.changing().kept.clock.set(now);
    }

    /// Moves the clock by so many seconds.
    pub fn advance_clock(&self, seconds: i64) {
        self.changing().kept.clock.advance(seconds);
    }

    /// The time on the clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.world().kept.clock.now()
    }

    /// Sets the quotas per minute and user, and starts their minute anew; 0 switches one off.
    pub fn quota(&self, reads_per_minute: u32, writes_per_minute: u32) {
        self.world().quota.set(Some(reads_per_minute), Some(writes_per_minute));
    }

    /// Whether error bodies carry the `errors` array of the old client libraries.
    pub fn errors_array(&self, is_on: bool) {
        self.world().errors_array = if is_on { ErrorsArray::Sent } else { ErrorsArray::Left };
    }

    /// A person's own request to the Sheets or Drive API: neither logged nor counted in a quota.
    pub fn call_as(
        &self,
        email: &str,
        method: &str,
        path_and_query: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let request = Request::local(method, path_and_query, body);
        let reply = route::serve_person(&mut self.world(), email, &request);
        (reply.status, reply.into_value())
    }

    /// Blocks until `n` requests matching the pattern have arrived, even if a fault holds them from there on.
    ///
    /// The pattern is a regular expression, searched in `METHOD path?query` and where a fault's is searched.
    ///
    /// # Errors
    /// When they do not come within a minute, with the log.
    pub fn wait_for_request(&self, pattern: &str, n: usize) -> anyhow::Result<()> {
        self.wait(pattern, n, Progress::Arrived)
    }

    /// Blocks until `n` requests matching the pattern have been applied, whether their answers are sent or not.
    ///
    /// # Errors
    /// When that does not happen within a minute, with the log.
    pub fn wait_for_applied(&self, pattern: &str, n: usize) -> anyhow::Result<()> {
        self.wait(pattern, n, Progress::Applied)
    }

    fn wait(&self, pattern: &str, n: usize, progress: Progress) -> anyhow::Result<()> {
        let regex = Regex::new(pattern).context("the pattern")?;
        let fits = |request: &Request| {
            regex.is_match(&format!("{} {}?{}", request.method, request.path, request.query))
                || request_matches(&regex, request)
        };
        let missing = |world: &mut World| world.log.count(progress, &fits) < n;
        let waited = self.0.moved.wait_timeout_while(self.world(), PATIENCE, missing);
        let (world, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if !timeout.timed_out() {
            return Ok(());
        }
        let log = world.log.entries();
        let lines: Vec<String> = log.iter().map(|line| format!("{} {}", line.method, line.path)).collect();
        anyhow::bail!("no {n} requests matching {pattern} in {PATIENCE:?}; these came:\n{}", lines.join("\n"))
    }

    /// The lock, for something that the state file has to follow.
    fn changing(&self) -> MutexGuard<'_, World> {
        let mut world = self.world();
        world.changes += 1;
        world
    }
}
