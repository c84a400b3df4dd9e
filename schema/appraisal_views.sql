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

-- The weekly meeting: each KPI of the company, of each department, and of each post's scope, in
-- each week from the first that has a fact, whether anything was counted or not.
DROP VIEW IF EXISTS appraisal_week;
CREATE VIEW appraisal_week AS
WITH cell (period, kpi, scope) AS (
    SELECT c.period, own.kpi, own.scope
    FROM house h JOIN calendar c JOIN (
        SELECT kpi, 'company' AS scope FROM kpi
        UNION
        SELECT kpi, 'department:' || department FROM kpi WHERE department IS NOT NULL
        UNION
        SELECT pk.kpi, po.scope FROM post_kpi pk JOIN post po USING (post)) own
    WHERE c.kind = 1 AND c.begin_at <= h.as_of
      AND c.end_at >= coalesce((SELECT min(end_at) FROM fact), h.as_of)
    -- And what other departments did, or what is configured no more.
    UNION ALL
    SELECT f.period, f.kpi, f.scope FROM fact f
    WHERE f.kind = 1
      AND (f.scope = 'company' OR f.scope >= 'department:' AND f.scope < 'department;')
      AND NOT EXISTS (SELECT 1 FROM sealed_period p WHERE p.period = f.period)
      AND NOT EXISTS (SELECT 1 FROM kpi k
                      WHERE k.kpi = f.kpi
                        AND f.scope IN ('company', 'department:' || k.department))
      AND NOT EXISTS (SELECT 1 FROM post_kpi pk JOIN post po USING (post)
                      WHERE pk.kpi = f.kpi AND po.scope = f.scope)
    UNION ALL
    SELECT s.period, s.kpi, s.scope FROM sealed_period p JOIN sealed_fact s
    ON s.seal = p.seal AND s.period = p.period
    WHERE p.kind = 1
      AND (s.scope = 'company' OR s.scope >= 'department:' AND s.scope < 'department;')
      AND NOT EXISTS (SELECT 1 FROM kpi k
                      WHERE k.kpi = s.kpi
                        AND s.scope IN ('company', 'department:' || k.department))
      AND NOT EXISTS (SELECT 1 FROM post_kpi pk JOIN post po USING (post)
                      WHERE pk.kpi = s.kpi AND po.scope = s.scope)
)
SELECT week, department, scope, kpi, place, name_zh, name_en, numerator, denominator, excluded,
       pending, rate, low, high, target, direction, verdict, shortfall, make_up, streak,
       streak >= penalty_after AS penalty_due,
       CASE WHEN explanation_text IS NOT NULL THEN 'given'
       WHEN verdict = 'missed' AND department IS NOT NULL THEN 'due' END AS explanation,
       explanation_text, explanation_by, explanation_at, coverage, gaps, state, revision,
       restatement_pending, as_of, begin_at, end_at
