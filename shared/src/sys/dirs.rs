//! Where the configuration and the state are. Only this module reads the environment.
//!
//! It creates only the state directory and the folders in it, each with mode 0700.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::atomic_file;
use crate::{Failure, Kind, Result};

/// The environment variables that matter, read once at the start of a run.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PORT_JOBS_CONFIG`: the configuration file.
    pub config: Option<PathBuf>,
    /// `CONFIGURATION_DIRECTORY`, from systemd.
    pub configuration_directory: Option<PathBuf>,
    /// `STATE_DIRECTORY`, from systemd.
    pub state_directory: Option<PathBuf>,
    /// `CREDENTIALS_DIRECTORY`, from systemd's `LoadCredential=`.
    pub credentials_directory: Option<PathBuf>,
    /// `HOME`, unless the user is root: root's files are in /etc and /var/lib.
    pub home: Option<PathBuf>,
    /// `RUST_LOG`: which messages are logged.
    pub log_filter: Option<String>,
    /// Whether standard error goes to the journal (`JOURNAL_STREAM` is set).
    pub journal: bool,
    /// Whether output has no colours: `NO_COLOR` is set, or the terminal is `dumb`.
    pub plain: bool,
    /// From where the command was typed.
    pub seat: Seat,
}

/// From where a command was typed. It decides whether a browser can open on this machine.
#[derive(Clone, Debug, Default)]
pub struct Seat {
    /// `DISPLAY` or `WAYLAND_DISPLAY` is set: there is a desktop.
    pub has_display: bool,
    /// `SSH_CONNECTION`: client address and port, server address and port.
    pub ssh_connection: Option<String>,
    /// The user who logged in: `SUDO_USER`, `USER` or `LOGNAME`.
    pub user: Option<String>,
}

impl Seat {
    fn read() -> Self {
        Self {
            has_display: variable("DISPLAY").or_else(|| variable("WAYLAND_DISPLAY")).is_some(),
            ssh_connection: text("SSH_CONNECTION"),
            user: ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(text),
        }
    }
}

impl Environment {
    /// Reads the process's environment.
    pub fn read() -> Self {
        let root = rustix::process::geteuid().is_root();
        Self {
            config: path("PORT_JOBS_CONFIG"),
            configuration_directory: path("CONFIGURATION_DIRECTORY"),
            state_directory: path("STATE_DIRECTORY"),
            credentials_directory: path("CREDENTIALS_DIRECTORY"),
            home: path("HOME").filter(|_| !root),
            log_filter: text("RUST_LOG"),
            journal: variable("JOURNAL_STREAM").is_some(),
            plain: variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb"),
            seat: Seat::read(),
        }
    }

    /// Whether output may have colours: on a terminal, unless the environment forbids it.
    pub fn wants_colour(&self) -> bool {
        !self.plain && std::io::stdout().is_terminal()
    }

    /// The configuration file: that of the flag or of `PORT_JOBS_CONFIG`, else the first default place with a file.
    ///
    /// # Errors
    /// [`Kind::Config`] when no place has one.
    pub fn config_file(&self, flag: Option<&Path>) -> Result<PathBuf> {
        if let Some(named) = flag.or(self.config.as_deref()) {
            return Ok(named.to_owned());
        }
        let places = [
            self.configuration_directory.as_ref().map(|dir| dir.join("config.toml")),
            self.home.as_ref().map(|home| home.join(".config/port-jobs/config.toml")),
            Some(PathBuf::from("/etc/port-jobs/config.toml")),
        ];
        let places: Vec<PathBuf> = places.into_iter().flatten().collect();
        places.iter().find(|place| place.exists()).cloned().ok_or_else(|| {
            let looked = places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ");
            Failure::new(
                Kind::Config,
                format!("no configuration file: looked for {looked}"),
                "copy examples/config.toml from the project to /etc/port-jobs/config.toml and edit it, or name one with --config FILE",
            )
        })
    }

    /// The state directory: that of the flag, of systemd, of the configuration, or the default.
    pub fn state_dir(&self, flag: Option<&Path>, configured: Option<&Path>) -> PathBuf {
        let given = flag.or(self.state_directory.as_deref()).or(configured);
        match (given, &self.home) {
            (Some(dir), _) => dir.to_owned(),
            (None, Some(home)) => home.join(".local/state/port-jobs"),
            (None, None) => PathBuf::from("/var/lib/port-jobs"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    variable(name)?.into_string().ok()
}

fn path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}

/// The state directory and the folders in it.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// The paths below `root`. It creates nothing.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Creates the missing folders, each with mode 0700, and removes unfinished files of killed runs.
    ///
    /// # Errors
    /// [`Kind::Io`] when a folder cannot be created.
    pub fn create(&self) -> Result<()> {
        let root = self.root.clone();
        let folders = [root, self.credentials(), self.locks(), self.spool(), self.journal(), self.mirror()];
        folders.iter().try_for_each(|dir| atomic_file::private_dir(dir))?;
        folders.iter().for_each(|dir| atomic_file::remove_abandoned_drafts(dir));
        Ok(())
    }

    /// The state directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Credential files, each with mode 0600.
    pub fn credentials(&self) -> PathBuf {
        self.root.join("credentials")
    }

    /// Lock files, one for each job and one for each credential.
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// The source of each sheet as the last run read it, and as it was last verified.
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// The old and new values of everything that a run wrote.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The rows as they should be, to be read while a sheet cannot be reached.
    pub fn mirror(&self) -> PathBuf {
        self.root.join("mirror")
    }

    /// The archive of past days of the session quotas. The first writer creates it.
    pub fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// The input, output and checkpoints of sessions. The first writer creates it.
    pub fn sessions(&self) -> PathBuf {
        self.root.join("sessions")
    }

    /// The SQLite database of run records.
    pub fn database(&self) -> PathBuf {
        self.root.join("state.db")
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::dirs::*;

    #[test]
    fn the_flag_wins_over_systemd_and_systemd_over_the_configuration() {
        let environment = Environment { state_directory: Some("/systemd".into()), ..Environment::default() };
        let state = |flag, configured| environment.state_dir(flag, configured);
        assert_eq!(state(Some(Path::new("/flag")), Some(Path::new("/config"))), Path::new("/flag"));
        assert_eq!(state(None, Some(Path::new("/config"))), Path::new("/systemd"));
        assert_eq!(Environment::default().state_dir(None, None), Path::new("/var/lib/port-jobs"));
    }

    #[test]
    fn a_named_configuration_file_is_taken_even_if_it_is_missing() {
        let environment = Environment { config: Some("/from/environment".into()), ..Environment::default() };
        assert_eq!(environment.config_file(None).unwrap(), Path::new("/from/environment"));
        assert_eq!(environment.config_file(Some(Path::new("/flag"))).unwrap(), Path::new("/flag"));
    }
}
