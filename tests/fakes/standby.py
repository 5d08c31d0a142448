"""A standby on a real folder: real disk, real manifests; the store, the services and the clock are fakes.

Also the peer's side of a cycle, made from a description of what the trees shall hold.
"""

import os
import pwd
import sqlite3
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from beistand.adapters.disk import LocalDisk
from beistand.adapters.folders import trusted_folders
from beistand.adapters.manifests import ManifestFolder
from beistand.domain.config import ModuleConfig
from beistand.domain.generation import Copy, Generation
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.manifest import Entry, Kind, contents_to_send, delta, dump_name, encode
from beistand.domain.pair import Appliance, Pair
from beistand.domain.profile import Database, Detect, Engine, Profile, Service, Tree
from beistand.domain.role import Grant, Side, Standing
from beistand.operations.receiving import check_offer, receive_generation
from beistand.ports.node import Node
from beistand.ports.places import Places
from beistand.ports.store import Event
from fakes.clock import A_SUNDAY_NOON, FakeClock
from fakes.progress import FakeProgress

ME, PEER, PAIR = "a" * 16, "b" * 16, "c" * 32
VERSION = "Asterisk 22.10.0"
INSTALLATION = Installation(
    interface="eth0",
    own_address="192.0.2.2/24",
    service_addresses=(ServiceAddress(address="192.0.2.10", interface="eth0"),),
    profile="sandbox",
)
ROOT = pwd.getpwuid(os.geteuid()).pw_name
SOME_TIME = 1_700_000_000_000_000_000


@dataclass(frozen=True)
class File:
    content: bytes
    mode: int = 0o640
    owner: str = ROOT
    mtime_ns: int = SOME_TIME


@dataclass(frozen=True)
class Folder:
    mode: int = 0o755
    owner: str = ROOT


@dataclass(frozen=True)
class Link:
    target: str


@dataclass(frozen=True)
class Rows:
    """A database with one table."""

    rows: tuple[str, ...]
    mode: int = 0o660
    owner: str = ROOT


Thing = File | Folder | Link | Rows
Trees = Mapping[str, Thing]
"""What the trees hold, by path below the sandbox: `etc/sip.conf`."""


