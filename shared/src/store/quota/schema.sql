-- The ledger of sessions. docs/quota.md says how other programs use it.
-- The rules are the database's own, so that they hold for every program that writes here, whatever it forgets.

-- held: how many of its tasks were held when the last day ended.
CREATE TABLE IF NOT EXISTS quota (
    name        TEXT PRIMARY KEY,
    per_day     INTEGER NOT NULL CHECK (per_day > 0),
    turns       INTEGER NOT NULL CHECK (turns > 0),
    concurrency INTEGER NOT NULL CHECK (concurrency > 0),
    since       TEXT NOT NULL CHECK (since IS date(since)),
    held        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- One row. high_water is the ledger's day; the rest is how the clocks stood at the last look.
CREATE TABLE IF NOT EXISTS quota_clock (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    high_water TEXT NOT NULL CHECK (high_water IS date(high_water)),
    seen       TEXT NOT NULL,
    boot       TEXT NOT NULL,
    uptime_s   INTEGER NOT NULL
) STRICT;

-- Every step of the day other than to the next one, with what allowed it.
CREATE TABLE IF NOT EXISTS quota_step (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT NOT NULL,
    from_day TEXT NOT NULL CHECK (from_day IS date(from_day)),
    to_day   TEXT NOT NULL CHECK (to_day IS date(to_day)),
    why      TEXT NOT NULL CHECK (why IN ('age', 'date', 'repair')),
    run      TEXT NOT NULL,
    person   TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS quota_task (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    quota       TEXT NOT NULL REFERENCES quota (name),
    source      TEXT NOT NULL CHECK (source IN ('local', 'dashboard')),
    offered     INTEGER NOT NULL DEFAULT 1 CHECK (offered IN (0, 1)),
    generation  INTEGER NOT NULL DEFAULT 0,
    body        TEXT NOT NULL CHECK (json_valid(body)),
    state       TEXT NOT NULL CHECK (state IN
                    ('pending', 'held', 'ready', 'claimed', 'done', 'failed', 'turn-limit', 'needs-you')),
    attempt     INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    resumes     INTEGER NOT NULL DEFAULT 0 CHECK (resumes >= 0),
    failures    INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    runner      TEXT,
    lease_boot  TEXT,
    lease_until INTEGER,
    summary     TEXT,
    created     TEXT NOT NULL,
    changed     TEXT NOT NULL,
    CHECK ((state = 'claimed') = (runner IS NOT NULL)),
    CHECK ((state = 'claimed') = (lease_boot IS NOT NULL AND lease_until IS NOT NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS quota_task_by_state ON quota_task (quota, state, offered, number);

CREATE TABLE IF NOT EXISTS quota_release (
    task    TEXT NOT NULL REFERENCES quota_task (id),
    attempt INTEGER NOT NULL,
    quota   TEXT NOT NULL,
    day     TEXT NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (task, attempt)
) STRICT, WITHOUT ROWID;

-- cap and turn_cap are those of the quota when the session began. One session for one release.
CREATE TABLE IF NOT EXISTS quota_session (
    quota    TEXT NOT NULL REFERENCES quota (name),
    day      TEXT NOT NULL CHECK (day IS date(day)),
    seq      INTEGER NOT NULL,
    cap      INTEGER NOT NULL,
    task     TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    runner   TEXT NOT NULL,
    turn_cap INTEGER NOT NULL,
    turns    INTEGER,
    started  TEXT NOT NULL,
    ended    TEXT,
    outcome  TEXT CHECK (outcome IN ('done', 'failed', 'turn-limit', 'needs-you', 'lost')),
    summary  TEXT,
    PRIMARY KEY (quota, day, seq),
    UNIQUE (task, attempt),
    FOREIGN KEY (task, attempt) REFERENCES quota_release (task, attempt),
    CONSTRAINT quota_spent CHECK (seq BETWEEN 1 AND cap),
    CONSTRAINT turns_within_limit CHECK (turns BETWEEN 0 AND turn_cap),
    CHECK ((ended IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS quota_session_running ON quota_session (quota, day) WHERE ended IS NULL;

-- The archive. A day is closed once it is over and sealed once its last session has ended.
CREATE TABLE IF NOT EXISTS quota_day (
    quota    TEXT NOT NULL REFERENCES quota (name),
    day      TEXT NOT NULL CHECK (day IS date(day)),
    per_day  INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    turns    INTEGER NOT NULL,
    closed   TEXT NOT NULL,
    sealed   TEXT,
    exported TEXT,
    PRIMARY KEY (quota, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS quota_day_open ON quota_day (quota, day) WHERE exported IS NULL;

-- What the dashboard is still to be told, each with the key that makes a repetition harmless.
CREATE TABLE IF NOT EXISTS quota_post (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    key  TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('release', 'report')),
    body TEXT NOT NULL,
    at   TEXT NOT NULL,
    sent TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS quota_post_unsent ON quota_post (id) WHERE sent IS NULL;

-- At most one row: the address of the list that was last taken over, and its mark.
CREATE TABLE IF NOT EXISTS quota_dashboard (
    list TEXT PRIMARY KEY,
    etag TEXT
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS quota_clock_steps BEFORE UPDATE ON quota_clock
WHEN NEW.high_water NOT BETWEEN OLD.high_water AND date(OLD.high_water, '+1 day')
 AND NOT EXISTS (SELECT 1 FROM quota_step WHERE id = (SELECT max(id) FROM quota_step)
                 AND from_day = OLD.high_water AND to_day = NEW.high_water)
BEGIN SELECT RAISE(ABORT, 'the day steps only to the next one'); END;

-- Whoever turns the day may release at once what was held: it is counted before.
CREATE TRIGGER IF NOT EXISTS quota_clock_turns AFTER UPDATE OF high_water ON quota_clock
WHEN NEW.high_water > OLD.high_water
BEGIN
    UPDATE quota SET held =
        (SELECT count(*) FROM quota_task WHERE quota = name AND state = 'held' AND offered = 1);
END;

CREATE TRIGGER IF NOT EXISTS quota_task_begins BEFORE INSERT ON quota_task
WHEN NEW.state <> 'pending' OR NEW.attempt <> 0
BEGIN SELECT RAISE(ABORT, 'a task begins pending'); END;

CREATE TRIGGER IF NOT EXISTS quota_task_ready BEFORE UPDATE OF state ON quota_task
WHEN NEW.state = 'ready' AND OLD.state NOT IN ('pending', 'held', 'turn-limit', 'ready')
BEGIN SELECT RAISE(ABORT, 'only a waiting task is released'); END;

CREATE TRIGGER IF NOT EXISTS quota_task_claim BEFORE UPDATE OF state ON quota_task
WHEN NEW.state = 'claimed' AND (OLD.state NOT IN ('ready', 'claimed') OR NOT EXISTS
     (SELECT 1 FROM quota_session WHERE task = NEW.id AND attempt = NEW.attempt AND runner = NEW.runner AND ended IS NULL))
BEGIN SELECT RAISE(ABORT, 'a task is claimed with the session that runs it'); END;

-- The release log writes itself: there is no release without its line, and no second line for one release. So does what
-- the dashboard is told of it.
CREATE TRIGGER IF NOT EXISTS quota_task_released AFTER UPDATE OF state ON quota_task
WHEN NEW.state = 'ready' AND OLD.state <> 'ready'
BEGIN
    UPDATE quota_task SET attempt = attempt + 1 WHERE number = NEW.number;
    INSERT INTO quota_release (task, attempt, quota, day, at)
    SELECT NEW.id, NEW.attempt + 1, NEW.quota, high_water, NEW.changed FROM quota_clock;
    INSERT INTO quota_post (key, task, what, body, at)
    SELECT 'release:' || NEW.id || ':' || (NEW.attempt + 1), NEW.id, 'release',
           json_object('quota', NEW.quota, 'day', high_water, 'attempt', NEW.attempt + 1), NEW.changed
    FROM quota_clock WHERE NEW.source = 'dashboard';
END;

CREATE TRIGGER IF NOT EXISTS quota_session_begins BEFORE INSERT ON quota_session
BEGIN
    SELECT RAISE(ABORT, 'a session counts for the day of the ledger')
    WHERE NEW.day IS NOT (SELECT high_water FROM quota_clock);
    SELECT RAISE(ABORT, 'cap and turn_cap are those of the quota')
    WHERE NOT EXISTS (SELECT 1 FROM quota WHERE name = NEW.quota AND per_day = NEW.cap AND turns = NEW.turn_cap);
    SELECT RAISE(ABORT, 'a session runs what was released')
    WHERE NOT EXISTS (SELECT 1 FROM quota_release WHERE task = NEW.task AND attempt = NEW.attempt AND quota = NEW.quota);
    SELECT RAISE(ABORT, 'concurrency reached')
    WHERE (SELECT count(*) FROM quota_session WHERE quota = NEW.quota AND ended IS NULL)
       >= (SELECT concurrency FROM quota WHERE name = NEW.quota);
END;

CREATE TRIGGER IF NOT EXISTS quota_session_stays BEFORE UPDATE ON quota_session
WHEN OLD.ended IS NOT NULL OR NEW.quota <> OLD.quota OR NEW.day <> OLD.day OR NEW.seq <> OLD.seq OR NEW.cap <> OLD.cap
  OR NEW.task <> OLD.task OR NEW.attempt <> OLD.attempt OR NEW.runner <> OLD.runner OR NEW.turn_cap <> OLD.turn_cap
BEGIN SELECT RAISE(ABORT, 'a session that has ended, and what a session is counted by, do not change'); END;

CREATE TRIGGER IF NOT EXISTS quota_session_counts BEFORE DELETE ON quota_session
BEGIN SELECT RAISE(ABORT, 'a session stays counted'); END;

CREATE TRIGGER IF NOT EXISTS quota_release_stays BEFORE DELETE ON quota_release
BEGIN SELECT RAISE(ABORT, 'a release stays logged'); END;

CREATE TRIGGER IF NOT EXISTS quota_release_is BEFORE UPDATE ON quota_release
BEGIN SELECT RAISE(ABORT, 'a release stays as it was'); END;

CREATE TRIGGER IF NOT EXISTS quota_step_stays BEFORE DELETE ON quota_step
BEGIN SELECT RAISE(ABORT, 'a step of the day stays recorded'); END;

CREATE TRIGGER IF NOT EXISTS quota_step_is BEFORE UPDATE ON quota_step
BEGIN SELECT RAISE(ABORT, 'a step of the day stays as it was'); END;

CREATE TRIGGER IF NOT EXISTS quota_day_closes BEFORE INSERT ON quota_day
WHEN NEW.day >= (SELECT high_water FROM quota_clock)
BEGIN SELECT RAISE(ABORT, 'only a past day is closed'); END;

CREATE TRIGGER IF NOT EXISTS quota_day_stays BEFORE DELETE ON quota_day
WHEN OLD.day < (SELECT high_water FROM quota_clock)
BEGIN SELECT RAISE(ABORT, 'a past day stays closed'); END;

CREATE TRIGGER IF NOT EXISTS quota_day_sealed BEFORE UPDATE ON quota_day
WHEN OLD.sealed IS NOT NULL AND (NEW.per_day <> OLD.per_day OR NEW.sessions <> OLD.sessions OR NEW.turns <> OLD.turns
     OR NEW.sealed IS NOT OLD.sealed)
BEGIN SELECT RAISE(ABORT, 'a sealed day does not change'); END;
