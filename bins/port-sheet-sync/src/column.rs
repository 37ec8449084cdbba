//! The owned columns of a sheet, and how they make a row's key and digest.
//!
//! Pure. The columns come from the configuration or, where it names none, from the source's header.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::config::{Column, OnEdit, OnMissing, Sheet, Type};
use shared::{Failure, Kind, Result};

use crate::value::{Cell, digest_json};

/// What identifies a booking, short enough to keep one for every row. Bytes, since a number of this size would have
/// every index of rows padded.
pub type KeyHash = [u8; 16];

/// What a row holds, short enough to keep one for every row.
pub type Digest = [u8; 16];

/// The owned columns in the configuration's order, and which of them make the key.
#[derive(Clone, Debug)]
pub struct Columns {
    all: Vec<Column>,
    key: Vec<usize>,
    on_edit: OnEdit,
}

/// A column as the spool and the base remember it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Its header.
    pub header: String,
    /// Its type's word.
    pub kind: String,
}

impl Columns {
    /// The columns of a sheet, given the source's fields.
    ///
    /// # Errors
    /// [`Kind::Data`] when the source lacks a field, or has one twice.
    pub fn resolve(sheet: &Sheet, fields: &[String]) -> Result<Self> {
        let all = match &sheet.columns {
            Some(columns) => columns.clone(),
            None => every_field(fields)?,
        };
        let needed = all.iter().map(|column| &column.field).chain(&sheet.key);
        for field in needed {
            match fields.iter().filter(|name| *name == field).count() {
                1 => {}
                0 => return Err(wrong_header(&format!("has no field {field:?}"), fields)),
                _ => return Err(wrong_header(&format!("has the field {field:?} more than once"), fields)),
            }
        }
        if sheet.on_missing == OnMissing::Flag
            && all.iter().any(|column| column.header == sheet.status_header)
        {
            return Err(Failure::new(
                Kind::Config,
                format!(
                    "the source has a field {:?}, which is also the header of the status column",
                    sheet.status_header
                ),
                format!(
                    "give the status column another header: status-header = \"…\" under [sheet.{}]",
                    sheet.name
                ),
            ));
        }
        let position = |field: &String| all.iter().position(|column| column.field == *field);
        let key = sheet.key.iter().filter_map(position).collect();
        Ok(Self { all, key, on_edit: sheet.on_edit })
    }

    /// The columns of a past run, by their headers.
    ///
    /// # Errors
    /// [`Kind::Data`] when one of them has a type that this version does not know.
    pub fn of_a_run(columns: &[Remembered], key: &[String]) -> Result<Self> {
        let column = |remembered: &Remembered| {
            let (_, kind) = Type::WORDS.into_iter().find(|(word, _)| *word == remembered.kind)?;
            Some(Column { kind, ..Column::text(&remembered.header) })
        };
        let all: Option<Vec<Column>> = columns.iter().map(column).collect();
        let all = all.ok_or_else(|| {
            Failure::new(
                Kind::Data,
                "the run's journal is of another version of this program",
                "undo it with that version",
            )
        })?;
        let position = |header: &String| all.iter().position(|column| column.header == *header);
        let key = key.iter().filter_map(position).collect();
        Ok(Self { all, key, on_edit: OnEdit::Restore })
    }

    /// The columns, in order.
    pub fn all(&self) -> &[Column] {
        &self.all
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// A column's type.
    pub fn kind(&self, index: usize) -> Type {
        self.all[index].kind
    }

    /// What becomes of a person's change to a cell of a column.
    pub fn on_edit(&self, index: usize) -> OnEdit {
        self.all[index].on_edit.unwrap_or(self.on_edit)
    }

    /// The positions of the key's columns.
    pub fn key(&self) -> &[usize] {
        &self.key
    }

    /// What to remember of them.
    pub fn remembered(&self) -> Vec<Remembered> {
        let remember = |column: &Column| Remembered {
            header: column.header.clone(),
            kind: column.kind.word().to_owned(),
        };
        self.all.iter().map(remember).collect()
    }

    /// A row's digest: equal digests mean equal cells.
    pub fn digest(&self, cells: &[Cell]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for (column, cell) in self.all.iter().zip(cells) {
            cell.digest(column.kind, &mut hasher);
        }
        short(&hasher)
    }

    /// The digest of a row as Sheets answers it: one value for each column.
    pub fn digest_json(&self, values: &[Option<&Value>]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for (column, value) in self.all.iter().zip(values) {
            digest_json(*value, column.kind, &mut hasher);
        }
        short(&hasher)
    }

    /// A row's key, or none when a part of it is blank.
    pub fn key_of(&self, cell: impl Fn(usize) -> Cell) -> Option<Key> {
        let parts: Vec<String> = self.key.iter().map(|&index| cell(index).shown(self.kind(index))).collect();
        if parts.iter().any(|part| part.trim().is_empty()) {
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        for part in &parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Some(Key { hash: short(&hasher), text: parts.join(" / ") })
    }
}

/// A booking's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// For finding it.
    pub hash: KeyHash,
    /// For people.
    pub text: String,
}

fn every_field(fields: &[String]) -> Result<Vec<Column>> {
    let mut seen = HashSet::new();
    for (index, field) in fields.iter().enumerate() {
        if field.trim().is_empty() {
            return Err(wrong_header(&format!("has no name for its field {}", index + 1), fields));
        }
        if !seen.insert(field) {
            return Err(wrong_header(&format!("has the field {field:?} more than once"), fields));
        }
    }
    Ok(fields.iter().map(|field| Column::text(field)).collect())
}

fn wrong_header(what: &str, fields: &[String]) -> Failure {
    let listed = fields.iter().take(40).map(String::as_str).collect::<Vec<_>>().join(", ");
    Failure::new(
        Kind::Data,
        format!("the source {what}; its header is: {listed}"),
        "did the export change? mend it, or name the new fields in the configuration",
    )
}

/// 128 bits of a digest: collisions are out of reach, and every row costs sixteen bytes less.
pub fn short(hasher: &blake3::Hasher) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    bytes
}
