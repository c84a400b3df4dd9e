-- The public face of the ledger. Columns are only ever added. Open read-only (mode=ro), keep reads
-- short: a long transaction lets the write-ahead log grow.

-- Every revision of every sealed fact, as it was sealed; `seal` is its record in appraisal_seal.
DROP VIEW IF EXISTS appraisal_fact_history;
CREATE VIEW appraisal_fact_history AS
SELECT
    s.kpi, s.period,
    CASE s.kind WHEN 0 THEN 'day' WHEN 1 THEN 'week' WHEN 2 THEN 'month' ELSE 'year' END AS period_kind,
    s.scope, s.numerator, s.denominator, s.excluded, s.pending,
    s.rate_e6 / 1000000.0 AS rate, s.low_e6 / 1000000.0 AS low, s.high_e6 / 1000000.0 AS high,
    s.target_e4 / 10000.0 AS target,
    s.direction, s.verdict, s.shortfall,
    s.coverage_e4 / 10000.0 AS coverage, s.gaps,
    'sealed' AS state, r.revision AS revision, r.at AS as_of,
    s.begin_at AS begin_at, s.end_at AS end_at,
    s.seal AS seal
FROM sealed_fact s JOIN seal r ON r.n = s.seal;

-- The chain: each sealing, restatement, note, exclusion and accepted configuration.
-- restatement_pending: something moved since this revision of the period was sealed.
DROP VIEW IF EXISTS appraisal_seal;
CREATE VIEW appraisal_seal AS
SELECT r.n AS seal, r.kind, r.period, r.revision, r.at AS as_of, r.by, r.why, r.position,
       r.facts, r.moved, r.coverage, r.quarantine, r.content, r.config_digest, r.digest,
       EXISTS (SELECT 1 FROM sealed_period p WHERE p.period = r.period AND p.seal = r.n
               AND p.pending_at IS NOT NULL) AS restatement_pending
FROM seal r;

-- The latest revision of each fact of a sealed period, and the others as they are now.
DROP VIEW IF EXISTS appraisal_fact;
CREATE VIEW appraisal_fact AS
SELECT
    f.kpi, f.period,
    CASE f.kind WHEN 0 THEN 'day' WHEN 1 THEN 'week' WHEN 2 THEN 'month' ELSE 'year' END AS period_kind,
    f.scope, f.numerator, f.denominator, f.excluded, f.pending,
    f.rate_e6 / 1000000.0 AS rate, f.low_e6 / 1000000.0 AS low, f.high_e6 / 1000000.0 AS high,
    f.target_e4 / 10000.0 AS target,
    f.direction, f.verdict, f.shortfall,
    -- The share of the period, cut at as_of, in which no input was lost: to 4 decimals, half down.
    CASE WHEN min(f.end_at, h.as_of) <= f.begin_at THEN 1.0
    ELSE ((2 * 10000 * ((min(f.end_at, h.as_of) - f.begin_at) - coalesce((
            SELECT sum(min(coalesce(g.end_at, h.as_of), f.end_at, h.as_of)
                       - max(g.begin_at, f.begin_at))
            FROM gap g
            WHERE g.kpi = f.kpi AND g.begin_at < min(f.end_at, h.as_of)
              AND coalesce(g.end_at, h.as_of) > f.begin_at), 0))
          + (min(f.end_at, h.as_of) - f.begin_at) - 1)
         / (2 * (min(f.end_at, h.as_of) - f.begin_at))) / 10000.0 END AS coverage,
    (SELECT count(*) FROM gap g
     WHERE g.kpi = f.kpi AND g.begin_at < min(f.end_at, h.as_of)
       AND coalesce(g.end_at, h.as_of) > f.begin_at) AS gaps,
    CASE WHEN f.end_at <= h.as_of THEN 'closing' ELSE 'open' END AS state,
    0 AS revision,
    h.as_of AS as_of,
    f.begin_at AS begin_at, f.end_at AS end_at
FROM fact f, house h
WHERE f.period NOT IN (SELECT period FROM sealed_period)
UNION ALL
SELECT
    s.kpi, s.period,
    CASE s.kind WHEN 0 THEN 'day' WHEN 1 THEN 'week' WHEN 2 THEN 'month' ELSE 'year' END,
    s.scope, s.numerator, s.denominator, s.excluded, s.pending,
    s.rate_e6 / 1000000.0, s.low_e6 / 1000000.0, s.high_e6 / 1000000.0, s.target_e4 / 10000.0,
    s.direction, s.verdict, s.shortfall, s.coverage_e4 / 10000.0, s.gaps,
    'sealed', p.revision, p.sealed_at, s.begin_at, s.end_at
FROM sealed_period p JOIN sealed_fact s ON s.seal = p.seal AND s.period = p.period;
