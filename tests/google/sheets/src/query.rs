//! The query of a request: its parameters by name, and the refusal of those no method has.
//!
//! Reads text; what a parameter means is the method's business.

use crate::error::Violation;
use crate::mask::Mask;
use crate::render::{DateRender, Rendering, ValueRender};
use crate::{ApiError, schema};

/// Parameters that every Google API takes.
const STANDARD: [&str; 15] = [
    "$.xgafv",
    "$alt",
    "$prettyPrint",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "pp",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "userIp",
];

/// The decoded query.
#[derive(Clone, Copy)]
pub struct Query<'a>(&'a [(String, String)]);

impl<'a> Query<'a> {
    /// Takes the query of a method that knows these parameters of its own.
    ///
    /// # Errors
    /// 400 for any other, in Google's words.
    pub fn of(pairs: &'a [(String, String)], known: &[&str]) -> Result<Self, ApiError> {
        let strange = |name: &str| {
            let camel = schema::camel_case(name);
            !STANDARD.contains(&name) && !known.contains(&camel.as_str())
        };
        let strange: Vec<_> =
            pairs.iter().map(|(name, _)| name.as_str()).filter(|name| strange(name)).collect();
        if strange.is_empty() {
            return Ok(Self(pairs));
        }
        let violations: Vec<_> = strange.into_iter().map(Violation::unknown_parameter).collect();
        Err(ApiError::violations(&violations))
    }

    /// Every value of a parameter, in order.
    pub fn all(self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name || schema::camel_case(key) == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of a parameter, unless it is empty.
    pub fn one(self, name: &'a str) -> Option<&'a str> {
        self.all(name).last().filter(|value| !value.is_empty())
    }

    /// A boolean, written as clients of many languages write it.
    pub fn flag(self, name: &'a str) -> bool {
        self.one(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// An enum value.
    ///
    /// # Errors
    /// 400 when the enum has no such value.
    pub fn choice(self, name: &'a str, kind: &str, path: &str) -> Result<Option<String>, ApiError> {
        self.one(name).map(|text| schema::read_enum(kind, text, path)).transpose()
    }

    /// The response mask; everything when there is none.
    ///
    /// # Errors
    /// 400 when it cannot be read or names a field that `message` does not have.
    pub fn mask(self, message: &str) -> Result<Mask, ApiError> {
        let Some(text) = self.one("fields") else { return Ok(Mask::All) };
        let mask = Mask::parse(text).ok_or_else(|| ApiError::unknown_field(text))?;
        mask.unknown_path(message).map_or(Ok(mask.clone()), |path| Err(ApiError::unknown_field(&path)))
    }

    /// How values must be written out, by the parameters of these two names.
    ///
    /// # Errors
    /// 400 for a value that the enums do not have.
    pub fn rendering(self, values: &'a str, dates: &'a str) -> Result<Rendering, ApiError> {
        let value_path = if values == "valueRenderOption" {
            "value_render_option"
        } else {
            "response_value_render_option"
        };
        let date_path = if dates == "dateTimeRenderOption" {
            "date_time_render_option"
        } else {
            "response_date_time_render_option"
        };
        Ok(Rendering {
            values: ValueRender::read(self.choice(values, "ValueRenderOption", value_path)?.as_deref()),
            dates: DateRender::read(self.choice(dates, "DateTimeRenderOption", date_path)?.as_deref()),
        })
    }
}
