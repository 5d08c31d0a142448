"""Move the live trees from one generation to the next one, or back, by renames under the undo's operations.

Every part may be repeated, in either direction, after a kill at any point of the other: which slots are
held tells how far each path came.
"""

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing

from beistand.domain.boundary import SIDECARS
from beistand.domain.errors import Failed
from beistand.domain.imports import Move, Operation, Slot, SlotSide, decode_operations
from beistand.domain.manifest import shown
from beistand.operations.lineage import operations, operations_file
from beistand.ports.node import Node

Step = Callable[[], None]
"""Called between any two effects; may raise Cancelled."""


def exchange(node: Node, move: Move, *, forward: bool, step: Step) -> tuple[str, ...]:
    """Bring every path to its other side; return the folders that something of this machine's own kept.

    `forward` is the direction to go now: after a failure it is not the one that `move` began with.
    Everything is on disk when it returns. Raises OSError, Failed `folder-kept`, and what `step` raises.
    """
    work = _Exchange(node, move.undo, forward=forward, step=step)
    work.take_files_away()
    kept = work.remove_folders()
    work.make_folders()
    work.place_files()
    work.set_folders()
    node.disk.settle(work.mounts)
    return kept


class _Exchange:
    def __init__(self, node: Node, undo: str, *, forward: bool, step: Step) -> None:
        self._node = node
        self._disk = node.disk
        self._undo = undo
        self._forward = forward
        self._step = step
        self._away = SlotSide.OLD if forward else SlotSide.NEW
        self._from = SlotSide.NEW if forward else SlotSide.OLD
        self.mounts: set[str] = set()

    def take_files_away(self) -> None:
        for each in self._operations():
            self.mounts.add(each.mount)
            here = each.here(forward=self._forward)
            if here is not None and not here.is_folder:
                away = self._slot(each, self._away)
                if each.is_database and not self._disk.holds(away):
                    # Only while the database itself stands here do they belong to it.
                    self._take_sidecars(each)
                self._disk.take(each.path, away)

    def _take_sidecars(self, operation: Operation) -> None:
        for path, number in sidecars(operation):
            self._disk.take(path, self._slot(operation, self._away, number))

    def remove_folders(self) -> tuple[str, ...]:
        kept = []
        for each in self._backwards():
            here, there = each.here(forward=self._forward), each.there(forward=self._forward)
            if here is None or not here.is_folder or (there is not None and there.is_folder):
                continue
            if not self._disk.remove_folder(each.path):
                if there is not None:
                    raise Failed("folder-kept", path=shown(each.path))
                kept.append(shown(each.path))
        return tuple(kept)

    def make_folders(self) -> None:
        for each in self._operations():
            here, there = each.here(forward=self._forward), each.there(forward=self._forward)
            if there is not None and there.is_folder and (here is None or not here.is_folder):
                self._disk.make_folder(each.path)

    def place_files(self) -> None:
        for each in self._operations():
            there = each.there(forward=self._forward)
            if there is not None and not there.is_folder:
                self._disk.place(self._slot(each, self._from), each.path)
                for path, number in sidecars(each) if each.is_database else ():
                    self._disk.place(self._slot(each, self._from, number), path)

    def set_folders(self) -> None:
        for each in self._operations():
            there = each.there(forward=self._forward)
            if there is not None and there.is_folder:
                self._disk.set_folder(each.path, there)

    def _slot(self, operation: Operation, side: SlotSide, number: int = 0) -> Slot:
        return Slot(mount=operation.mount, undo=self._undo, side=side, number=number or operation.number)

    def _operations(self) -> Iterator[Operation]:
        for each in operations(self._node, self._undo):
            self._step()
            yield each

    def _backwards(self) -> Iterator[Operation]:
        """Yield the operations last first, so that folders are emptied before they go; 8 bytes of memory each."""
        with closing(self._disk.open(operations_file(self._node, self._undo))) as file:
            begins = array("Q")
            at = 0
            for line in file:
                begins.append(at)
                at += len(line)
            for begin in reversed(begins):
                file.seek(begin)
                self._step()
                yield next(decode_operations([file.readline()]))


def sidecars(operation: Operation) -> Iterator[tuple[str, int]]:
    """Yield what SQLite may have put beside a database, and the number of its slot."""
    for count, ending in enumerate(SIDECARS, start=1):
        yield operation.path + ending, operation.number + count
