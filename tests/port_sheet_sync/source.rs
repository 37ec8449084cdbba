//! The source is missing, damaged or as a whole of no use: it is told what is wrong with it, and nothing changes.

use serde_json::{Value, json};
use support::{WebServer, World, answer};

use crate::outage::NEWER;
use crate::world;

const MIB: u64 = 1024 * 1024;

/// A sheet in step, whose next source is as a whole unusable: this exit code, error and hint, and nothing happens.
#[track_caller]
fn is_refused(content: Option<&[u8]>, exit: i32, error: &str, hint: &str) {
    let world = world().build();
    world.run(&[]).exit(0);
    match content {
        Some(content) => world.write("export.csv", content),
        None => world.remove(&world.source()),
    }
    refuses(&world, exit, error, hint);
    world.write_source(&NEWER);
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), crate::outage::newest_rows());
}

/// The run fails without a request; sheet, spool and journal stay as they are. `{path}` stands for the source's.
#[track_caller]
fn refuses(world: &World, exit: i32, error: &str, hint: &str) {
    let kept = |world: &World| {
        let of = |dir: &str| world.snapshot(&world.state().join(dir));
        (world.rows(), of("spool"), of("journal"))
    };
    let before = kept(world);
    world.clear_requests();
    let run = world.run(&["--json"]);
    let named = |text: &str| text.replace("{path}", &world.source().display().to_string());
    run.exit(exit).error(&named(error)).hint(&named(hint));
    assert_eq!(run.sheet()["error"], run.json()["error"]);
    assert_eq!(world.requests().len(), 0, "requests were sent");
    assert!(kept(world) == before, "something was changed");
}

#[test]
fn a_missing_file_is_an_outage_of_the_booking_system() {
    let world = world().build();
    let hint = format!("is the export running? ls -la {}", world.dir().display());
    world.remove(&world.source());
    refuses(&world, 69, "cannot read the source {path}: No such file or directory", &hint);
}

#[test]
fn an_empty_file_is_refused() {
    let hint = "look at the export that writes it";
    is_refused(Some(b""), 65, "the source {path} is empty: it has no header line", hint);
    is_refused(Some(b"\n\n"), 65, "the source {path} is empty: it has no header line", hint);
}

#[test]
fn anything_but_a_file_is_refused_and_nothing_waits_for_it() {
    let hint = "see what it is: ls -la {path}";
    let pipe = world().build();
    pipe.remove(&pipe.source());
    pipe.make_fifo(&pipe.source());
    refuses(&pipe, 65, "the source {path} is not a regular file", hint);
    let directory = world().build();
    directory.remove(&directory.source());
    directory.make_private_dir("export.csv");
    refuses(&directory, 65, "the source {path} is not a regular file", hint);
}

#[test]
fn binary_data_is_refused() {
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    let error = "the source {path} is not CSV text: it holds binary data";
    is_refused(Some(picture), 65, error, "see what it is: file {path}");
    let noise: Vec<u8> = (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    is_refused(
        Some(&noise),
        65,
        "the source {path} is not CSV in UTF-8: its first line is not text",
        "file {path}",
    );
}

/// The newest bookings, and a name that no two encodings write alike.
fn named(vessel: &str) -> (String, Value) {
    let mut rows = crate::outage::newest_rows();
    rows[1][1] = json!(vessel);
    (NEWER.join("\n").replace("Alma", vessel), rows)
}

#[test]
fn utf_16_is_known_by_its_mark_and_without_one_by_the_configuration() {
    let (text, rows) = named("Möwe 🌵");
    let marked = format!("\u{feff}{text}\n");
    let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [&little, &big] {
        let world = world().csv_bytes(bytes.clone()).build();
        world.run(&[]).exit(0);
        assert_eq!(json!(world.rows()), rows);
    }
    let unmarked = &little[2..];
    let error = "the source {path} is not CSV text: it holds binary data";
    is_refused(Some(unmarked), 65, error, "see what it is: file {path}");
    let world = world().csv_bytes(unmarked).build();
    world.replace_in_config("kind = \"csv\"", "kind = \"csv\"\nencoding = \"utf-16le\"");
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), rows);
}

