"""Is a copied SQLite file whole?"""

import sqlite3
from contextlib import closing
from urllib.parse import quote


def sqlite_problem(path: str) -> str:
    """Return what SQLite finds wrong with the file, empty if nothing. Nothing is written beside it.

    The file came from another machine: its schema is not trusted (sqlite.org/security.html).
    """
    address = f"file:{quote(path.encode(errors='surrogateescape'))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA cell_size_check = ON")
            database.execute("PRAGMA mmap_size = 0")
            found = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else found
