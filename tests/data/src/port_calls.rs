//! Port calls as the harbour office of Portland, Maine, typed its schedule in five seasons: the same fields, and each kind of
//! mistake that is in it.

use crate::chance::Chance;

/// The office typed so many calls.
const CALLS: usize = 576;

const HEADER: &str = "SHEET,VESSEL NAME,ARR_DATE,ARR_TIME,DEP_DATE,DEP_TIME,ARR_DAY,DEP_DAY,OVERNIGHT,HOURS,BERTH,\
    AGENT,LINE,BOOKED,SHIP DETAILS,LOA,B,D,PAX,Crew";

/// A value that is a mistake of typing, and cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirt {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    /// Its field.
    pub field: &'static str,
    /// What was typed.
    pub value: &'static str,
}

/// The mistakes of the real file.
pub(crate) fn real_dirt() -> Vec<Dirt> {
    dirt([2, 33, 80, 206, 364, 368, 392, 456, 467])
}

/// The kinds of mistakes, on these lines.
fn dirt(lines: [u64; 9]) -> Vec<Dirt> {
    let kinds = [
        ("ARR_TIME", "800"),
        ("DEP_TIME", "TBD"),
        ("BOOKED", "63/2013"),
        ("ARR_DATE", "`9/12/17"),
        ("ARR_TIME", "800"),
        ("DEP_TIME", "tbd"),
        ("DEP_TIME", "24:00: AM"),
        ("ARR_DATE", "1016/18"),
        ("DEP_TIME", "TBD"),
    ];
    lines.into_iter().zip(kinds).map(|(line, (field, value))| Dirt { line, field, value }).collect()
}

/// Vessels with line, agent and length. Blanks in and around names are the office's.
const VESSELS: [[&str; 4]; 12] = [
    ["Aurora Quest", "AQL", "CLCO", "785"],
    ["Bluewater Glory", "BWL", "BWL", "166"],
    ["Independent Star", "BWL", "BWL", "215"],
    ["Saint Brendan", "Haven", "CLCO", "286.3"],
    ["Norse Gem", "NGL", "Intercruise ", "965"],
    ["Pearl Fog", "PS", "CLCO ", "325"],
    ["Anthem of Fundy ", "RFC ", "Intercruise", "1053"],
    ["Serenade  of  the  Bay ", "RFC", "RFI ", "963"],
    ["Summit Ridge", "CEL ", "MLS", "964"],
    ["Ferry", "", "", ""],
    ["Norse  Gem ", "NGL", "MLS ", "965"],
    ["Grandeur of the Gulf", "RFC", "Intercruise", "918"],
];
const DAYS: [&str; 7] = ["Mon", "Tue ", "Wed", "Thu ", "Fri", "Sat ", "Sun"];

/// The header and the calls, with their mistakes.
pub(crate) fn generate() -> (String, Vec<Dirt>) {
    let mut chance = Chance::new(1519);
    let dirt = dirt([2, 41, 77, 199, 301, 377, 402, 470, 511]);
    let mut csv = format!("{HEADER}\r\n");
    for call in 0..CALLS {
        let mut fields = port_call(call, &mut chance);
        let line = call as u64 + 2;
        for mistake in dirt.iter().filter(|mistake| mistake.line == line) {
            let at = HEADER.split(',').position(|field| field == mistake.field).unwrap_or_default();
            fields[at] = mistake.value.to_owned();
        }
        csv.push_str(&fields.join(","));
        csv.push_str("\r\n");
    }
    (csv, dirt)
}

/// Twelve vessels in turn call on each ninth day of a season, so that vessel and day are together a key.
fn port_call(call: usize, chance: &mut Chance) -> [String; 20] {
    let [vessel, line, agent, length] = VESSELS[call % VESSELS.len()];
    let (season, turn) = (call / 120, (call / VESSELS.len()) % 10);
    let (year, month, day) = (2015 + season, 5 + turn / 2, 1 + (turn % 2) * 14 + chance.below(12));
    let nights = usize::from(chance.per_mille(350));
    let is_ferry = agent.is_empty();
    // Some departures are before their arrival on the same day: the office's, and no mistake that can be seen in one field.
    let departure = chance.pick(&[("15:30", 19), ("13:30", 18), ("17:00", 18), ("06:00", 1), ("18:00", 13)]);
    let booked = format!("{}-{:02}-{:02}", year - 1, chance.below(12) + 1, chance.below(28) + 1);
    let beam = (chance.below(60) + 60).to_string();
    [
        year.to_string(),
        vessel.to_owned(),
        format!("{year}-{month:02}-{day:02}"),
        chance
            .pick(&[("08:00", 23), ("13:30", 19), ("07:00", 18), ("17:00", 15), ("22:30", 4), ("12:00", 2)])
            .to_owned(),
        format!("{year}-{month:02}-{:02}", day + nights),
        departure.to_owned(),
        known(chance, is_ferry, 120, DAYS[day % 7].to_owned()),
        known(chance, is_ferry, 180, DAYS[(day + nights) % 7].to_owned()),
        known(chance, is_ferry, 0, if nights > 0 { "Yes" } else { "No" }.to_owned()),
        chance.pick(&[("", 64), ("9", 16), ("21", 5), ("TA", 2), ("10.5", 1)]).to_owned(),
        chance
            .pick(&[("POT", 41), ("OG", 29), ("P2B2", 24), ("POT ", 2), ("OG ", 1), ("POT/OG", 1)])
            .to_owned(),
        agent.to_owned(),
        line.to_owned(),
        known(chance, is_ferry, 60, booked),
        known(chance, is_ferry, 200, format!("LOA {length}-B {beam}-D {}", 20 + call % 9)),
        length.to_owned(),
        known(chance, is_ferry, 350, beam),
        known(chance, is_ferry, 350, draught(call)),
        known(chance, is_ferry, 30, format!("{}", 50 + call * 7 % 3100)),
        known(chance, is_ferry, 300, format!("{}", 13 + call * 11 % 1100)),
    ]
}

/// A text that is blank for ferries, and in so many of a thousand other calls.
fn known(chance: &mut Chance, is_ferry: bool, blank: usize, text: String) -> String {
    if is_ferry || chance.per_mille(blank) { String::new() } else { text }
}

fn draught(call: usize) -> String {
    if call.is_multiple_of(5) { "8.8".to_owned() } else { (20 + call % 38).to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn vessel_and_day_identify_a_call() {
        let (csv, _) = generate();
        let keys: HashSet<(&str, &str)> = csv
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>())
            .map(|call| (call[1], call[2]))
            .collect();
        assert_eq!(keys.len(), CALLS);
        assert!(csv.lines().all(|line| line.split(',').count() == 20));
    }

    #[test]
    fn each_mistake_is_on_its_line() {
        let (csv, dirt) = generate();
        for mistake in dirt {
            let line = csv.lines().nth(mistake.line as usize - 1).unwrap_or_default();
            assert!(line.split(',').any(|value| value == mistake.value), "{line}");
        }
    }
}
