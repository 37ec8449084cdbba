//! Files and permissions as Drive shows them, every field; `fields` then chooses.

use serde_json::{Value, json};

use super::store::{Access, File, Permission, SPREADSHEET};
use crate::clock::rfc3339_ms;

/// A file, for one reader of it.
pub(super) fn file(file: &File, email: &str, url: &str) -> Value {
    let owner = person(&file.owner, email);
    let page = if file.mime_type == SPREADSHEET { "spreadsheets" } else { "file" };
    json!({
        "kind": "drive#file",
        "id": file.id,
        "name": file.name(),
        "mimeType": file.mime_type,
        "starred": false,
        "trashed": file.is_trashed,
        "version": file.version.to_string(),
        "webViewLink": format!("{url}/{page}/d/{}/edit", file.id),
        "createdTime": rfc3339_ms(file.created),
        "modifiedTime": rfc3339_ms(file.modified),
        "owners": [owner],
        "shared": file.permissions.len() > 1,
        "ownedByMe": file.owner == email,
        "capabilities": {"canEdit": file.access(email) >= Access::Write},
        "permissions": file.permissions.iter().map(permission).collect::<Vec<Value>>(),
        "size": "1024",
    })
}

/// One line of the sharing dialog.
pub(super) fn permission(permission: &Permission) -> Value {
    let role = permission.access.role();
    match &permission.email {
        None => json!({
            "kind": "drive#permission", "id": permission.id, "type": "anyone", "role": role,
            "allowFileDiscovery": false,
        }),
        Some(email) => json!({
            "kind": "drive#permission", "id": permission.id, "type": "user", "role": role,
            "emailAddress": email, "displayName": email.split('@').next(), "deleted": false,
        }),
    }
}

/// An account, for one who looks at it.
pub(super) fn person(email: &str, reader: &str) -> Value {
    json!({
        "kind": "drive#user",
        "displayName": email.split('@').next(),
        "me": email == reader,
        "emailAddress": email,
    })
}
