//! A started process, and the one way out through which every run passes.

use std::io::Read;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::run::Run;
use crate::terminal::Terminal;
use crate::world::World;

/// A started process. It is killed when it is dropped.
pub struct Running<'w> {
    world: &'w World,
    child: Option<Child>,
    command: String,
    stdout: Ear,
    stderr: Ear,
    heard: Receiver<()>,
    kill_at: Instant,
    terminal: Option<Terminal>,
}

impl<'w> Running<'w> {
    pub(crate) fn new(
        world: &'w World,
        mut child: Child,
        command: String,
        kill_at: Instant,
        terminal: Option<Terminal>,
    ) -> Self {
        let (said, heard) = channel();
        let listen = |pipe: Option<_>| Ear::new(pipe, said.clone());
        let stdout = listen(child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
        let stderr = match &terminal {
            Some(terminal) => listen(Some(Box::new(terminal.screen()))),
            None => listen(child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>)),
        };
        Self { world, child: Some(child), command, stdout, stderr, heard, kill_at, terminal }
    }

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

    /// What it has written on standard error so far.
    pub fn stderr_so_far(&self) -> String {
        self.stderr.so_far()
    }

    /// Types on its terminal: `"\n"` is Enter, `"\x03"` Ctrl-C, `"\x04"` Ctrl-D.
    ///
    /// # Panics
    /// When it has none.
    pub fn type_in(&self, text: &str) {
        self.terminal.as_ref().expect("a process on a terminal").type_in(text);
    }

    /// Whether its terminal shows what is typed.
    ///
    /// # Panics
    /// When it has none.
    pub fn echoes(&self) -> bool {
        self.terminal.as_ref().expect("a process on a terminal").echoes()
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
