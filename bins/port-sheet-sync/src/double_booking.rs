//! Double bookings: bookings of one resource whose times overlap.
//!
//! Pure. [`pairs`] takes O(n log n) time plus the pairs that it finds. The check reads the spool only, so it reports them
//! even when Google cannot be reached.

use serde::Serialize;
use shared::Result;
use shared::config::Type;

use crate::model::cell::Cell;
use crate::model::cell::whole_seconds;
use crate::model::column::Columns;
use crate::model::column::Digest;
use crate::model::column::short;
use crate::spool::Spool;

/// How many double bookings are found at most: all of n bookings at once would make n² pairs.
const LIMIT: usize = 1_000;

/// How many bookings that cannot be compared are named.
const NAMED: usize = 5;

/// Two bookings of the same resource at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoubleBooking {
    /// What is booked twice.
    pub resource: String,
    /// The key of the one that comes first in the source.
    pub first: String,
    /// The key of the other.
    pub second: String,
    /// From when on it is booked twice.
    pub from: String,
    /// Until when.
    pub to: String,
}

impl std::fmt::Display for DoubleBooking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resource, first, second, from, to } = self;
        write!(f, "{resource} is booked twice from {from} to {to}: {first:?} and {second:?}")
    }
}

/// The double bookings of a source.
#[derive(Debug, Default)]
pub struct DoubleBookings {
    /// The first of them, in the source's order.
    pub double: Vec<DoubleBooking>,
    /// Bookings whose times are missing or the wrong way round, so that they could not be compared.
    pub unclear: Vec<String>,
    /// How many bookings that is.
    pub unclear_total: usize,
}

/// The time for which a booking has a resource: from its start up to, but not with, its end; a second at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stay {
    resource: Digest,
    start: i64,
    end: i64,
    /// Where its row begins in the spool.
    offset: u64,
}

impl Stay {
    fn free(&self) -> i64 {
        self.end.max(self.start + 1)
    }
}

/// The indices of the check's fields among the owned columns.
struct BookingFields {
    resource: Vec<usize>,
    start: usize,
    end: usize,
}

impl BookingFields {
    fn find(overlap: &shared::config::Overlap, columns: &Columns) -> Option<Self> {
        Some(Self {
            resource: overlap.resource.iter().filter_map(|field| position(columns, field)).collect(),
            start: position(columns, &overlap.start)?,
            end: position(columns, &overlap.end)?,
        })
    }
}

fn position(columns: &Columns, field: &str) -> Option<usize> {
    columns.all().iter().position(|column| column.field == field)
}

/// Looks through the source's bookings.
///
/// # Errors
/// [`shared::Kind::Io`] when the spool cannot be read.
pub fn find(overlap: &shared::config::Overlap, columns: &Columns, spool: &Spool) -> Result<DoubleBookings> {
    let Some(fields) = BookingFields::find(overlap, columns) else { return Ok(DoubleBookings::default()) };
    let (mut found, mut stays) = (DoubleBookings::default(), Vec::new());
    let mut rows = spool.reader()?;
    for (_, entry) in spool.in_order() {
        let (_, cells) = rows.row_at(entry.offset)?;
        let Some(resource) = resource_of(&fields, columns, &cells) else { continue };
        match (seconds(&cells[fields.start]), seconds(&cells[fields.end])) {
            (Some(start), Some(end)) if start <= end => {
                stays.push(Stay { resource, start, end, offset: entry.offset });
            }
            _ => {
                found.unclear_total += 1;
                if found.unclear.len() < NAMED {
                    found.unclear.extend(columns.key_of(|index| cells[index].clone()).map(|key| key.text));
                }
            }
        }
    }
    for (one, other) in pairs(stays, LIMIT) {
        let (_, first) = rows.row_at(one.offset)?;
        let (_, second) = rows.row_at(other.offset)?;
        let from = one.start.max(other.start);
        let to = from.max(one.end.min(other.end));
        let (start_kind, end_kind) = (columns.kind(fields.start), columns.kind(fields.end));
        found.double.push(DoubleBooking {
            resource: resource_text(&fields, columns, &first),
            first: key_text(columns, &first),
            second: key_text(columns, &second),
            from: shown(from, start_kind, end_kind),
            to: shown(to, start_kind, end_kind),
        });
    }
    Ok(found)
}

fn key_text(columns: &Columns, cells: &[Cell]) -> String {
    columns.key_of(|index| cells[index].clone()).map(|key| key.text).unwrap_or_default()
}

