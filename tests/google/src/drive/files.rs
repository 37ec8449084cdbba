//! `drive.files` and `drive.about`.

use serde_json::{Value, json};
use sheets_model::Spreadsheet;

use super::error::DriveError;
use super::store::{Access, File, SPREADSHEET};
use super::{Call, Outcome, query, resource};
use crate::random;
use crate::world::World;

/// What Drive sends of a file when no fields are asked for.
const UNASKED: &str = "kind,id,name,mimeType";

/// `about.get`: who the caller is.
pub(super) fn about(call: &Call<'_>) -> Outcome {
    if call.request.query_value("fields").is_none() {
        return Err(DriveError::bad_request("The 'fields' parameter is required for this method."));
    }
    let email = &call.caller.email;
    Ok(call.shown(&json!({"kind": "drive#about", "user": resource::person(email, email)}), "*"))
}

/// `files.list`: the files that are the caller's or shared with them by name, latest changed first.
pub(super) fn list(world: &World, call: &Call<'_>) -> Outcome {
    let wanted = call.request.query_value("q").unwrap_or_default();
    let size = number(call, "pageSize").unwrap_or(100).clamp(1, 1000);
    let start = number(call, "pageToken").unwrap_or(0);
    let files = world.kept.files.latest_first();
    let listed = files.into_iter().filter(|file| is_listed(call, file) && query::fits(&wanted, file));
    let mut page: Vec<&File> = listed.skip(start).take(size + 1).collect();
    let mut body = json!({"kind": "drive#fileList", "incompleteSearch": false});
    if page.len() > size {
        page.truncate(size);
        body["nextPageToken"] = json!((start + size).to_string());
    }
    body["files"] = page.into_iter().map(|file| shown_whole(world, call, file)).collect();
    let unasked = format!("kind,incompleteSearch,nextPageToken,files({UNASKED})");
    Ok(call.shown(&body, &unasked))
}

/// A file that anyone with the link may open is not listed for everyone.
fn is_listed(call: &Call<'_>, file: &File) -> bool {
    let is_named = |email: &String| file.permissions.iter().any(|one| one.email.as_ref() == Some(email));
    call.access(file) > Access::None && (call.caller.sees_all || is_named(&call.caller.email))
}

fn number(call: &Call<'_>, name: &str) -> Option<usize> {
    call.request.query_value(name)?.parse().ok()
}

/// `files.create`: a spreadsheet, or an empty file of another type.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = random::file_id();
    let name = call.text("name").unwrap_or("Untitled");
    let mime_type = call.text("mimeType").unwrap_or("application/octet-stream");
    let now = world.kept.clock.now();
    let owner = &call.caller.email;
    let file = if mime_type == SPREADSHEET {
        File::of_spreadsheet(Spreadsheet::new(&id, name), owner, now)
    } else {
        File::new(&id, name, mime_type, owner, now)
    };
    let whole = shown_whole(world, call, &file);
    world.kept.files.add(file);
    Ok(call.shown(&whole, UNASKED))
}

/// `files.get`.
pub(super) fn get(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    let url = world.url.clone();
    let file = call.file(world, id, Access::Read)?;
    Ok(call.shown(&resource::file(file, &call.caller.email, &url), UNASKED))
}

/// `files.update`: renames the file, or moves it to the trash and back.
pub(super) fn update(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    let now = world.kept.clock.now();
    let trashes = call.body.get("trashed").and_then(Value::as_bool);
    let needed = if trashes.is_some() { Access::Own } else { Access::Write };
    let file = call.file(world, id, needed)?;
    if let Some(name) = call.text("name") {
        file.rename(name);
    }
    file.is_trashed = trashes.unwrap_or(file.is_trashed);
    file.touch(now);
    get(world, call, id)
}

/// `files.delete`: for good, past the trash.
pub(super) fn delete(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    call.file(world, id, Access::Own)?;
    world.kept.files.remove(id);
    Ok(None)
}

/// `files.copy`: the caller's own copy, shared with no one.
pub(super) fn copy(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    let now = world.kept.clock.now();
    let source = call.file(world, id, Access::Read)?;
    let name = call.text("name").map_or_else(|| format!("Copy of {}", source.name()), str::to_owned);
    let copy_id = random::file_id();
    let mut copy = match &source.sheet {
        Some(sheet) => File::of_spreadsheet(with_id(sheet, &copy_id)?, &call.caller.email, now),
        None => File::new(&copy_id, &name, &source.mime_type, &call.caller.email, now),
    };
    copy.rename(&name);
    let whole = shown_whole(world, call, &copy);
    world.kept.files.add(copy);
    Ok(call.shown(&whole, UNASKED))
}

/// `comments.list`: no one comments here.
pub(super) fn comments(world: &mut World, call: &Call<'_>, id: &str) -> Outcome {
    call.file(world, id, Access::Read)?;
    Ok(call.shown(&json!({"kind": "drive#commentList", "comments": []}), "*"))
}

/// The model never changes an id, so a copy goes by way of what it saves.
fn with_id(sheet: &Spreadsheet, id: &str) -> Result<Spreadsheet, DriveError> {
    let failed = |_| DriveError::bad_request("This file cannot be copied by the user.");
    let mut saved = serde_json::to_value(sheet).map_err(failed)?;
    saved["id"] = json!(id);
    serde_json::from_value(saved).map_err(failed)
}

fn shown_whole(world: &World, call: &Call<'_>, file: &File) -> Value {
    resource::file(file, &call.caller.email, &world.url)
}
