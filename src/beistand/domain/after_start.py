"""What a PBX is asked after a start, so that everything rings (B14), and what its answers say."""

import re
from collections.abc import Iterable, Iterator

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Field
from beistand.domain.phones import Contact
from beistand.domain.profile import AfterStart

AT_ONCE, A_GO = 200, 160
"""So many phones are asked all at once; where there are more, so many in one go. Each is an OPTIONS and its answer, and
beside the PBX's own questions no network sees more than 400 packets in a second."""
PAUSE_SECONDS = 1.1
"""Between two goes, so that no second has two of them in it."""
MOST_LINES = 200
LONGEST_ROW = 1000
FIRST_WAIT, LONGEST_WAIT = 30.0, 600.0
"""Seconds after which a line that failed is asked again; the wait doubles, so that no provider shuts us out."""
_NAME = re.compile(r"[A-Za-z0-9_.@+:-]{1,80}")
"""What may stand in a command: the names come from a database and an answer of the PBX."""


def phone_commands(after_start: AfterStart, contacts: Iterable[Contact]) -> tuple[str, ...]:
    """Return what makes the PBX look at each phone that it takes for unavailable until it was asked, each once."""
    waiting = (each.endpoint for each in contacts if each.is_qualified and each.survives)
    names = dict.fromkeys(each for each in waiting if _NAME.fullmatch(each))
    return tuple(_command(after_start.phone, each) for each in names) if after_start.phone else ()


def bursts(commands: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the commands in goes, each of which a network takes in a second."""
    size = A_GO if len(commands) > AT_ONCE else AT_ONCE
    for at in range(0, len(commands), size):
        yield commands[at : at + size]


def line_names(answer: str) -> tuple[str, ...]:
    """Return the lines that register, as the PBX lists them."""
    return tuple(name for name, _ in _line_rows(answer))


def failed_lines(after_start: AfterStart, answer: str) -> tuple[str, ...]:
    """Return the lines whose registration failed."""
    return tuple(name for name, words in _line_rows(answer) if words & {*after_start.failed})


def line_command(command: str, name: str) -> str:
    """Return the command with the name of the line in it."""
    return _command(command, name)


def delay_seconds(after_start: AfterStart, answer: str) -> int:
    """Return how long a line with these settings may wait before it registers after a start; 0: not at all."""
    for row in _rows(answer):
        key, _, value = row.partition(":")
        if key.strip() == after_start.line_delay and value.strip().isdecimal():
            return int(value.strip()[:6])
    return 0


def late_lines_finding(setting: str, late: dict[str, int]) -> Finding | None:
    """A line that waits at random before it registers cannot be called for so long after a takeover."""
    if not late:
        return None
    names = ", ".join(sorted(late)[:10]) + (" …" if len(late) > 10 else "")
    fields: dict[str, Field] = {
        "names": names,
        "count": len(late),
        "seconds": float(max(late.values())),
        "line": f"{setting}=0",
    }
    return Finding(code="lines-register-late", severity=Severity.INFO, fields=fields)


def _command(command: str, name: str) -> str:
    return command.replace("{name}", name)


def _line_rows(answer: str) -> Iterator[tuple[str, set[str]]]:
    """Yield name and other words of each row `NAME/… … STATE`."""
    count = 0
    for row in _rows(answer):
        first, *rest = row.split() or [""]
        name, slash, _ = first.partition("/")
        if slash and rest and _NAME.fullmatch(name) and count < MOST_LINES:
            count += 1
            yield name, {*rest}


def _rows(answer: str) -> Iterator[str]:
    return (row[:LONGEST_ROW] for row in answer.splitlines())
