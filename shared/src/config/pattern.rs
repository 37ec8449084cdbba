//! Patterns such as `DD.MM.YYYY` or `hmm`: how a source writes its dates and times. Ambiguous ones are refused.
//!
//! The sync reads values with them.

use super::Type;

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Exactly these digits: two, or four for `YYYY`.
    Fixed(Unit),
    /// One digit or two.
    Short(Unit),
    /// This character.
    Sign(char),
}

/// What a part counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A year of four digits.
    Year,
    /// A year of two digits, 2000 to 2099.
    ShortYear,
    /// A month.
    Month,
    /// A day of the month.
    Day,
    /// An hour: 0 to 23, or 1 to 12 where the pattern has a half of the day.
    Hour,
    /// A minute.
    Minute,
    /// A second.
    Second,
    /// `AM` or `PM`, in any case.
    Half,
}

impl Unit {
    /// How many digits it has where they are fixed.
    pub fn digits(self) -> usize {
        if self == Self::Year { 4 } else { 2 }
    }
}

/// A checked pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

/// The longest spelling of each part first.
const SPELLINGS: [(&str, Part); 12] = [
    ("YYYY", Part::Fixed(Unit::Year)),
    ("YY", Part::Fixed(Unit::ShortYear)),
    ("MM", Part::Fixed(Unit::Month)),
    ("M", Part::Short(Unit::Month)),
    ("DD", Part::Fixed(Unit::Day)),
    ("D", Part::Short(Unit::Day)),
    ("hh", Part::Fixed(Unit::Hour)),
    ("h", Part::Short(Unit::Hour)),
    ("mm", Part::Fixed(Unit::Minute)),
    ("ss", Part::Fixed(Unit::Second)),
    ("am", Part::Fixed(Unit::Half)),
    ("AM", Part::Fixed(Unit::Half)),
];

impl Pattern {
    /// Reads a pattern for a column of this type.
    ///
    /// # Errors
    /// What is wrong with it, without naming it.
    pub fn parse(text: &str, kind: Type) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            let known = SPELLINGS.iter().find(|(spelling, _)| rest.starts_with(spelling));
            let (length, part) = match known {
                Some((spelling, part)) => (spelling.len(), *part),
                None if sign.is_alphanumeric() && sign != 'T' => {
                    return Err(format!(
                        "holds {sign:?}; a pattern is made of YYYY, YY, MM, M, DD, D, hh, h, mm, ss, am and signs between them"
                    ));
                }
                None => (sign.len_utf8(), Part::Sign(sign)),
            };
            parts.push(part);
            rest = &rest[length..];
        }
        check(&parts, kind)?;
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The text in the configuration.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether it has this unit.
    pub fn has(&self, unit: Unit) -> bool {
        units(&self.parts).any(|found| found == unit)
    }
}

fn units(parts: &[Part]) -> impl Iterator<Item = Unit> {
    parts.iter().filter_map(|part| match part {
        Part::Fixed(unit) | Part::Short(unit) => Some(*unit),
        Part::Sign(_) => None,
    })
}

fn count(parts: &[Part], unit: Unit) -> usize {
    units(parts).filter(|found| *found == unit).count()
}

fn check(parts: &[Part], kind: Type) -> Result<(), String> {
    let years = count(parts, Unit::Year) + count(parts, Unit::ShortYear);
    let day = [years, count(parts, Unit::Month), count(parts, Unit::Day)];
    let time = [count(parts, Unit::Hour), count(parts, Unit::Minute)];
    let (needs_day, needs_time) = (kind != Type::Time, kind != Type::Date);
    if day != [usize::from(needs_day); 3] {
        let needs = if needs_day {
            "needs a year, a month and a day, once each"
        } else {
            "is for a time and names a day"
        };
        return Err(needs.to_owned());
    }
    if time != [usize::from(needs_time); 2] {
        let needs =
            if needs_time { "needs hours and minutes, once each" } else { "is for a date and names a time" };
        return Err(needs.to_owned());
    }
    let most = usize::from(needs_time);
    if count(parts, Unit::Second) > most || count(parts, Unit::Half) > most {
        return Err("has seconds or am where none or only one can be".to_owned());
    }
    if parts.windows(2).any(|pair| matches!(pair, [Part::Short(_), Part::Short(_)])) {
        return Err(
            "can be read in two ways: put a sign between M, D and h, or double one of them".to_owned()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_what_its_type_needs_and_nothing_twice() {
        for (text, kind) in [
            ("DD.MM.YYYY", Type::Date),
            ("M/D/YY", Type::Date),
            ("YYYYMMDD", Type::Date),
            ("hmm", Type::Time),
            ("h:mm am", Type::Time),
            ("DD.MM.YYYY hh:mm:ss", Type::DateTime),
            ("YYYY-MM-DDThh:mm", Type::DateTime),
        ] {
            assert!(Pattern::parse(text, kind).is_ok(), "{text}");
        }
        for (text, kind, why) in [
            ("DD.MM", Type::Date, "needs a year"),
            ("DD.MM.YYYY YY", Type::Date, "needs a year"),
            ("hh:mm", Type::Date, "needs a year"),
            ("DD.MM.YYYY hh:mm", Type::Date, "names a time"),
            ("hh", Type::Time, "needs hours and minutes"),
            ("YYYY-MM-DD hh:mm", Type::Time, "names a day"),
            ("DM.YYYY", Type::Date, "two ways"),
            ("%d.%m.%Y", Type::Date, "holds 'd'"),
        ] {
            let refused = Pattern::parse(text, kind).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
