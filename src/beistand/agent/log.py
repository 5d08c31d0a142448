"""The journal: one line per event, `code key=value`, with the priority that journald reads (sd-daemon(3))."""

import sys
import threading
import traceback
import uuid

from beistand.domain.message import Field, Message

_PRIORITY = {"error": 3, "warning": 4, "info": 6, "debug": 7}
_lock = threading.Lock()


def log(code: str, level: str = "info", **fields: Field) -> None:
    """Write one line."""
    log_message(Message(code=code, fields=fields), level)


def log_message(message: Message, level: str = "info") -> None:
    text = str(message).replace("\n", "\\n")
    with _lock:
        sys.stderr.write(f"<{_PRIORITY[level]}>{text}\n")
        sys.stderr.flush()


def log_bug(where: str) -> Message:
    """Write the traceback of the exception being handled; return what a person is told instead."""
    reference = uuid.uuid4().hex[:8]
    with _lock:
        for line in traceback.format_exc().splitlines():
            sys.stderr.write(f"<3>internal-error reference={reference} where={where} {line}\n")
        sys.stderr.flush()
    return Message(code="internal-error", fields={"reference": reference})
