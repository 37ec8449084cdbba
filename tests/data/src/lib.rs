//! Bookings for tests and benches: generated ones of the shape, the size and the dirt of two real files, and the real files
//! where they are present.
//!
//! The generated data is the same in every run. The real files are not part of the project; [`real`] says where they are
//! looked for.

mod chance;
mod hotel;
mod port_calls;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

pub use hotel::{BOOKINGS, FIELDS};
pub use port_calls::Dirt;

/// A source of bookings under its name.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The name in a failing assertion: `generated` or `real`.
    pub name: &'static str,
    /// The CSV text.
    pub csv: String,
    /// The values that are mistakes of typing, in the order of their lines.
    pub dirt: Vec<Dirt>,
}

/// 119,390 hotel bookings of 32 fields, without a field that identifies them.
///
/// # Panics
/// If a real file is required and cannot be read.
pub fn hotel_bookings() -> Vec<DataSet> {
    let generated = DataSet { name: "generated", csv: hotel::generate(), dirt: Vec::new() };
    let real = real("hotel-bookings.csv.gz").map(|bytes| DataSet {
        name: "real",
        csv: unzipped(&bytes),
        dirt: Vec::new(),
    });
    std::iter::once(generated).chain(real).collect()
}

/// The same bookings with a row number in front as their key. Each `change_every`th booking has another hotel.
pub fn numbered(csv: &str, change_every: Option<usize>) -> String {
    let mut out = String::with_capacity(csv.len() + 1_000_000);
    for (number, line) in csv.lines().enumerate() {
        let first = if number == 0 { "row".to_owned() } else { number.to_string() };
        let is_changed = number > 0 && change_every.is_some_and(|every| number.is_multiple_of(every));
        let changed = is_changed.then(|| line.replacen("Hotel", "Grand Hotel", 1));
        out.extend([first.as_str(), ",", changed.as_deref().unwrap_or(line), "\n"]);
    }
    out
}

/// 576 port calls of 20 fields over five seasons, as a harbour office typed them. Vessel and day of arrival identify a call.
///
/// # Panics
/// If a real file is required and cannot be read.
pub fn port_calls() -> Vec<DataSet> {
    let (csv, dirt) = port_calls::generate();
    let generated = DataSet { name: "generated", csv, dirt };
    let real = real("port-calls-2015-2019.csv").map(|bytes| DataSet {
        name: "real",
        csv: text(bytes),
        dirt: port_calls::real_dirt(),
    });
    std::iter::once(generated).chain(real).collect()
}

/// A real file: below `$PORT_JOBS_DATA`, or below `../shared/data` beside the repository. It is required if the variable is
/// set, and may be absent otherwise.
///
/// # Panics
/// If it is required and cannot be read.
pub fn real(name: &str) -> Option<Vec<u8>> {
    let configured = env::var_os("PORT_JOBS_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = configured.as_ref().unwrap_or(&beside).join(name);
    match fs::read(&path) {
        Ok(content) => Some(content),
        Err(error) if configured.is_some() => panic!("$PORT_JOBS_DATA: {}: {error}", path.display()),
        Err(_) => None,
    }
}

/// A real file of lines that is compressed with gzip.
///
/// # Panics
/// As [`real`], and if it is damaged.
pub fn real_lines(name: &str) -> Option<Vec<String>> {
    Some(unzipped(&real(name)?).lines().map(str::to_owned).collect())
}

fn unzipped(bytes: &[u8]) -> String {
    let mut text = String::new();
    let read = flate2::read::GzDecoder::new(bytes).read_to_string(&mut text);
    assert!(read.is_ok(), "the real file is damaged: {read:?}");
    text
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| panic!("the real file is damaged: {error}"))
}
