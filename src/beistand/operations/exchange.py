"""Move the live trees from one generation to the next one, or back, by renames under the undo's operations.

Every part may be repeated, in either direction, after a kill at any point of the other: which slots are
held tells how far each path came.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from os import SEEK_END

from beistand.domain.boundary import SIDECARS
from beistand.domain.errors import Failed
from beistand.domain.imports import Move, Operation, Shape, Slot, SlotSide, decode_operation
from beistand.domain.manifest import shown
from beistand.operations.lineage import operations_file
from beistand.ports.node import Node

Step = Callable[[int, int], None]
"""Called between any two effects with how much is done, and of how much; may raise Cancelled."""


def exchange(node: Node, move: Move, *, forward: bool, step: Step) -> tuple[str, ...]:
    """Bring every path to its other side; return the folders that something of this machine's own kept.

    `forward` is the direction to go now: after a failure it is not the one that `move` began with.
    Everything is on disk when it returns. Raises OSError, Failed `folder-kept`, and what `step` raises.
    """
    work = _Exchange(node, move.undo, forward=forward, step=step)
    work.exchange_files()
    kept = work.remove_folders()
    work.make_folders()
    work.place_files()
    work.set_folders()
    node.disk.settle(work.mounts)
    return kept


class _Exchange:
    """One pass over all operations, which are as many as paths changed; the others go to the few that need them."""

    def __init__(self, node: Node, undo: str, *, forward: bool, step: Step) -> None:
        self._node = node
        self._disk = node.disk
        self._undo = undo
        self._forward = forward
        self._step = step
        self._away = SlotSide.OLD if forward else SlotSide.NEW
        self._from = SlotSide.NEW if forward else SlotSide.OLD
        # Where in the file of operations they begin: 8 bytes of memory each.
        self._folders = array("Q")
        self._comers = array("Q")
        self._done = self._total = 0
        self.mounts: set[str] = set()

    def exchange_files(self) -> None:
        """Take away what goes; where a file follows a file no folder is made or removed for it: put that there, too."""
        with closing(self._disk.open(operations_file(self._node, self._undo))) as file:
            self._total = 2 * file.seek(0, SEEK_END)
            begin = file.seek(0)
            for line in file:
                self._step(self._done, self._total)
                each = decode_operation(line)
                self.mounts.add(each.mount)
                here, there = self._sides(each)
                if _is_folder(here) or _is_folder(there):
                    self._folders.append(begin)
                if _is_file(here):
                    self._take(each)
                is_comer = _is_file(there) and not _is_file(here)
                if is_comer:
                    self._comers.append(begin)
                elif _is_file(there):
                    self._place(each)
                begin += len(line)
                self._done += len(line) if is_comer else 2 * len(line)

    def remove_folders(self) -> tuple[str, ...]:
        kept = []
        # Last first, so that folders are emptied before they go.
        for _, each in self._at(reversed(self._folders)):
            here, there = self._sides(each)
            if not _is_folder(here) or _is_folder(there):
                continue
            if not self._disk.remove_folder(each.path):
                if there is not None:
                    raise Failed("folder-kept", path=shown(each.path))
                kept.append(shown(each.path))
        return tuple(kept)

    def make_folders(self) -> None:
        for _, each in self._at(self._folders):
            here, there = self._sides(each)
            if _is_folder(there) and not _is_folder(here):
                self._disk.make_folder(each.path)

    def place_files(self) -> None:
        for length, each in self._at(self._comers):
            self._place(each)
            self._done += length

    def set_folders(self) -> None:
        for _, each in self._at(self._folders):
            there = each.there(forward=self._forward)
            if there is not None and there.is_folder:
                self._disk.set_folder(each.path, there)
        self._step(self._done, self._total)

    def _take(self, operation: Operation) -> None:
        away = self._slot(operation, self._away)
        if operation.is_database and not self._disk.holds(away):
            # Only while the database itself stands here do they belong to it.
            for path, number in sidecars(operation):
                self._disk.take(path, self._slot(operation, self._away, number))
        self._disk.take(operation.path, away)

    def _place(self, operation: Operation) -> None:
        self._disk.place(self._slot(operation, self._from), operation.path)
        for path, number in sidecars(operation) if operation.is_database else ():
            self._disk.place(self._slot(operation, self._from, number), path)

    def _slot(self, operation: Operation, side: SlotSide, number: int = 0) -> Slot:
        return Slot(mount=operation.mount, undo=self._undo, side=side, number=number or operation.number)

    def _sides(self, operation: Operation) -> tuple[Shape | None, Shape | None]:
        return operation.here(forward=self._forward), operation.there(forward=self._forward)

    def _at(self, begins: Iterable[int]) -> Iterator[tuple[int, Operation]]:
        """Yield the operations that begin there, each with the length of its line."""
        with closing(self._disk.open(operations_file(self._node, self._undo))) as file:
            for begin in begins:
                self._step(self._done, self._total)
                file.seek(begin)
                line = file.readline()
                yield len(line), decode_operation(line)


def sidecars(operation: Operation) -> Iterator[tuple[str, int]]:
    """Yield what SQLite may have put beside a database, and the number of its slot."""
    for count, ending in enumerate(SIDECARS, start=1):
        yield operation.path + ending, operation.number + count


def _is_folder(shape: Shape | None) -> bool:
    return shape is not None and shape.is_folder


def _is_file(shape: Shape | None) -> bool:
    """Tell whether it is moved: a file or a link."""
    return shape is not None and not shape.is_folder
