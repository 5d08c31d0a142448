"""Write call records as Asterisk's SQLite backends do, until a line comes in.

Five tries with 200 µs between, no busy timeout, then the record is lost (cdr_sqlite3_custom.c).
Run as: call_record_writer.py DATABASE PER_SECOND; prints `writing`, and at the end WRITTEN LOST.
"""

import select
import sqlite3
import sys
import time

TRIES = 5
BETWEEN_SECONDS = 0.0002


def write(db: sqlite3.Connection) -> bool:
    for _ in range(TRIES):
        try:
            db.execute("INSERT INTO cdr (body) VALUES ('call')")
            return True
        except sqlite3.OperationalError:
            time.sleep(BETWEEN_SECONDS)
    return False


def main() -> None:
    database, per_second = sys.argv[1], int(sys.argv[2])
    db = sqlite3.connect(database, timeout=0, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")  # the disk of a test machine must not set the pace
    written = lost = 0
    print("writing", flush=True)  # noqa: T201
    while not select.select([sys.stdin], [], [], 1 / per_second)[0]:
        if write(db):
            written += 1
        else:
            lost += 1
    print(written, lost)  # noqa: T201


main()
