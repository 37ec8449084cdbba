//! Replays traffic of the real Sheets API against the model and compares every answer, to the byte: exchanges written from
//! Google's documentation, and a recording where it is present.
//!
//! What is mapped: the ids that Google picks at random (new tabs, named and protected ranges), from each reply on.
//! What is left out: exchanges with a spreadsheet whose beginning was not recorded, and those of Drive.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use sheets_model::{Call, Spreadsheet};

/// What Google's guides and its reference of the Sheets API say that a request is answered with.
const DOCUMENTED: &str = include_str!("documented.jsonl");

const RECORDING: &str = "google-traffic.jsonl.gz";

/// Who made the recordings, by the name they were given in them.
const CALLER: &str = "user1@example.com";

/// Fields that hold an id, and where a reply reports a new one.
const IDS: [&str; 3] = ["sheetId", "namedRangeId", "protectedRangeId"];

#[derive(Default)]
struct Replay {
    books: HashMap<String, Book>,
    tally: BTreeMap<String, (u32, u32)>,
    differences: Vec<String>,
    left_out: u32,
}

/// A spreadsheet under test, and Google's ids beside the model's.
struct Book {
    model: Spreadsheet,
    ids: Vec<(Value, Value)>,
}

#[test]
fn the_model_answers_as_google_does() {
    let documented = played(DOCUMENTED.lines());
    assert_eq!(documented.counts(), (17, 17), "{}", documented.differences.join("\n"));
    // The recording is not part of the project.
    for lines in test_data::real_lines(RECORDING).iter() {
        let recorded = played(lines.iter().map(String::as_str));
        recorded.report();
        let (exact, all) = recorded.counts();
        assert!(all > 600, "only {all} exchanges were replayed");
        assert!(exact * 10 >= all * 9, "{exact} of {all} exact\n{}", recorded.differences.join("\n"));
    }
}

fn played<'a>(lines: impl Iterator<Item = &'a str>) -> Replay {
    let mut replay = Replay::default();
    for line in lines {
        replay.play(&serde_json::from_str(line).unwrap());
    }
    replay
}

impl Replay {
    fn play(&mut self, exchange: &Value) {
        let path = exchange["path"].as_str().unwrap();
        if exchange["host"] != "sheets.googleapis.com" {
            self.drive(exchange, path);
            return;
        }
        let id = spreadsheet_id(path);
        match self.books.get_mut(id) {
            Some(book) if exchange["status"] != 403 => {
                let kind = kind(exchange, id);
                let difference = book.difference(exchange, id);
                let entry = self.tally.entry(kind.clone()).or_default();
                entry.1 += 1;
                match difference {
                    None => entry.0 += 1,
                    Some(difference) => self
                        .differences
                        .push(format!("{kind} {} #{}\n{difference}", exchange["test"], exchange["seq"])),
                }
            }
            _ => self.left_out += 1,
        }
    }

    /// A file made through Drive, or copied there, is where a recording begins.
    fn drive(&mut self, exchange: &Value, path: &str) {
        let answer = &exchange["response_body"];
        let makes_file =
            exchange["method"] == "POST" && (path.ends_with("/files") || path.ends_with("/copy"));
        if let (true, Some(id), Some(name)) = (makes_file, answer["id"].as_str(), answer["name"].as_str()) {
            self.books.insert(id.to_owned(), Book { model: Spreadsheet::new(id, name), ids: Vec::new() });
        }
    }

    /// How many exchanges were answered exactly, of how many.
    fn counts(&self) -> (u32, u32) {
        self.tally.values().fold((0, 0), |(exact, all), (good, seen)| (exact + good, all + seen))
    }

    #[expect(clippy::print_stdout, reason = "the count is what the test is read for")]
    fn report(&self) {
        for (kind, (exact, all)) in &self.tally {
            println!("{exact:4} of {all:4}  {kind}");
        }
        let (exact, all) = self.counts();
        println!("{} left out: no recorded beginning", self.left_out);
        println!("{}", self.differences.join("\n"));
        println!("{exact} of {all} exact");
    }
}

impl Book {
    /// How the model's answer differs from the recorded one, if it does.
    fn difference(&mut self, exchange: &Value, id: &str) -> Option<String> {
        let path = exchange["path"].as_str().unwrap();
        let rest = path.split_once(id).unwrap().1;
        let body = translated(&exchange["request_body"], &self.ids);
        let query: Vec<(String, String)> = serde_json::from_value(exchange["query"].clone()).unwrap();
        let call = Call {
            method: exchange["method"].as_str().unwrap(),
            rest,
            query: &query,
            body: Some(&body).filter(|body| !body.is_null()),
            caller: CALLER,
        };
        let (status, answer) = match self.model.handle(&call) {
            Ok(answer) => (200, answer.body),
            Err(error) => (error.code, error.body()),
        };
        let recorded = &exchange["response_body"];
        learn(&recorded["replies"], &answer["replies"], &mut self.ids);
        let expected = format!("{} {}", exchange["status"], translated(recorded, &self.ids));
        let got = format!("{status} {answer}");
        (expected != got).then(|| format!("  google: {expected}\n  model:  {got}"))
    }
}

/// Pairs up the ids in two lists of replies.
fn learn(google: &Value, model: &Value, ids: &mut Vec<(Value, Value)>) {
    match (google, model) {
        (Value::Array(google), Value::Array(model)) => {
            google.iter().zip(model).for_each(|(google, model)| learn(google, model, ids));
        }
        (Value::Object(google), Value::Object(model)) => {
            for (name, google) in google {
                let Some(model) = model.get(name) else { continue };
                if IDS.contains(&name.as_str()) && google != model {
                    ids.push((google.clone(), model.clone()));
                }
                learn(google, model, ids);
            }
        }
        _ => {}
    }
}

/// A message with Google's ids replaced by the model's.
fn translated(message: &Value, ids: &[(Value, Value)]) -> Value {
    match message {
        Value::Array(items) => Value::Array(items.iter().map(|item| translated(item, ids)).collect()),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let known = ids.iter().find(|(google, _)| IDS.contains(&name.as_str()) && google == value);
                (name.clone(), known.map_or_else(|| translated(value, ids), |(_, model)| model.clone()))
            };
            Value::Object(fields.iter().map(field).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn spreadsheet_id(path: &str) -> &str {
    let rest = path.strip_prefix("/v4/spreadsheets/").unwrap_or_default();
    rest.split(['/', ':']).next().unwrap_or_default()
}

/// `GET values`, `POST batchUpdate addSheet` and so on.
fn kind(exchange: &Value, id: &str) -> String {
    let path = exchange["path"].as_str().unwrap();
    let rest = path.split_once(id).unwrap().1;
    let method = exchange["method"].as_str().unwrap();
    if let Some(values) = rest.strip_prefix("/values/") {
        let verb = values.rsplit_once(':').map_or("", |(_, verb)| verb);
        return format!("{method} values {verb}");
    }
    let requests = exchange["request_body"]["requests"].as_array().into_iter().flatten();
    let mut kinds: Vec<&String> = requests.flat_map(|request| request.as_object().unwrap().keys()).collect();
    kinds.dedup();
    format!("{method} {rest} {kinds:?}")
}
