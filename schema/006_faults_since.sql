-- Since when each active fault lasts, beside its code: a start need not read the log for it.
ALTER TABLE device ADD COLUMN faults_at TEXT NOT NULL DEFAULT '[]';    -- instants, JSON array
UPDATE device SET faults_at = (
    SELECT json_group_array(begin_at) FROM (
        SELECT (SELECT f.at FROM event f
                WHERE f.kind = 'device' AND f.subject = device.device AND f.at <= h.as_of
                  AND f.json ->> '$.type' = 'device.faulted' AND f.json ->> '$.code' = c.value
                  AND NOT EXISTS (
                    SELECT 1 FROM event r
                    WHERE r.kind = 'device' AND r.subject = device.device AND r.at <= h.as_of
                      AND r.json ->> '$.type' = 'device.recovered' AND r.json ->> '$.code' = c.value
                      AND (r.at, r.source, r.id) > (f.at, f.source, f.id))
                ORDER BY f.at, f.source, f.id LIMIT 1) AS begin_at
        FROM json_each(device.faults) c, house h ORDER BY c.key))
WHERE faults <> '[]';
