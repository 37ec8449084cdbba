//! Describes how an executable is run: a clean environment, a bound on its time, and whatever a test adds to that.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::Run;
use crate::running::Running;
use crate::terminal::Terminal;
use crate::world::World;

/// After this a process is killed and its test fails. Far beyond what any run here takes.
const KILLED_AFTER: Duration = Duration::from_secs(180);

/// The user and group of an ordinary user in tests that root runs.
const NOBODY: u32 = 65534;

/// A process to be.
#[must_use = "nothing runs before `run` or `spawn`"]
pub struct Process<'w> {
    world: &'w World,
    command: Command,
    killed_after: Duration,
    terminal: Option<Terminal>,
}

impl<'w> Process<'w> {
    pub(crate) fn new(world: &'w World, executable: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(executable);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", world.dir());
        command.env("RUST_LOG", "trace").current_dir(world.dir());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { world, command, killed_after: KILLED_AFTER, terminal: None }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without `RUST_LOG`, as cron runs it.
    pub fn without_trace(mut self) -> Self {
        self.command.env_remove("RUST_LOG");
        self
    }

    /// Runs as an ordinary user. Where the test is root's this is `nobody`, to whom the whole world is handed over, with
    /// a copy of the executable in it: root's build directory may be closed to others.
    ///
    /// # Panics
    /// When the world cannot be handed over.
    pub fn as_ordinary_user(self) -> Self {
        if !rustix::process::geteuid().is_root() {
            return self;
        }
        let program = self.world.path("program");
        if !program.exists() {
            // By another process: what this one holds open for writing, a child that another test starts at that moment
            // holds open as well, and the copy could not be started.
            let copied = Command::new("cp").arg(self.command.get_program()).arg(&program).status();
            assert!(copied.is_ok_and(|status| status.success()), "a copy of the executable");
        }
        self.world.hand_over(NOBODY);
        let mut process = self.again(program.as_os_str(), &[]);
        std::os::unix::process::CommandExt::uid(&mut process.command, NOBODY);
        std::os::unix::process::CommandExt::gid(&mut process.command, NOBODY);
        process
    }

    /// Seats a person before it: its standard input and standard error are a terminal, in a session of its own, so that
    /// Ctrl-C reaches it. Standard output stays a pipe, for its result.
    ///
    /// # Panics
    /// When the machine has no terminal left.
    pub fn on_terminal(self) -> Self {
        let mut process = self.under("/usr/bin/setsid", &["--ctty"]);
        let (terminal, seat) = Terminal::open();
        process.command.stdin(seat.stdin).stderr(seat.stderr).env("TERM", "xterm");
        Self { terminal: Some(terminal), ..process }
    }

    /// Gives it this text on standard input.
    ///
    /// # Panics
    /// When there is no room for a file.
    pub fn stdin(mut self, text: &str) -> Self {
        let mut file = tempfile::tempfile().expect("a file without a name");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("room for a text");
        std::io::Seek::rewind(&mut file).expect("a file can be rewound");
        self.command.stdin(file);
        self
    }

    /// Lets it have at most so much memory of its own: more is refused by the kernel and ends it with SIGABRT.
    ///
    /// The limit is on what it maps for writing, which is never less than what it uses.
    pub fn memory_limit(self, bytes: u64) -> Self {
        let kib = (bytes / 1024).to_string();
        let program = self.command.get_program().to_owned();
        let script = OsStr::new("ulimit -d \"$0\" && exec \"$@\"");
        self.again(OsStr::new("/bin/sh"), &[OsStr::new("-c"), script, OsStr::new(&kib), &program])
    }

    /// Runs it under another program, which is given these arguments and then the whole command.
    pub fn under(self, program: &str, args: &[&str]) -> Self {
        let command = self.command.get_program().to_owned();
        let mut before: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        before.push(&command);
        let program = if program.contains('/') { program.into() } else { crate::program(program) };
        self.again(program.as_os_str(), &before)
    }

    /// Runs it at another time: the clock starts there and continues from it, for everything that it starts as well.
    pub fn at(self, now: &str) -> Self {
        self.under("faketime", &["-m", now]).env("TZ", "UTC")
    }

    /// The same process with another program and more arguments before its own.
    fn again(self, program: &OsStr, before: &[&OsStr]) -> Self {
        let mut process = Self { killed_after: self.killed_after, ..Self::new(self.world, program) };
        process.command.args(before).args(self.command.get_args()).env_clear();
        let set = self.command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        process.command.envs(set);
        process
    }

    /// Gives it more time, for tests with much data.
    pub fn killed_after(self, killed_after: Duration) -> Self {
        Self { killed_after, ..self }
    }

    /// Runs it to its end.
    pub fn run(self) -> Run {
        self.spawn().wait()
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(mut self) -> Running<'w> {
        let shown = format!("{:?}", self.command);
        let child = self.command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        // The parent's copies of the terminal's end must be closed, or its end would never be seen.
        drop(self.command);
        Running::new(self.world, child, shown, Instant::now() + self.killed_after, self.terminal)
    }
}
