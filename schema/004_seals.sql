-- Seals and the chain. What is written here is never changed afterwards, except sealed_period and
-- week_heard, which say what is in force. docs/canonical-form.md tells how anybody verifies it.

-- The chain: one record for each audited act, and each record covers the one before it.
CREATE TABLE seal (
    n             INTEGER PRIMARY KEY,  -- from 1, without a gap
    kind          TEXT NOT NULL,        -- 'sealed', 'restated', 'configured', 'noted', 'excluded',
                                        -- 'exclusion_undone'
    period        TEXT NOT NULL,        -- of 'sealed' and 'restated', whose week brings its days;
                                        -- of 'noted' its week; else ''
    revision      INTEGER NOT NULL,     -- of the facts: 1, 2, ...; else 0
    at            INTEGER NOT NULL,     -- the instant that the facts speak for
    by            TEXT NOT NULL,        -- the caller as the kernel told, or 'kpid'
    why           TEXT NOT NULL,
    position      INTEGER NOT NULL,     -- the chain covers the events up to here
    events_digest TEXT NOT NULL,        -- of those after the previous record's position; '': none
    config_digest TEXT NOT NULL,        -- of the configuration in force
    facts         INTEGER NOT NULL,     -- how many rows of sealed_fact
    facts_digest  TEXT NOT NULL,        -- of them; '' if the record has none
    moved         INTEGER NOT NULL,     -- how many rows of moved
    moved_digest  TEXT NOT NULL,        -- of them; '' if there are none
    coverage      TEXT NOT NULL,        -- {"kpi":[ten-thousandths, gaps]}; '' if there are no facts
    quarantine    TEXT NOT NULL,        -- items that wait and belong to the period: "3,17"
    content       TEXT NOT NULL,        -- what else the act was about
    previous      TEXT NOT NULL,        -- digest of the record before; '' of the first
    digest        TEXT NOT NULL
) STRICT;
CREATE INDEX seal_period ON seal (period, revision) WHERE period <> '';

-- Every revision of every sealed fact. A week's seal has its days' facts as well.
CREATE TABLE sealed_fact (
    seal        INTEGER NOT NULL,
    period      TEXT NOT NULL,
    kpi         TEXT NOT NULL,
    scope       TEXT NOT NULL,
    kind        INTEGER NOT NULL,       -- 0 day, 1 week, 2 month, 3 year
    begin_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL,
    numerator   INTEGER NOT NULL,
    denominator INTEGER NOT NULL,
    excluded    INTEGER NOT NULL,
    pending     INTEGER NOT NULL,
    rate_e6     INTEGER,
    low_e6      INTEGER,
    high_e6     INTEGER,
    target_e4   INTEGER,
    direction   TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    shortfall   INTEGER NOT NULL,
    coverage_e4 INTEGER NOT NULL,       -- ten-thousandths
    gaps        INTEGER NOT NULL,
    PRIMARY KEY (seal, period, kpi, scope)
) STRICT, WITHOUT ROWID;

-- What moved between a restatement and the revision before it, ticket by ticket and device by
-- device. A side that counted nowhere has at NULL.
CREATE TABLE moved (
    seal               INTEGER NOT NULL,        -- the restatement
    kpi                TEXT NOT NULL,
    kind               TEXT NOT NULL,           -- of the ticket; 'device'
    subject            TEXT NOT NULL,           -- the ticket, or the device
    period             TEXT NOT NULL,           -- of a device: the period it moved in
    before_at          INTEGER,                 -- where it counted
    before_numerator   INTEGER NOT NULL,
    before_denominator INTEGER NOT NULL,
    before_excluded    INTEGER NOT NULL,
    before_pending     INTEGER NOT NULL,
    before_reason      TEXT NOT NULL,
    after_at           INTEGER,
    after_numerator    INTEGER NOT NULL,
    after_denominator  INTEGER NOT NULL,
    after_excluded     INTEGER NOT NULL,
    after_pending      INTEGER NOT NULL,
    after_reason       TEXT NOT NULL,
    cause              TEXT NOT NULL,           -- 'events', or 'rules' if a rule changed
    PRIMARY KEY (seal, kpi, kind, subject, period)
) STRICT, WITHOUT ROWID;

-- The latest revision of each sealed period; days stand with the seal of their week.
CREATE TABLE sealed_period (
    period       TEXT PRIMARY KEY,
    kind         INTEGER NOT NULL,
    begin_at     INTEGER NOT NULL,
    end_at       INTEGER NOT NULL,
    seal         INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    sealed_at    INTEGER NOT NULL,              -- seal.at
    pending_at   INTEGER,                       -- when something first moved since; NULL: nothing
    pending_seal INTEGER                        -- the last record of the chain at that time
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sealed_period_kind ON sealed_period (kind, period);

-- When the ledger first counted something in a week: one that is brought in late has its grace, too.
CREATE TABLE week_heard (
    period      TEXT PRIMARY KEY,
    heard_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO week_heard SELECT DISTINCT period, (SELECT as_of FROM house) FROM fact WHERE kind = 1;

-- Tickets that count, or counted, in a sealed period and changed since: the row as it was when
-- record `seal` was the last of the chain. What a ticket was at record n is its row here with the
-- least seal >= n; without one it has not changed. The columns are those of table ticket.
CREATE TABLE ticket_was (
    kind        TEXT NOT NULL,
    ticket      TEXT NOT NULL,
    opened_at   INTEGER,
    settled_at  INTEGER,
    flags       INTEGER NOT NULL,
    outcome     TEXT,
    reason      TEXT,
    device      TEXT,
    site        TEXT,
    department  TEXT,
    staff       TEXT,
    vehicle     TEXT,
    model       TEXT,
    events      INTEGER NOT NULL,
    last_at     INTEGER,
    next_at     INTEGER,
    accuser     TEXT,
    counts_at   INTEGER,
    numerator   INTEGER NOT NULL,
    denominator INTEGER NOT NULL,
    excluded    INTEGER NOT NULL,
    pending     INTEGER NOT NULL,
    due_at      INTEGER,
    seal        INTEGER NOT NULL,
    cause       TEXT NOT NULL,                  -- 'events', 'rules'
    PRIMARY KEY (kind, ticket, seal)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_was_counts ON ticket_was (kind, counts_at);
CREATE INDEX ticket_was_seal ON ticket_was (seal);
CREATE INDEX ticket_was_job ON ticket_was (device)
    WHERE device IS NOT NULL AND kind IN ('install', 'repair');

-- Devices whose history changed within a sealed period, likewise.
CREATE TABLE device_was (
    device      TEXT NOT NULL,
    seal        INTEGER NOT NULL,
    PRIMARY KEY (device, seal)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_was_seal ON device_was (seal);
