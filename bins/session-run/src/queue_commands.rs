//! The commands of a user for the queue: add, list, cancel, retry. No session is run.

use std::io::Read;

use chrono::Utc;
use serde_json::{Value, json};
use shared::config::SessionRunEntry;
use shared::run::{Context, Report};
use shared::sessions;
use shared::store::{Store, Task, TaskState};
use shared::{Failure, Kind, Result};

use crate::Args;
use crate::result::{self, Body};

/// The largest task, in bytes.
const TASK_LIMIT: u64 = 1024 * 1024;

/// Does what was asked.
pub async fn serve(context: &Context, settings: &SessionRunEntry, args: &Args) -> Report<Body> {
    let mut body = Body::default();
    let asked = asked(context, settings, args, &mut body).await;
    let mut report = result::report(body, asked.err().into_iter().collect());
    if args.list {
        report.output = lines(report.body.tasks.as_deref().unwrap_or_default());
    }
    report
}

async fn asked(context: &Context, settings: &SessionRunEntry, args: &Args, body: &mut Body) -> Result<()> {
    let mut store = Store::open(&context.state.database())?;
    // The queue can be looked at and changed whatever the clock shows; nothing runs on it here.
    match sessions::settle(context, &mut store).await {
        Err(failure) if failure.kind == Kind::Busy => body.notes.push(failure.message),
        settled => body.notes.extend(sessions::warning(&settled?)),
    }
    if let Some(text) = &args.add {
        body.notes.push(add(context, settings, args.id.as_deref(), text, &mut store)?);
    }
    if let Some(id) = &args.cancel {
        let state = store.cancel(id, Utc::now())?;
        body.notes.push(changed(id, state, "cancelled", "cancel")?);
    }
    if let Some(id) = &args.retry {
        let state = store.retry(id, Utc::now())?;
        body.notes.push(changed(id, state, "pending again", "retry")?);
    }
    body.tasks = Some(store.tasks(&settings.quota)?);
    Ok(())
}

fn add(
    context: &Context,
    settings: &SessionRunEntry,
    id: Option<&str>,
    text: &str,
    store: &mut Store,
) -> Result<String> {
    let text = if text == "-" { standard_input()? } else { text.to_owned() };
    let id = id.unwrap_or(&context.run);
    if store.add_task(&settings.quota, id, &task(&text)?, Utc::now())? {
        return Ok(format!("task {id} is added"));
    }
    let hint = "see it: session-run --list; a new task needs another --id, or none";
    Err(Failure::new(Kind::Data, format!("there is a task {id:?} already"), hint))
}

/// A JSON object is the task itself, other text is its prompt.
fn task(text: &str) -> Result<Value> {
    let text = text.trim();
    if text.is_empty() {
        let hint = "say what is to be done: session-run --add 'Tidy the berth plan'";
        return Err(Failure::new(Kind::Data, "the task is empty", hint));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(task @ Value::Object(_)) => Ok(task),
        Err(error) if text.starts_with('{') => {
            let hint = "correct the JSON, or begin the text with another character";
            Err(Failure::new(Kind::Data, format!("the task is not a JSON object: {error}"), hint)
                .caused_by(error))
        }
        _ => Ok(json!({"prompt": text})),
    }
}

fn standard_input() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().take(TASK_LIMIT + 1).read_to_string(&mut text);
    read.map_err(|error| unusable_input(&format!("cannot be read: {error}")).caused_by(error))?;
    if text.len() as u64 > TASK_LIMIT {
        return Err(unusable_input(&format!("is longer than {TASK_LIMIT} bytes")));
    }
    Ok(text)
}

fn unusable_input(what: &str) -> Failure {
    Failure::new(Kind::Data, format!("the task on standard input {what}"), "session-run --add - < FILE")
}

fn changed(id: &str, state: TaskState, done: &str, verb: &str) -> Result<String> {
    let (message, hint) = match state {
        TaskState::Changed => return Ok(format!("task {id} is {done}")),
        TaskState::Unlisted => {
            return Ok(format!(
                "task {id} is {done}; it runs once the dashboard lists it: where it has ended, give it a greater generation there"
            ));
        }
        TaskState::Unknown => (format!("there is no task {id:?}"), "see which there are: session-run --list"),
        TaskState::Stays(state) if state == "claimed" => (
            format!("task {id:?} is running, so there is nothing to {verb}"),
            "wait for its session to end: session-run --list",
        ),
        TaskState::Stays(state) => {
            (format!("task {id:?} is {state}, so there is nothing to {verb}"), "see it: session-run --list")
        }
    };
    Err(Failure::new(Kind::Data, message, hint))
}

fn lines(tasks: &[Task]) -> String {
    tasks.iter().map(line).collect()
}

fn line(task: &Task) -> String {
    let since = task.changed.format("%Y-%m-%d %H:%MZ");
    let summary = task.summary.as_deref().unwrap_or_default();
    let unlisted = if task.offered { "" } else { "(not listed by the dashboard) " };
    let line = format!("{:10}  {since}  {:26}  {unlisted}{summary}", task.state, task.id);
    format!("{}\n", line.trim_end())
}
