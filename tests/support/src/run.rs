//! What a process did, and claims about it. A claim that does not hold panics; the world then reports everything.

use serde_json::Value;

/// A process that has ended.
#[derive(Clone, Debug)]
pub struct Run {
    /// The command line.
    pub command: String,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

impl Run {
    /// It ended with this exit code.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn exit(&self, code: i32) -> &Self {
        assert_eq!(
            self.code,
            Some(code),
            "exit code (signal {:?}); it said: {:?}",
            self.signal,
            self.failures()
        );
        self
    }

    /// Its one error line holds this.
    ///
    /// # Panics
    /// When there is not exactly one, or it does not.
    #[track_caller]
    pub fn error(&self, part: &str) -> &Self {
        let errors = self.errors();
        assert_eq!(errors.len(), 1, "error lines: {errors:#?}");
        assert!(errors[0].contains(part), "{part:?} is not in {:?}", errors[0]);
        self
    }

    /// Its one hint is exactly this.
    ///
    /// # Panics
    /// When there is not exactly one, or it is another.
    #[track_caller]
    pub fn hint(&self, hint: &str) -> &Self {
        assert_eq!(self.hints(), [hint], "hint");
        self
    }

    /// Its one hint holds this.
    ///
    /// # Panics
    /// When there is not exactly one, or it does not.
    #[track_caller]
    pub fn hint_with(&self, part: &str) -> &Self {
        let hints = self.hints();
        assert_eq!(hints.len(), 1, "hint lines: {hints:#?}");
        assert!(hints[0].contains(part), "{part:?} is not in {:?}", hints[0]);
        self
    }

    /// The texts of its `error: ` lines.
    pub fn errors(&self) -> Vec<&str> {
        self.marked("error: ")
    }

    /// The texts of its `hint: ` lines.
    pub fn hints(&self) -> Vec<&str> {
        self.marked("hint: ")
    }

    fn marked(&self, mark: &str) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix(mark)).collect()
    }

    fn failures(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with("error: ") || line.starts_with("hint: ")).collect()
    }

    /// Its JSON result: standard output holds one object on one line and nothing else.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn json(&self) -> Value {
        let line = self.stdout.strip_suffix('\n').unwrap_or(&self.stdout);
        assert!(!line.contains('\n'), "standard output is one line: {:?}", self.stdout);
        let value: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("standard output is JSON: {error}: {:?}", self.stdout));
        assert!(value.is_object(), "standard output is one object: {value}");
        value
    }

    /// The result of its one sheet.
    ///
    /// # Panics
    /// When there is not exactly one.
    #[track_caller]
    pub fn sheet(&self) -> Value {
        let result = self.json();
        let sheets = result["sheets"].as_array().cloned().unwrap_or_default();
        let [sheet] = &sheets[..] else { panic!("one sheet: {result}") };
        sheet.clone()
    }
}
