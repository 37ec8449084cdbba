//! A history that is played: how each step is done to the world and to the model.

use std::sync::{Arc, OnceLock};

use google_standin::{Act, Fault};
use proptest::sample::Index;
use serde_json::{Value, json};
use support::{PERSON, Running, TAB, World};

use crate::model::{Booking, Model, Policy};
use crate::sheet::Sheet;
use crate::step::{Disturbance, Failure, Shuffle, Step};

/// A history that is being played.
pub struct History {
    world: World,
    model: Model,
    numbers: u32,
}

impl History {
    /// A sheet in step with its source, with notes beside bookings and a row of a person's own.
    pub fn begin(policy: Policy) -> Self {
        let model = Model::new(
            policy,
            &[("B-1", "Alma", 1), ("B-2", "Borea", 2), ("B-3", "Cirrus", 3), ("B-4", "Dorado", 4)],
        );
        let world = World::of(env!("CARGO_BIN_EXE_port-sheet-sync"))
            .columns(&[
                ("booking_id", "Booking", "text"),
                ("vessel", "Vessel", "text"),
                ("nights", "Nights", "integer"),
            ])
            .policy(&format!("on-missing = {:?}", policy.on_missing))
            .policy(&format!("on-edit = {:?}", policy.on_edit))
            .policy("max-shrink = \"100%\"")
            .build();
        let mut history = Self { world, model, numbers: 4 };
        history.save_source();
        history.run_well();
        // Between two columns of the sync's, where a write that is too wide would reach it.
        let range = history.range("COLUMNS", 2, 3);
        history.world.person_edits(&json!([{"insertDimension": {"range": range}}]));
        history.world.person_writes("C1", "Notes");
        for key in ["B-1", "B-2", "B-4"] {
            history.write_beside("Notes", key, json!(format!("window seat of {key}")));
        }
        history.jot(1);
        history
    }

