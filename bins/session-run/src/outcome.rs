//! The outcome of a session, from how its command ended and what its result file says. Pure.

use std::time::Duration;

use serde::Deserialize;
use shared::store::SessionOutcome;

/// The longest summary kept, in characters.
const SUMMARY_LIMIT: usize = 500;

/// How the command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// By itself, with this exit code.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It took longer than this and was ended.
    Late(Duration),
    /// It was ended because its task was withdrawn.
    Withdrawn(&'static str),
    /// It could not be started or waited for.
    Broken(String),
}

/// What its result file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultFile {
    /// There is none.
    Nothing,
    /// There is one that cannot be used.
    Garbage(String),
    /// Its fields.
    Fields(ResultFields),
}

/// A result file. Fields that are not known are the command's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ResultFields {
    /// The outcome.
    pub outcome: Option<ReportedOutcome>,
    /// How many turns it took.
    pub turns: Option<u32>,
    /// One line.
    pub summary: Option<String>,
}

/// An outcome as the result file spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportedOutcome {
    /// The task is done.
    Done,
    /// It failed.
    Failed,
    /// The turns were spent.
    TurnLimit,
    /// Someone must decide something.
    NeedsYou,
}

impl From<ReportedOutcome> for SessionOutcome {
    fn from(word: ReportedOutcome) -> Self {
        match word {
            ReportedOutcome::Done => Self::Done,
            ReportedOutcome::Failed => Self::Failed,
            ReportedOutcome::TurnLimit => Self::TurnLimit,
            ReportedOutcome::NeedsYou => Self::NeedsYou,
        }
    }
}

/// What a session was allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Its turns.
    pub turns: u32,
    /// The exit code that means that they were spent.
    pub turn_limit_exit: i32,
}

/// The outcome of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionVerdict {
    /// The outcome.
    pub outcome: SessionOutcome,
    /// The turns, where known; no more than allowed.
    pub turns: Option<u32>,
    /// One line.
    pub summary: String,
}

/// Decides. A failure of the command is never overruled by its file, but the file may say that it was a soft one.
pub fn judge(how: &ProcessEnd, told: &ResultFile, limits: Limits) -> SessionVerdict {
    let words = match told {
        ResultFile::Fields(words) => words.clone(),
        ResultFile::Nothing | ResultFile::Garbage(_) => ResultFields::default(),
    };
    let said = words.outcome.map(SessionOutcome::from);
    let has_spent_turns = words.turns.is_some_and(|turns| turns >= limits.turns);
    let (outcome, why) = match (how, told) {
        (ProcessEnd::Exited(0), ResultFile::Garbage(why)) => (SessionOutcome::Failed, why.clone()),
        (ProcessEnd::Exited(0), _) => (said.unwrap_or(SessionOutcome::Done), "exit code 0".to_owned()),
        (ProcessEnd::Exited(code), _) => {
            (stopped(*code, said, has_spent_turns, limits), format!("exit code {code}"))
        }
        (ProcessEnd::Signalled(signal), _) => (SessionOutcome::Failed, format!("killed by signal {signal}")),
        (ProcessEnd::Late(limit), _) => (
            SessionOutcome::Failed,
            format!("ended after its deadline of {}", humantime::format_duration(*limit)),
        ),
        (ProcessEnd::Withdrawn(why), _) => (SessionOutcome::Lost, (*why).to_owned()),
        (ProcessEnd::Broken(why), _) => (SessionOutcome::Failed, why.clone()),
    };
    let summary = summary(words.summary.as_deref(), &why, told);
    let spent = (outcome == SessionOutcome::TurnLimit).then_some(limits.turns);
    SessionVerdict { outcome, turns: words.turns.map(|turns| turns.min(limits.turns)).or(spent), summary }
}

/// The outcome of a command that ended with an error.
fn stopped(code: i32, said: Option<SessionOutcome>, has_spent_turns: bool, limits: Limits) -> SessionOutcome {
    match said {
        Some(soft @ (SessionOutcome::TurnLimit | SessionOutcome::NeedsYou)) => soft,
        Some(_) => SessionOutcome::Failed,
        None if code == limits.turn_limit_exit || has_spent_turns => SessionOutcome::TurnLimit,
        None => SessionOutcome::Failed,
    }
}

