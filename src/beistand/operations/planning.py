"""Which paths an import has to change: what the manifests say, against what stands here."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from heapq import merge
from posixpath import dirname

from beistand.domain.boundary import SIDECARS, Boundary
from beistand.domain.errors import Failed
from beistand.domain.imports import Operation, Origin, Shape, encode_operation
from beistand.domain.manifest import (
    DATABASE_PREFIX,
    Change,
    Entry,
    Kind,
    Portion,
    changed_lines,
    changes,
    database_name,
    decode,
    dump_name,
    portions,
    read_entries,
    shown,
)
from beistand.operations.lineage import operations_file
from beistand.ports.node import Node

CHUNK = 1 << 20
BLOCK = 4096


class Drifted(Failed):
    """The live trees are not what the live generation says: the next import must compare everything."""

    def __init__(self, path: str) -> None:
        super().__init__("live-drifted", path=shown(path))


def write_operations(
    node: Node, manifest: str, base: str, undo: str, boundary: Boundary, step: Callable[[], None]
) -> dict[str, int]:
    """Write the operations from the live trees to this manifest; return the bytes to stage for each mount.

    With a base, only what differs from it is looked at, and every touched path is replaced whatever it
    holds. Without one the trees are walked and compared whole, so that they become equal. Raises Drifted,
    Failed `owner-unknown`, `odd-file`, `tree-differs`.
    """
    planner = _Planner(node, boundary, step)
    if base:
        operations = planner.of_portions(
            portions(_differences(node, base, manifest), lambda: _entries(node, base))
        )
    else:
        standing = changes(_standing(node, boundary), read_entries(node.manifests.lines(manifest)))
        operations = planner.operations(standing)
    needs: dict[str, int] = {}
    with node.disk.create(operations_file(node, undo)) as file:
        for each in operations:
            step()
            staged = each.new.size + BLOCK if each.new is not None and not each.new.is_folder else 0
            needs[each.mount] = needs.get(each.mount, 0) + staged
            file.write(encode_operation(each))
    return needs


def _differences(node: Node, base: str, manifest: str) -> Iterator[Change]:
    return changed_lines(node.manifests.lines(base), node.manifests.lines(manifest))


def _entries(node: Node, manifest: str) -> Iterator[Entry]:
    return map(decode, node.manifests.lines(manifest))


def _standing(node: Node, boundary: Boundary) -> Iterator[Entry]:
    """Yield what stands in the live trees, as a manifest would, without contents."""
    last = ""
    walks = (node.disk.walk(tree.path, boundary.keeps) for tree in node.profile.trees)
    for path, shape in merge(*walks, key=lambda found: found[0]):
        if path != last:  # one tree may lie in another
            yield Entry(path=path, kind=shape.kind)
        last = path
    for name in sorted(boundary.databases):
        if node.disk.look(name) is not None and not boundary.is_identity(name):
            yield Entry(path=DATABASE_PREFIX + name, kind=Kind.DATABASE)


class _Planner:
    """Where no base is known, contents are compared with what stands here."""

    def __init__(self, node: Node, boundary: Boundary, step: Callable[[], None]) -> None:
        self._step = step
        self._disk = node.disk
        self._boundary = boundary
        self._reuse: Mapping[str, str] | None = None
        self._made: set[str] = set()
        self._standing_folder = ""
        self._count = 0

    def of_portions(self, found: Iterable[Portion]) -> Iterator[Operation]:
        """Yield the operations of changes whose contents are known from a base."""
        self._reuse = {}
        for portion in found:
            self._reuse = portion.contents.reuse
            yield from self.operations(portion.changes)

    def operations(self, differences: Iterable[Change]) -> Iterator[Operation]:
        for change in differences:
            either = change.new or change.old
            if either is not None and either.kind is Kind.DATABASE:
                yield from self._of_database(change, database_name(either))
            else:
                yield from self._of_path(change)

    def _of_path(self, change: Change) -> Iterator[Operation]:
        seen = self._disk.look(change.path)
        if change.new is None:
            # What an older profile let in and this one keeps out stays where it is.
            if seen is not None and self._boundary.may_write(change.path):
                yield self._operation(change.path, old=seen)
            return
        self._check_place(change.path)
        new = self._shape(change.new)
        if change.path in self._boundary.roots and seen is not None and seen.kind is not new.kind:
            # Where a tree's own place is a link, an administrator put the tree elsewhere.
            raise Failed("tree-differs", path=shown(change.path))
        if new.is_folder and (seen is None or not seen.is_folder):
            self._made.add(change.path)
        if _is_same(seen, new):
            return
        if new.kind is not Kind.FILE:
            yield self._operation(change.path, old=seen, new=new)
        elif self._reuse is not None:
            source = self._reuse.get(change.path)
            yield self._with_content(change.path, seen, new, source, f"files{change.path}")
        elif not self._has_content(change.path, seen, new):
            yield self._with_content(change.path, seen, new, None, f"files{change.path}")
        elif not _is_same_file(seen, new):
            yield self._with_content(change.path, seen, new, change.path, "")

    def _of_database(self, change: Change, name: str) -> Iterator[Operation]:
        """Replace a database and what belongs to its old content, or nothing of it."""
        seen = self._disk.look(name)
        beside = [(name + ending, self._disk.look(name + ending)) for ending in SIDECARS]
        extra = [(path, shape) for path, shape in beside if shape is not None]
        new = self._shape(change.new) if change.new is not None else None
        if new is None:
            if name not in self._boundary.databases or self._boundary.is_identity(name):
                return
            if seen is not None:
                yield self._operation(name, old=seen, is_database=True)
                self._count += len(SIDECARS)
        else:
            self._check_place(name)
            is_known = change.old is not None and change.old.digest == new.digest
            if self._reuse is None:
                is_known = not extra and self._has_content(name, seen, new)
                if is_known and _is_same_file(seen, new, with_time=False):
                    return
            source = name if is_known else None
            yield self._with_content(name, seen, new, source, f"databases/{dump_name(name)}", database=True)
            self._count += len(SIDECARS)
        if seen is None:  # otherwise they move with it
            for path, shape in extra:
                yield self._operation(path, old=shape)

    def _check_place(self, path: str) -> None:
        folder = dirname(path)
        if folder == self._standing_folder or folder in self._made or path in self._boundary.roots:
            return
        if self._boundary.may_write(folder):
            shape = self._disk.look(folder)
            if shape is None or not shape.is_folder:
                raise Drifted(folder)
        self._standing_folder = folder

    def _shape(self, entry: Entry) -> Shape:
        uid, gid = self._disk.owner(entry.owner, entry.group)
        kind = Kind.FILE if entry.kind is Kind.DATABASE else entry.kind
        return Shape(
            kind=kind,
            mode=entry.mode,
            uid=uid,
            gid=gid,
            size=entry.size if kind is Kind.FILE else 0,
            mtime_ns=entry.mtime_ns,
            digest=entry.digest,
            target=entry.target,
        )

    def _has_content(self, path: str, seen: Shape | None, new: Shape) -> bool:
        if seen is None or seen.kind is not Kind.FILE or seen.size != new.size:
            return False
        digest = hashlib.sha256()
        with closing(self._disk.open_live(path)) as file:
            while chunk := file.read(CHUNK):
                self._step()
                digest.update(chunk)
        return digest.hexdigest() == new.digest

    def _with_content(
        self,
        path: str,
        seen: Shape | None,
        new: Shape,
        source: str | None,
        arrived: str,
        *,
        database: bool = False,
    ) -> Operation:
        origin = Origin.INBOX if source is None else Origin.LIVE
        content = arrived if source is None else source
        return self._operation(path, old=seen, new=new, origin=origin, content=content, is_database=database)

    def _operation(
        self,
        path: str,
        *,
        old: Shape | None,
        new: Shape | None = None,
        origin: Origin | None = None,
        content: str = "",
        is_database: bool = False,
    ) -> Operation:
        self._count += 1
        return Operation(
            number=self._count,
            path=path,
            mount=self._disk.mount_of(path),
            old=old,
            new=new,
            origin=origin,
            content=content,
            is_database=is_database,
        )


def _is_same(seen: Shape | None, new: Shape) -> bool:
    """Tell whether a folder or link stands as it should."""
    if seen is None or seen.kind is not new.kind or (seen.uid, seen.gid) != (new.uid, new.gid):
        return False
    if new.kind is Kind.LINK:
        return seen.target == new.target
    return new.is_folder and seen.mode == new.mode


def _is_same_file(seen: Shape | None, new: Shape, *, with_time: bool = True) -> bool:
    if seen is None or (with_time and seen.mtime_ns != new.mtime_ns):
        return False
    return (seen.mode, seen.uid, seen.gid) == (new.mode, new.uid, new.gid)
