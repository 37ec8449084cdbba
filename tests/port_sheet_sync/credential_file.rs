//! A credential file is used only if no one else can read or replace it. It is refused, with the command to type, and
//! never repaired in silence; nothing is sent before it is accepted.

use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use serde_json::{Value, json};
use support::World;

use crate::world;

const PUT_A_CREDENTIAL: &str =
    "put a service-account key or an authorized_user file from Google there, with mode 0600";

/// The run ends with 77, this message and exactly this hint; no request was sent, no file touched.
#[track_caller]
fn is_refused(world: &World, message: &str, hint: &str) {
    let credentials = world.state().join("credentials");
    let before = world.snapshot(&credentials);
    let run = world.run(&["--json"]);
    run.exit(77).error(message).hint(hint);
    let error = &run.json()["error"];
    assert_eq!((&error["kind"], &error["hint"]), (&json!("credential"), &json!(hint)));
    assert_eq!(world.requests().len(), 0, "requests were sent");
    assert_eq!(world.rows().len(), 0, "the sheet was written");
    assert_eq!(world.snapshot(&credentials), before, "the credential or something beside it was touched");
}

/// As above, for the job's own file; the message begins with its path.
#[track_caller]
fn file_is_refused(world: &World, why: &str, hint: &str) {
    is_refused(world, &format!("{} {why}", world.credential().display()), hint);
}

#[track_caller]
fn content_is_refused(change: impl FnOnce(&mut Value), why: &str, hint: &str) {
    let world = world().build();
    let mut credential = world.credential_json();
    change(&mut credential);
    world.write_credential(&credential);
    file_is_refused(&world, why, hint);
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_file_that_others_may_read_is_refused_with_the_chmod_to_type() {
    for mode in [0o644, 0o640, 0o604, 0o660, 0o601] {
        let world = world().build();
        world.set_mode(&world.credential(), mode);
        let why = format!("has mode {mode:04o}: others may have read the secret in it");
        file_is_refused(&world, &why, &format!("chmod 600 {}", shown(&world.credential())));
    }
}

#[test]
fn the_command_in_the_hint_mends_it() {
    let world = world().build();
    world.set_mode(&world.credential(), 0o644);
    world.run(&[]).exit(77).hint(&format!("chmod 600 {}", shown(&world.credential())));
    world.set_mode(&world.credential(), 0o600);
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), 4);
}

#[test]
fn a_symbolic_link_is_refused_even_to_a_good_file() {
    let world = world().build();
    let real = world.state().join("credentials/real.json");
    std::fs::rename(world.credential(), &real).unwrap();
    symlink(&real, world.credential()).unwrap();
    let hint =
        format!("name the file itself in the configuration: readlink -f {}", shown(&world.credential()));
    file_is_refused(&world, "is a symbolic link", &hint);
}

#[test]
fn a_named_pipe_is_refused_and_nothing_waits_for_its_other_end() {
    let world = world().build();
    world.remove(&world.credential());
    world.make_fifo(&world.credential());
    file_is_refused(
        &world,
        "is not a regular file",
        &format!("see what it is: ls -la {}", shown(&world.credential())),
    );
}

#[test]
fn a_directory_in_its_place_is_refused() {
    let world = world().build();
    world.remove(&world.credential());
    world.make_private_dir("state/credentials/port-sheet.json");
    file_is_refused(
        &world,
        "is not a regular file",
        &format!("see what it is: ls -la {}", shown(&world.credential())),
    );
}

#[test]
fn a_directory_that_others_may_write_is_refused_however_far_up() {
    for relative in ["state/credentials", "state", ""] {
        let world = world().build();
        let dir = if relative.is_empty() { world.dir().to_owned() } else { world.path(relative) };
        world.set_mode(&dir, 0o770);
        let why = format!("lies in {}, which others can write (mode 0770)", shown(&dir));
        file_is_refused(&world, &why, &format!("chmod go-w {}", shown(&dir)));
        assert_eq!(world.mode(&dir), 0o770);
    }
}

/// Root can give a file away; anybody else has root's files at hand.
#[test]
fn a_file_of_another_user_is_refused_with_the_chown_to_type() {
    let world = world().build();
    let me = rustix::process::geteuid().as_raw();
    if me == 0 {
        chown(world.credential(), Some(1), None).unwrap();
        let hint = format!("chown 0 {}", shown(&world.credential()));
        file_is_refused(&world, "belongs to uid 1, not to this user (uid 0)", &hint);
    } else {
        world.replace_in_config("file = \"port-sheet.json\"", "file = \"/etc/passwd\"");
        let why = format!("/etc/passwd belongs to uid 0, not to this user (uid {me})");
        is_refused(&world, &why, &format!("chown {me} /etc/passwd"));
    }
}

/// Anyone who owns a directory can put another file in place. Only root can make one that belongs to someone else.
#[test]
fn a_directory_of_another_user_is_refused_where_root_can_make_one() {
    if !rustix::process::geteuid().is_root() {
        // The file itself belonging to someone else is tested for every user above.
        return;
    }
    let world = world().build();
    let dir = world.state().join("credentials");
    chown(&dir, Some(1), None).unwrap();
    let why = format!("lies in {}, which belongs to uid 1", shown(&dir));
    file_is_refused(&world, &why, &format!("chown 0 {}", shown(&dir)));
}

