"""Lines of the audit log that would say the same again and again: one line counts them."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from beistand.domain.message import Message
from beistand.ports.store import Event, Room, Store
from beistand.text.audit import TIMES, UNTIL

WINDOW_SECONDS = 3600.0
"""So long the same is counted in one line; then another line begins."""
MOST_RUNS = 1000
"""Remembered at once; names and tokens are few, so this is for the case that something is wrong with that."""
MOST_OF_ONE = 12
"""Different things that one person or program can be refused in a window, each with a line of its own."""
FREE = {Room.REFUSED: 1, Room.DONE: 20}
"""So many of the same get a line each before they are counted."""
Key = tuple[str, ...]


@dataclass
class Run:
    """The same thing, over and over."""

    began: float
    """In monotonic seconds."""
    room: Room
    event: Event
    """Of the last line."""
    number: int = 0
    """Of the last line."""
    lines: int = 0
    times: int = 0
    """What the last line stands for."""
    written: int = 0
    """`times` as it stands in the log."""


class Repeated:
    """Tells the log. Not thread-safe: who uses it holds a lock."""

    def __init__(self, monotonic: Callable[[], float], store: Store) -> None:
        self._monotonic = monotonic
        self._store = store
        self._runs: OrderedDict[Key, Run] = OrderedDict()

    def note(self, key: Key, event: Event, room: Room) -> bool:
        """Keep this event, in a line of its own or counted; return whether its line is a new one.

        The count is written each time it has doubled, and by `write`. The last counts may be lost with the agent.
        """
        now = self._monotonic()
        self._forget(now)
        run = self._runs.setdefault(key, Run(began=now, room=room, event=event))
        if run.lines < FREE[room]:
            run.number = self._store.tell(event, room)
            run.event, run.lines, run.times, run.written = event, run.lines + 1, 1, 1
            return True
        run.times += 1
        fields = {**run.event.message.fields, TIMES: run.times, UNTIL: event.at.isoformat()}
        run.event = msgspec.structs.replace(
            run.event, message=Message(code=run.event.message.code, fields=fields)
        )
        if run.times >= 2 * run.written:
            self._write(run)
        return False

    def write(self) -> None:
        """Write every count that is not written yet."""
        for run in self._runs.values():
            if run.times != run.written:
                self._write(run)

    def is_full(self, who: str) -> bool:
        """Tell whether this person or program has all the lines of refusals that it gets in a window."""
        self._forget(self._monotonic())
        lines = [key for key, run in self._runs.items() if key[0] == who and run.room is Room.REFUSED]
        return len(lines) >= MOST_OF_ONE

    def has(self, key: Key) -> bool:
        return key in self._runs

    def _write(self, run: Run) -> None:
        self._store.retell(run.number, run.event)
        run.written = run.times

    def _forget(self, now: float) -> None:
        while self._runs:
            key, run = next(iter(self._runs.items()))
            if now - run.began < WINDOW_SECONDS and len(self._runs) <= MOST_RUNS:
                return
            if run.times != run.written:
                self._write(run)
            del self._runs[key]