    /// One step.
    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Book(value) => self.book(*value),
            Step::Cancel(which) => self.cancel(*which),
            Step::Rebook(which) => self.rebook(*which),
            Step::Change(which, value) => self.change(*which, *value),
            Step::Note(which, value) => {
                if let Some(key) = self.in_sheet(*which, |_| true) {
                    self.write_beside("Notes", &key, json!(format!("note {value}")));
                }
            }
            Step::Edit(which, value) => self.edit(*which, *value),
            Step::Jot(value) => self.jot(*value),
            Step::Delete(which) => self.delete(*which),
            Step::AddColumn(at, which) => self.add_column(*at, *which),
            Step::MoveColumn(from, to) => self.move_column(*from, *to),
            Step::Rename => self.rename(),
            Step::Shuffle(shuffle) => self.world.person_edits(&self.shuffled(shuffle)),
            Step::Sync(disturbance) => self.sync(disturbance),
        }
    }

    /// One undisturbed run brings the sheet to what the model says; one more writes nothing.
    pub fn end(&mut self) {
        self.run_well();
        let rows = self.world.rows();
        self.world.clear_requests();
        self.world.run(&[]).exit(0);
        assert_eq!(self.world.counts().writes, 0, "a run after a good one has nothing to do");
        assert_eq!(self.world.rows(), rows);
    }

    fn run_well(&mut self) {
        let overwritten = self.model.to_be_overwritten(&self.sheet());
        self.world.process(&[]).without_trace().run().exit(0);
        self.observe();
        self.model.holds(&self.world, &self.sheet());
        self.model.holds_journal(&overwritten, &self.journal());
    }

    /// All that was ever written down.
    fn journal(&self) -> Vec<Value> {
        let files = self.world.snapshot(&self.world.path("state/journal")).into_values();
        let texts = files.map(|file| String::from_utf8(file.bytes).unwrap());
        texts
            .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
            .collect()
    }

    fn observe(&mut self) {
        let sheet = self.sheet();
        self.model.observe(&sheet);
        self.model.holds_people(&sheet);
    }

    fn sheet(&self) -> Sheet {
        Sheet::read(&self.world, TAB).unwrap()
    }

    fn save_source(&self) {
        let lines = self.model.csv();
        self.world.write_source(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn book(&mut self, value: u16) {
        self.numbers += 1;
        let booking = Booking { vessel: format!("Ship {value}"), nights: value };
        self.model.source.insert(format!("B-{}", self.numbers), booking);
        self.save_source();
    }

    /// A booking that a person's kept edit is in stays: what its return would do to the edit depends on runs in between.
    fn cancel(&mut self, which: Index) {
        let keys = self.model.source.keys().filter(|key| !self.model.over.contains_key(*key));
        let keys: Vec<String> = keys.cloned().collect();
        if let Some(key) = pick(&keys, which).filter(|_| keys.len() > 1) {
            let booking = self.model.source.remove(&key).unwrap();
            self.model.left.insert(key, booking);
            self.save_source();
        }
    }

    fn rebook(&mut self, which: Index) {
        let keys: Vec<String> = self.model.left.keys().cloned().collect();
        if let Some(key) = pick(&keys, which) {
            let booking = self.model.left.remove(&key).unwrap();
            self.model.source.insert(key, booking);
            self.save_source();
        }
    }

    fn change(&mut self, which: Index, value: u16) {
        let keys: Vec<String> = self.model.source.keys().cloned().collect();
        if let Some(booking) = pick(&keys, which).and_then(|key| self.model.source.get_mut(&key)) {
            if value % 3 != 1 {
                booking.nights = value;
            }
            if value % 3 != 2 {
                booking.vessel = format!("Ship {value}");
            }
            self.save_source();
        }
    }

    /// The key of one of the rows of bookings.
    fn in_sheet(&self, which: Index, fits: impl Fn(&str) -> bool) -> Option<String> {
        let sheet = self.sheet();
        let keys: Vec<String> =
            sheet.bookings().map(|(_, key, _)| key.to_owned()).filter(|key| fits(key)).collect();
        pick(&keys, which)
    }

    fn write(&self, header: &str, key: &str, value: &Value) {
        let sheet = self.sheet();
        let (row, _, _) = sheet.bookings().find(|(_, in_sheet, _)| *in_sheet == key).unwrap();
        self.world.person_writes(&sheet.cell(header, row), value.clone());
    }

    fn write_beside(&mut self, header: &str, key: &str, value: Value) {
        self.write(header, key, &value);
        self.model.beside.entry(key.to_owned()).or_default().insert(header.to_owned(), value);
    }

    /// People's values are distinguished from the source's, so that no one can take one for the other.
    fn edit(&mut self, which: Index, value: u16) {
        let Some(key) = self.in_sheet(which, |key| self.model.source.contains_key(key)) else { return };
        let (header, value) = match value % 2 {
            0 => ("Nights", json!(100 + value)),
            _ => ("Vessel", json!(format!("Person's {value}"))),
        };
        let before =
            self.sheet().bookings().find(|(_, in_sheet, _)| *in_sheet == key).unwrap().2[header].clone();
        self.write(header, &key, &value);
        match self.model.policy.on_edit {
            "keep" => drop(self.model.over.entry(key).or_default().insert(header.to_owned(), value)),
            "fail" => {
                self.refused();
                self.write(header, &key, &before);
            }
            _ => {}
        }
    }

    /// A run that was killed may have left a hidden tab of its own, which the next one removes whatever it finds then.
    fn refused(&self) {
        let hidden_tab = u64::from(self.world.path("state/spool/port-sheet.copies").exists());
        let rows = self.world.rows();
        self.world.clear_requests();
        self.world.process(&[]).without_trace().run().exit(65);
        assert!(
            self.world.counts().writes as u64 <= hidden_tab,
            "nothing is written by a run that is refused"
        );
        assert_eq!(self.world.rows(), rows);
    }

    fn jot(&mut self, value: u16) {
        let sheet = self.sheet();
        let text = json!(format!("remember {value}"));
        let row = sheet.end() + usize::from(value % 3);
        let header = if value.is_multiple_of(2) { "Notes" } else { "Vessel" };
        self.grow(row);
        self.world.person_writes(&sheet.cell(header, row), text.clone());
        self.model.strangers.push([(header.to_owned(), text)].into());
    }

    /// A sheet in a browser has rows enough; this one may be full.
    fn grow(&self, row: usize) {
        self.world.person_edits(&json!([{
            "appendDimension": {"sheetId": self.world.tab_id(), "dimension": "ROWS", "length": row}
        }]));
    }

    fn delete(&mut self, which: Index) {
        let Some(key) = self.in_sheet(which, |_| true) else { return };
        let sheet = self.sheet();
        let (row, _, _) = sheet.bookings().find(|(_, in_sheet, _)| *in_sheet == key).unwrap();
        let range = self.range("ROWS", row - 1, row);
        self.world.person_edits(&json!([{"deleteDimension": {"range": range}}]));
        self.model.row_deleted(&key);
    }

    fn add_column(&mut self, at: Index, which: Index) {
        self.numbers += 1;
        let header = format!("Extra {}", self.numbers);
        let at = at.index(self.sheet().header.len() + 1);
        let range = self.range("COLUMNS", at, at + 1);
        self.world.person_edits(&json!([{"insertDimension": {"range": range}}]));
        let letter = char::from(b'A' + u8::try_from(at).unwrap());
        self.world.person_writes(&format!("{letter}1"), header.clone());
        if let Some(key) = self.in_sheet(which, |_| true) {
            self.write_beside(&header, &key, json!("extra"));
        }
    }

    fn move_column(&mut self, from: Index, to: Index) {
        self.world.person_edits(&self.moved_column(&self.sheet(), from, to));
    }

    fn moved_column(&self, sheet: &Sheet, from: Index, to: Index) -> Value {
        let columns = sheet.header.len();
        let (from, to) = (from.index(columns), to.index(columns));
        let to = if to > from { to + 1 } else { to };
        json!([{"moveDimension": {"source": self.range("COLUMNS", from, from + 1), "destinationIndex": to}}])
    }

    fn rename(&mut self) {
        let header = self.sheet().cell("Vessel", 1);
        self.world.person_writes(&header, "Ship");
        self.refused();
        self.world.person_writes(&header, "Vessel");
    }

    fn range(&self, dimension: &str, from: usize, to: usize) -> Value {
        json!({"sheetId": self.world.tab_id(), "dimension": dimension, "startIndex": from, "endIndex": to})
    }

    /// The person's request. Rows are picked from the sheet as it is now.
    fn shuffled(&self, shuffle: &Shuffle) -> Value {
        let sheet = self.sheet();
        match shuffle {
            Shuffle::InsertColumn(at) => {
                let at = at.index(sheet.header.len() + 1);
                return json!([{"insertDimension": {"range": self.range("COLUMNS", at, at + 1)}}]);
            }
            Shuffle::MoveColumn(from, to) => return self.moved_column(&sheet, *from, *to),
            Shuffle::Insert(_) | Shuffle::Move(..) | Shuffle::Sort(..) => {}
        }
        let rows = sheet.end() - 2;
        if rows == 0 {
            return json!([{"insertDimension": {"range": self.range("ROWS", 1, 2)}}]);
        }
        match shuffle {
            Shuffle::Insert(at) => {
                let at = 1 + at.index(rows);
                json!([{"insertDimension": {"range": self.range("ROWS", at, at + 1)}}])
            }
            Shuffle::Move(from, to) => {
                let (from, to) = (1 + from.index(rows), 1 + to.index(rows));
                let to = if to > from { to + 1 } else { to };
                json!([{"moveDimension": {"source": self.range("ROWS", from, from + 1), "destinationIndex": to}}])
            }
            Shuffle::Sort(by, up) => json!([{"sortRange": {
                "range": {"sheetId": self.world.tab_id(), "startRowIndex": 1, "endRowIndex": rows + 1},
                "sortSpecs": [{"dimensionIndex": by.index(sheet.header.len()), "sortOrder": if *up { "ASCENDING" } else { "DESCENDING" }}],
            }}]),
            Shuffle::InsertColumn(_) | Shuffle::MoveColumn(..) => json!([]),
        }
    }

    fn sync(&mut self, disturbance: &Disturbance) {
        match disturbance {
            Disturbance::Nothing => {}
            Disturbance::Failure(nth, failure) => self.world.fault(failing(*nth, *failure)),
            Disturbance::Kill(nth, applied) => return self.kill(*nth, *applied),
            Disturbance::Person(nth, shuffle) => self.interrupt(*nth, shuffle),
        }
        self.run_well();
        self.world.server.clear_faults();
    }

    fn interrupt(&self, nth: u64, shuffle: &Shuffle) {
        let path = format!("/v4/spreadsheets/{}:batchUpdate", self.world.spreadsheet);
        let edit = json!({"requests": self.shuffled(shuffle)});
        let google = self.world.server.admin();
        let act = Act::new(move || {
            let (status, answer) = google.call_as(PERSON, "POST", &path, Some(&edit));
            assert_eq!(status, 200, "{answer}");
        });
        self.world.fault(Fault { meanwhile: Some(act), ..nth_of_google(nth) });
    }

    fn kill(&mut self, nth: u64, applied: bool) {
        let process = Arc::new(OnceLock::new());
        let victim = Arc::clone(&process);
        let act = Act::new(move || {
            let pid: u32 = *victim.wait();
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        });
        // Not in between: what is done by then must not be done while the next person writes.
        let (meanwhile, afterwards) = if applied { (None, Some(act)) } else { (Some(act), None) };
        self.world.fault(Fault { meanwhile, afterwards, reset: !applied, ..nth_of_google(nth) });
        let running: Running<'_> = self.world.process(&[]).without_trace().spawn();
        process.set(running.pid()).unwrap();
        let run = running.wait();
        self.world.server.clear_faults();
        match run.signal {
            Some(signal) => assert_eq!(signal, 9),
            None => assert_eq!(run.code, Some(0), "{}", run.stderr),
        }
        self.observe();
    }
}

fn nth_of_google(nth: u64) -> Fault {
    Fault { nth, path: Some("^/v4/".to_owned()), ..Fault::default() }
}

fn failing(nth: u64, failure: Failure) -> Fault {
    let fault = nth_of_google(nth);
    match failure {
        Failure::Status(status) => Fault { status: Some(status), ..fault },
        Failure::Reset => Fault { reset: true, ..fault },
        Failure::AnswerLost => Fault { apply_then_reset: true, ..fault },
        Failure::AnswerCut => Fault { cut: true, ..fault },
    }
}

fn pick(keys: &[String], which: Index) -> Option<String> {
    (!keys.is_empty()).then(|| which.get(keys).clone())
}
