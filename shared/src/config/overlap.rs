//! `overlap` and its keys: which bookings of a sheet must not use the same resource at the same time.

use super::{Column, Reader, Type};

/// The check for double bookings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// What a double booking causes.
    pub policy: OnOverlap,
    /// The fields that identify what is booked, such as a vessel or a berth.
    pub resource: Vec<String>,
    /// The field with the begin of a booking.
    pub start: String,
    /// The field with its end. That day or moment is free for the next booking.
    pub end: String,
}

/// What a double booking causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOverlap {
    /// An alert; everything is synced.
    Warn,
    /// The run fails before it writes.
    Fail,
}

impl Overlap {
    /// Reads the check, if there is one. Its fields must be owned columns; those of begin and end must have a date.
    pub(super) fn read(reader: &mut Reader<'_>, columns: Option<&[Column]>) -> Option<Self> {
        let policy = reader.choice("overlap", &[("warn", OnOverlap::Warn), ("fail", OnOverlap::Fail)]);
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
        for field in resource.iter().filter(|field| kind_of(field, columns).is_none()) {
            reader.problem("overlap-resource", format!("the field {field:?} has no [[column]]"));
        }
        for (key, field) in [("overlap-start", &start), ("overlap-end", &end)] {
            if !matches!(kind_of(field, columns), Some(Type::Date | Type::DateTime)) {
                reader.problem(
                    key,
                    format!("the field {field:?} has no [[column]] of type \"date\" or \"datetime\""),
                );
            }
        }
        Some(Self { policy, resource, start, end })
    }
}

fn kind_of(field: &str, columns: Option<&[Column]>) -> Option<Type> {
    columns?.iter().find(|column| column.field == field).map(|column| column.kind)
}