class FakeStore:
    """What the operations of an import ask the store; it survives a crash."""

    def __init__(self, effect: Callable[[Callable[[], Any]], Any]) -> None:
        self._effect = effect
        self._copies: dict[str, Copy] = {}
        self.events: list[Event] = []
        self.keep = 5
        self.documents: dict[str, bytes] = {}
        grant = Grant(epoch=1, holder=PEER, parent=0, operator="root", at=A_SUNDAY_NOON, evidence="")
        self.stands = Standing(me=ME, side=Side.EVEN, grant=grant)
        self.paired: Pair | None = Pair(
            id=PAIR, peer=_appliance(PEER), peer_host_key="", side=Side.EVEN, since=A_SUNDAY_NOON
        )

    def standing(self) -> Standing:
        return self.stands

    def pair(self) -> Pair | None:
        return self.paired

    def get(self, name: str) -> bytes | None:
        return self.documents.get(name)

    def put(self, name: str, body: bytes, *, vital: bool = False) -> None:
        self._effect(lambda: self.documents.__setitem__(name, body))

    def config(self) -> ModuleConfig:
        return ModuleConfig(keep_generations=self.keep)

    def record(self, copy: Copy) -> None:
        self._effect(lambda: self._copies.__setitem__(copy.generation.id, copy))

    def copies(self, limit: int = 30) -> tuple[Copy, ...]:
        newest = sorted(self._copies.values(), key=lambda copy: copy.generation.order, reverse=True)
        return tuple(newest[:limit])

    def tell(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class FakeServices:
    running: set[str] = field(default_factory=set)
    answer: str = VERSION

    def is_running(self, unit: str) -> bool:
        return unit in self.running

    def version(self, profile: Profile) -> str:
        return self.answer


@dataclass
class Sandbox:
    """Folders of one appliance, and the node on them."""

    root: Path
    profile: Profile
    node: Node
    store: FakeStore
    services: FakeServices
    disk: LocalDisk
    trees: Trees = field(default_factory=dict)
    """What the newest delivered generation holds."""
    sequence: int = 0

    @property
    def live(self) -> Path:
        return self.root / "live"

    @property
    def inbox(self) -> Path:
        return self.root / "peer" / "inbox"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def with_disk(self, disk: object) -> Node:
        return _replaced(self.node, disk=disk)

    # --- the peer's side ---

    def announce(self, trees: Trees, **fields: Any) -> Generation:
        entries = self.entries(trees)
        self.sequence += 1
        begin = A_SUNDAY_NOON + timedelta(minutes=self.sequence)
        stated = {
            "id": f"{begin:%Y%m%dT%H%M%SZ}-{self.sequence}",
            "pair": PAIR,
            "source": PEER,
            "epoch": 1,
            "sequence": self.sequence,
            "begin": begin,
            "end": begin,
            "profile": self.profile.name,
            "pbx_version": VERSION,
            "manifest": sha256(b"".join(map(encode, entries))).hexdigest(),
            "entries": len(entries),
            "size": sum(each.size for each in entries),
        }
        return Generation(**{**stated, **fields})

    def entries(self, trees: Trees) -> list[Entry]:
        found = [self._entry(name, thing) for name, thing in trees.items()]
        return sorted(found, key=lambda entry: entry.path)

    def send(self, trees: Trees, base: str) -> None:
        """Fill the inbox as rsync does: the manifest or its delta, and what has to travel."""
        old = self.entries(self.trees) if base else []
        new = self.entries(trees)
        lines = delta(old, new) if base else map(encode, new)
        self.put("manifest/current.jsonl", b"".join(lines))
        for path in contents_to_send(lambda: old, lambda: new).send:
            thing = trees[path.removeprefix(f"{self.live}/")]
            assert isinstance(thing, File)
            with suppress(FileExistsError, NotADirectoryError):  # what no tree can hold is not sent
                self.put(f"files{path}", thing.content)
        for name, thing in trees.items():
            if isinstance(thing, Rows):
                self.put(f"databases/{dump_name(str(self.live / name))}", database_bytes(thing))

    def put(self, name: str, content: bytes) -> None:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def cycle(self, trees: Trees, *, node: Node | None = None, job: Any = None, **fields: Any) -> Copy:
        """Offer, send, receive: the whole cycle as the peer sees it."""
        node = node or self.node
        generation = self.announce(trees, **fields)
        base = check_offer(node, generation).base
        self.send(trees, base)
        copy = receive_generation(node, generation, base, job or FakeProgress())
        self.trees = trees
        return copy

    def _entry(self, name: str, thing: Thing) -> Entry:
        path = str(self.live / name)
        match thing:
            case File():
                digest = sha256(thing.content).hexdigest()
                return _owned(
                    path, Kind.FILE, thing, size=len(thing.content), mtime_ns=thing.mtime_ns, digest=digest
                )
            case Folder():
                return _owned(path, Kind.FOLDER, thing)
            case Link():
                return Entry(
                    path=path, kind=Kind.LINK, mode=0o777, owner=ROOT, group=ROOT, target=thing.target
                )
            case Rows():
                body = database_bytes(thing)
                digest = sha256(body).hexdigest()
                return _owned(f"database:{path}", Kind.DATABASE, thing, size=len(body), digest=digest)

    # --- looking from outside ---

    def standing_trees(self) -> dict[str, object]:
        """Return all that stands under `live`, as plain values; staging apart."""
        return snapshot(self.live, without=".beistand")

    def expected(self, trees: Trees) -> dict[str, object]:
        """Return what `standing_trees` is after an import on an empty appliance."""
        return {name: _as_seen(thing) for name, thing in trees.items()}

    def staging(self) -> list[str]:
        """Return the names of all undos on disk."""
        return sorted(path.name for path in self.live.rglob(".beistand/*"))


def sandbox(
    root: Path,
    *,
    effect: Callable[[Callable[[], Any]], Any] = lambda change: change(),
    mounts: tuple[str, ...] = ("",),
) -> Sandbox:
    """Make an appliance with three trees, a database and an identity of its own. `mounts`: below `live`."""
    live = root / "live"
    for name in ("live/lib", "state", "peer/inbox", "run"):
        (root / name).mkdir(parents=True, exist_ok=True)
    profile = Profile(
        schema=1,
        name="sandbox",
        title="Sandbox",
        detect=Detect(files=(), version_command=()),
        trees=(
            Tree(path=f"{live}/etc"),
            Tree(path=f"{live}/lib/pbx", exclude=(f"{live}/lib/pbx/cache", f"{live}/lib/pbx/*.sqlite3*")),
            Tree(path=f"{live}/default", optional=True),
        ),
        databases=(Database(engine=Engine.SQLITE, name=f"{live}/lib/pbx/astdb.sqlite3"),),
        services=(Service(unit="pbx.service"),),
        identity=(f"{live}/lib/pbx/licences", f"{live}/etc/host.key", f"{live}/identity"),
    )
    places = Places(
        etc=root / "beistand", state=root / "state", run=root / "run", inbox=root / "peer" / "inbox"
    )
    points = tuple(
        sorted((str(live / each) if each else str(live) for each in mounts), key=len, reverse=True)
    )
    disk = LocalDisk(trusted_folders(profile), mounts=points)
    store, services = FakeStore(effect), FakeServices()
    rest = dict.fromkeys(each for each in Node.__dataclass_fields__)
    node = Node(
        **cast(
            "dict[str, Any]",
            {
                **rest,
                "installation": INSTALLATION,
                "profile": profile,
                "places": places,
                "clock": FakeClock(),
                "store": store,
                "services": services,
                "disk": disk,
                "manifests": ManifestFolder(places),
            },
        )
    )
    return Sandbox(root=root, profile=profile, node=node, store=store, services=services, disk=disk)


def snapshot(folder: Path, without: str = "") -> dict[str, object]:
    """Return everything below a folder by content, mode, owner, time and link target; follows no link."""
    found: dict[str, object] = {}
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != without]
        for name in (*folders, *files):
            path = Path(above, name)
            found[str(path.relative_to(folder))] = _seen(path)
    return found


