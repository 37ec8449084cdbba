//! The terminal of the user who logs in: instructions to them, and text that they paste.
//!
//! Instructions go to standard error, because standard output is for the result. Typed text is not shown, because it holds
//! a code or a key; the echo is restored however the run ends. Standard input is read on separate threads that end with
//! the process, so that a pending read does not block the end of a run.

use std::io::{IsTerminal, Read, Write, stderr, stdin};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use shared::cause::Cause;
use shared::sys::secret_file::SIZE_LIMIT;
use shared::{Failure, Kind, Result};
use tokio::sync::{mpsc, oneshot};

/// Prints a line for the user.
pub(crate) fn say(text: &str) {
    // A closed terminal does not end the login: the browser may still deliver the response.
    let _ = writeln!(stderr(), "{text}");
}

/// A terminal that this process may read. Its echo is off until this is dropped.
pub(crate) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// The terminal on standard input; `None` when there is none, or when another process controls it, because reading it
    /// would then stop this process.
    pub fn from_stdin() -> Option<Self> {
        let is_ours = stdin().is_terminal()
            && tcgetpgrp(stdin()).is_ok_and(|group| group == rustix::process::getpgrp());
        let before = tcgetattr(stdin()).ok().filter(|_| is_ours)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO;
        tcsetattr(stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Self { before })
    }

    /// The typed or pasted lines.
    pub fn lines(&self) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel(8);
        thread::spawn(move || {
            for line in stdin().lines() {
                let Ok(line) = line else { return };
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        receiver
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It fails only for a terminal that is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

/// All of standard input, up to the size limit of a credential.
pub(crate) async fn whole_stdin() -> Result<Vec<u8>> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let mut content = Vec::new();
        let read = stdin().take(SIZE_LIMIT + 1).read_to_end(&mut content);
        drop(sender.send(read.map(|_| content)));
    });
    let content = receiver
        .await
        .map_err(|error| Failure::bug("the reader of standard input is gone").caused_by(Cause::new(error)))?
        .map_err(|error| refused(&format!("cannot be read: {error}")).caused_by(error))?;
    match content.len() as u64 {
        0 => Err(refused("is empty")),
        length if length > SIZE_LIMIT => {
            Err(refused(&format!("is longer than a credential, {SIZE_LIMIT} bytes")))
        }
        _ => Ok(content),
    }
}

fn refused(why: &str) -> Failure {
    let hint = "give it one token.json or service-account key: token-login NAME --import - < FILE";
    Failure::new(Kind::Credential, format!("standard input {why}"), hint)
}
