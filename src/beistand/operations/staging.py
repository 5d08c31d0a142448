"""Bring every new content into staging, hashing what is written there: what was verified is what is used."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import BinaryIO

from beistand.domain.errors import BadGeneration, NoSpace
from beistand.domain.imports import Operation, Origin, Slot, SlotSide
from beistand.domain.manifest import Kind, shown
from beistand.operations.lineage import operations
from beistand.operations.planning import Drifted
from beistand.ports.node import Node
from beistand.ports.progress import Progress

MARGIN = 16 << 20
"""Bytes that stay free on every file system beside what is staged: folders, journals, other programs."""


Arrived = Callable[[Operation], BinaryIO]
"""Opens what arrived for an operation; asked in their order. Raises BadGeneration `content-missing`."""


def check_space(node: Node, needs: Mapping[str, int]) -> None:
    """Raise NoSpace `no-space` for the first file system that has no room. Nothing was staged yet."""
    for mount, needed, free in space_missing(node, needs):
        raise NoSpace("no-space", mount=shown(mount), needed=needed, free=free)


def space_missing(node: Node, needs: Mapping[str, int]) -> tuple[tuple[str, int, int], ...]:
    """Return each file system that has no room for so many bytes: its root, what it needs, what it has."""
    found = ((mount, size + MARGIN, node.disk.free(mount)) for mount, size in sorted(needs.items()) if size)
    return tuple((mount, needed, free) for mount, needed, free in found if needed > free)


def stage(node: Node, undo: str, needs: Mapping[str, int], arrived: Arrived, job: Progress) -> None:
    """Copy what the operations of this undo need; on disk when it returns.

    Raises BadGeneration `content-missing`, `content-differs`, `database-damaged`, naming the path; Drifted.
    """
    for mount in sorted(needs):
        node.disk.prepare(mount, undo)
    done, total = 0, sum(needs.values())
    for each in operations(node, undo):
        job.check()
        if each.new is None or each.new.is_folder:
            continue
        slot = Slot(mount=each.mount, undo=undo, side=SlotSide.NEW, number=each.number)
        if each.new.kind is Kind.LINK:
            node.disk.stage_link(slot, each.new)
            continue
        _stage_file(node, each, slot, arrived, job)
        done += each.new.size
        job.advance(min(done, total), total)
    node.disk.settle(needs)


def _stage_file(node: Node, operation: Operation, slot: Slot, arrived: Arrived, job: Progress) -> None:
    assert operation.new is not None

    def read(size: int) -> bytes:
        job.check()  # a takeover does not wait for the end of a long recording
        return content.read(size)

    with closing(_content(node, operation, arrived)) as content:
        found = node.disk.stage_file(slot, read, operation.new)
    if found != operation.new.digest:
        if operation.origin is Origin.LIVE:
            raise Drifted(operation.content)
        raise BadGeneration("content-differs", path=shown(operation.path))
    if operation.is_database and (problem := node.disk.database_problem(slot, job.check)):
        raise BadGeneration("database-damaged", path=shown(operation.path), why=problem)


def _content(node: Node, operation: Operation, arrived: Arrived) -> BinaryIO:
    if operation.origin is Origin.INBOX:
        return arrived(operation)
    try:
        return node.disk.open_live(operation.content)
    except FileNotFoundError:
        raise Drifted(operation.content) from None
