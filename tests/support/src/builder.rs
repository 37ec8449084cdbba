//! Describes a world before it is made. Everything has a default, so a test names only what it is about.

use std::fmt::Write as _;

use google_standin::{Options, Person, Server, Tab};
use serde_json::Value;

use crate::sheet::{PERSON, TAB};
use crate::world::World;

/// The bookings of a world that names none.
pub const BOOKINGS: [&str; 4] = [
    "booking_id,vessel,arrival,nights",
    "B-101,Alma,2026-05-13,3",
    "B-102,Borea,2026-05-14,2",
    "B-103,Cirrus,2026-05-15,5",
];

/// The columns of those bookings: field, header, type.
const COLUMNS: [(&str, &str, &str); 4] = [
    ("booking_id", "Booking", "text"),
    ("vessel", "Vessel", "text"),
    ("arrival", "Arrival", "date"),
    ("nights", "Nights", "integer"),
];

/// Whose credential the job uses.
enum Account {
    Person(Person),
    Robot,
}

/// A world to be.
#[must_use = "nothing is made before `build`"]
pub struct Builder {
    executable: String,
    csv: Vec<u8>,
    key: Vec<String>,
    columns: Vec<(String, String, String)>,
    notations: Vec<(String, String)>,
    policies: String,
    google: String,
    per_minute: (u32, u32),
    tables: String,
    grid: (u32, u32),
    account: Account,
    is_shared: bool,
    any_token: bool,
}

impl Builder {
    pub(crate) fn new(executable: &str) -> Self {
        let owned = |(field, header, kind): (&str, &str, &str)| (field.into(), header.into(), kind.into());
        Self {
            executable: executable.to_owned(),
            csv: lines(&BOOKINGS),
            key: vec!["booking_id".to_owned()],
            columns: COLUMNS.map(owned).to_vec(),
            notations: Vec::new(),
            policies: String::new(),
            google: String::new(),
            per_minute: (100_000, 100_000),
            tables: String::new(),
            grid: (20, 8),
            account: Account::Person(Person::default()),
            is_shared: true,
            any_token: false,
        }
    }

    /// The source's lines. All its fields become text columns, and the first one is the key.
    pub fn csv(self, text: &[&str]) -> Self {
        let first = text.first().and_then(|header| header.split(',').next()).unwrap_or_default();
        let key = vec![first.to_owned()];
        Self { csv: lines(text), key, columns: Vec::new(), ..self }
    }

