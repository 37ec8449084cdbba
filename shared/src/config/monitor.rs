//! `monitor`: the address that each run pings, as Healthchecks defines it, or `"none"`.

use toml::Value;
use url::Url;

use super::reader::{Reader, kind};
use super::sink::open_address;

/// Where each run reports that it began and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// Nowhere. The configuration must say so.
    None,
    /// A server with the ping protocol of Healthchecks. `{job}` in the address is replaced by the job's name.
    Url(Box<Url>),
}

impl Monitor {
    /// Reads `monitor = "none"` or `monitor = { url = "…" }`. `None` if the key is missing or wrong.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.value("monitor")? {
            Value::String(word) if word == "none" => Some(Self::None),
            Value::Table(table) => {
                let mut nested = reader.nested("monitor", table);
                let url = nested.required("url").and_then(|text| open_address(&mut nested, &text));
                if url.as_ref().is_some_and(|url| url.query().is_some() || url.fragment().is_some()) {
                    nested.problem("url", "must end with the path: the run's id is added as a query");
                }
                nested.finish();
                // With a wrong address, which is reported, the run pings nowhere.
                Some(url.map_or(Self::None, |url| Self::Url(Box::new(url))))
            }
            other => {
                let what = "must be \"none\" or { url = \"https://…\" }";
                reader.problem("monitor", format!("{what}, not {}", kind(&other)));
                None
            }
        }
    }
}
