//! Finds a date and a time in a text by a configured pattern. The whole text must fit.
//!
//! Pure. Whether a pattern can be read in two ways was decided with the configuration.

use chrono::{NaiveDate, NaiveTime};
use shared::config::{Part, Pattern, Unit};

/// What was in the text, by unit.
#[derive(Clone, Debug, Default)]
pub struct PatternMatch {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    is_afternoon: Option<bool>,
}

impl PatternMatch {
    /// The day, if there is such a day.
    pub fn date(&self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, self.month, self.day)
    }

    /// The time of day, if there is such a time.
    pub fn time(&self) -> Option<NaiveTime> {
        let hour = match self.is_afternoon {
            None => self.hour,
            // Noon and midnight are twelve.
            Some(is_afternoon) if (1..=12).contains(&self.hour) => {
                self.hour % 12 + if is_afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
        };
        NaiveTime::from_hms_opt(hour, self.minute, self.second)
    }

    fn set(&mut self, unit: Unit, digits: &str) -> Option<()> {
        let number: u32 = digits.parse().ok()?;
        match unit {
            Unit::Year => self.year = i32::try_from(number).ok()?,
            Unit::ShortYear => self.year = 2000 + i32::try_from(number).ok()?,
            Unit::Month => self.month = number,
            Unit::Day => self.day = number,
            Unit::Hour => self.hour = number,
            Unit::Minute => self.minute = number,
            Unit::Second => self.second = number,
            Unit::Half => return None,
        }
        Some(())
    }
}

/// What the pattern finds in the text.
pub fn find(text: &str, pattern: &Pattern) -> Option<PatternMatch> {
    fit(text, pattern.parts(), &PatternMatch::default())
}

fn fit(text: &str, parts: &[Part], found: &PatternMatch) -> Option<PatternMatch> {
    let Some((part, rest)) = parts.split_first() else {
        return text.is_empty().then(|| found.clone());
    };
    match part {
        Part::Sign(sign) => fit(text.strip_prefix(*sign)?, rest, found),
        Part::Fixed(Unit::Half) => {
            let (word, behind) = text.split_at_checked(2)?;
            let is_afternoon = word.eq_ignore_ascii_case("pm");
            let is_known = is_afternoon || word.eq_ignore_ascii_case("am");
            let found = PatternMatch { is_afternoon: Some(is_afternoon), ..found.clone() };
            fit(behind, rest, &found).filter(|_| is_known)
        }
        Part::Fixed(unit) => fit_digits(text, *unit, unit.digits(), rest, found),
        // `800` by `hmm`: two digits for the hour leave too few for the minutes, so one.
        Part::Short(unit) => {
            fit_digits(text, *unit, 2, rest, found).or_else(|| fit_digits(text, *unit, 1, rest, found))
        }
    }
}

fn fit_digits(
    text: &str,
    unit: Unit,
    count: usize,
    rest: &[Part],
    found: &PatternMatch,
) -> Option<PatternMatch> {
    let (digits, behind) = text.split_at_checked(count)?;
    let mut found = found.clone();
    found.set(unit, digits).filter(|()| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
    fit(behind, rest, &found)
}
