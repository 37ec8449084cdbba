//! The owned columns of a sheet, and how they make a row's key and digest.
//!
//! Pure. The columns come from the configuration or, where it names none, from the source's header.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::config::{Column, OnEdit, OnMissing, Sheet, Type};
use shared::{Failure, Kind, Result, spelling};

use crate::model::cell::{Cell, number_format};

/// What identifies a booking, short enough to keep one for every row. Bytes, since a number of this size would have
/// every index of rows padded.
pub type KeyHash = [u8; 16];

/// What a row holds, short enough to keep one for every row.
pub type Digest = [u8; 16];

/// How many columns Sheets gives a tab at most.
const COLUMNS_AT_MOST: usize = 18_278;

/// How many rows are gathered at a time: few enough for the processor's nearest memory.
const ROWS_AT_A_TIME: usize = 32;

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

impl Remembered {
    /// The number format that the column had; `None` for a type that this version does not know.
    pub fn number_format(&self) -> Option<(&'static str, &'static str)> {
        self.column().and_then(|column| number_format(column.kind))
    }

    /// The column as a past run knew it; `None` for a type that this version does not know.
    fn column(&self) -> Option<Column> {
        let (_, kind) = Type::NAMES.into_iter().find(|(name, _)| *name == self.kind)?;
        Some(Column { kind, ..Column::text(&self.header) })
    }
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
                0 => return Err(missing_field(field, fields)),
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
        let fields = sheet.key.iter();
        let key = fields.filter_map(|field| all.iter().position(|column| column.field == *field)).collect();
        Ok(Self { all, key, on_edit: sheet.on_edit })
    }

    /// The columns of a past run, by their headers.
    ///
    /// # Errors
    /// [`Kind::Data`] when one of them has a type that this version does not know.
    pub fn of_a_run(columns: &[Remembered], key: &[String]) -> Result<Self> {
        let all: Option<Vec<Column>> = columns.iter().map(Remembered::column).collect();
        let all = all.ok_or_else(|| {
            Failure::new(
                Kind::Data,
                "the run's journal is of another version of this program",
                "undo it with that version",
            )
        })?;
        let headers = key.iter();
        let key =
            headers.filter_map(|header| all.iter().position(|column| column.header == *header)).collect();
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

    /// What happens if a user changes a cell of a column.
    pub fn on_edit(&self, index: usize) -> OnEdit {
        self.all[index].on_edit.unwrap_or(self.on_edit)
    }

    /// The positions of the key's columns.
    pub fn key(&self) -> &[usize] {
        &self.key
    }

    /// What to remember of them.
    pub fn remembered(&self) -> Vec<Remembered> {
        let columns = self.all.iter();
        columns
            .map(|column| Remembered { header: column.header.clone(), kind: column.kind.as_str().to_owned() })
            .collect()
    }

    /// A row's digest: equal digests mean equal cells.
    pub fn digest<T: AsRef<str>>(&self, cells: impl IntoIterator<Item = impl Borrow<Cell<T>>>) -> Digest {
        self.digest_in(&mut Vec::new(), cells)
    }

    /// The same with a buffer that was used before, since there are many rows.
    pub fn digest_in<T: AsRef<str>>(
        &self,
        scratch: &mut Vec<u8>,
        cells: impl IntoIterator<Item = impl Borrow<Cell<T>>>,
    ) -> Digest {
        scratch.clear();
        for (column, cell) in self.all.iter().zip(cells) {
            cell.borrow().digest(column.kind, scratch);
        }
        short(blake3::hash(scratch))
    }

    /// The digests of rows as Sheets returns them, column by column.
    ///
    /// Some rows at a time are gathered from one column after the other, as their values lie in memory: row by row, most
    /// of the time would go into fetching them.
    pub fn digests(&self, columns: &[&[Value]], rows: usize) -> Vec<Digest> {
        let mut digests = Vec::with_capacity(rows);
        let mut gathered = vec![Vec::new(); ROWS_AT_A_TIME];
        for first in (0..rows).step_by(ROWS_AT_A_TIME) {
            let gathered = &mut gathered[..ROWS_AT_A_TIME.min(rows - first)];
            gathered.iter_mut().for_each(Vec::clear);
            for (column, values) in self.all.iter().zip(columns) {
                for (bytes, at) in gathered.iter_mut().zip(first..) {
                    Cell::of_json(values.get(at)).digest(column.kind, bytes);
                }
            }
            digests.extend(gathered.iter().map(|bytes| short(blake3::hash(bytes))));
        }
        digests
    }

    /// A row's key, or none when a part of it is blank.
    pub fn key_of<T: AsRef<str>, C: Borrow<Cell<T>>>(&self, cell: impl Fn(usize) -> C) -> Option<Key> {
        Some(Key { hash: self.key_hash(&cell)?, text: self.key_text(cell) })
    }

    /// What finds a row's key, or none when a part of it is blank.
    pub fn key_hash<T: AsRef<str>, C: Borrow<Cell<T>>>(&self, cell: impl Fn(usize) -> C) -> Option<KeyHash> {
        if let [index] = self.key[..] {
            let cell = cell(index);
            let part = cell.borrow().shown(self.kind(index));
            return (!part.trim().is_empty()).then(|| hash_of(part.as_bytes()));
        }
        let mut bytes = Vec::new();
        for &index in &self.key {
            let cell = cell(index);
            let part = cell.borrow().shown(self.kind(index));
            if part.trim().is_empty() {
                return None;
            }
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Some(hash_of(&bytes))
    }

    /// A row's key as messages show it.
    pub fn key_text<T: AsRef<str>, C: Borrow<Cell<T>>>(&self, cell: impl Fn(usize) -> C) -> String {
        let parts = self.key.iter().map(|&index| cell(index).borrow().shown(self.kind(index)).into_owned());
        parts.collect::<Vec<_>>().join(" / ")
    }
}

/// A booking's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// For finding it.
    pub hash: KeyHash,
    /// For messages.
    pub text: String,
}

