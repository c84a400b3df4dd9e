-- The weekly meeting and the posts. What is configured stands here so that a reader without the
-- configuration can tell it: plans already split into their parts, days already instants.

-- One row: what the weeks are judged by.
CREATE TABLE week_rule (
    one                 INTEGER PRIMARY KEY CHECK (one = 1),
    timezone            TEXT NOT NULL,
    grace_ms            INTEGER NOT NULL,
    restate_horizon_ms  INTEGER NOT NULL,
    penalty_after       INTEGER NOT NULL,
    seal_requires_e4    INTEGER,        -- NULL: off
    catalogue           TEXT NOT NULL   -- what the tables of the catalogue were made from
) STRICT;

-- Weeks and months of the configured zone, whether anything was counted in them or not.
CREATE TABLE calendar (
    kind        INTEGER NOT NULL,       -- 1 week, 2 month
    period      TEXT NOT NULL,
    begin_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL,
    first_day   INTEGER NOT NULL,       -- days since 1970-01-01
    previous    TEXT NOT NULL,          -- the period before
    PRIMARY KEY (period)
) STRICT, WITHOUT ROWID;
CREATE INDEX calendar_begin ON calendar (kind, begin_at);

-- Targets as configured, for what has no fact that would carry its own.
CREATE TABLE target (
    kpi         TEXT NOT NULL,
    scope       TEXT NOT NULL,          -- '': all
    from_day    INTEGER NOT NULL,       -- days since 1970-01-01
    value_e4    INTEGER NOT NULL,
    PRIMARY KEY (kpi, scope, from_day)
) STRICT, WITHOUT ROWID;

-- Volume plans: each day, week, month and year that has a part in one.
CREATE TABLE plan_part (
    kpi         TEXT NOT NULL,
    kind        INTEGER NOT NULL,       -- 0 day, 1 week, 2 month, 3 year
    begin_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL,
    period      TEXT NOT NULL,
    planned     INTEGER NOT NULL,
    PRIMARY KEY (kpi, kind, begin_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_part_period ON plan_part (period);

CREATE TABLE post (
    post        TEXT PRIMARY KEY,
    place       INTEGER NOT NULL,       -- order in the configuration
    name_zh     TEXT NOT NULL,
    name_en     TEXT NOT NULL,
    scope       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE post_kpi (
    post        TEXT NOT NULL,
    place       INTEGER NOT NULL,
    kpi         TEXT NOT NULL,
    weight      INTEGER,                -- whole per cent; NULL: none given
    PRIMARY KEY (post, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE holder (
    post        TEXT NOT NULL,
    place       INTEGER NOT NULL,
    name        TEXT NOT NULL,
    user        TEXT,                   -- login name, if given
    begin_at    INTEGER NOT NULL,       -- the first day's first instant
    end_at      INTEGER,                -- the first instant no longer in it; NULL: still
    PRIMARY KEY (post, place)
) STRICT, WITHOUT ROWID;

-- Which events amended a ticket: an index of the log, so that amendments are found among millions.
CREATE TABLE amendment (
    seq         INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    ticket      TEXT NOT NULL,
    at          INTEGER NOT NULL,
    by          TEXT NOT NULL
) STRICT;
CREATE INDEX amendment_ticket ON amendment (kind, ticket);
INSERT INTO amendment (seq, kind, ticket, at, by)
SELECT seq, kind, subject, at, json_extract(json, '$.by')
FROM event WHERE json_extract(json, '$.type') = kind || '.amended' AND kind NOT IN ('device', 'source');