#[test]
fn other_encodings_and_separators_are_configured() {
    let (text, rows) = named("Möwe, the second");
    let bytes: Vec<u8> = text.replace(',', ";").replace("Möwe;", "Möwe,").chars().map(|c| c as u8).collect();
    let world = world().csv_bytes(bytes.clone()).build();
    world.replace_in_config(
        "kind = \"csv\"",
        "kind = \"csv\"\ndelimiter = \";\"\nencoding = \"windows-1252\"",
    );
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), rows);
    world.replace_in_config("windows-1252", "shift_jis");
    let bad = [bytes.as_slice(), b"\nB-9;\xff;2026-05-14;1\n"].concat();
    world.write("export.csv", &bad);
    world.run(&[]).exit(65).error("line 6: holds bytes that are not Shift_JIS");
}

#[test]
fn a_mark_of_utf_8_at_the_start_is_no_part_of_the_header() {
    let world = world().csv_bytes(format!("\u{feff}{}\r\n", NEWER.join("\r\n"))).build();
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), crate::outage::newest_rows());
}

#[test]
fn an_export_that_ends_within_a_line_for_the_first_time_was_cut_off() {
    let cut = NEWER.join("\n");
    let cut = &cut.as_bytes()[..cut.len() - 2];
    let error = "the source {path} ends in the middle of a line, which it never did before";
    let hint =
        "look at its end: tail -c 200 {path}; the export should write a new file and rename it into place";
    is_refused(Some(cut), 65, error, hint);

    let server = WebServer::answering([answer("200 OK", &[], format!("{}\n", NEWER.join("\n")).as_bytes())]);
    let world = world().build();
    world.set_source(&format!("kind = \"csv\"\nurl = \"{}\"", server.url("/export.csv")));
    world.run(&[]).exit(0);
    server.answer([answer("200 OK", &[], cut)]);
    let fetched = world.state().join("spool/port-sheet.download");
    world.run(&[]).exit(65).hint_with(&format!("tail -c 200 {}", fetched.display()));

    let world = self::world().csv_bytes(NEWER.join("\n")).build();
    world.run(&[]).exit(0);
    world.write("export.csv", support::BOOKINGS.join("\n").as_bytes());
    world.run(&["--allow-shrink"]).exit(0);
}

#[test]
fn a_command_of_a_hint_takes_a_path_with_blanks() {
    let world = world().build();
    let path = world.path("bookings of may.csv");
    world.set_source(&format!("kind = \"csv\"\npath = {path:?}"));
    world.write("bookings of may.csv", b"\0\0\0\0");
    world.run(&[]).exit(65).hint(&format!("see what it is: file '{}'", path.display()));
}

/// A hundred megabytes without a line break: in place of a header, of a record, and behind a quote never closed.
#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let header = b"booking_id,vessel,arrival,nights\n";
    let piece = vec![b'x'; 1024 * 1024];
    let starts: [&[u8]; 3] = [b"", header, b"booking_id,vessel,arrival,nights\nB-1,\""];
    for start in starts {
        let world = world().build();
        world.write_pieces("export.csv", std::iter::once(start).chain(std::iter::repeat_n(&piece[..], 100)));
        let run = world.process(&["--json"]).memory_limit(64 * MIB).run();
        run.exit(65).error("is not CSV: a record is longer than 8 MiB");
        run.hint(&format!("a quote that is never closed? head -c 300 {}", world.source().display()));
        assert_eq!((world.requests().len(), world.rows().len()), (0, 0));
    }
}

