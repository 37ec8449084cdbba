//! `[token-check]`: how patient every job is with a refresh, and what people hear of a credential.

use std::time::Duration;

use super::{Reader, reader::count};

/// A day, for key ages.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings of `[token-check]`. Refreshing obeys them in every job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCheck {
    /// An access token with less than this left is fetched anew.
    pub refresh_margin: Duration,
    /// How often a credential that needs a person is probed.
    pub recovery_interval: Duration,
    /// How often a refresh is tried within a run.
    pub max_retries: usize,
    /// Whether people hear of the first failure of a credential that needs one of them.
    pub alert_on_first_failure: bool,
    /// Whether they hear that it works again.
    pub alert_on_recovery: bool,
    /// The failed refresh, counted from the first, with which the alert is escalated.
    pub escalate_after: u32,
    /// The age of a service account's key from which it is warned of.
    pub key_age_warn: Duration,
    /// The age from which it is a failure.
    pub key_age_fail: Duration,
    /// How many refreshes of one credential are allowed within an hour, by all jobs together.
    pub refreshes_per_hour: u32,
    /// The command to run when a credential works again; none for the jobs that waited.
    pub on_recovery: Option<Vec<String>>,
    /// How long that command may take.
    pub on_recovery_timeout: Duration,
}

impl Default for TokenCheck {
    fn default() -> Self {
        Self {
            refresh_margin: Duration::from_secs(5 * 60),
            recovery_interval: Duration::from_secs(30 * 60),
            max_retries: 5,
            alert_on_first_failure: true,
            alert_on_recovery: true,
            escalate_after: 3,
            key_age_warn: DAY * 75,
            key_age_fail: DAY * 90,
            // Google grants a project 10,000 tokens a day by default; this many an hour stay below that.
            refreshes_per_hour: 400,
            on_recovery: None,
            on_recovery_timeout: Duration::from_secs(25 * 60),
        }
    }
}

impl TokenCheck {
    pub(super) fn read(mut reader: Reader<'_>) -> Self {
        let usual = Self::default();
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