FROM (
    SELECT
        cell.period AS week, cell.kpi, cell.scope,
        CASE WHEN cell.scope LIKE 'department:%' THEN substr(cell.scope, 12) END AS department,
        coalesce(k.name_zh, cell.kpi) AS name_zh, coalesce(k.name_en, cell.kpi) AS name_en,
        k.place AS place,                           -- of the KPI in the configuration
        coalesce(s.numerator, f.numerator, 0) AS numerator,
        coalesce(s.denominator, f.denominator, 0) AS denominator,
        coalesce(s.excluded, f.excluded, 0) AS excluded,
        coalesce(s.pending, f.pending, 0) AS pending,
        coalesce(s.rate_e6, f.rate_e6) / 1000000.0 AS rate,
        coalesce(s.low_e6, f.low_e6) / 1000000.0 AS low,
        coalesce(s.high_e6, f.high_e6) / 1000000.0 AS high,
        CASE WHEN s.kpi IS NULL AND f.kpi IS NULL THEN (
            SELECT t.value_e4 FROM target t
            WHERE t.kpi = cell.kpi AND t.scope IN ('', cell.scope) AND t.from_day <= c.first_day
            ORDER BY t.scope = '', t.from_day DESC LIMIT 1)
        ELSE coalesce(s.target_e4, f.target_e4) END / 10000.0 AS target,
        coalesce(s.direction, f.direction, k.direction) AS direction,
        coalesce(s.verdict, f.verdict, 'no_data') AS verdict,
        coalesce(s.shortfall, f.shortfall, 0) AS shortfall,
        coalesce(ps.shortfall, pf.shortfall, 0) AS make_up,         -- last week's shortfall
        -- Walking back from this week: how many missed behind the last that ended it, which is one
        -- that is neither missed nor stepped over. Both stop early: a streak is short.
        (SELECT count(*) FROM calendar q
         LEFT JOIN sealed_period w ON w.period = q.period
         LEFT JOIN sealed_fact x ON x.seal = w.seal AND x.period = q.period
                                AND x.kpi = cell.kpi AND x.scope = cell.scope
         LEFT JOIN fact y ON w.period IS NULL AND y.kpi = cell.kpi AND y.period = q.period
                         AND y.scope = cell.scope
         WHERE q.kind = 1 AND q.begin_at <= c.begin_at
           AND q.end_at >= (SELECT min(end_at) FROM fact)
           AND coalesce(x.verdict, y.verdict) = 'missed'
           AND q.begin_at > coalesce((
            SELECT q.begin_at FROM calendar q
            LEFT JOIN sealed_period w ON w.period = q.period
            LEFT JOIN sealed_fact x ON x.seal = w.seal AND x.period = q.period
                                   AND x.kpi = cell.kpi AND x.scope = cell.scope
            LEFT JOIN fact y ON w.period IS NULL AND y.kpi = cell.kpi AND y.period = q.period
                            AND y.scope = cell.scope
            WHERE q.kind = 1 AND q.begin_at <= c.begin_at
              AND q.end_at >= (SELECT min(end_at) FROM fact)
              AND coalesce(x.verdict, y.verdict) NOT IN ('missed', 'too_few', 'no_data')
            ORDER BY q.begin_at DESC LIMIT 1), 0)) AS streak,
        r.penalty_after,
        n.why AS explanation_text, n.by AS explanation_by, n.at AS explanation_at,
        coalesce(s.coverage_e4, any_s.coverage_e4,      -- one for all scopes
            -- Else as in appraisal_fact.
            CASE WHEN min(c.end_at, h.as_of) <= c.begin_at THEN 10000
            ELSE (2 * 10000 * ((min(c.end_at, h.as_of) - c.begin_at) - coalesce((
                      SELECT sum(min(coalesce(g.end_at, h.as_of), c.end_at, h.as_of)
                                 - max(g.begin_at, c.begin_at))
                      FROM gap g
                      WHERE g.kpi = cell.kpi AND g.begin_at < min(c.end_at, h.as_of)
                        AND coalesce(g.end_at, h.as_of) > c.begin_at), 0))
                  + (min(c.end_at, h.as_of) - c.begin_at) - 1)
                 / (2 * (min(c.end_at, h.as_of) - c.begin_at)) END) / 10000.0 AS coverage,
        coalesce(s.gaps, any_s.gaps,
            (SELECT count(*) FROM gap g
             WHERE g.kpi = cell.kpi AND g.begin_at < min(c.end_at, h.as_of)
               AND coalesce(g.end_at, h.as_of) > c.begin_at)) AS gaps,
        CASE WHEN p.period IS NOT NULL THEN 'sealed' WHEN c.end_at <= h.as_of THEN 'closing'
        ELSE 'open' END AS state,
        coalesce(p.revision, 0) AS revision,
        p.pending_at IS NOT NULL AS restatement_pending,
        coalesce(p.sealed_at, h.as_of) AS as_of,
        c.begin_at AS begin_at, c.end_at AS end_at
    FROM cell
    JOIN calendar c ON c.kind = 1 AND c.period = cell.period
    JOIN house h JOIN week_rule r
    LEFT JOIN kpi k ON k.kpi = cell.kpi
    LEFT JOIN sealed_period p ON p.period = cell.period
    LEFT JOIN sealed_fact s ON s.seal = p.seal AND s.period = cell.period AND s.kpi = cell.kpi
                           AND s.scope = cell.scope
    LEFT JOIN sealed_fact any_s ON any_s.seal = p.seal AND any_s.period = cell.period
                               AND any_s.kpi = cell.kpi AND any_s.scope = (
        SELECT min(scope) FROM sealed_fact x
        WHERE x.seal = p.seal AND x.period = cell.period AND x.kpi = cell.kpi)
    LEFT JOIN fact f ON p.period IS NULL AND f.kpi = cell.kpi AND f.period = cell.period
                    AND f.scope = cell.scope
    LEFT JOIN sealed_period pp ON pp.period = c.previous
    LEFT JOIN sealed_fact ps ON ps.seal = pp.seal AND ps.period = c.previous AND ps.kpi = cell.kpi
                            AND ps.scope = cell.scope
    LEFT JOIN fact pf ON pp.period IS NULL AND pf.kpi = cell.kpi AND pf.period = c.previous
                     AND pf.scope = cell.scope
    LEFT JOIN seal n ON n.n = (
        SELECT max(m.n) FROM seal m
        WHERE m.period = cell.period AND m.period <> '' AND m.kind = 'noted'
          AND cell.scope LIKE 'department:%'
          AND m.content = cell.kpi || ' ' || substr(cell.scope, 12)));

