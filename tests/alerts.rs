//! Who hears what, when, and through which sink. Read this as a table of contents.
//!
//! Executables are run as processes; sinks are a real HTTP server, a real mail server and real programs. Simulated time is
//! the process's own clock.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// Twelve hours of failure, with sinks that fail at random: none lost, none twice.
#[path = "alerts/incident.rs"]
mod incident;

/// One alert through each kind of sink, and sinks that hang, break or refuse.
#[path = "alerts/sinks.rs"]
mod sinks;

/// A real mail server gets a well-formed mail, and the password only once the connection is secure.
#[path = "alerts/mail.rs"]
mod mail;

/// What is reported of whom: one alert a cause, of the subject that it is about, without bookings.
#[path = "alerts/subjects.rs"]
mod subjects;

/// `--test-alert`.
#[path = "alerts/test_alert.rs"]
mod test_alert;

/// Even without a configuration or records someone hears of it.
#[path = "alerts/broken.rs"]
mod broken;

use serde_json::Value;
use support::{Builder, Receiver, World};

/// A world for the sync.
fn world() -> Builder {
    World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))
}

/// The table of a webhook.
fn webhook(name: &str, receiver: &Receiver) -> String {
    format!("[[alert.sink]]\nname = {name:?}\nkind = \"webhook\"\nurl = \"{}hook\"\n", receiver.url())
}

/// A world whose alerts go to one webhook.
fn hooked(receiver: &Receiver) -> Builder {
    world().tables(&webhook("hook", receiver))
}

/// What an alert says happened, and to whom. Each fits the shipped schema.
fn told(alerts: &[Value]) -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/alert.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for alert in alerts {
        jsonschema::validate(&schema, alert).unwrap_or_else(|error| panic!("{error}: {alert}"));
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    alerts.iter().map(|alert| (text(&alert["subject"]), text(&alert["event"]))).collect()
}

/// The same as literals.
fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(subject, event)| ((*subject).to_owned(), (*event).to_owned())).collect()
}

/// How each sink is in the records: its name, failures in a row, the last error.
fn sink_states(world: &World) -> Vec<(String, i64, Option<String>)> {
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    let mut query = database.prepare("SELECT name, failures, error FROM sink ORDER BY name").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(|row| row.unwrap()).collect()
}
