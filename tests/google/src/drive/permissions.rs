//! `drive.permissions`: the sharing dialog.

use serde_json::{Value, json};

use super::error::DriveError;
use super::store::{Access, File, Permission};
use super::{Call, Outcome, resource};
use crate::world::World;

/// What Drive sends of a permission when no fields are asked for.
const UNASKED: &str = "kind,id,type,role";

/// `permissions.list`; only who may edit sees it.
pub(super) fn list(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    let file = call.file(world, id, Access::Write)?;
    let all: Vec<Value> = file.permissions.iter().map(resource::permission).collect();
    let body = json!({"kind": "drive#permissionList", "permissions": all});
    Ok(call.shown(&body, &format!("kind,nextPageToken,permissions({UNASKED})")))
}

/// `permissions.create`: shares with an address or with anyone; no mail is sent.
pub(super) fn create(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    let now = world.kept.clock.now();
    let access = asked_access(call)?;
    let with = match (call.text("type"), call.text("emailAddress")) {
        (Some("anyone"), _) => "anyone",
        (Some("user" | "group"), Some(email)) => email,
        _ => return Err(DriveError::bad_request("The permission type field is required.")),
    };
    let file = call.file(world, id, Access::Write)?;
    let permission = file.share(with, access);
    file.touch(now);
    Ok(call.shown(&resource::permission(&permission), UNASKED))
}

/// `permissions.update`: another role.
pub(super) fn update(world: &mut World, call: &Call<'_>, id: &str, permission: &str) -> Outcome {
    let now = world.kept.clock.now();
    let access = asked_access(call)?;
    let file = call.file(world, id, Access::Write)?;
    let changed = not_owners(file, permission)?;
    changed.access = access;
    let shown = resource::permission(changed);
    file.touch(now);
    Ok(call.shown(&shown, UNASKED))
}

/// `permissions.delete`: takes the file away from someone.
pub(super) fn delete(world: &mut World, call: &Call<'_>, id: &str, permission: &str) -> Outcome {
    let now = world.kept.clock.now();
    let file = call.file(world, id, Access::Write)?;
    not_owners(file, permission)?;
    file.permissions.retain(|one| one.id != permission);
    file.touch(now);
    Ok(None)
}

fn asked_access(call: &Call<'_>) -> Result<Access, DriveError> {
    match call.text("role").and_then(Access::of_role) {
        Some(access @ (Access::Read | Access::Write)) => Ok(access),
        _ => Err(DriveError::bad_request("The permission role field is required.")),
    }
}

fn not_owners<'f>(file: &'f mut File, permission: &str) -> Result<&'f mut Permission, DriveError> {
    let found = file.permissions.iter_mut().find(|one| one.id == permission);
    let found =
        found.ok_or_else(|| DriveError::not_found(&format!("Permission not found: {permission}.")))?;
    if found.access == Access::Own {
        return Err(DriveError::not_allowed());
    }
    Ok(found)
}
