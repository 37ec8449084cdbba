//! What can happen in a history.

use proptest::prelude::*;
use proptest::sample::Index;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// The booking system takes a booking.
    Book(u16),
    /// A booking is cancelled.
    Cancel(Index),
    /// A cancelled booking is taken up again.
    Rebook(Index),
    /// A booking changes.
    Change(Index, u16),
    /// A person writes beside a booking.
    Note(Index, u16),
    /// A person writes over a cell of the sync's; where that stops everything, a run says so, and the person takes it back.
    Edit(Index, u16),
    /// A person writes a row of their own, below everything, in a column of theirs or of the sync's.
    Jot(u16),
    /// A person deletes the row of a booking.
    Delete(Index),
    /// A person adds a column and writes in it.
    AddColumn(Index, Index),
    /// A person moves a column.
    MoveColumn(Index, Index),
    /// A person renames a header of the sync's, a run says so, and the person puts it back.
    Rename,
    /// A person moves rows or columns about.
    Shuffle(Shuffle),
    /// A run, and what comes in between.
    Sync(Disturbance),
}

/// How a person moves rows and columns about. No cell changes.
#[derive(Clone, Debug)]
pub enum Shuffle {
    /// Inserts a blank column.
    InsertColumn(Index),
    /// Moves a column.
    MoveColumn(Index, Index),
    /// Inserts blank rows.
    Insert(Index),
    /// Moves a row.
    Move(Index, Index),
    /// Sorts all rows by a column.
    Sort(Index, bool),
}

/// What comes in between.
#[derive(Clone, Debug)]
pub enum Disturbance {
    /// Nothing.
    Nothing,
    /// The n-th request fails.
    Failure(u64, Failure),
    /// The process is killed while its n-th request is under way, which is then applied or not.
    Kill(u64, bool),
    /// A person moves rows or columns about while the n-th request is under way.
    Person(u64, Shuffle),
}

/// How a request fails.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// Google answers with this status and does nothing.
    Status(u16),
    /// The connection is reset before anything is done.
    Reset,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is done, and the answer breaks off.
    AnswerCut,
}

fn shuffle() -> impl Strategy<Value = Shuffle> {
    prop_oneof![
        1 => any::<Index>().prop_map(Shuffle::Insert),
        1 => any::<(Index, Index)>().prop_map(|(from, to)| Shuffle::Move(from, to)),
        1 => any::<Index>().prop_map(Shuffle::InsertColumn),
        2 => any::<(Index, Index)>().prop_map(|(from, to)| Shuffle::MoveColumn(from, to)),
        1 => any::<(Index, bool)>().prop_map(|(by, up)| Shuffle::Sort(by, up)),
    ]
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    let failure = prop_oneof![
        prop::sample::select(vec![429, 500, 502, 503]).prop_map(Failure::Status),
        Just(Failure::Reset),
        Just(Failure::AnswerLost),
        Just(Failure::AnswerCut),
    ];
    // A plain run sends four requests, the third of them its write; one that brings rows back, writes cells and removes
    // rows sends up to twelve.
    let nth = prop_oneof![2 => Just(3_u64), 3 => 1_u64..=6, 1 => 7_u64..=12].boxed();
    prop_oneof![
        2 => Just(Disturbance::Nothing),
        3 => (nth.clone(), failure).prop_map(|(nth, failure)| Disturbance::Failure(nth, failure)),
        3 => (nth.clone(), any::<bool>()).prop_map(|(nth, applied)| Disturbance::Kill(nth, applied)),
        3 => (nth, shuffle()).prop_map(|(nth, shuffle)| Disturbance::Person(nth, shuffle)),
    ]
}

/// Any one step.
pub fn step() -> impl Strategy<Value = Step> {
    let value = 0_u16..90;
    prop_oneof![
        3 => value.clone().prop_map(Step::Book),
        3 => any::<Index>().prop_map(Step::Cancel),
        1 => any::<Index>().prop_map(Step::Rebook),
        4 => (any::<Index>(), value.clone()).prop_map(|(which, value)| Step::Change(which, value)),
        2 => (any::<Index>(), value.clone()).prop_map(|(which, value)| Step::Note(which, value)),
        2 => (any::<Index>(), value.clone()).prop_map(|(which, value)| Step::Edit(which, value)),
        2 => value.prop_map(Step::Jot),
        1 => any::<Index>().prop_map(Step::Delete),
        1 => any::<(Index, Index)>().prop_map(|(at, which)| Step::AddColumn(at, which)),
        1 => any::<(Index, Index)>().prop_map(|(from, to)| Step::MoveColumn(from, to)),
        1 => Just(Step::Rename),
        2 => shuffle().prop_map(Step::Shuffle),
        6 => disturbance().prop_map(Step::Sync),
    ]
}
