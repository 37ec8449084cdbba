//! `overlap` and what belongs to it: which bookings of a sheet must not have the same thing at the same time.
//!
//! It only describes; the sync compares.

use super::{Column, Reader, Type};

/// The check for double bookings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// What becomes of a double booking.
    pub policy: OnOverlap,
    /// The fields that name what is booked: a vessel, a berth.
    pub resource: Vec<String>,
    /// The field in which a booking begins.
    pub start: String,
    /// The field in which it ends. That day or moment is free for the next one.
    pub end: String,
}

/// What becomes of a double booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOverlap {
    /// People are told; everything is synced.
    Warn,
    /// Nothing is written.
    Fail,
}

impl Overlap {
    /// Reads the check, if there is one. Its fields must be owned columns, those of time of a type with a date.
    pub(super) fn read(reader: &mut Reader<'_>, columns: Option<&[Column]>) -> Option<Self> {
        let policy = reader.word("overlap", &[("warn", OnOverlap::Warn), ("fail", OnOverlap::Fail)]);
        let resource = reader.texts("overlap-resource");
        let (start, end) = (reader.text("overlap-start"), reader.text("overlap-end"));
        let Some(policy) = policy else {
            if resource.is_some() || start.is_some() || end.is_some() {
                reader.problem("overlap", "must say what becomes of a double booking: \"warn\" or \"fail\"");
            }
            return None;
        };
        let (Some(resource), Some(start), Some(end)) =
            (resource.filter(|fields| !fields.is_empty()), start, end)
        else {
            reader.problem(
                "overlap",
                "needs overlap-resource = [\"vessel\"], overlap-start and overlap-end as well",
            );
            return None;
        };
        let kind =
            |field: &str| columns?.iter().find(|column| column.field == field).map(|column| column.kind);
        for field in resource.iter().filter(|field| kind(field).is_none()) {
            reader.problem("overlap-resource", format!("the field {field:?} has no [[column]]"));
        }
        for (key, field) in [("overlap-start", &start), ("overlap-end", &end)] {
            if !matches!(kind(field), Some(Type::Date | Type::DateTime)) {
                reader.problem(
                    key,
                    format!("the field {field:?} has no [[column]] of type \"date\" or \"datetime\""),
                );
            }
        }
        Some(Self { policy, resource, start, end })
    }
}
