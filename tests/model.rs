//! Random histories: bookings change, people work in the sheet, requests fail, runs are killed. The sheet against a naive model.
//!
//! A history is a list of steps. Each is done to the real thing (the stand-in, the source file, the executable as a
//! process) and to a model that knows neither rows nor columns, only bookings and what people wrote beside them. In the
//! end one undisturbed run must bring the sheet to what the model says, and one more must write nothing.
//!
//! The histories are the same each time. A failing one is shortened before it is reported.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where and stops")]

/// What the sheet should hold, without rows or columns.
#[path = "model/model.rs"]
mod model;

/// What can happen.
#[path = "model/step.rs"]
mod step;

/// How it is done.
#[path = "model/history.rs"]
mod history;

/// The sheet as it is, by header and key.
#[path = "model/sheet.rs"]
mod sheet;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use history::History;
use model::Policy;
use step::Step;

/// Histories for each policy; ten policies make 2,080.
const HISTORIES: u32 = 208;

/// The longest history.
const STEPS: usize = 9;

fn histories(policy: Policy, seed: u8) {
    let config = Config {
        cases: HISTORIES,
        max_shrink_iters: 300,
        failure_persistence: None,
        verbose: 0,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let steps = proptest::collection::vec(step::step(), 1..=STEPS);
    let told = TestRunner::new_with_rng(config, rng).run(&steps, |steps| {
        play(policy, &steps);
        Ok(())
    });
    if let Err(failure) = told {
        panic!("{failure}");
    }
}

fn play(policy: Policy, steps: &[Step]) {
    let mut history = History::begin(policy);
    for step in steps {
        history.take(step);
    }
    history.end();
}

macro_rules! policies {
    ($($name:ident: $on_missing:literal, $on_edit:literal, $seed:literal;)*) => {
        $(#[test]
        fn $name() {
            histories(Policy { on_missing: $on_missing, on_edit: $on_edit }, $seed);
        })*
    };
}

policies! {
    rows_stay_and_edits_are_restored: "keep", "restore", 1;
    rows_stay_and_edits_are_kept: "keep", "keep", 2;
    rows_are_flagged_and_edits_are_restored: "flag", "restore", 3;
    rows_are_flagged_and_edits_are_kept: "flag", "keep", 4;
    rows_are_archived_and_edits_are_restored: "archive", "restore", 5;
    rows_are_archived_and_edits_are_kept: "archive", "keep", 6;
    rows_are_deleted_and_edits_are_restored: "delete", "restore", 7;
    rows_are_deleted_and_edits_are_kept: "delete", "keep", 8;
    rows_are_flagged_and_edits_stop_everything: "flag", "fail", 9;
    rows_are_archived_and_edits_stop_everything: "archive", "fail", 10;
}