-- Signs of steering: what the tickets of a week look like beside its figures, for the company and
-- each department. No verdict; of the tickets as they are now, also where the week is sealed.
DROP VIEW IF EXISTS appraisal_sign;
CREATE VIEW appraisal_sign AS
WITH look AS NOT MATERIALIZED (
    SELECT c.period, k.kpi, k.expire_ms, coalesce(t.department, k.department) AS department,
           t.denominator, t.excluded, CASE t.pending WHEN 1 THEN t.opened_at END AS pending_since,
           -- Settled by work and in time; what an amendment settled was not.
           t.pending = 0 AND t.flags & 2 = 0
               AND coalesce(t.settled_at <= t.opened_at + k.expire_ms, 1) AS settled,
           t.settled_at - t.opened_at AS took_ms,
           t.flags & 1 AND t.settled_at / 60000 = t.opened_at / 60000 AS same_minute,
           -- NULL: not amended; 1, and 1 << 32 if by somebody of the department: its head, or who
           -- has tickets in this week's figure. One number, so that it is looked for once.
           (SELECT max(1 + (1 << 32) * (
                EXISTS (SELECT 1 FROM holder o JOIN post USING (post)
                        WHERE post.scope = 'department:' || coalesce(t.department, k.department)
                          AND a.by IN (o.name, o.user) AND a.at >= o.begin_at
                          AND a.at < coalesce(o.end_at, a.at + 1))
                OR EXISTS (SELECT 1 FROM fact f WHERE f.kpi = k.kpi AND f.period = c.period
                           AND f.scope = 'staff:' || a.by)))
            FROM amendment a
            WHERE a.kind = t.kind AND a.ticket = t.ticket AND a.at <= h.as_of) AS amended,
           h.as_of
    FROM calendar c JOIN house h JOIN kpi k
    JOIN ticket t ON t.kind = k.counts AND t.counts_at >= c.begin_at AND t.counts_at < c.end_at
    WHERE c.kind = 1
),
-- Of each department; a week's tickets are read once, for it and for the company.
part AS NOT MATERIALIZED (
    SELECT period, kpi, expire_ms, department, count(*) AS tickets, sum(excluded) AS excluded,
           sum(denominator + excluded) AS counted, sum(amended) AS amended,
           sum(settled) AS settled, sum(settled AND 10 * took_ms >= 9 * expire_ms) AS last_tenth,
           sum(settled AND same_minute) AS same_minute, min(pending_since) AS pending_since,
           max(as_of) AS as_of
    FROM look GROUP BY period, kpi, department
)
SELECT week, kpi, scope, tickets, excluded_share, amended, amended_by_own, last_tenth_share,
       same_minute, oldest_pending_ms
FROM (
    SELECT period AS week, kpi, iif(own, 'department:' || department, 'company') AS scope,
           row_number() OVER whole AS nth,
           sum(tickets) OVER whole AS tickets,
           total(excluded) OVER whole / nullif(sum(counted) OVER whole, 0) AS excluded_share,
           coalesce(sum(amended) OVER whole, 0) & 0xffffffff AS amended,
           coalesce(sum(amended) OVER whole, 0) >> 32 AS amended_by_own,
           CASE WHEN expire_ms IS NOT NULL
           THEN total(last_tenth) OVER whole / nullif(sum(settled) OVER whole, 0) END
               AS last_tenth_share,
           sum(same_minute) OVER whole AS same_minute,
           max(as_of) OVER whole - min(pending_since) OVER whole AS oldest_pending_ms
    FROM part JOIN (SELECT 0 AS own UNION ALL SELECT 1)
    WHERE own = 0 OR department IS NOT NULL
    WINDOW whole AS (PARTITION BY period, kpi, iif(own, department, NULL), own)
)
WHERE nth = 1;

