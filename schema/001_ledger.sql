-- The ledger. Instants are integer milliseconds since 1970-01-01T00:00Z; a NULL is "none".
-- Programs read the appraisal_* views (appraisal_views.sql), which stay stable; the tables below
-- are the daemon's own. A rebuild leaves an index of ticket, device, fact or gap under its name, or
-- with _b behind it: a migration that drops one drops both.

-- What happened, as it was received: append-only, the only thing that is not derived.
CREATE TABLE event (
    seq         INTEGER PRIMARY KEY,    -- position in the log, from 1
    source      TEXT NOT NULL,
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,          -- 'install' ...; 'device'; 'source'
    subject     TEXT NOT NULL,          -- the ticket, the device, or the input
    at          INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    via         TEXT NOT NULL,          -- the input that brought it, or 'socket:USER'
    json        TEXT NOT NULL           -- the event, word for word
) STRICT;
CREATE UNIQUE INDEX event_identity ON event (source, id);
CREATE INDEX event_subject ON event (kind, subject);

-- What was received and could not be taken. A line that comes again is counted, not repeated.
CREATE TABLE quarantine (
    n           INTEGER PRIMARY KEY,
    via         TEXT NOT NULL,
    line        INTEGER NOT NULL,       -- in its file, answer or body
    received_at INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,       -- when it last came
    times       INTEGER NOT NULL,
    reason      TEXT NOT NULL,          -- begins with the field at fault, if one is
    raw         BLOB NOT NULL,
    digest      BLOB NOT NULL,          -- SHA-256 of raw
    state       TEXT NOT NULL DEFAULT 'waiting',    -- 'waiting', 'resubmitted', 'dismissed'
    decided_at  INTEGER,
    decided_by  TEXT,
    decision    TEXT                    -- why dismissed; the event that replaced it
) STRICT;
CREATE UNIQUE INDEX quarantine_identity ON quarantine (via, digest);
CREATE INDEX quarantine_waiting ON quarantine (n) WHERE state = 'waiting';

-- Folded: each ticket, and what it was last counted as.
CREATE TABLE ticket (
    kind        TEXT NOT NULL,
    ticket      TEXT NOT NULL,
    opened_at   INTEGER,
    settled_at  INTEGER,                -- as folded; expiry may move it (flags)
    flags       INTEGER NOT NULL,       -- 1 has an opened event, 2 settled by amendment, 4 corrected
    outcome     TEXT,                   -- 'success', 'failure', 'excluded'
    reason      TEXT,
    device      TEXT,
    site        TEXT,
    department  TEXT,
    staff       TEXT,
    vehicle     TEXT,
    model       TEXT,
    events      INTEGER NOT NULL,
    last_at     INTEGER,                -- order of the last event folded
    last_source TEXT,
    last_id     TEXT,
    next_at     INTEGER,                -- an event dated after as_of
    accuser     TEXT,                   -- the repair ticket that accuses it
    counts_at   INTEGER,                -- the instant whose periods it counts in
    numerator   INTEGER NOT NULL,
    denominator INTEGER NOT NULL,
    excluded    INTEGER NOT NULL,
    pending     INTEGER NOT NULL,
    due_at      INTEGER,                -- when it counts differently by itself
    PRIMARY KEY (kind, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_counts ON ticket (kind, counts_at);
CREATE INDEX ticket_due ON ticket (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ticket_job ON ticket (device)
    WHERE device IS NOT NULL AND kind IN ('install', 'repair');

-- Folded: each device as it is now; its history is folded from the log when it is needed.
CREATE TABLE device (
    device      TEXT PRIMARY KEY,
    in_service  INTEGER NOT NULL,       -- 0 or 1
    site        TEXT,
    model       TEXT,
    department  TEXT,
    faults      TEXT NOT NULL,          -- active codes, JSON array
    due_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX device_due ON device (due_at) WHERE due_at IS NOT NULL;

-- Counted: one row for each fact that is not sealed.
CREATE TABLE fact (
    kpi         TEXT NOT NULL,
    period      TEXT NOT NULL,          -- '2026-11-16', '2026-W47', '2026-11', '2026'
    scope       TEXT NOT NULL,
    kind        INTEGER NOT NULL,       -- 0 day, 1 week, 2 month, 3 year
    begin_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL,
    numerator   INTEGER NOT NULL,
    denominator INTEGER NOT NULL,
    excluded    INTEGER NOT NULL,
    pending     INTEGER NOT NULL,
    rate_e6     INTEGER,                -- millionths
    low_e6      INTEGER,
    high_e6     INTEGER,
    target_e4   INTEGER,                -- ten-thousandths
    direction   TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    shortfall   INTEGER NOT NULL,
    PRIMARY KEY (kpi, period, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_end ON fact (end_at);
CREATE INDEX fact_period ON fact (kind, period);

-- When no input of a KPI was watching; apart and ascending. end_at NULL: still so.
CREATE TABLE gap (
    kpi         TEXT NOT NULL,
    begin_at    INTEGER NOT NULL,
    end_at      INTEGER,
    PRIMARY KEY (kpi, begin_at)
) STRICT, WITHOUT ROWID;

-- Where each input stands; commits with the events that it brought.
CREATE TABLE cursor (
    source      TEXT PRIMARY KEY,
    cursor      TEXT NOT NULL,
    moved_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Each accepted configuration.
CREATE TABLE generation (
    number      INTEGER PRIMARY KEY,
    digest      TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    by          TEXT NOT NULL,
    changed     TEXT NOT NULL,          -- one dotted path a line
    settings    TEXT NOT NULL           -- all of them, one "path = value" a line
) STRICT;

-- One row: what the figures speak for.
CREATE TABLE house (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    as_of       INTEGER NOT NULL,       -- every deadline up to here has fired
    position    INTEGER NOT NULL,       -- seq of the last event
    last_at     INTEGER NOT NULL,       -- greatest `at` not after as_of; 0: none
    counting    TEXT NOT NULL,          -- the rules that the counts were made with
    valuing     TEXT NOT NULL
) STRICT;

-- The catalogue of KPIs of the present configuration, for readers.
CREATE TABLE kpi (
    kpi         TEXT PRIMARY KEY,
    place       INTEGER NOT NULL,       -- order in the configuration
    counts      TEXT NOT NULL,
    direction   TEXT NOT NULL,
    department  TEXT,
    name_zh     TEXT NOT NULL,
    name_en     TEXT NOT NULL,
    rework_ms   INTEGER,
    expire_ms   INTEGER
) STRICT, WITHOUT ROWID;
