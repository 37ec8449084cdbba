//! The files: names, versions, sharing. Answers no request itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sheets_model::Spreadsheet;

use crate::random;

/// The type of a Google spreadsheet.
pub(crate) const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";

/// All files, by id.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files(BTreeMap<String, File>);

/// One file of Drive's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) id: String,
    name: String,
    pub(crate) mime_type: String,
    pub(crate) owner: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    /// Grows with every change, of the cells or of the file.
    pub(crate) version: u64,
    pub(crate) is_trashed: bool,
    pub(crate) permissions: Vec<Permission>,
    /// Only for spreadsheets.
    pub(crate) sheet: Option<Spreadsheet>,
}

/// One line of a file's sharing dialog.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Permission {
    pub(crate) id: String,
    /// No one in particular when there is none: anyone with the link.
    pub(crate) email: Option<String>,
    pub(crate) access: Access,
}

/// What someone may do with a file, from nothing to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Access {
    None,
    Read,
    Write,
    Own,
}

impl Access {
    /// A role by Drive's name for it.
    pub(crate) fn of_role(role: &str) -> Option<Self> {
        match role {
            "reader" | "commenter" => Some(Self::Read),
            "writer" | "fileOrganizer" | "organizer" => Some(Self::Write),
            "owner" => Some(Self::Own),
            _ => None,
        }
    }

    pub(crate) fn role(self) -> &'static str {
        match self {
            Self::None | Self::Read => "reader",
            Self::Write => "writer",
            Self::Own => "owner",
        }
    }
}

impl Files {
    pub(crate) fn add(&mut self, file: File) {
        self.0.insert(file.id.clone(), file);
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut File> {
        self.0.get_mut(id)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&File> {
        self.0.get(id)
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// All files, the latest changed first.
    pub(crate) fn latest_first(&self) -> Vec<&File> {
        let mut files: Vec<&File> = self.0.values().collect();
        files.sort_by(|one, other| other.modified.cmp(&one.modified).then_with(|| one.id.cmp(&other.id)));
        files
    }
}

impl File {
    /// A new file of any type.
    pub(crate) fn new(id: &str, name: &str, mime_type: &str, owner: &str, now: DateTime<Utc>) -> Self {
        let own = Permission { id: random::digits(20), email: Some(owner.to_owned()), access: Access::Own };
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            mime_type: mime_type.to_owned(),
            owner: owner.to_owned(),
            created: now,
            modified: now,
            version: 1,
            is_trashed: false,
            permissions: vec![own],
            sheet: None,
        }
    }

    /// The file that a spreadsheet is.
    pub(crate) fn of_spreadsheet(sheet: Spreadsheet, owner: &str, now: DateTime<Utc>) -> Self {
        let mut file = Self::new(sheet.id(), sheet.title(), SPREADSHEET, owner, now);
        file.sheet = Some(sheet);
        file
    }

    /// The name, which for a spreadsheet is its title.
    pub(crate) fn name(&self) -> &str {
        self.sheet.as_ref().map_or(&self.name, Spreadsheet::title)
    }

    pub(crate) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        if let Some(sheet) = &mut self.sheet {
            sheet.set_title(name);
        }
    }

    /// Notes a change; the time never goes back, even when the clock does.
    pub(crate) fn touch(&mut self, now: DateTime<Utc>) {
        self.version += 1;
        self.modified = self.modified.max(now);
    }

    /// Shares with an address, or with `anyone`; returns the permission.
    pub(crate) fn share(&mut self, with: &str, access: Access) -> Permission {
        let email = (with != "anyone").then(|| with.to_owned());
        let is_owners = |old: &&Permission| old.email == email && old.access == Access::Own;
        if let Some(own) = self.permissions.iter().find(is_owners) {
            return own.clone();
        }
        let id = email.as_ref().map_or_else(|| "anyoneWithLink".to_owned(), |_| random::digits(20));
        self.permissions.retain(|old| old.email != email);
        let permission = Permission { id, email, access };
        self.permissions.push(permission.clone());
        permission
    }

    /// The most that an address may do.
    pub(crate) fn access(&self, email: &str) -> Access {
        let applies =
            |permission: &&Permission| permission.email.as_deref().is_none_or(|shared| shared == email);
        self.permissions
            .iter()
            .filter(applies)
            .map(|permission| permission.access)
            .max()
            .unwrap_or(Access::None)
    }
}
