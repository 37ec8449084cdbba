//! `[token-check]`: how every job refreshes tokens, and when alerts about credentials are sent.

use std::time::Duration;

use super::reader::count;
use super::{Alert, Reader};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings of `[token-check]`. Those of refreshes apply to every job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCheckEntry {
    /// An access token that expires within this time is renewed.
    pub refresh_margin: Duration,
    /// The time between two probes of a credential that needs a user.
    pub recovery_interval: Duration,
    /// How often a refresh is repeated within a run.
    pub max_retries: usize,
    /// Whether the first failure of a credential that needs a user is reported.
    pub alert_on_first_failure: bool,
    /// Whether the end of an outage is reported.
    pub alert_on_recovery: bool,
    /// The number of failed refreshes after which the alert is escalated.
    pub escalate_after: u32,
    /// The time between two reminders of an outage that continues: `remind-every` of `[alert]`.
    pub remind_every: Duration,
    /// The age of a service account's key from which it causes a warning.
    pub key_age_warn: Duration,
    /// The age from which it is a failure.
    pub key_age_fail: Duration,
    /// The most refreshes of one credential within an hour, all jobs together.
    pub refreshes_per_hour: u32,
    /// The command to run when a credential works again. `None` starts the jobs that waited.
    pub on_recovery: Option<Vec<String>>,
    /// How long that command may take.
    pub on_recovery_timeout: Duration,
}

impl Default for TokenCheckEntry {
    fn default() -> Self {
        Self::with_defaults_of(&Alert::default())
    }
}

impl TokenCheckEntry {
    /// The defaults. Some are the settings of `[alert]`.
    fn with_defaults_of(alert: &Alert) -> Self {
        Self {
            refresh_margin: Duration::from_secs(5 * 60),
            recovery_interval: Duration::from_secs(30 * 60),
            max_retries: 5,
            alert_on_first_failure: alert.on_first_failure,
            alert_on_recovery: alert.on_recovery,
            escalate_after: alert.escalate_after,
            remind_every: alert.remind_every,
            key_age_warn: DAY * 75,
            key_age_fail: DAY * 90,
            // Google grants a project 10,000 tokens a day by default; this many an hour stay below that.
            refreshes_per_hour: 400,
            on_recovery: None,
            on_recovery_timeout: Duration::from_secs(25 * 60),
        }
    }

    pub(super) fn read(mut reader: Reader<'_>, alert: &Alert) -> Self {
        let usual = Self::with_defaults_of(alert);
        let settings = Self {
            refresh_margin: reader.duration("refresh-margin").unwrap_or(usual.refresh_margin),
            recovery_interval: reader.duration("recovery-interval").unwrap_or(usual.recovery_interval),
            max_retries: count(&mut reader, "max-retries", 1..=20)
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(usual.max_retries),
            alert_on_first_failure: reader
                .flag("alert-on-first-failure")
                .unwrap_or(usual.alert_on_first_failure),
            alert_on_recovery: reader.flag("alert-on-recovery").unwrap_or(usual.alert_on_recovery),
            escalate_after: count(&mut reader, "escalate-after", 1..=1000).unwrap_or(usual.escalate_after),
            remind_every: usual.remind_every,
            key_age_warn: reader.duration("key-age-warn").unwrap_or(usual.key_age_warn),
            key_age_fail: reader.duration("key-age-fail").unwrap_or(usual.key_age_fail),
            refreshes_per_hour: count(&mut reader, "refreshes-per-hour", 4..=10_000)
                .unwrap_or(usual.refreshes_per_hour),
            on_recovery: reader.texts("on-recovery"),
            on_recovery_timeout: reader.duration("on-recovery-timeout").unwrap_or(usual.on_recovery_timeout),
        };
        settings.check(&mut reader);
        reader.finish();
        settings
    }

    fn check(&self, reader: &mut Reader<'_>) {
        const LIFE: Duration = Duration::from_secs(55 * 60);
        if self.refresh_margin > LIFE {
            reader.problem("refresh-margin", "must be at most 55m: a token lasts an hour");
        }
        if self.recovery_interval < Duration::from_secs(60) {
            reader.problem("recovery-interval", "must be at least 1m, to protect the account");
        }
        if self.key_age_warn > self.key_age_fail {
            reader.problem("key-age-warn", "must not be longer than key-age-fail");
        }
        if self.on_recovery_timeout.is_zero() {
            reader.problem("on-recovery-timeout", "must be longer than nothing");
        }
        if self.on_recovery.as_ref().and_then(|command| command.first()).is_some_and(|word| word.is_empty()) {
            reader.problem("on-recovery", "must begin with the program to run");
        }
    }
}
