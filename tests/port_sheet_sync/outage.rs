//! A sheet that was in step, then falls behind because something is wrong: what every failure has in common.
//!
//! Nothing may be lost meanwhile, and the first run after the repair must bring the sheet up to date.

use serde_json::{Value, json};
use support::{Builder, Run, World};

/// The newest bookings: one changed, one new.
pub const NEWER: [&str; 5] = [
    "booking_id,vessel,arrival,nights",
    "B-101,Alma,2026-05-13,4",
    "B-102,Borea,2026-05-14,2",
    "B-103,Cirrus,2026-05-15,5",
    "B-104,Dorado,2026-06-01,1",
];

/// What the sheet holds once those have arrived. 2026-05-13 is day 46155 of the sheet's calendar.
pub fn newest_rows() -> Value {
    json!([
        ["Booking", "Vessel", "Arrival", "Nights"],
        ["B-101", "Alma", 46155, 4],
        ["B-102", "Borea", 46156, 2],
        ["B-103", "Cirrus", 46157, 5],
        ["B-104", "Dorado", 46174, 1],
    ])
}

/// A world in which newer bookings wait for the sheet.
pub struct Outage {
    pub world: World,
    before: Vec<Vec<Value>>,
}

impl Outage {
    /// Brings a world of the usual bookings in step, then gives it newer ones.
    pub fn of(builder: Builder) -> Self {
        let world = builder.build();
        world.run(&[]).exit(0);
        world.write_source(&NEWER);
        world.clear_requests();
        let before = world.rows();
        Self { world, before }
    }

    /// Runs with `--json` while it is broken: this exit code in all three places, and nothing lost.
    #[track_caller]
    pub fn fails(&self, exit: i32) -> Run {
        let run = self.world.run(&["--json"]);
        run.exit(exit);
        let result = run.json();
        assert_eq!((&result["exit"], &result["outcome"]), (&json!(exit), &json!("failed")));
        assert_eq!(result["error"]["hint"], json!(run.hints()[0]));
        let record = self.world.records().pop().unwrap();
        assert_eq!((record.outcome.as_str(), record.exit), ("failed", Some(exit.into())));
        assert_eq!(record.message.as_deref(), run.errors().first().copied());
        self.assert_nothing_is_lost();
        run
    }

    /// The sheet is as it was, and the newer bookings wait in the spool.
    #[track_caller]
    fn assert_nothing_is_lost(&self) {
        assert_eq!(self.world.rows(), self.before, "the sheet was touched");
        let spool = self.world.read_text(&self.world.state().join("spool/port-sheet.spool"));
        assert!(spool.contains("Dorado"), "the new booking does not wait in the spool: {spool}");
    }

    /// The next run, after the repair, brings the sheet up to date; the one after it has nothing to do.
    #[track_caller]
    pub fn heals(&self) {
        self.world.run(&[]).exit(0);
        assert_eq!(json!(self.world.rows()), newest_rows());
        self.world.clear_requests();
        self.world.run(&[]).exit(0);
        assert_eq!(self.world.counts().writes, 0, "a run in step writes nothing");
    }
}
