-- A ticket's row stands at the position of its first event in the log: new tickets are appended
-- instead of being sorted in by name, and by name they are found through event_subject. The views
-- name the table, so it is not renamed but made anew.
CREATE TABLE ticket_before AS SELECT * FROM ticket;
DROP TABLE ticket;
CREATE TABLE ticket (
    first_seq   INTEGER PRIMARY KEY,    -- of its events in the log
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
    last_at     INTEGER,                -- of the last event folded
    next_at     INTEGER,                -- an event dated after as_of
    accuser     TEXT,                   -- the repair ticket that accuses it
    counts_at   INTEGER,                -- the instant whose periods it counts in
    numerator   INTEGER NOT NULL,
    denominator INTEGER NOT NULL,
    excluded    INTEGER NOT NULL,
    pending     INTEGER NOT NULL,
    due_at      INTEGER                 -- when it counts differently by itself
) STRICT;
INSERT INTO ticket
SELECT (SELECT seq FROM event WHERE event.kind = b.kind AND event.subject = b.ticket
        ORDER BY seq LIMIT 1) AS first_seq, b.*
FROM ticket_before b ORDER BY first_seq;
DROP TABLE ticket_before;
CREATE INDEX ticket_counts ON ticket (kind, counts_at, ticket);
CREATE INDEX ticket_due ON ticket (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ticket_job ON ticket (device)
    WHERE device IS NOT NULL AND kind IN ('install', 'repair');
