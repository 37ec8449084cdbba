//! A pseudo-terminal for executables that talk with a person. The test holds its other end.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// The end at which the person sits.
pub(crate) struct Terminal {
    person: File,
}

/// The end at which the process sits: its standard input and standard error.
pub(crate) struct Seat {
    pub(crate) stdin: Stdio,
    pub(crate) stderr: Stdio,
}

impl Terminal {
    /// Opens one.
    ///
    /// # Panics
    /// When the machine has none left.
    pub(crate) fn open() -> (Self, Seat) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let person = openpt(flags).expect("a pseudo-terminal");
        grantpt(&person).expect("one's own pseudo-terminal");
        unlockpt(&person).expect("one's own pseudo-terminal");
        let seat = ioctl_tiocgptpeer(&person, flags).expect("the other end");
        let stdin = Stdio::from(seat.try_clone().expect("a descriptor"));
        (Self { person: File::from(person) }, Seat { stdin, stderr: Stdio::from(seat) })
    }

    /// What the process says to the person, to be read.
    pub(crate) fn screen(&self) -> File {
        self.person.try_clone().expect("a descriptor")
    }

    pub(crate) fn type_in(&self, text: &str) {
        (&self.person).write_all(text.as_bytes()).expect("the terminal takes what is typed");
    }

    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.person).expect("the terminal's settings").local_modes.contains(LocalModes::ECHO)
    }
}