def lay_out(root: Path, trees: Trees) -> None:
    """Put things on disk directly, as packages and administrators do."""
    for name in sorted(trees):
        thing, path = trees[name], root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match thing:
            case Folder():
                path.mkdir(exist_ok=True)
                path.chmod(thing.mode)
            case Link():
                path.symlink_to(thing.target)
            case File():
                path.write_bytes(thing.content)
                path.chmod(thing.mode)
                os.utime(path, ns=(thing.mtime_ns, thing.mtime_ns))
            case Rows():
                path.write_bytes(database_bytes(thing))
                path.chmod(thing.mode)


def database_bytes(rows: Rows) -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table astdb (key text primary key, value text)")
        database.executemany("insert into astdb values (?, '')", [(row,) for row in rows.rows])
        database.commit()
        body: bytes = database.serialize()
    database.close()
    return body


def _as_seen(thing: Thing) -> object:
    match thing:
        case File():
            return ("file", thing.mode, thing.owner, thing.content, thing.mtime_ns)
        case Folder():
            return ("folder", thing.mode, thing.owner)
        case Link():
            return ("link", thing.target)
        case Rows():
            return ("database", thing.mode, thing.owner, thing.rows)


def _seen(path: Path) -> object:
    found = path.lstat()
    owner = pwd.getpwuid(found.st_uid).pw_name
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return ("link", os.readlink(path))
    if stat.S_ISDIR(found.st_mode):
        return ("folder", mode, owner)
    if not stat.S_ISREG(found.st_mode):
        return ("odd", mode, owner)
    if path.suffix == ".sqlite3":
        return ("database", mode, owner, _rows(path))
    return ("file", mode, owner, path.read_bytes(), found.st_mtime_ns)


def _rows(path: Path) -> tuple[str, ...]:
    try:
        database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            return tuple(row[0] for row in database.execute("select key from astdb order by rowid"))
        finally:
            database.close()
    except sqlite3.DatabaseError:
        return ("damaged", sha256(path.read_bytes()).hexdigest())


def _owned(path: str, kind: Kind, thing: File | Folder | Rows, **fields: Any) -> Entry:
    return Entry(path=path, kind=kind, mode=thing.mode, owner=thing.owner, group=thing.owner, **fields)


def _replaced(node: Node, **fields: Any) -> Node:
    return Node(**{**{name: getattr(node, name) for name in Node.__dataclass_fields__}, **fields})


def _appliance(node: str, now: datetime = A_SUNDAY_NOON) -> Appliance:
    return Appliance(
        node=node,
        host="a",
        own_address="192.0.2.1/24",
        service_addresses=("192.0.2.10",),
        mac="02:00:00:00:00:01",
        beistand_version="0.1.0",
        pbx_version=VERSION,
        profile="sandbox",
        licence_key="",
        gateway="",
        dns=(),
        is_static=True,
        now=now,
    )
