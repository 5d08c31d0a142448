"""A plan: ordered, reversible steps, and the rule for what comes next.

Nothing here touches the machine. `Plan.next` says what to do, the runner does it,
and `started`, `finished` and `backed_out` return the plan as it then stands.

    TODO ──do──► DOING ──► DONE          a plan that goes forward
                   │         │
                   └────┬────┘
                      undo
                        ▼
                    UNDOING ──► UNDONE   a plan that backs out, last step first
"""

from enum import StrEnum
from typing import Generic, Self, TypeVar

import msgspec

from beistand.domain.message import Message
from beistand.domain.value import Value

S = TypeVar("S")


class Status(StrEnum):
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class Item(Value, Generic[S], frozen=True, kw_only=True):
    step: S
    status: Status = Status.TODO


class Plan(Value, Generic[S], frozen=True, kw_only=True):
    items: tuple[Item[S], ...]
    backing_out: bool = False
    why: Message | None = None
    """What turned the plan round."""

    @classmethod
    def of(cls, *steps: S) -> Self:
        return cls(items=tuple(Item(step=step) for step in steps))

    def next(self) -> int | None:
        """Return the index of the step to do (or to undo); None at either end."""
        if self.backing_out:
            touched = {Status.DOING, Status.DONE, Status.UNDOING}
            return max((at for at, item in enumerate(self.items) if item.status in touched), default=None)
        ahead = {Status.TODO, Status.DOING}
        return min((at for at, item in enumerate(self.items) if item.status in ahead), default=None)

    def started(self, index: int) -> Self:
        return self._with(index, Status.UNDOING if self.backing_out else Status.DOING)

    def finished(self, index: int) -> Self:
        return self._with(index, Status.UNDONE if self.backing_out else Status.DONE)

    def backed_out(self, why: Message) -> Self:
        """Return the plan turned round: from here on it only undoes. The first reason is kept."""
        return msgspec.structs.replace(self, backing_out=True, why=self.why or why)

    def _with(self, index: int, status: Status) -> Self:
        items = list(self.items)
        items[index] = msgspec.structs.replace(items[index], status=status)
        return msgspec.structs.replace(self, items=tuple(items))