    /// The source's bytes; columns and key stay as they are.
    pub fn csv_bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { csv: bytes.into(), ..self }
    }

    /// The fields that identify a booking.
    pub fn key(self, fields: &[&str]) -> Self {
        Self { key: fields.iter().map(|field| (*field).to_owned()).collect(), ..self }
    }

    /// The owned columns: field, header and type of each. None means every field as text.
    pub fn columns(self, columns: &[(&str, &str, &str)]) -> Self {
        let owned =
            |(field, header, kind): &(&str, &str, &str)| ((*field).into(), (*header).into(), (*kind).into());
        Self { columns: columns.iter().map(owned).collect(), ..self }
    }

    /// One more line of a column's table, such as `decimal = ","`.
    pub fn notation(mut self, field: &str, line: &str) -> Self {
        self.notations.push((field.to_owned(), line.to_owned()));
        self
    }

    /// One line of the sheet's table, such as `on-missing = "keep"`.
    pub fn policy(mut self, line: &str) -> Self {
        let _ = writeln!(self.policies, "{line}");
        self
    }

    /// One line of `[google]`, such as `timeout = "300ms"`.
    pub fn google(mut self, line: &str) -> Self {
        let _ = writeln!(self.google, "{line}");
        self
    }

    /// How many reads and writes a minute its credential has. By default so many that no test waits for a real minute.
    pub fn per_minute(self, reads: u32, writes: u32) -> Self {
        Self { per_minute: (reads, writes), ..self }
    }

    /// Whole tables at the end of the configuration.
    pub fn tables(mut self, text: &str) -> Self {
        let _ = writeln!(self.tables, "\n{text}");
        self
    }

    /// The rows and columns of the tab's grid.
    pub fn grid(self, rows: u32, columns: u32) -> Self {
        Self { grid: (rows, columns), ..self }
    }

    /// A person's credential with a say in how the grant behaves.
    pub fn person(self, person: Person) -> Self {
        Self { account: Account::Person(person), ..self }
    }

    /// A service account's key instead of a person's credential.
    pub fn service_account(self) -> Self {
        Self { account: Account::Robot, ..self }
    }

    /// The sheet is not shared with the job's account, only with people.
    pub fn not_shared(self) -> Self {
        Self { is_shared: false, ..self }
    }

    /// Google takes every access token, so that a test can make up the token endpoint's answers.
    pub fn any_token(self) -> Self {
        Self { any_token: true, ..self }
    }

    /// Makes it: a directory of its own, a stand-in for Google, a spreadsheet, a source, a credential, a config.
    ///
    /// # Panics
    /// When the machine does not let it, which leaves a test nothing to do.
    pub fn build(self) -> World {
        let options = Options { any_token: self.any_token, ..Options::default() };
        let server = Server::with(options).expect("a stand-in on a free loopback port");
        let credential = match &self.account {
            Account::Person(person) => server.person(person.clone()),
            Account::Robot => server.service_account(),
        };
        let account = account_of(&credential);
        let tab = Tab { title: TAB.to_owned(), rows: self.grid.0, columns: self.grid.1 };
        let everybody = [PERSON, account.as_str()];
        let share = if self.is_shared { &everybody[..] } else { &everybody[..1] };
        let spreadsheet = server.spreadsheet("Ports", &[tab], share);
        let dir = tempfile::Builder::new().prefix("world-").tempdir().expect("a directory for the test");
        let world = World::new(self.executable.clone(), dir, server, spreadsheet, account);
        world.make_private_dir("state/credentials");
        world.write_credential(&credential);
        world.write("export.csv", &self.csv);
        world.write("config.toml", self.config(&world).as_bytes());
        world
    }

    fn config(&self, world: &World) -> String {
        let mut text = format!(
            "state-dir = {:?}\nmonitor = \"none\"\n\n[google]\nsheets-url = \"{}/\"\n",
            world.state(),
            world.server.url()
        );
        if !self.google.contains("first-pause") {
            text.push_str("first-pause = \"1ms\"\n");
        }
        let _ = write!(
            text,
            "{}\n[credential.port-sheet]\nfile = \"port-sheet.json\"\n\
             reads-per-minute = {}\nwrites-per-minute = {}\n\n\
             [sheet.port-sheet]\ncredential = \"port-sheet\"\nspreadsheet = {:?}\ntab = {TAB:?}\nkey = {:?}\n{}\n\
             [sheet.port-sheet.source]\nkind = \"csv\"\npath = {:?}\n",
            self.google,
            self.per_minute.0,
            self.per_minute.1,
            world.spreadsheet,
            self.key,
            self.policies,
            world.source()
        );
        for (field, header, kind) in &self.columns {
            let _ = write!(
                text,
                "\n[[sheet.port-sheet.column]]\nfield = {field:?}\nheader = {header:?}\ntype = {kind:?}\n"
            );
            for (_, line) in self.notations.iter().filter(|(of, _)| of == field) {
                let _ = writeln!(text, "{line}");
            }
        }
        text.push_str(&self.tables);
        text
    }
}

/// The address that a credential's sheet must be shared with.
fn account_of(credential: &Value) -> String {
    let field = |name: &str| credential[name].as_str().map(str::to_owned);
    field("client_email").or_else(|| field("account")).expect("the stand-in names the account")
}

/// Lines as a file, the last one ended too.
pub(crate) fn lines(text: &[&str]) -> Vec<u8> {
    text.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}
