//! The fence of a tab: a named range which every `spreadsheets.batchUpdate` of a plan replaces by one with a new id.
//!
//! Google refuses to delete a range that is not there, and the whole request with it. So a write that was planned before
//! another run wrote is refused, and so is the late duplicate of a request whose response was lost. Where no range was
//! there yet, Google refuses the second one of the same name.

use std::collections::HashMap;

use google_sheets4::api::NamedRange;

use crate::google::write_error::WriteError;
use crate::model::operation::Operation;

/// How many requests of a batch the fence takes at most.
const REQUESTS: usize = 2;

/// The fences of a spreadsheet's tabs, as this run knows them.
#[derive(Debug, Default)]
pub(super) struct Fences {
    run: String,
    /// The id of each tab's range; of a tab that was read.
    ids: HashMap<i32, Option<String>>,
    /// The id that a tab's range had when Google refused to replace it.
    refused: HashMap<i32, Option<String>>,
    /// How many were replaced.
    count: u32,
}

impl Fences {
    /// Those of a spreadsheet that was not read yet.
    pub fn new(run: &str) -> Self {
        Self { run: run.to_owned(), ..Self::default() }
    }

    /// Notes which ranges the spreadsheet has beside these tabs.
    pub fn note(&mut self, tabs: impl Iterator<Item = i32>, named: &[NamedRange]) {
        for tab in tabs {
            let found = named.iter().find(|range| range.name.as_deref() == Some(&name(tab)));
            self.ids.insert(tab, found.and_then(|range| range.named_range_id.clone()));
        }
    }

    /// The next swap of a tab's range; `None` for a tab that was not read, or where Google refuses it.
    pub fn swap(&mut self, tab: i32) -> Option<Swap> {
        let old = self.ids.get(&tab)?.clone();
        if !self.is_available(tab) {
            return None;
        }
        self.count += 1;
        Some(Swap { tab, old, new: format!("pj-{}-{}", self.run, self.count) })
    }

    /// Whether Google replaces ranges: a refusal although the range was as it had been read says that it does not.
    pub fn is_available(&self, tab: i32) -> bool {
        self.refused.get(&tab).is_none_or(|then| self.ids.get(&tab) != Some(then))
    }

    /// Notes what became of a swap. After a lost response the range is unknown until the tab is read again.
    pub fn note_outcome(&mut self, swap: Swap, outcome: SwapOutcome) {
        match outcome {
            SwapOutcome::Done => drop(self.ids.insert(swap.tab, Some(swap.new))),
            SwapOutcome::Refused => drop(self.refused.insert(swap.tab, swap.old)),
            SwapOutcome::Untouched => {}
        }
    }
}

/// A range that is to be replaced by another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Swap {
    tab: i32,
    /// The id of the range that was there.
    old: Option<String>,
    /// The id of the new one, which no range has had before.
    new: String,
}

impl Swap {
    /// The operations, of which Google refuses the first or the second when another run has written.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + use<> {
        let add = Operation::AddName { id: self.new.clone(), name: name(self.tab) };
        self.old.clone().map(Operation::DeleteName).into_iter().chain([add])
    }
}

/// What became of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SwapOutcome {
    Done,
    /// Google refused the swap, and the whole request with it.
    Refused,
    /// The request was refused for another reason, or its response was lost.
    Untouched,
}

impl SwapOutcome {
    pub fn of<T>(sent: &Result<T, WriteError>) -> Self {
        match sent {
            Ok(_) => Self::Done,
            Err(WriteError::Outdated(_)) => Self::Refused,
            Err(WriteError::Rejected(_) | WriteError::OutcomeUnknown(_)) => Self::Untouched,
        }
    }
}

/// Whether a request of this number in its batch is the fence's.
pub(super) fn is_of_fence(request: usize) -> bool {
    request < REQUESTS
}

fn name(tab: i32) -> String {
    format!("port_jobs_{tab}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(id: &str) -> NamedRange {
        NamedRange { name: Some("port_jobs_7".to_owned()), named_range_id: Some(id.to_owned()), range: None }
    }

    #[test]
    fn each_swap_has_an_id_of_its_own_and_names_the_one_before() {
        let mut fences = Fences::new("RUN");
        assert_eq!(fences.swap(7), None, "a tab that was not read");
        fences.note([7].into_iter(), &[]);
        let first = fences.swap(7).unwrap();
        let add = |id: &str| Operation::AddName { id: id.into(), name: "port_jobs_7".into() };
        assert_eq!(first.operations().collect::<Vec<_>>(), [add("pj-RUN-1")]);
        fences.note_outcome(first, SwapOutcome::Done);
        let second = fences.swap(7).unwrap().operations().collect::<Vec<_>>();
        assert_eq!(second, [Operation::DeleteName("pj-RUN-1".into()), add("pj-RUN-2")]);
    }

    #[test]
    fn a_refusal_counts_only_while_the_range_is_as_it_was() {
        let mut fences = Fences::new("RUN");
        fences.note([7].into_iter(), &[range("theirs")]);
        let swap = fences.swap(7).unwrap();
        fences.note_outcome(swap, SwapOutcome::Refused);
        fences.note([7].into_iter(), &[range("later")]);
        assert!(fences.is_available(7), "another run wrote");
        fences.note([7].into_iter(), &[range("theirs")]);
        assert!(!fences.is_available(7) && fences.swap(7).is_none(), "Google does not replace it");
    }
}
