//! The terminal of the person who logs in: what is said to them, and what they paste.
//!
//! Said on standard error, since standard output is the result's. What is typed is not shown, since it holds a code or a
//! key; the terminal is put right again however the run ends. Standard input is read on threads of their own, which end
//! with the process: a read that nobody answers must not keep a run from ending.

use std::io::{IsTerminal, Read, Write, stderr, stdin};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use shared::private::SIZE_LIMIT;
use shared::{Failure, Kind, Result};
use tokio::sync::{mpsc, oneshot};

/// Says something to the person.
pub(crate) fn say(text: &str) {
    // A person who is gone is no failure of ours: the browser may still answer.
    let _ = writeln!(stderr(), "{text}");
}

/// A terminal that this process may read, with its echo off until this is dropped.
pub(crate) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// The terminal on standard input; none if there is none, or another process has it: reading it would stop this one.
    pub fn of_stdin() -> Option<Self> {
        let is_ours = stdin().is_terminal()
            && tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp());
        let before = tcgetattr(stdin()).ok().filter(|_| is_ours)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO;
        tcsetattr(stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Self { before })
    }

    /// The lines that are typed or pasted.
    pub fn lines(&self) -> mpsc::Receiver<String> {
        let (said, heard) = mpsc::channel(8);
        thread::spawn(move || {
            for line in stdin().lines() {
                let Ok(line) = line else { return };
                if said.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        heard
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no mending.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

/// All of standard input, no more than a credential holds.
pub(crate) async fn whole_stdin() -> Result<Vec<u8>> {
    let refused = |why: &str| {
        let hint = "give it one token.json or service-account key: token-login NAME --import - < FILE";
        Failure::new(Kind::Credential, format!("standard input {why}"), hint)
    };
    let (said, heard) = oneshot::channel();
    thread::spawn(move || {
        let mut content = Vec::new();
        let read = stdin().take(SIZE_LIMIT + 1).read_to_end(&mut content);
        drop(said.send(read.map(|_| content)));
    });
    let content = heard
        .await
        .map_err(|_| Failure::bug("the reader of standard input is gone"))?
        .map_err(|error| refused(&format!("cannot be read: {error}")))?;
    match content.len() as u64 {
        0 => Err(refused("is empty")),
        length if length > SIZE_LIMIT => {
            Err(refused(&format!("is longer than a credential, {SIZE_LIMIT} bytes")))
        }
        _ => Ok(content),
    }
}
