#!/usr/bin/env python3
"""A small appraisal module: each post's score in a week or a month, straight from kpid's ledger.

    scores.py [--database PATH] PERIOD          2026-W47 or 2026-11

Prints one line for each holder of each post, separated by tabs: period, state, revision, post,
holder, days, score, and the KPIs that are missing from it. What a score is worth in money is the
scheme's business; what it is made of is in docs/appraisal.md.

Three things matter to a reader like this one:
  * mode=ro: it may not write, needs no right to, and never holds the daemon up;
  * short reads: everything is fetched at once, inside one transaction, before any work is done;
  * an open or closing period is provisional: only a sealed revision is paid by, and a later
    revision stands beside it.
"""
import argparse
import sqlite3
import sys
import urllib.parse

NEEDED_SCHEMA = 2       # the first with the views that are read here; columns are only ever added

QUERY = """
SELECT DISTINCT a.period, a.state, a.revision, a.post, h.name, h.days, a.weighted_attainment,
       a.missing
FROM appraisal_post a
LEFT JOIN appraisal_holder h ON h.post = a.post AND h.period = a.period
WHERE a.period = ?
ORDER BY a.post_place, h.place
"""


def fetch(database, period):
    uri = "file:" + urllib.parse.quote(database) + "?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)
    try:
        connection.execute("BEGIN")
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema < NEEDED_SCHEMA:
            sys.exit(f"{database}: schema {schema} is older than this program reads")
        return connection.execute(QUERY, (period,)).fetchall()
    finally:
        connection.close()


def score(attainment):
    """Points of a hundred, as the scheme counts them; "-" where there is nothing to go by."""
    return "-" if attainment is None else f"{attainment * 100:.2f}"


def main():
    parser = argparse.ArgumentParser(description="scores of the posts, from kpid's ledger")
    parser.add_argument("period", help="a week, 2026-W47, or a month, 2026-11")
    parser.add_argument("--database", default="/var/lib/kpid/kpid.db")
    arguments = parser.parse_args()
    try:
        rows = fetch(arguments.database, arguments.period)
    except sqlite3.Error as error:
        sys.exit(f"{arguments.database}: {error}")
    if not rows:
        sys.exit(f"the ledger knows nothing of {arguments.period}")
    for period, state, revision, post, name, days, attainment, missing in rows:
        print(period, state, revision, post, name or "-", days or 0, score(attainment),
              missing or "-", sep="\t")


if __name__ == "__main__":
    main()
