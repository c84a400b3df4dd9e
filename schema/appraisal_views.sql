-- The public face of the ledger. Columns are only ever added. Open read-only (mode=ro), keep reads
-- short: a long transaction lets the write-ahead log grow.

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
FROM fact f, house h;
