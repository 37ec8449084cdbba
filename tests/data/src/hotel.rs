//! Hotel bookings as in "Hotel booking demand datasets" (Antonio, de Almeida, Nunes, Data in Brief 22, 2019): the same
//! fields, number of rows, shares and lengths; `NULL` and `NA` for what is unknown; many rows that are equal.

use std::fmt::Write as _;

use crate::chance::Chance;

/// How many there are.
pub const BOOKINGS: usize = 119_390;

/// How many fields each has.
pub const FIELDS: usize = 32;

const HEADER: &str = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_week_number,\
    arrival_date_day_of_month,stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,meal,country,\
    market_segment,distribution_channel,is_repeated_guest,previous_cancellations,previous_bookings_not_canceled,\
    reserved_room_type,assigned_room_type,booking_changes,deposit_type,agent,company,days_in_waiting_list,\
    customer_type,adr,required_car_parking_spaces,total_of_special_requests,reservation_status,reservation_status_date";

const MONTHS: [(&str, usize); 12] = [
    ("January", 59),
    ("February", 81),
    ("March", 98),
    ("April", 111),
    ("May", 118),
    ("June", 109),
    ("July", 127),
    ("August", 139),
    ("September", 105),
    ("October", 112),
    ("November", 68),
    ("December", 68),
];
const MEALS: [(&str, usize); 5] = [("BB", 773), ("HB", 121), ("SC", 89), ("Undefined", 10), ("FB", 7)];
const COUNTRIES: [(&str, usize); 12] = [
    ("PRT", 407),
    ("GBR", 102),
    ("FRA", 87),
    ("ESP", 72),
    ("DEU", 61),
    ("ITA", 32),
    ("IRL", 28),
    ("BEL", 20),
    ("BRA", 19),
    ("NULL", 4),
    ("CN", 11),
    ("USA", 18),
];
const SEGMENTS: [(&str, usize); 8] = [
    ("Online TA", 473),
    ("Offline TA/TO", 203),
    ("Groups", 166),
    ("Direct", 106),
    ("Corporate", 44),
    ("Complementary", 6),
    ("Aviation", 2),
    ("Undefined", 1),
];
const CHANNELS: [(&str, usize); 5] =
    [("TA/TO", 820), ("Direct", 123), ("Corporate", 56), ("GDS", 2), ("Undefined", 1)];
const ROOMS: [(&str, usize); 7] =
    [("A", 720), ("D", 161), ("E", 55), ("F", 24), ("G", 18), ("B", 9), ("C", 8)];
const DEPOSITS: [(&str, usize); 3] = [("No Deposit", 877), ("Non Refund", 122), ("Refundable", 1)];
const CUSTOMERS: [(&str, usize); 4] =
    [("Transient", 751), ("Transient-Party", 210), ("Contract", 34), ("Group", 5)];

/// The header and the bookings.
pub(crate) fn generate() -> String {
    let mut chance = Chance::new(2019);
    let mut csv = String::with_capacity(18 << 20);
    csv.push_str(HEADER);
    csv.push('\n');
    let mut last = String::new();
    for _ in 0..BOOKINGS {
        // A quarter of the real bookings equals another one to the last field.
        if last.is_empty() || !chance.per_mille(268) {
            last = booking(&mut chance).join(",");
        }
        csv.push_str(&last);
        csv.push('\n');
    }
    csv
}

fn booking(chance: &mut Chance) -> [String; FIELDS] {
    let is_canceled = chance.per_mille(370);
    let (year, week) = (chance.pick(&[("2015", 18), ("2016", 48), ("2017", 34)]), chance.below(53) + 1);
    let status = match is_canceled {
        true if chance.per_mille(27) => "No-Show",
        true => "Canceled",
        false => "Check-Out",
    };
    let reserved = chance.pick(&ROOMS);
    let assigned = if chance.per_mille(125) { chance.pick(&ROOMS) } else { reserved };
    [
        chance.pick(&[("City Hotel", 664), ("Resort Hotel", 336)]).to_owned(),
        u8::from(is_canceled).to_string(),
        chance.small(480).to_string(),
        year.to_owned(),
        chance.pick(&MONTHS).to_owned(),
        week.to_string(),
        (chance.below(31) + 1).to_string(),
        chance.small(5).to_string(),
        chance.small(8).to_string(),
        chance.pick(&[("2", 751), ("1", 193), ("3", 52), ("0", 3), ("26", 1)]).to_owned(),
        chance.pick(&[("0", 9281), ("1", 407), ("2", 305), ("3", 6), ("NA", 1)]).to_owned(),
        chance.pick(&[("0", 992), ("1", 8)]).to_owned(),
        chance.pick(&MEALS).to_owned(),
        chance.pick(&COUNTRIES).to_owned(),
        chance.pick(&SEGMENTS).to_owned(),
        chance.pick(&CHANNELS).to_owned(),
        u8::from(chance.per_mille(32)).to_string(),
        chance.pick(&[("0", 946), ("1", 51), ("24", 3)]).to_owned(),
        chance.pick(&[("0", 970), ("1", 20), ("14", 10)]).to_owned(),
        reserved.to_owned(),
        assigned.to_owned(),
        chance.pick(&[("0", 849), ("1", 106), ("2", 32), ("3", 13)]).to_owned(),
        chance.pick(&DEPOSITS).to_owned(),
        known_or_null(chance, 137, 535),
        known_or_null(chance, 943, 543),
        if chance.per_mille(31) { (chance.below(391) + 1).to_string() } else { "0".to_owned() },
        chance.pick(&CUSTOMERS).to_owned(),
        daily_rate(chance),
        chance.pick(&[("0", 938), ("1", 62)]).to_owned(),
        chance.pick(&[("0", 589), ("1", 278), ("2", 109), ("3", 24)]).to_owned(),
        status.to_owned(),
        format!("{year}-{:02}-{:02}", chance.below(12) + 1, chance.below(28) + 1),
    ]
}

/// A number, or `NULL` in so many of a thousand bookings.
fn known_or_null(chance: &mut Chance, null: usize, limit: usize) -> String {
    if chance.per_mille(null) { "NULL".to_owned() } else { (chance.small(limit) + 1).to_string() }
}

/// Whole in half of the bookings, with one or two decimals in the others, and below zero in one of ten thousand.
fn daily_rate(chance: &mut Chance) -> String {
    let whole = chance.below(190) + 20;
    let mut rate = if chance.below(10_000) == 0 { "-6.38".to_owned() } else { whole.to_string() };
    if !rate.contains('.') && chance.per_mille(480) {
        let cents = chance.below(99) + 1;
        // Writing to a text cannot fail.
        let _ = if cents.is_multiple_of(10) {
            write!(rate, ".{}", cents / 10)
        } else {
            write!(rate, ".{cents:02}")
        };
    }
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_that_of_the_real_file() {
        let csv = generate();
        assert_eq!(csv.lines().count(), BOOKINGS + 1);
        assert!(csv.lines().all(|line| line.split(',').count() == FIELDS));
        // The real one has 16.9 MB.
        assert!((16_000_000..18_000_000).contains(&csv.len()), "{}", csv.len());
        let equal = csv.lines().zip(csv.lines().skip(1)).filter(|(line, next)| line == next).count();
        assert!((30_000..34_000).contains(&equal), "{equal}");
    }

    #[test]
    fn it_is_the_same_each_time() {
        assert!(generate() == generate());
    }
}