#[test]
fn a_second_name_of_the_file_is_refused() {
    let world = world().build();
    std::fs::hard_link(world.credential(), world.state().join("credentials/second.json")).unwrap();
    let hint = format!("find the other names: find / -xdev -samefile {}", shown(&world.credential()));
    file_is_refused(&world, "has 2 hard links: another name reaches the secret", &hint);
}

#[test]
fn a_file_too_large_for_a_credential_is_refused_unread() {
    let world = world().build();
    let padding = " ".repeat(64 * 1024);
    world.write_private(&world.credential(), format!("{}{padding}", world.credential_json()).as_bytes());
    let length = std::fs::metadata(world.credential()).unwrap().len();
    let why = format!("is {length} bytes long; a credential is at most 65536");
    file_is_refused(&world, &why, &format!("see what it is: head -c 100 {}", shown(&world.credential())));
}

#[test]
fn a_missing_file_is_told_with_its_path() {
    let world = world().build();
    world.remove(&world.credential());
    file_is_refused(&world, "does not exist", "put the credential file there with mode 0600");
}

#[test]
fn malformed_json_is_told_by_its_place_and_never_quoted() {
    let world = world().build();
    let whole = world.credential_json().to_string();
    world.write_private(&world.credential(), &whole.as_bytes()[..whole.len() - 1]);
    file_is_refused(&world, "is not a JSON object (line 1, column", PUT_A_CREDENTIAL);
    world.write_private(&world.credential(), b"");
    file_is_refused(&world, "is not a JSON object (line 1, column 0)", PUT_A_CREDENTIAL);
    world.write_private(&world.credential(), b"[1, 2]");
    file_is_refused(&world, "is not a JSON object", PUT_A_CREDENTIAL);
}

#[test]
fn an_unknown_type_is_named() {
    content_is_refused(
        |credential| credential["type"] = json!("external_account"),
        "has the unknown type \"external_account\"",
        PUT_A_CREDENTIAL,
    );
}

#[test]
fn a_missing_or_blank_field_is_named() {
    for field in ["client_id", "client_secret", "refresh_token"] {
        let why = format!("lacks the field {field:?}");
        content_is_refused(|credential| drop(remove(credential, field)), &why, PUT_A_CREDENTIAL);
        content_is_refused(|credential| credential[field] = json!(""), &why, PUT_A_CREDENTIAL);
    }
    for field in ["client_email", "private_key", "token_uri"] {
        let world = world().service_account().build();
        let mut key = world.credential_json();
        remove(&mut key, field);
        world.write_credential(&key);
        file_is_refused(&world, &format!("lacks the field {field:?}"), PUT_A_CREDENTIAL);
    }
}

fn remove(credential: &mut Value, field: &str) -> Option<Value> {
    credential.as_object_mut().and_then(|fields| fields.remove(field))
}

#[test]
fn a_secret_is_not_sent_to_a_host_that_nobody_named() {
    for uri in [
        "https://oauth2.googleapis.com.evil.example/token",
        "http://oauth2.googleapis.com/token",
        "https://login.example.com/token",
        "file:///etc/passwd",
        "not a url",
    ] {
        content_is_refused(
            |credential| credential["token_uri"] = json!(uri),
            &format!("would send its secret to {uri:?}, which is not Google"),
            "if that host is right, name it under [google] token-hosts in the configuration and use https",
        );
    }
}

#[test]
fn a_file_written_by_googles_python_library_works() {
    let world = world().build();
    let mut credential = world.credential_json();
    remove(&mut credential, "type");
    credential["token"] = json!("ya29.an-old-access-token-long-expired");
    credential["scopes"] = json!(["https://www.googleapis.com/auth/spreadsheets"]);
    credential["account"] = json!("");
    credential["expiry"] = json!("2026-05-13T12:00:00.000000Z");
    world.write_credential(&credential);
    let before = world.read_text(&world.credential());
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), 4);
    assert_eq!(world.read_text(&world.credential()), before, "nothing to change in it");
}

/// systemd shows the ACL with which it grants access as group bits: `LoadCredential=` gives 0440.
#[test]
fn a_credential_that_systemd_grants_is_found_and_may_be_group_readable() {
    let world = world().build();
    let granted = world.make_private_dir("run/credentials/port-sheet-sync.service");
    let file = granted.join("port-sheet.json");
    std::fs::rename(world.credential(), &file).unwrap();
    world.set_mode(&file, 0o440);
    world.process(&[]).env("CREDENTIALS_DIRECTORY", &granted).run().exit(0);
    assert_eq!(world.rows().len(), 4);
    world.set_mode(&file, 0o444);
    let run = world.process(&[]).env("CREDENTIALS_DIRECTORY", &granted).run();
    run.exit(77).error("has mode 0444").hint(&format!("chmod 600 {}", shown(&file)));
}

#[test]
fn a_credential_may_lie_anywhere_by_its_absolute_path() {
    let world = world().build();
    let elsewhere = world.make_private_dir("srv/credentials").join("robot.json");
    std::fs::rename(world.credential(), &elsewhere).unwrap();
    world.replace_in_config("file = \"port-sheet.json\"", &format!("file = {elsewhere:?}"));
    world.run(&[]).exit(0);
    assert_eq!(world.rows().len(), 4);
}
