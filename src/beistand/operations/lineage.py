"""The record of which generation is live on this appliance, and the folders of its undos."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from beistand.domain.errors import Failed
from beistand.domain.imports import UNDO_FORM, Lineage, Operation, decode_operations
from beistand.ports.node import Node
from beistand.ports.progress import UNWATCHED, Progress


def load_lineage(node: Node) -> Lineage:
    """Return the record; an empty one before the first import. Raises Failed `live-record-damaged`."""
    body = node.disk.read(_record(node))
    if body is None:
        return Lineage()
    try:
        return msgspec.json.decode(body, type=Lineage)
    except msgspec.MsgspecError as error:
        raise Failed("live-record-damaged", path=str(_record(node)), why=str(error)) from error


def save_lineage(node: Node, lineage: Lineage) -> None:
    """Replace the record: this one write is the commit of an import."""
    node.disk.write(_record(node), msgspec.json.encode(lineage))


def operations_file(node: Node, undo: str) -> Path:
    """Return where the operations of an undo stand; written before anything is staged for it."""
    return _undos(node) / undo / "operations.jsonl"


def operations(node: Node, undo: str) -> Iterator[Operation]:
    with closing(node.disk.open(operations_file(node, undo))) as file:
        yield from decode_operations(file)


def sweep(node: Node, lineage: Lineage, job: Progress = UNWATCHED) -> None:
    """Remove every undo and staging that the record does not name; the job may be ended between any two files."""
    for name in node.disk.names(_undos(node)):
        if name in lineage.undos or not UNDO_FORM.fullmatch(name):
            continue
        if "operations.jsonl" in node.disk.names(_undos(node) / name):
            for mount in sorted({each.mount for each in operations(node, name)}):
                node.disk.discard(mount, name, job.check)
        # Last: it is what tells where the rest is.
        node.disk.remove(_undos(node) / name)


def _undos(node: Node) -> Path:
    return node.places.state / "undo"


def _record(node: Node) -> Path:
    return node.places.state / "live.json"
