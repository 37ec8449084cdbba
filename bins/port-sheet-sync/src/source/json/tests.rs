use crate::source::Record;
use crate::source::json::*;

/// Remembers everything as text.
#[derive(Default)]
struct Heard {
    fields: Vec<String>,
    records: Vec<String>,
}

impl RecordSink for Heard {
    fn begin(&mut self, head: Head) -> Result<()> {
        self.fields = head.fields;
        Ok(())
    }

    fn record(&mut self, at: u64, record: Record<'_, '_>) -> Result<()> {
        let notation = shared::config::Notation::default();
        let text = match record {
            Ok(fields) => fields.iter().map(|field| field.to_text(&notation)).collect::<Vec<_>>().join("|"),
            Err(reason) => reason,
        };
        self.records.push(format!("{at}: {text}"));
        Ok(())
    }
}

fn heard(text: &str, pointer: &str, wanted: Option<&[&str]>) -> Result<Heard> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.json");
    shared::sys::atomic_file::replace(&path, text.as_bytes()).unwrap();
    let export = Export::open("export.json".to_owned(), &path)?;
    let wanted = wanted.map(|fields| fields.iter().map(|field| (*field).to_owned()).collect());
    let mut heard = Heard::default();
    read(export, pointer, wanted, &mut heard)?;
    Ok(heard)
}

fn records(text: &str, wanted: &[&str]) -> Vec<String> {
    heard(text, "", Some(wanted)).unwrap().records
}

#[test]
fn fields_are_found_by_name_and_by_pointer_and_numbers_stay_as_written() {
    let text = r#"[{"id": 1.10, "customer": {"name": "Ada", "a/b": [7, {"x": true}]}, "more": [[1]]}, {"id": null}]"#;
    let wanted = ["id", "/customer/name", "/customer/a~1b/1/x"];
    assert_eq!(records(text, &wanted), ["1: 1.10|Ada|true", "2: ||"]);
}

#[test]
fn objects_one_after_the_other_are_told_by_their_lines() {
    let text = "{\"id\": 1}\n\n{\"id\": 2}\r\n 5\n{\"id\": {}}\n";
    let told = ["1: 1", "3: 2", "4: is a number, not an object"];
    let heard = records(text, &["id"]);
    assert_eq!(heard[..3], told);
    assert!(heard[3].starts_with("5: field \"id\" holds an object; name a part of it"), "{heard:?}");
}

#[test]
fn the_array_at_a_pointer_is_read_and_the_rest_checked() {
    let text = r#"{"ok": true, "data": [{"x": 1}, {"bookings": [{"id": 1}], "n": {"bookings": 3}}], "z": 0}"#;
    assert_eq!(heard(text, "/data/1/bookings", Some(&["id"])).unwrap().records, ["1: 1"]);
    for pointer in ["/data/2", "/none", "/ok/1"] {
        let failure = heard(text, pointer, Some(&["id"])).err().unwrap();
        assert!(failure.message.contains("has nothing at pointer"), "{failure}");
    }
    let failure = heard(text, "/ok", Some(&["id"])).err().unwrap();
    assert!(failure.message.contains("holds no array of bookings but a boolean"), "{failure}");
}

#[test]
fn a_document_cut_anywhere_is_refused() {
    let text = r#"{"data": [{"id": 1, "name": "Ada"}, {"id": 2}], "end": [true]}"#;
    assert!(heard(text, "/data", Some(&["id"])).is_ok());
    for length in 1..text.len() {
        assert!(heard(&text[..length], "/data", Some(&["id"])).is_err(), "{}", &text[..length]);
    }
    let cut = heard("[{\"id\": 1},\n{\"id\":", "", Some(&["id"])).err().unwrap();
    assert!(cut.message.contains("is cut off: its JSON ends on line 2, column 7"), "{cut}");
    let behind = heard("[{\"id\": 1}] []", "", Some(&["id"])).err().unwrap();
    assert!(behind.message.contains("continues after its end"), "{behind}");
}

#[test]
fn without_configured_columns_the_first_record_names_the_fields() {
    let heard = heard(r#"[{"id": 1, "/x": "a"}, {"id": 2}, {"id": 3, "new": 1}]"#, "", None).unwrap();
    assert_eq!(heard.fields, ["id", "/x"]);
    assert_eq!(heard.records[..2], ["1: 1|a", "2: 2|"]);
    assert!(heard.records[2].starts_with("3: has the field \"new\", which the first record has not"));
}

#[test]
fn a_field_that_no_record_has_and_a_name_that_stands_twice_are_refused() {
    let failure = heard(r#"[{"id": 1}]"#, "", Some(&["id", "vesel"])).err().unwrap();
    assert!(failure.message.contains("has no field \"vesel\" in any of its 1 records"), "{failure}");
    assert_eq!(records(r#"[{"id": 1, "id": 2}]"#, &["id"]), ["1: has the field \"id\" twice"]);
    assert!(heard("[]", "", None).err().unwrap().message.contains("holds no record"));
    assert!(heard(" \n", "", None).err().unwrap().message.contains("is empty"));
}
