//! `monitor`: the address that each run pings, in the manner of Healthchecks, or the word that nobody outside watches.

use toml::Value;
use url::Url;

use super::reader::{Reader, kind};
use super::sink::open_address;

/// Who outside is told of each run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// Nobody, and the configuration says so.
    None,
    /// A server that speaks the ping protocol of Healthchecks. `{job}` in the address stands for the job's name.
    Url(Box<Url>),
}

impl Monitor {
    /// Reads `monitor = "none"` or `monitor = { url = "…" }`; none when it is not there.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.value("monitor")? {
            Value::String(word) if word == "none" => Some(Self::None),
            Value::Table(table) => {
                let mut nested = reader.nested("monitor", table);
                let url = nested.needed("url").and_then(|text| open_address(&mut nested, &text));
                if url.as_ref().is_some_and(|url| url.query().is_some() || url.fragment().is_some()) {
                    nested.problem("url", "must end with the path: the run's id is added as a query");
                }
                nested.finish();
                // A problem with the address is reported; nothing is pinged then.
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