-- Volume plans: what was planned for each day, week, month and year, and what was done.
DROP VIEW IF EXISTS appraisal_plan;
CREATE VIEW appraisal_plan AS
SELECT kpi, period, period_kind, planned, planned_so_far, done,
       max(0, planned - done) AS needed,       -- until the end of the period
       days_left,                              -- today and those to come
       CASE WHEN days_left > 0
       THEN (max(0, planned - done) + days_left - 1) / days_left END AS needed_per_day,
       state, as_of, begin_at, end_at
FROM (
    SELECT q.kpi, q.period,
           CASE q.kind WHEN 0 THEN 'day' WHEN 1 THEN 'week' WHEN 2 THEN 'month' ELSE 'year' END
               AS period_kind,
           q.planned,
           (SELECT coalesce(sum(d.planned), 0) FROM plan_part d
            WHERE d.kpi = q.kpi AND d.kind = 0 AND d.begin_at >= q.begin_at
              AND d.begin_at < q.end_at AND d.begin_at <= h.as_of) AS planned_so_far,
           coalesce(s.numerator, f.numerator, 0) AS done,
           (SELECT count(*) FROM plan_part d
            WHERE d.kpi = q.kpi AND d.kind = 0 AND d.begin_at >= q.begin_at
              AND d.begin_at < q.end_at AND d.end_at > h.as_of) AS days_left,
           CASE WHEN p.period IS NOT NULL THEN 'sealed' WHEN q.end_at <= h.as_of THEN 'closing'
           ELSE 'open' END AS state,
           h.as_of, q.begin_at, q.end_at
    FROM plan_part q JOIN house h
    LEFT JOIN sealed_period p ON p.period = q.period
    LEFT JOIN sealed_fact s ON s.seal = p.seal AND s.period = q.period AND s.kpi = q.kpi
                           AND s.scope = 'company'
    LEFT JOIN fact f ON p.period IS NULL AND f.kpi = q.kpi AND f.period = q.period
                    AND f.scope = 'company');

-- Who held which post in each week and month, and on how many of its days: nobody owns a week
-- before their first day.
DROP VIEW IF EXISTS appraisal_holder;
CREATE VIEW appraisal_holder AS
SELECT o.post, c.period, CASE c.kind WHEN 1 THEN 'week' ELSE 'month' END AS period_kind,
       o.name, o.user,
       CAST (round((min(coalesce(o.end_at, c.end_at), c.end_at)
                    - max(o.begin_at, c.begin_at)) / 86400000.0) AS INTEGER) AS days,
       o.place, max(o.begin_at, c.begin_at) AS begin_at,
       min(coalesce(o.end_at, c.end_at), c.end_at) AS end_at
FROM calendar c JOIN holder o
WHERE o.begin_at < c.end_at AND coalesce(o.end_at, c.end_at) > c.begin_at;

-- The posts: each KPI of each post in its scope, by week and by month, with who held the post. What
-- is of the post as a whole (holders, weighted_attainment, missing) stands in each of its rows.
DROP VIEW IF EXISTS appraisal_post;
CREATE VIEW appraisal_post AS
SELECT post, post_zh, post_en, post_place, scope, period, period_kind, place, kpi, name_zh, name_en,
       weight, numerator, denominator, excluded, pending, rate, target, direction, verdict,
       shortfall, attainment_e4 / 10000.0 AS attainment,
       -- Over the KPIs that have one, from attainments of 4 decimals, rounded half up.
       (2 * sum(weight * attainment_e4) OVER whole
        + sum(weight) FILTER (WHERE attainment_e4 IS NOT NULL) OVER whole)
       / (2 * sum(weight) FILTER (WHERE attainment_e4 IS NOT NULL) OVER whole) / 10000.0
           AS weighted_attainment,
       coalesce(group_concat(kpi, ',') FILTER (WHERE attainment_e4 IS NULL) OVER whole, '')
           AS missing,
       holders, state, revision, as_of, begin_at, end_at
