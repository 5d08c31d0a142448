"""Which part answers which question."""

import errno
import os
import sqlite3
from collections.abc import Mapping, Sequence

from beistand.domain.start_options import LARGEST, start_options
from beistand.reader import database, lines, mailboxes
from beistand.reader.asking import (
    Answer,
    Ask,
    CheckDatabase,
    CopyDatabase,
    Lines,
    ReadLines,
    ReadMailboxes,
    ReadStartOptions,
    SelectRows,
    Unread,
    UpdateRows,
)
from beistand.reader.refusal import Refusal


def answer(ask: Ask, named: Mapping[str, int], files: Sequence[int]) -> Answer:
    """Return the answer; whatever the files hold, it is one of its types."""
    try:
        match ask:
            case ReadMailboxes():
                return mailboxes.read(ask, files)
            case ReadLines():
                return lines.read(ask, files)
            case ReadStartOptions():
                return Lines(lines=start_options(os.pread(files[0], LARGEST + 1, 0)))
            case CopyDatabase():
                return database.copy(ask, named)
            case SelectRows():
                return database.select(ask, named)
            case UpdateRows():
                return database.update(ask, named)
            case CheckDatabase():
                return database.check()
    except Refusal as refusal:
        return refusal.unread
    except MemoryError:
        return Unread(code="reading-too-much")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Unread(code="reading-no-room")
        return Unread(code="reading-failed", why=(error.strerror or str(error))[:200])
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return Unread(code="reading-no-room")
        return Unread(code="reading-failed", why=str(error)[:200])
