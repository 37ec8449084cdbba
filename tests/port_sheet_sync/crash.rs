//! Killed with SIGKILL at any point, then run again: the same sheet as a run that was never disturbed, no row twice.
//!
//! Two kinds of points, both taken exhaustively: at every request (before Google applies it, and after it is applied
//! but not answered), and at every system call that makes something lasting on the local disk.

use google_standin::{Fault, Stall};
use support::{Builder, World};

use crate::undo::picture;
use crate::world;

/// Rows of text that are too large for one request, so that the load is made in several.
fn large(rows: usize) -> Vec<String> {
    let text = "long text, ".repeat(1_800);
    let row = |number: usize| format!("B-{number},\"{text}{number}\",{number}");
    std::iter::once("booking_id,remarks,pax".to_owned()).chain((1..=rows).map(row)).collect()
}

fn load() -> Builder {
    let lines = large(210);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world().csv(&lines)
}

/// A sheet in step, with a person's note, whose source then changes in every way.
pub fn changed(world: &World) {
    world.run(&[]).exit(0);
    world.person_writes("F1", "Notes");
    world.person_writes("F3", "call the agent");
    world.write_source(&[
        "booking_id,vessel,arrival,nights",
        "B-101,Alma,2026-05-13,4",
        "B-102,Borealis,2026-05-16,2",
        "B-104,Dorado,2026-05-17,1",
        "B-105,Esmeralda,2026-05-18,1",
    ]);
    world.clear_requests();
}

/// Every cell of every tab.
type Picture = Vec<(String, Vec<Vec<serde_json::Value>>)>;

fn nothing(_: &World) {}

/// Kills a run at its `nth` request and runs again; returns the sheet.
fn killed_at(builder: Builder, prepare: fn(&World), nth: usize, stall: Stall) -> Picture {
    let world = builder.build();
    prepare(&world);
    world.fault(Fault { nth: nth as u64, stall, ..Fault::default() });
    let running = world.process(&[]).spawn();
    match stall {
        Stall::Applied => world.server.wait_for_applied(".", nth).unwrap(),
        _ => world.server.wait_for_request(".", nth).unwrap(),
    }
    running.kill();
    world.server.clear_faults();
    world.run(&[]).exit(0);
    world.clear_requests();
    world.run(&[]).exit(0);
    assert_eq!(world.counts().writes, 0, "a third run has nothing to do");
    picture(&world)
}

/// Kills a run at every request, before and after it is applied; what the next run leaves is always the same.
pub fn same_after_a_kill_at_every_request(builder: fn() -> Builder, prepare: fn(&World), at_least: usize) {
    let undisturbed = builder().build();
    prepare(&undisturbed);
    undisturbed.run(&[]).exit(0);
    let (expected, requests) = (picture(&undisturbed), undisturbed.requests().len());
    assert!(requests >= at_least, "{requests} requests");
    for nth in 1..=requests {
        for stall in [Stall::Request, Stall::Applied] {
            let rows = killed_at(builder(), prepare, nth, stall);
            assert!(rows == expected, "killed at request {nth} of {requests} ({stall:?}): another sheet");
        }
    }
}

#[test]
fn a_small_change_killed_at_any_request_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_request(world, changed, 5);
}

#[test]
fn a_bulk_load_killed_at_any_request_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_request(load, nothing, 10);
}

fn archiving() -> Builder {
    world().policy("on-missing = \"archive\"")
}

fn deleting() -> Builder {
    world().policy("on-missing = \"delete\"")
}

#[test]
fn an_archive_killed_at_any_request_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_request(archiving, changed, 10);
}

#[test]
fn a_deletion_killed_at_any_request_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_request(deleting, changed, 10);
}

/// What has `strace` kill a process at its `nth` system call that makes something lasting on the disk.
pub fn killing_at_write(nth: usize) -> [String; 8] {
    let inject = format!("inject=fsync,fdatasync,rename,link:signal=SIGKILL:when={nth}");
    ["-f", "-qqq", "-e", "trace=fsync,fdatasync,rename,link", "-e", &inject, "-o", "/dev/null"]
        .map(str::to_owned)
}

fn same_after_a_kill_at_every_write_to_the_disk(builder: fn() -> Builder) {
    let undisturbed = builder().build();
    changed(&undisturbed);
    undisturbed.run(&[]).exit(0);
    let expected = picture(&undisturbed);
    let mut points = 0;
    loop {
        let world = builder().build();
        changed(&world);
        let args = killing_at_write(points + 1);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = world.process(&[]).under("strace", &args).run();
        if run.code == Some(0) {
            break;
        }
        points += 1;
        assert_eq!(run.signal, Some(9), "killed at point {points}");
        world.run(&[]).exit(0);
        assert!(picture(&world) == expected, "killed at write {points}: {:?}", picture(&world));
    }
    assert!(points >= 10, "only {points} points");
}

#[test]
fn a_change_killed_at_any_write_to_the_disk_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_write_to_the_disk(world);
}

#[test]
fn an_archive_killed_at_any_write_to_the_disk_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_write_to_the_disk(archiving);
}

#[test]
fn a_deletion_killed_at_any_write_to_the_disk_ends_in_the_same_sheet() {
    same_after_a_kill_at_every_write_to_the_disk(deleting);
}