FROM (
    SELECT post, post_zh, post_en, post_place, scope, period, period_kind, place, kpi, name_zh,
           name_en, weight, numerator, denominator, excluded, pending, rate_e6 / 1000000.0 AS rate,
           target_e4 / 10000.0 AS target, direction, verdict, shortfall,
           -- Rate against target, in integers: (part * 10000) / (whole * target), rounded half up
           -- to 4 decimals and at most 1. Null without data, and without a target.
           CASE WHEN denominator = 0 OR target_e4 IS NULL THEN NULL
           WHEN part * 10000 >= denominator * goal THEN 10000
           ELSE (2 * part * 100000000 + denominator * goal) / (2 * denominator * goal) END
               AS attainment_e4,
           holders, state, revision, as_of, begin_at, end_at
    FROM (
        SELECT po.post, po.name_zh AS post_zh, po.name_en AS post_en, po.place AS post_place,
               po.scope, c.period,
               CASE c.kind WHEN 1 THEN 'week' ELSE 'month' END AS period_kind,
               pk.place, pk.kpi, k.name_zh, k.name_en, pk.weight,
               coalesce(s.numerator, f.numerator, 0) AS numerator,
               coalesce(s.denominator, f.denominator, 0) AS denominator,
               coalesce(s.excluded, f.excluded, 0) AS excluded,
               coalesce(s.pending, f.pending, 0) AS pending,
               coalesce(s.rate_e6, f.rate_e6) AS rate_e6,
               CASE WHEN s.kpi IS NULL AND f.kpi IS NULL THEN (
                   SELECT t.value_e4 FROM target t
                   WHERE t.kpi = pk.kpi AND t.scope IN ('', po.scope) AND t.from_day <= c.first_day
                   ORDER BY t.scope = '', t.from_day DESC LIMIT 1)
               ELSE coalesce(s.target_e4, f.target_e4) END AS target_e4,
               coalesce(s.direction, f.direction, k.direction) AS direction,
               coalesce(s.verdict, f.verdict, 'no_data') AS verdict,
               coalesce(s.shortfall, f.shortfall, 0) AS shortfall,
               -- What is good: the rate that is to be high, or the rest of the one to be low.
               CASE coalesce(s.direction, f.direction) WHEN 'at_least'
               THEN coalesce(s.numerator, f.numerator)
               ELSE coalesce(s.denominator - s.numerator, f.denominator - f.numerator) END AS part,
               CASE coalesce(s.direction, f.direction) WHEN 'at_least'
               THEN coalesce(s.target_e4, f.target_e4)
               ELSE 10000 - coalesce(s.target_e4, f.target_e4) END AS goal,
               coalesce((SELECT group_concat(name, ', ')
                         FROM (SELECT o.name FROM holder o
                               WHERE o.post = po.post AND o.begin_at < c.end_at
                                 AND coalesce(o.end_at, c.end_at) > c.begin_at
                               ORDER BY o.begin_at, o.place)), '') AS holders,
               CASE WHEN p.period IS NOT NULL THEN 'sealed' WHEN c.end_at <= h.as_of
               THEN 'closing' ELSE 'open' END AS state,
               coalesce(p.revision, 0) AS revision, coalesce(p.sealed_at, h.as_of) AS as_of,
               c.begin_at, c.end_at
        FROM house h JOIN calendar c JOIN post po JOIN post_kpi pk ON pk.post = po.post
        JOIN kpi k ON k.kpi = pk.kpi
        LEFT JOIN sealed_period p ON p.period = c.period
        LEFT JOIN sealed_fact s ON s.seal = p.seal AND s.period = c.period AND s.kpi = pk.kpi
                               AND s.scope = po.scope
        LEFT JOIN fact f ON p.period IS NULL AND f.kpi = pk.kpi AND f.period = c.period
                        AND f.scope = po.scope
        WHERE c.begin_at <= h.as_of
          AND c.end_at >= coalesce((SELECT min(end_at) FROM fact), h.as_of)))
WINDOW whole AS (PARTITION BY post, period);
