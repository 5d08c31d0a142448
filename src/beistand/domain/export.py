"""A generation in one file that can be carried away (S14, S16): what its header says, and what may be kept."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from beistand.domain.errors import BadGeneration, Refused
from beistand.domain.generation import Generation
from beistand.domain.manifest import Entry, Kind, database_name
from beistand.domain.profile import Profile
from beistand.domain.role import NodeId
from beistand.domain.value import Value

FORMAT = 1
"""Grows when an older Beistand could not read the file any more."""

HEADER, SIGNATURE, MANIFEST = "header.json", "header.sig", "manifest.jsonl"
LONGEST_HEADER = 1 << 20
LONGEST_SIGNATURE = 1 << 12

ID_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{1,12}(\.[0-9]{1,4})?")
"""A backup's id is its generation's, and a number where that was saved more than once; it names files."""

RESERVE_BYTES = 256 << 20
"""Stays free for the state beside backups and uploads, so that a grant can always be written."""
LARGEST_UPLOAD = 1 << 40
"""Bytes; more is no telephone system."""

SEEDS_ASKED, SEEDS_UNASKED = 3, 1
"""Of so many newest backups the manifest is kept: what was seeded from one of them does not travel again."""


class Part(Value, frozen=True, kw_only=True):
    """One tree or database of a generation."""

    path: str
    is_database: bool
    files: int
    bytes: int


class ExportHeader(Value, frozen=True, kw_only=True):
    """The first member; its signature covers the rest, too, because the generation names the manifest."""

    format: int
    generation: Generation
    signer: NodeId
    """Whose key signed: the appliance that wrote the file."""
    host: str
    version: str
    """Of Beistand."""
    made: datetime
    asked: bool
    parts: tuple[Part, ...]


class BackupRecord(Value, frozen=True, kw_only=True):
    """What stands beside a local backup, so that a list reads neither the files nor needs a passphrase."""

    id: str
    header: ExportHeader
    file_size: int
    digest: str
    is_encrypted: bool
    superseded_by: int = 0
    """The epoch of the grant that took over from what is saved here: kept until a person lets it go (I10)."""


class Seed(Value, frozen=True, kw_only=True):
    """A backup that may be the seed of a standby."""

    manifest: str
    asked: bool


class _AnyFormat(msgspec.Struct, frozen=True):
    format: int


def encode_header(header: ExportHeader) -> bytes:
    return msgspec.json.encode(header)


def decode_header(body: bytes) -> ExportHeader:
    """Return the header of an export that may come from anywhere.

    Raises BadGeneration `export-damaged`, Refused `export-format-newer`.
    """
    try:
        written = msgspec.json.decode(body, type=_AnyFormat).format
        if written > FORMAT:
            raise Refused("export-format-newer", format=written, known=FORMAT)
        return msgspec.json.decode(body, type=ExportHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(HEADER, str(error)) from error


def damaged(member: str, why: str) -> BadGeneration:
    return BadGeneration("export-damaged", member=member, why=why)


def member_name(entry: Entry, number: int) -> str:
    """Return the member that holds the content of the entry with this number, counted from 1 in the manifest.

    Numbers, not paths: no name inside the file ever names a place on a disk.
    """
    return f"{'databases' if entry.kind is Kind.DATABASE else 'files'}/{number}"


def parts_of(entries: Iterable[Entry], profile: Profile) -> tuple[Part, ...]:
    """Return what each tree and database holds; a path in two trees counts for the inner one."""
    trees = sorted((tree.path for tree in profile.trees), key=len, reverse=True)
    counted = {path: [0, 0] for path in sorted(trees)}
    databases = []
    for entry in entries:
        if entry.kind is Kind.DATABASE:
            name = database_name(entry)
            databases.append(Part(path=name, is_database=True, files=1, bytes=entry.size))
        elif entry.kind is Kind.FILE:
            tree = next((each for each in trees if f"{entry.path}/".startswith(f"{each}/")), "")
            count = counted.setdefault(tree, [0, 0])
            count[0] += 1
            count[1] += entry.size
    found = [Part(path=path, is_database=False, files=n, bytes=size) for path, (n, size) in counted.items()]
    return (*found, *databases)


def upload_quota(free: int) -> int:
    """Return how many bytes an upload may have where so many are free."""
    return max(0, min(free - RESERVE_BYTES, LARGEST_UPLOAD))


def surplus(records: Sequence[BackupRecord], keep: int) -> tuple[str, ...]:
    """Return the ids of scheduled backups beyond the newest `keep`; those by hand stay.

    Which is newer the lineage says, not the clock: after one that ran ahead for a day every new backup
    would count as the oldest, and go at once (F9).
    """
    scheduled = sorted(
        (each for each in records if not each.header.asked and not each.superseded_by),
        key=lambda each: (each.header.generation.order, each.header.made),
        reverse=True,
    )
    return tuple(each.id for each in scheduled[keep:])


def with_seed(seeds: Sequence[Seed], new: Seed) -> tuple[Seed, ...]:
    """Return the newest seeds, the new one first."""
    others = [each for each in seeds if each.manifest != new.manifest]
    asked = [each for each in (new, *others) if each.asked][:SEEDS_ASKED]
    unasked = [each for each in (new, *others) if not each.asked][:SEEDS_UNASKED]
    return tuple(each for each in (new, *others) if each in asked or each in unasked)


def free_id(generation: str, taken: Iterable[str]) -> str:
    """Return an id for a new backup of this generation."""
    known = frozenset(taken)
    names = (generation, *(f"{generation}.{count}" for count in range(2, len(known) + 3)))
    return next(name for name in names if name not in known)