/// The pairs that overlap, each once, the one that is first in the source first; no more than `limit`.
fn pairs(mut stays: Vec<Stay>, limit: usize) -> Vec<(Stay, Stay)> {
    stays.sort_unstable_by_key(|stay| (stay.resource, stay.start, stay.offset));
    let (mut pairs, mut running): (Vec<(Stay, Stay)>, Vec<Stay>) = (Vec::new(), Vec::new());
    for stay in stays {
        // Those that stay are pairs, and those that go never come back: no more work than bookings and pairs.
        running.retain(|other| other.resource == stay.resource && other.free() > stay.start);
        let room = limit - pairs.len();
        pairs.extend(
            running
                .iter()
                .take(room)
                .map(|other| if other.offset < stay.offset { (*other, stay) } else { (stay, *other) }),
        );
        if pairs.len() == limit {
            break;
        }
        running.push(stay);
    }
    pairs.sort_unstable_by_key(|(one, other)| (one.offset, other.offset));
    pairs
}

/// What is booked; `None` if a field of it is blank.
fn resource_of(fields: &BookingFields, columns: &Columns, cells: &[Cell]) -> Option<Digest> {
    let mut hasher = blake3::Hasher::new();
    for &index in &fields.resource {
        let text = cells[index].shown(columns.kind(index));
        // Blanks around a name do not make it another resource.
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    Some(short(hasher.finalize()))
}

fn resource_text(fields: &BookingFields, columns: &Columns, cells: &[Cell]) -> String {
    let shown = fields.resource.iter().map(|index| cells[*index].shown(columns.kind(*index)));
    shown.collect::<Vec<_>>().join(" / ")
}

fn seconds(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Number(serial) => Some(whole_seconds(*serial)),
        Cell::Empty | Cell::Text(_) | Cell::Bool(_) => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of four-digit years are small")]
fn shown(seconds: i64, start: Type, end: Type) -> String {
    let kind = if start == end { start } else { Type::DateTime };
    <Cell>::Number(seconds as f64 / 86_400.0).shown(kind).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stay(resource: u8, start: i64, end: i64, offset: u64) -> Stay {
        Stay { resource: [resource; 16], start, end, offset }
    }

    fn found(stays: &[Stay]) -> Vec<(u64, u64)> {
        pairs(stays.to_vec(), LIMIT).iter().map(|(one, other)| (one.offset, other.offset)).collect()
    }

    #[test]
    fn the_day_of_departure_is_free_for_the_next_arrival() {
        assert_eq!(found(&[stay(1, 10, 20, 0), stay(1, 20, 30, 1)]), []);
        assert_eq!(found(&[stay(1, 10, 21, 0), stay(1, 20, 30, 1)]), [(0, 1)]);
        assert_eq!(found(&[stay(1, 10, 21, 0), stay(2, 20, 30, 1)]), [], "another vessel");
        assert_eq!(found(&[stay(1, 20, 30, 0), stay(1, 0, 99, 1)]), [(0, 1)], "one within the other");
    }

    #[test]
    fn a_booking_that_ends_when_it_starts_takes_that_moment() {
        assert_eq!(found(&[stay(1, 10, 10, 0), stay(1, 10, 10, 1)]), [(0, 1)]);
        assert_eq!(found(&[stay(1, 10, 10, 0), stay(1, 5, 10, 1)]), []);
    }

    #[test]
    fn no_more_pairs_are_made_than_anybody_reads() {
        let all_at_once: Vec<Stay> = (0..100_000).map(|offset| stay(1, 0, 1, offset)).collect();
        assert_eq!(found(&all_at_once).len(), LIMIT);
    }

    proptest! {
        #[test]
        fn the_sweep_finds_what_comparing_each_with_each_finds(
            stays in proptest::collection::vec((0u8..4, 0i64..30, 0i64..8), 0..40)
        ) {
            let stays: Vec<Stay> = stays
                .into_iter()
                .zip(0..)
                .map(|((resource, start, length), offset)| stay(resource, start, start + length, offset))
                .collect();
            let mut naive = Vec::new();
            for (at, one) in stays.iter().enumerate() {
                for other in &stays[at + 1..] {
                    let overlaps = one.start < other.free() && other.start < one.free();
                    if one.resource == other.resource && overlaps {
                        naive.push((one.offset, other.offset));
                    }
                }
            }
            prop_assert_eq!(found(&stays), naive);
        }
    }
}
