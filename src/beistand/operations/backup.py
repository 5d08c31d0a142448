"""Take a generation: the trees first, the databases last."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from beistand.domain.errors import Failed
from beistand.domain.generation import Generation
from beistand.domain.manifest import DATABASE_PREFIX, Entry, Kind, decode, dump_name, encode, shown
from beistand.domain.message import Message, message
from beistand.domain.profile import Database
from beistand.operations.committing import commit_acknowledged, commit_once_more
from beistand.ports.node import Node
from beistand.ports.progress import Progress
from beistand.ports.scanner import Manifests, Scanned
from beistand.ports.store import Event

MOST_NAMED = 100
"""So many files that would not settle are told by name: an offer must fit into a frame."""
LEFT_BEHIND = "links-left-behind"
"""The document that says which links were told already."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    generation: Generation
    manifest: Path


@dataclass(frozen=True, kw_only=True)
class LiveThere:
    """What the peer has live, for files and databases that will not settle (port `Earlier`)."""

    manifests: Manifests
    digest: str = ""
    unsettled: frozenset[str] = frozenset()

    def line(self, path: str) -> bytes | None:
        if not self.manifests.has(self.digest):
            return None
        kind = Kind.DATABASE if path.startswith(DATABASE_PREFIX) else Kind.FILE
        begin = encode(Entry(path=path, kind=kind)).removesuffix(b"}\n")
        return next((line for line in self.manifests.lines(self.digest) if line.startswith(begin)), None)


def begin_generation(node: Node) -> Generation:
    """Return a generation that has a name and a place in the lineage, and no content yet.

    Its begin comes after the commit: all that the PBX had acknowledged before it will be in it (B15).
    """
    commit_acknowledged(node)
    standing, pair = node.store.standing(), node.store.pair()
    sequence = node.store.next_sequence(standing.epoch)
    begin = node.clock.now()
    return Generation(
        id=f"{begin:%Y%m%dT%H%M%SZ}-{sequence}",
        pair=pair.id if pair else "",
        source=standing.me,
        epoch=standing.epoch,
        sequence=sequence,
        begin=begin,
        end=begin,
        profile=node.profile.name,
        pbx_version=node.services.version(node.profile),
        manifest="",
        entries=0,
        size=0,
    )


def take_generation(
    node: Node, job: Progress, *, begun: Generation | None = None, live: LiveThere | None = None
) -> Taken:
    """Return a complete backup of this moment: its manifest in Places.manifests, its dumps in Places.dumps.

    Contents of files stay where they are: they are read by what sends or packs them. `begun` is taken
    anew under its own name and begin. Raises Failed, Refused `engine-not-supported-yet`, NoSpace, Cancelled.
    """
    begun = begun or begin_generation(node)
    live = live or LiveThere(manifests=node.manifests)
    job.stage("scan")
    with node.manifests.draft() as manifest:
        scanned = node.scanner.scan(node.profile, manifest.add, live, job)
        _tell(node, scanned)
        job.stage("databases")
        commit_once_more(node)
        databases, busy = _dump_all(node, job, live)
        for entry in databases:
            manifest.add(encode(entry))
        digest = manifest.keep()
    generation = msgspec.structs.replace(
        begun,
        end=node.clock.now(),
        manifest=digest,
        entries=scanned.entries + len(databases),
        size=scanned.size + sum(entry.size for entry in databases),
        growing=tuple(shown(path) for path in (*busy, *scanned.growing)[:MOST_NAMED]),
    )
    return Taken(generation=generation, manifest=node.manifests.path(digest))


def dump_path(node: Node, database: str) -> Path:
    """Return where the dump of this database stands."""
    return node.places.dumps / dump_name(database)


def _dump_all(node: Node, job: Progress, live: LiveThere) -> tuple[list[Entry], list[str]]:
    """Return the entries of all databases in order, and the names of those that could not be copied now."""
    entries, busy = [], []
    for database in sorted(node.profile.databases, key=lambda each: each.name):
        job.check()
        try:
            entry = _dump(node, database, job)
        except Failed as error:
            line = live.line(DATABASE_PREFIX + database.name)
            if error.message.code != "database-busy" or line is None:
                raise
            busy.append(database.name)
            entry = decode(line)
        if entry is not None:
            entries.append(entry)
    return entries, busy


def _dump(node: Node, database: Database, job: Progress) -> Entry | None:
    engine = node.databases[database.engine]
    dumped = engine.dump(database, dump_path(node, database.name), job.check)
    if dumped is None:
        if database.optional:
            return None
        raise Failed("database-missing", database=database.name)
    return Entry(
        path=DATABASE_PREFIX + database.name,
        kind=Kind.DATABASE,
        mode=dumped.mode,
        owner=dumped.owner,
        group=dumped.group,
        size=dumped.size,
        digest=dumped.digest,
    )


def _tell(node: Node, scanned: Scanned) -> None:
    """Put into the history what a person should look into."""
    for path in scanned.surprises:
        _note(node, message("content-changed-silently", path=shown(path)))
    left = [shown(path) for path in scanned.left_behind]
    body = msgspec.json.encode(left)
    if body != (node.store.get(LEFT_BEHIND) or b"[]"):  # once, not with every cycle
        node.store.put(LEFT_BEHIND, body)
        for path in left:
            _note(node, message("link-left-behind", path=path))


def _note(node: Node, what: Message) -> None:
    node.store.tell(Event(at=node.clock.now(), message=what))