/// A key of up to 15 bytes is stored as it is, with its length in the last byte. A longer key is stored as a digest whose
/// last byte has the top bit set, so the two never collide. Two of a hundred of a run's CPU would go into digests of keys.
fn hash_of(key: &[u8]) -> KeyHash {
    let mut hash = [0; 16];
    match (hash.get_mut(..key.len()), u8::try_from(key.len())) {
        (Some(scratch), Ok(length @ ..16)) => {
            scratch.copy_from_slice(key);
            hash[15] = length;
        }
        _ => {
            hash = short(blake3::hash(key));
            hash[15] |= 0x80;
        }
    }
    hash
}

fn every_field(fields: &[String]) -> Result<Vec<Column>> {
    // All the bookings on one line, for one: comparing each with each would never end.
    if fields.len() > COLUMNS_AT_MOST {
        let what = format!("has {} fields, and a sheet has at most {COLUMNS_AT_MOST} columns", fields.len());
        return Err(wrong_header(&what, fields));
    }
    let (mut seen, mut twins) = (HashSet::new(), HashMap::new());
    for (index, field) in fields.iter().enumerate() {
        if field.trim().is_empty() {
            return Err(wrong_header(&format!("has no name for its field {}", index + 1), fields));
        }
        if !seen.insert(field) {
            return Err(wrong_header(&format!("has the field {field:?} more than once"), fields));
        }
        if let Some(twin) = twins.insert(spelling::folded(field), field) {
            let what = format!("has the fields {twin:?} and {field:?}, which {}", spelling::ALIKE);
            return Err(wrong_header(&what, fields));
        }
    }
    Ok(fields.iter().map(|field| Column::text(field)).collect())
}

fn missing_field(field: &str, fields: &[String]) -> Failure {
    let Some(twin) = spelling::twin(field, fields) else {
        return wrong_header(&format!("has no field {field:?}"), fields);
    };
    Failure::new(
        Kind::Data,
        format!("the source has no field {field:?}, but {twin:?}; they {}", spelling::ALIKE),
        format!(
            "correct the export, or name the field as the source does: field = {twin:?} in the configuration"
        ),
    )
}

fn wrong_header(what: &str, fields: &[String]) -> Failure {
    let hint = match fields {
        [all] if let Some(sign) = [';', '\t', '|'].into_iter().find(|sign| all.contains(*sign)) => format!(
            "the fields seem to have {sign:?} between them: delimiter = {:?} under the sheet's source",
            sign.to_string()
        ),
        _ => "did the export change? correct it, or name the new fields in the configuration".to_owned(),
    };
    let listed = fields.iter().take(40).map(String::as_str).collect::<Vec<_>>().join(", ");
    Failure::new(Kind::Data, format!("the source {what}; its header is: {listed}"), hint)
}

/// 128 bits of a digest: collisions are out of reach, and every row costs sixteen bytes less.
pub fn short(hash: blake3::Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!("")),
            "[a-c\u{1}\u{ff}]{0,3}".prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            (-2i64..3).prop_map(Value::from),
            (-2.0f64..3.0).prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn keys_are_found_by_the_same_only_if_they_are_the_same(a in "[a\u{0}\u{f}\u{80}]{0,18}", b in "[a\u{0}\u{f}\u{80}]{0,18}") {
            prop_assert_eq!(hash_of(a.as_bytes()) == hash_of(b.as_bytes()), a == b);
        }

        /// Google leaves the blank cells at the end of a column out.
        #[test]
        fn rows_read_column_by_column_have_the_digests_of_their_cells(
            all in proptest::collection::vec(proptest::collection::vec(any_value(), 0..80), 3),
        ) {
            let kinds = [Type::Text, Type::Number, Type::DateTime];
            let column = |kind| Column { kind, ..Column::text("x") };
            let columns = Columns { all: kinds.map(column).to_vec(), key: vec![0], on_edit: OnEdit::Restore };
            let slices: Vec<&[Value]> = all.iter().map(Vec::as_slice).collect();
            let rows = all.iter().map(Vec::len).max().unwrap_or(0);
            let row = |at: usize| all.iter().map(move |values| Cell::of_json(values.get(at)));
            let expected: Vec<Digest> = (0..rows).map(|at| columns.digest(row(at))).collect();
            prop_assert_eq!(columns.digests(&slices, rows), expected);
        }
    }
}
