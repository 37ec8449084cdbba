//! The handle that tests use: sets the stand-in up, moves its clock, breaks it, and looks into it.
//!
//! Every call here does at once what the `/_admin/` call of the same name does over HTTP.

mod accounts;
pub(crate) mod http;
mod watch;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sheets_model::{Spreadsheet, Tab};

use crate::drive::store::{Access, File};
use crate::fault::Fault;
use crate::reply::ErrorsArray;
use crate::request::Request;
use crate::world::World;
use crate::{OWNER, random, route};

pub use accounts::{Client, Person};

/// A handle on a stand-in; clones act on the same one.
#[derive(Clone, Debug)]
pub struct Admin(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// Told whenever a request arrives or is applied.
    moved: Condvar,
}

impl Admin {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Shared { world: Mutex::new(world), moved: Condvar::new() }))
    }

    /// A request that panicked half-way spoils its own answer only.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the stand-in is reached, without a trailing slash.
    pub fn url(&self) -> String {
        self.world().url.clone()
    }

    /// A new spreadsheet of `OWNER`'s that these addresses, or `anyone`, may edit; returns its id.
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
        let Some(access) = Access::of_role(role).filter(|access| *access < Access::Own) else { return false };
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

    /// Drive moves a file's `version` on by itself, as it may some time after a write.
    pub fn move_version(&self, id: &str) {
        if let Some(file) = self.changing().kept.files.get_mut(id) {
            file.version += 1;
        }
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

    /// The lock, for something that the state file has to follow.
    fn changing(&self) -> MutexGuard<'_, World> {
        let mut world = self.world();
        world.changes += 1;
        world
    }
}
