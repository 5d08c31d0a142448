"""An import as data: the operations between two generations, and the record of which one is live.

Each imported generation has one *undo*: the operations that led to it, and a folder on every file
system touched, with two sides. While the newer generation is live, `old` holds what it replaced; after
rolling back, `new` holds the newer content. So the way forward and the way back are one algorithm, and
every content is in exactly one place at any time.
"""

import json
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.generation import Generation
from beistand.domain.manifest import Kind
from beistand.domain.value import Value

UNDO_FORM = re.compile(r"\d{8}T\d{6}Z-\d{1,12}(\.\d{1,6})?")
"""Names of undo folders: a generation's id, and a number where it was imported more than once."""


ODD = -1
"""Size of what is neither file, folder nor link: it has no content, and is moved away like a file."""


class Shape(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What stands at a path of this machine. Owners are numbers here: they have been looked up."""

    kind: Kind
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    digest: str = ""
    """Files to be written only."""
    target: str = ""
    """Links only."""

    @property
    def is_folder(self) -> bool:
        return self.kind is Kind.FOLDER


class Origin(StrEnum):
    """Where the content of a new file comes from."""

    INBOX = "inbox"
    LIVE = "live"
    """The same bytes stand in the live trees already: renamed, or changed in owner or mode only."""


class Operation(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One path that differs between two generations."""

    number: int
    """Names its slot in the undo folders."""
    path: str
    mount: str
    """Root of the file system that the path lies on."""
    old: Shape | None = None
    """What stood there when the import was planned, whatever a manifest said."""
    new: Shape | None = None
    origin: Origin | None = None
    content: str = ""
    """Name in the inbox, or the live path."""
    is_database: bool = False
    """Its next numbers are the slots of what SQLite may have put beside it (SIDECARS)."""

    def here(self, *, forward: bool) -> Shape | None:
        """Return what stands at the path before a move in this direction."""
        return self.old if forward else self.new

    def there(self, *, forward: bool) -> Shape | None:
        return self.new if forward else self.old


class SlotSide(StrEnum):
    OLD = "old"
    NEW = "new"


class Slot(Value, frozen=True, kw_only=True):
    """A place in an undo folder for one file or link."""

    mount: str
    undo: str
    side: SlotSide
    number: int


class Point(Value, frozen=True, kw_only=True):
    """A generation that this appliance can be brought to."""

    generation: Generation
    undo: str = ""
    """Name of the undo that leads back to the point before; empty: it was not kept."""


class Move(Value, frozen=True, kw_only=True):
    """A change of the live trees that has begun and is not committed."""

    undo: str
    forward: bool
    """Towards the newer generation."""
    generation: Generation
    """The one whose undo it is."""
    fresh: bool
    """An import; otherwise a way along restore points."""


class Lineage(Value, frozen=True, kw_only=True):
    """Which generation is live, and which others can be. One small file, replaced at once: the commit."""

    points: tuple[Point, ...] = ()
    """Oldest first."""
    live: int = -1
    """Index of the live one; -1: nothing was imported yet."""
    is_drifted: bool = False
    """The live trees were seen to differ from the live generation: the next import compares everything."""
    moving: Move | None = None

    @property
    def live_point(self) -> Point | None:
        return self.points[self.live] if self.live >= 0 else None

    @property
    def undos(self) -> frozenset[str]:
        """Names of the undos that must be kept."""
        named = {point.undo for point in self.points} | ({self.moving.undo} if self.moving else set())
        return frozenset(named - {""})

    @property
    def manifests(self) -> frozenset[str]:
        return frozenset(point.generation.manifest for point in self.points)


def begun(lineage: Lineage, move: Move) -> Lineage:
    return msgspec.structs.replace(lineage, moving=move)


def taken_back(lineage: Lineage) -> Lineage:
    return msgspec.structs.replace(lineage, moving=None)


def imported(lineage: Lineage, point: Point, *, continues: bool) -> Lineage:
    """Return the lineage with the new point live.

    Points newer than the one that was live are gone: the new one does not follow them. `continues` false:
    the trees were not the live generation, so undoing further back than this point would mix data;
    older points are gone, too.
    """
    before = lineage.points[: lineage.live + 1] if continues else ()
    return Lineage(points=(*before, point), live=len(before))


def renewed(lineage: Lineage, generation: Generation) -> Lineage:
    """Return the lineage after a generation whose manifest is the live one's: the same point, younger.

    Otherwise quiet hours would push every useful restore point out.
    """
    before = lineage.points[: lineage.live]
    point = msgspec.structs.replace(lineage.points[lineage.live], generation=generation)
    return msgspec.structs.replace(lineage, points=(*before, point), moving=None)


def way(lineage: Lineage, generation_id: str) -> tuple[int, ...]:
    """Return the indexes to go through, one move each, from the live point to this generation.

    Raises Refused `restore-point-unknown`.
    """
    found = [at for at in reachable(lineage) if lineage.points[at].generation.id == generation_id]
    if not found:
        raise Refused("restore-point-unknown", generation=generation_id)
    step = 1 if found[0] > lineage.live else -1
    return tuple(range(lineage.live + step, found[0] + step, step)) if found[0] != lineage.live else ()


def reachable(lineage: Lineage) -> tuple[int, ...]:
    """Return the indexes of the points that can be live, newest first."""
    if lineage.live < 0:
        return ()
    lowest = lineage.live
    while lowest > 0 and lineage.points[lowest].undo:
        lowest -= 1
    return tuple(reversed(range(lowest, len(lineage.points))))


def undo_name(lineage: Lineage, generation: Generation) -> str:
    """Return a name that no kept undo has."""
    taken = {point.undo for point in lineage.points}
    names = (generation.id, *(f"{generation.id}.{count}" for count in range(1, len(taken) + 2)))
    return next(name for name in names if name not in taken)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Operation)


def encode_operation(operation: Operation) -> bytes:
    """Return one line."""
    try:
        return _encoder.encode(operation) + b"\n"
    except UnicodeEncodeError:
        # A path that is not UTF-8 holds lone surrogates: the standard library escapes them.
        return json.dumps(msgspec.to_builtins(operation), separators=(",", ":")).encode() + b"\n"


def decode_operations(lines: Iterable[bytes]) -> Iterator[Operation]:
    return map(decode_operation, lines)


def decode_operation(line: bytes) -> Operation:
    if b"\\ud" not in line:
        return _decoder.decode(line)
    # An escaped surrogate: msgspec refuses a lone one.
    return msgspec.convert(json.loads(line), Operation)