fn summary(said: Option<&str>, why: &str, told: &ResultFile) -> String {
    let garbage = match told {
        ResultFile::Garbage(what) if what != why => Some(what.as_str()),
        _ => None,
    };
    let parts = [said, Some(why), garbage].into_iter().flatten();
    let line = parts.flat_map(str::lines).map(str::trim).filter(|part| !part.is_empty());
    let line = line.collect::<Vec<_>>().join("; ");
    line.chars().filter(|c| !c.is_control()).take(SUMMARY_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { turns: 30, turn_limit_exit: 75 };

    fn words(text: &str) -> ResultFile {
        ResultFile::Fields(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn exit_code_and_result_file_decide_together() {
        use SessionOutcome::{Done, Failed, Lost, NeedsYou, TurnLimit};
        let late = ProcessEnd::Late(Duration::from_secs(60));
        for (how, told, outcome, turns) in [
            (ProcessEnd::Exited(0), ResultFile::Nothing, Done, None),
            (ProcessEnd::Exited(0), words(r#"{"turns": 12}"#), Done, Some(12)),
            (ProcessEnd::Exited(0), words(r#"{"outcome": "turn-limit"}"#), TurnLimit, Some(30)),
            (ProcessEnd::Exited(0), words(r#"{"outcome": "needs-you", "turns": 3}"#), NeedsYou, Some(3)),
            (ProcessEnd::Exited(0), words(r#"{"outcome": "failed"}"#), Failed, None),
            (ProcessEnd::Exited(0), ResultFile::Garbage("no JSON".into()), Failed, None),
            (ProcessEnd::Exited(1), ResultFile::Nothing, Failed, None),
            (ProcessEnd::Exited(1), words(r#"{"outcome": "done"}"#), Failed, None),
            (ProcessEnd::Exited(1), words(r#"{"outcome": "turn-limit", "turns": 30}"#), TurnLimit, Some(30)),
            (ProcessEnd::Exited(1), words(r#"{"turns": 30}"#), TurnLimit, Some(30)),
            (ProcessEnd::Exited(1), words(r#"{"turns": 99}"#), TurnLimit, Some(30)),
            (ProcessEnd::Exited(1), words(r#"{"turns": 29}"#), Failed, Some(29)),
            (ProcessEnd::Exited(75), ResultFile::Nothing, TurnLimit, Some(30)),
            (ProcessEnd::Exited(75), ResultFile::Garbage("no JSON".into()), TurnLimit, Some(30)),
            (ProcessEnd::Signalled(9), words(r#"{"outcome": "done"}"#), Failed, None),
            (late, words(r#"{"outcome": "turn-limit"}"#), Failed, None),
            (ProcessEnd::Withdrawn("it was"), words(r#"{"outcome": "done"}"#), Lost, None),
        ] {
            let verdict = judge(&how, &told, LIMITS);
            assert_eq!((verdict.outcome, verdict.turns), (outcome, turns), "{how:?} {told:?}");
        }
    }

    #[test]
    fn a_summary_is_one_bounded_line_and_names_what_is_wrong_with_the_file() {
        let told = words(r#"{"summary": "first\n  second\u0007"}"#);
        assert_eq!(judge(&ProcessEnd::Exited(0), &told, LIMITS).summary, "first; second; exit code 0");
        let garbage = ResultFile::Garbage("its result file is no JSON".into());
        assert_eq!(judge(&ProcessEnd::Exited(0), &garbage, LIMITS).summary, "its result file is no JSON");
        assert_eq!(
            judge(&ProcessEnd::Exited(3), &garbage, LIMITS).summary,
            "exit code 3; its result file is no JSON"
        );
        let long =
            ResultFile::Fields(ResultFields { summary: Some("x".repeat(9_999)), ..ResultFields::default() });
        assert_eq!(judge(&ProcessEnd::Exited(0), &long, LIMITS).summary.len(), SUMMARY_LIMIT);
    }
}
