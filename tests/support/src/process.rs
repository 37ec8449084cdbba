//! Runs an executable: a clean environment, a bound on its time, and the one way out through which every run passes.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::run::Run;
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
}

impl<'w> Process<'w> {
    pub(crate) fn new(world: &'w World, executable: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(executable);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", world.dir());
        command.env("RUST_LOG", "trace").current_dir(world.dir());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { world, command, killed_after: KILLED_AFTER }
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
            std::fs::copy(self.command.get_program(), &program).expect("a copy of the executable");
        }
        self.world.hand_over(NOBODY);
        let mut process = self.again(program.as_os_str(), &[]);
        std::os::unix::process::CommandExt::uid(&mut process.command, NOBODY);
        std::os::unix::process::CommandExt::gid(&mut process.command, NOBODY);
        process
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
        self.again(OsStr::new(program), &before)
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
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let (said, heard) = channel();
        let listen = |pipe: Option<_>| Ear::new(pipe, said.clone());
        let stdout = listen(child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
        let stderr = listen(child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
        let kill_at = Instant::now() + self.killed_after;
        Running { world: self.world, child: Some(child), command: shown, stdout, stderr, heard, kill_at }
    }
}

/// A started process. It is killed when it is dropped.
pub struct Running<'w> {
    world: &'w World,
    child: Option<Child>,
    command: String,
    stdout: Ear,
    stderr: Ear,
    heard: Receiver<()>,
    kill_at: Instant,
}

impl Running<'_> {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Waits until it has written this on standard error.
    ///
    /// # Panics
    /// When it ends, or its time passes, before it does.
    pub fn wait_for_stderr(&self, text: &str) {
        while !self.stderr.so_far().contains(text) {
            let left = self.kill_at.saturating_duration_since(Instant::now());
            let more = !self.stderr.is_done() && self.heard.recv_timeout(left).is_ok();
            assert!(
                more || self.stderr.so_far().contains(text),
                "{text:?} was never said: {}",
                self.stderr.so_far()
            );
        }
    }

    /// The most memory that it has held so far, in bytes.
    ///
    /// # Panics
    /// When it has ended: hold it with a stalled request.
    pub fn peak_memory_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line
            .and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok())
            .unwrap_or_else(|| panic!("no peak in {path}: {status}"));
        kib * 1024
    }

    /// Sends it SIGTERM.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn terminate(&self) {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.expect("the process runs");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be told to end");
    }

    /// Ends it with SIGKILL, and searches what it left as after every run.
    pub fn kill(mut self) -> Run {
        if let Some(child) = &mut self.child {
            child.kill().expect("it can be killed");
        }
        self.wait()
    }

    /// Waits for its end. The one way out of every run: it searches for secrets what was said and left on disk.
    ///
    /// # Panics
    /// When its time passed, and when a secret is found.
    pub fn wait(mut self) -> Run {
        let mut child = self.child.take().expect("a process is waited for once");
        let mut is_late = false;
        while !(self.stdout.is_done() && self.stderr.is_done()) {
            let left = self.kill_at.saturating_duration_since(Instant::now());
            if left.is_zero() || self.heard.recv_timeout(left).is_err() {
                is_late = !(self.stdout.is_done() && self.stderr.is_done());
                break;
            }
        }
        if is_late {
            drop(child.kill());
        }
        let status = child.wait().expect("a child can be waited for");
        let run = Run {
            command: std::mem::take(&mut self.command),
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        };
        let secrets = self.world.note(&run);
        assert!(!is_late, "{} was still running at its limit and was killed", run.command);
        secrets.refuse_leaks(&run, self.world.dir());
        run
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Listens to one pipe on its own thread, so that neither fills up.
struct Ear {
    said: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    fn new(pipe: Option<Box<dyn Read + Send>>, told: Sender<()>) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let thread = pipe.map(|mut pipe| {
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
                    let _ = told.send(());
                }
                drop(heard);
                let _ = told.send(());
            })
        });
        Self { said, thread }
    }

    /// The thread lets go of its half when the pipe is closed.
    fn is_done(&self) -> bool {
        Arc::strong_count(&self.said) == 1
    }

    fn so_far(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        self.so_far()
    }
}
