"""The journal: one line per event, `code key=value`, with the priority that journald reads (sd-daemon(3))."""

import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from beistand.domain.errors import BeistandError
from beistand.domain.message import Field, Message, printable

_PRIORITY = {"error": 3, "warning": 4, "info": 6, "debug": 7}
_lock = threading.Lock()
_most = _PRIORITY["info"]
_keep: Callable[[str, Message], None] | None = None


def set_level(level: str) -> None:
    """Write nothing that is less pressing than this (S8): `error`, `warning`, `info` or `debug`."""
    global _most  # noqa: PLW0603  the journal is one for the whole process
    _most = _PRIORITY[level]


def keep_lines(keep: Callable[[str, Message], None] | None) -> None:
    """Hand over (level, message) of what is written from now on, for the module's own log; None: no more."""
    global _keep  # noqa: PLW0603  as above
    _keep = keep


def less_of(level: str, other: str) -> str:
    """Return the level of the two that writes less."""
    return min(level, other, key=lambda each: _PRIORITY[each])


def is_as_pressing(level: str, as_level: str) -> bool:
    """Tell whether a line of one level is as pressing as another level, or more."""
    return _PRIORITY.get(level, _PRIORITY["debug"]) <= _PRIORITY[as_level]


def log(code: str, level: str = "info", **fields: Field) -> None:
    """Write one line."""
    log_message(Message(code=code, fields=fields), level)


def log_message(message: Message, level: str = "info") -> None:
    if _PRIORITY[level] > _most:
        return
    _write(f"<{_PRIORITY[level]}>", [str(message)])
    if _keep is not None:
        _keep(level, message)


def log_bug(where: str, reference: str = "") -> Message:
    """Write the traceback of the exception being handled; return what a person is told instead."""
    reference = reference or uuid.uuid4().hex[:8]
    begin = f"<3>internal-error reference={reference} where={where} "
    _write(begin, traceback.format_exc().splitlines())
    told = Message(code="internal-error", fields={"reference": reference})
    if _keep is not None:
        _keep("error", told)
    return told


def _write(begin: str, lines: Iterable[str]) -> None:
    """Write to the journal: no text of others begins a line of its own. One that takes nothing stops no act."""
    with _lock, suppress(OSError):
        sys.stderr.write("".join(f"{begin}{printable(line)}\n" for line in lines))
        sys.stderr.flush()


class Complaints:
    """Troubles that come back every second: told when they are new, and again every ten minutes."""

    AGAIN_SECONDS = 600.0

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: dict[str, tuple[str, float]] = {}
        self._references: dict[str, str] = {}

    def tell(self, where: str, trouble: Message, level: str = "warning") -> None:
        if self.is_new(where, trouble.code):
            log_message(trouble, level)

    def bug(self, where: str) -> None:
        """Tell the exception that is being handled."""
        if self.is_new(where, "internal-error"):
            log_bug(where)

    def judged(self, part: str, error: Exception) -> Message:
        """Tell the exception that is being handled and that kept a part from being judged; return the reason.

        One reference for each kind of trouble of a part, as long as this agent runs: what a person confirms is what
        was shown, and no mail tells the same twice.
        """
        where = f"judging-{part}"
        if isinstance(error, BeistandError):
            self.tell(where, error.message)
            return error.message
        kind = f"{where}-{type(error).__name__}"
        reference = self._references.setdefault(kind, uuid.uuid4().hex[:8])
        if self.is_new(kind, "internal-error"):
            log_bug(where, reference)
        return Message(code="internal-error", fields={"reference": reference})

    def is_new(self, where: str, what: str) -> bool:
        now = self._monotonic()
        told, at = self._told.get(where, ("", 0.0))
        if told == what and now - at < self.AGAIN_SECONDS:
            return False
        self._told[where] = (what, now)
        return True

    @contextmanager
    def about(self, where: str, level: str = "warning") -> Iterator[None]:
        """The edge of a thread: whatever fails inside is told under this name, and the next turn may work.

        What the work inside tells by itself is not ended by an edge of the same name: a turn that did not fail
        may have found a trouble that lasts.
        """
        edge = f"edge-{where}"
        try:
            yield
        except BeistandError as error:
            self.tell(edge, error.message, level)
        except Exception:  # noqa: BLE001  as above
            if self.is_new(edge, "internal-error"):
                log_bug(where)
        else:
            self.end(edge)

    def end(self, where: str) -> None:
        """Note that it works again."""
        self._told.pop(where, None)
