-- What orders two events of one ticket at one instant is in the log; kept in each row as well it
-- was a tenth of what is written.
ALTER TABLE ticket DROP COLUMN last_source;
ALTER TABLE ticket DROP COLUMN last_id;
