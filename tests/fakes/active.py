"""An active on a real folder: real scanner, databases, manifests and store; peer, PBX and clock are fakes."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from beistand.adapters.databases import registry
from beistand.adapters.disk import LocalDisk
from beistand.adapters.folders import trusted_folders
from beistand.adapters.manifests import ManifestFolder
from beistand.adapters.scan import TreeScanner
from beistand.adapters.store import SqliteStore
from beistand.domain.generation import Copy
from beistand.domain.licence import LicenceSet
from beistand.domain.profile import Console, Database, Detect, Engine, Profile, Tree
from beistand.domain.role import Grant, Side
from beistand.operations.cycle import run_cycle
from beistand.ports.node import Node
from beistand.ports.places import Places
from fakes.clock import A_SUNDAY_NOON, FakeClock
from fakes.network import FakeConnections
from fakes.peer import FakePeer
from fakes.progress import FakeProgress
from fakes.services import FakeConsole
from fakes.standby import INSTALLATION, ME, VERSION, FakeServices

CONSOLE = Console(socket="/run/pbx.ctl", commit="commit now", committed="committed:")


@dataclass
class Active:
    tree: Path
    database: Path
    node: Node
    peer: FakePeer
    store: SqliteStore
    clock: FakeClock

    def write(self, name: str, body: str = "x") -> Path:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
        return path

    def insert(self, row: str) -> None:
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute("INSERT INTO astdb VALUES (?)", (row,))

    def cycle(self, job: FakeProgress | None = None) -> Copy:
        self.clock.advance(60)
        return run_cycle(self.node, job or FakeProgress(), asked=True)

    def there(self, name: str) -> str | None:
        """Return the content that the peer has live of this file."""
        content = self.peer.contents.get(str(self.tree / name))
        return None if content is None else content.decode()

    def rows_there(self, scratch: Path) -> list[str]:
        scratch.write_bytes(self.peer.contents[f"database:{self.database}"])
        with closing(sqlite3.connect(scratch)) as db:
            return [row for (row,) in db.execute("SELECT key FROM astdb")]

    def travelled(self) -> list[str]:
        """Return the names of the files whose contents went over the line in the last cycle."""
        inside = str(self.tree).lstrip("/") + "/"
        return [name.removeprefix(inside) for folder, name in self.peer.sent if folder == "files"]

    def newest(self) -> Copy:
        return self.store.copies(1)[0]


def make_active(folder: Path, **profile: Any) -> Active:
    tree, database = folder / "tree", folder / "astdb.sqlite3"
    tree.mkdir()
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("CREATE TABLE astdb (key TEXT)")
    fields: dict[str, Any] = {
        "trees": (Tree(path=str(tree)),),
        "databases": (Database(engine=Engine.SQLITE, name=str(database)),),
        **profile,
    }
    detect = Detect(files=(), version_command=())
    shape = Profile(
        schema=1, name="sandbox", title="Sandbox", detect=detect, services=(), console=CONSOLE, **fields
    )
    places = Places(etc=folder / "etc", state=folder / "state", run=folder / "run", inbox=folder / "inbox")
    store = SqliteStore(places.state / "state.db")
    grant = Grant(epoch=2, holder=ME, parent=0, operator="root", at=A_SUNDAY_NOON, evidence="")
    store.initialise(ME, Side.EVEN, LicenceSet(), grant)
    clock, peer = FakeClock(), FakePeer(folder / "peer-inbox")
    known: dict[str, Any] = {
        "profile": shape,
        "places": places,
        "clock": clock,
        "store": store,
        "services": FakeServices(answer=VERSION),
        "console": FakeConsole(answers={CONSOLE.commit: "committed: 1\n"}),
        "disk": LocalDisk(trusted_folders(shape)),
        # A clock ahead of the file system's: what was just written counts as long settled.
        "scanner": TreeScanner(places.state, now=lambda: time.time_ns() + 60 * 10**9),
        "manifests": ManifestFolder(places),
        "databases": registry(),
        "peer": peer,
        "installation": INSTALLATION,
        "connections": FakeConnections(),
    }
    node = Node(**cast("dict[str, Any]", {**dict.fromkeys(Node.__dataclass_fields__), **known}))
    return Active(tree=tree, database=database, node=node, peer=peer, store=store, clock=clock)