#[test]
fn the_memory_limit_of_the_test_above_lets_an_ordinary_run_pass() {
    let world = world().build();
    world.process(&[]).memory_limit(64 * MIB).run().exit(0);
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn a_header_alone_makes_headers_and_never_empties_a_sheet() {
    let world = world().csv(&["booking_id,vessel"]).build();
    world.run(&[]).exit(0);
    assert_eq!(json!(world.rows()), json!([["booking_id", "vessel"]]));
    world.write_source(&["booking_id,vessel", "B-1,Alma"]);
    world.run(&[]).exit(0);
    world.write_source(&["booking_id,vessel"]);
    world.run(&[]).exit(65).error("the source lost 1 of 1 bookings");
    assert_eq!(json!(world.rows()), json!([["booking_id", "vessel"], ["B-1", "Alma"]]));
}

#[test]
fn a_source_that_lost_too_many_bookings_waits_for_a_person() {
    let world = world().build();
    world.run(&[]).exit(0);
    let before = world.rows();
    world.write_source(&support::BOOKINGS[..2]);
    let run = world.run(&["--json"]);
    run.exit(65);
    run.error("the source lost 2 of 3 bookings, more than max-shrink = \"40%\" allows; nothing was written");
    run.hint("check the export; if the bookings are really gone, run once: port-sheet-sync --sheet port-sheet --allow-shrink");
    assert_eq!(world.rows(), before);
    let accepted = world.run(&["--sheet", "port-sheet", "--allow-shrink", "--json"]);
    assert_eq!(accepted.exit(0).sheet()["removed"], 2);
    assert_eq!(world.rows().len(), 4, "flagged, not deleted");
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0, "accepted once, in step from then on");
}

#[test]
fn max_shrink_says_how_many_are_too_many() {
    let world = world().policy("max-shrink = \"70%\"").build();
    world.run(&[]).exit(0);
    world.write_source(&support::BOOKINGS[..2]);
    world.run(&[]).exit(0);
}

#[test]
fn a_header_that_does_not_fit_is_told_as_it_is() {
    let hint = "did the export change? correct it, or name the new fields in the configuration";
    for (header, error) in [
        (
            "booking_id,ship,arrival,nights",
            "the source has no field \"vessel\"; its header is: booking_id, ship, arrival, nights",
        ),
        (
            "booking_id,vessel,vessel,arrival,nights",
            "the source has the field \"vessel\" more than once; its header is: booking_id, vessel, vessel, arrival, nights",
        ),
    ] {
        is_refused(Some(format!("{header}\nB-1,a,b,c\n").as_bytes()), 65, error, hint);
    }
    for (found, shown) in [("Booking_ID", "Booking_ID"), ("booking_id\u{a0}", "booking_id\\u{a0}")] {
        let header = format!("{found},vessel,arrival,nights");
        let error = format!(
            "the source has no field \"booking_id\", but \"{shown}\"; they differ only by case, blanks or characters that are not seen"
        );
        let hint = format!(
            "correct the export, or name the field as the source does: field = \"{shown}\" in the configuration"
        );
        is_refused(Some(format!("{header}\nB-1,a,b,c\n").as_bytes()), 65, &error, &hint);
    }
    for sign in [";", "\t", "|"] {
        let header = NEWER[0].replace(',', sign);
        let error = format!("the source has no field \"booking_id\"; its header is: {header}");
        let hint = format!(
            "the fields seem to have '{0}' between them: delimiter = {1:?} under the sheet's source",
            sign.escape_debug(),
            sign
        );
        is_refused(Some(format!("{header}\n").as_bytes()), 65, &error, &hint);
    }
}

#[test]
fn a_header_wider_than_any_sheet_is_refused_at_once() {
    let fields: Vec<String> = (0..400_000).map(|at| format!("f{at}")).collect();
    let world = world().csv(&[&fields.join(",")]).key(&["f0"]).build();
    let run = world.process(&["--json"]).without_trace().run();
    run.exit(65)
        .error("the source has 400000 fields, and a sheet has at most 18278 columns; its header is: f0, f1,");
}

#[test]
fn without_configured_columns_every_field_needs_one_name() {
    let hint = "did the export change? correct it, or name the new fields in the configuration";
    for (header, error) in [
        ("id,vessel,vessel", "the source has the field \"vessel\" more than once"),
        (
            "id,vessel,Vessel ",
            "the source has the fields \"vessel\" and \"Vessel \", which differ only by case, blanks or characters that are not seen",
        ),
        ("id,,vessel", "the source has no name for its field 2"),
        ("id,vessel,  ", "the source has no name for its field 3"),
        ("other,vessel", "the source has no field \"id\""),
    ] {
        let world = world().csv(&[header, "1,a,b"]).key(&["id"]).build();
        refuses(&world, 65, error, hint);
    }
}
