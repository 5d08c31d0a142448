"""An active and a standby that share one folder, one after the other: what one saved there the other imports."""

import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, cast

import msgspec

from beistand.adapters.backup_folder import BackupFolder
from beistand.adapters.databases import registry
from beistand.adapters.export_file import ExportFiles
from beistand.adapters.manifests import ManifestFolder
from beistand.adapters.scan import TreeScanner
from beistand.domain.export import BackupRecord, ExportHeader
from beistand.domain.generation import Copy
from beistand.domain.role import Grant, Side, Standing
from beistand.operations.exporting import LocalBackups, Order, make_backup
from beistand.operations.seeding import check_export, import_export
from beistand.ports.node import Node
from beistand.ports.places import Places
from fakes.clock import A_SUNDAY_NOON
from fakes.progress import FakeProgress
from fakes.standby import ME, PEER, FakeStore, Sandbox, Trees, _replaced, lay_out


@dataclass(frozen=True)
class FakeSignatures:
    """Keys are names: what was signed with one's own is believed by whose peer has that name."""

    own: str
    peer: str

    def sign(self, body: bytes) -> bytes:
        return sha256(self.own.encode() + body).hexdigest().encode()

    def is_by_peer(self, body: bytes, signature: bytes) -> bool:
        return signature == sha256(self.peer.encode() + body).hexdigest().encode()


class ActiveStore(FakeStore):
    """The store of the other appliance."""

    def __init__(self) -> None:
        super().__init__(lambda change: change())
        grant = Grant(epoch=1, holder=PEER, parent=0, operator="root", at=A_SUNDAY_NOON, evidence="")
        self.stands = Standing(me=PEER, side=Side.ODD, grant=grant, own_epoch=1)
        assert self.paired is not None
        appliance = msgspec.structs.replace(self.paired.peer, node=ME)
        self.paired = msgspec.structs.replace(self.paired, peer=appliance)
        self._documents: dict[str, bytes] = {}
        self._sequence = 0

    def next_sequence(self, epoch: int) -> int:
        self._sequence += 1
        return self._sequence

    def get(self, name: str) -> bytes | None:
        return self._documents.get(name)

    def put(self, name: str, body: bytes) -> None:
        self._documents[name] = body


def exports(own: str, peer: str) -> ExportFiles:
    return ExportFiles(cast("Any", FakeSignatures(own, peer)))


@dataclass
class Active:
    """The appliance that saves what stands under `live` of a sandbox."""

    box: Sandbox
    store: ActiveStore = field(default_factory=ActiveStore)
    key: str = "the active's"

    def __post_init__(self) -> None:
        state = self.box.root / "active"
        places = Places(etc=state, state=state, run=state, inbox=state / "inbox")
        # A clock ahead of the file system's: what was just written counts as long settled.
        scanner = TreeScanner(state, now=lambda: time.time_ns() + 60 * 10**9)
        self.node: Node = _replaced(
            self.box.node,
            places=places,
            store=self.store,
            scanner=scanner,
            manifests=ManifestFolder(places),
            databases=registry(),
        )
        self.local = LocalBackups(
            exports=cast("Any", exports(self.key, "")),
            folder=BackupFolder(places.backups),
            host="pbx-a",
            version="0.1.0",
        )

    def save(self, *, asked: bool = True, passphrase: str = "", job: Any = None) -> BackupRecord:
        self.node.clock.advance(60)  # type: ignore[attr-defined]
        order = Order(asked=asked, passphrase=passphrase)
        return make_backup(self.node, self.local, order, job or FakeProgress())

    def path(self, record: BackupRecord) -> Path:
        return self.local.folder.path(record.id)

    def saved(self, trees: Trees, **order: Any) -> Path:
        """Lay out these trees, save them, and clear the place for the standby."""
        clear(self.box)
        lay_out(self.box.live, trees)
        path = self.path(self.save(**order))
        clear(self.box)
        return path


@dataclass
class Seeding:
    """The standby on the same folder, and what it believes."""

    box: Sandbox
    peer: str = "the active's"

    def __post_init__(self) -> None:
        self.exports = cast("Any", exports("the standby's", self.peer))

    def check(self, path: Path, passphrase: str = "", node: Node | None = None) -> ExportHeader:
        return check_export(node or self.box.node, self.exports, path, passphrase, FakeProgress())

    def seed(self, path: Path, passphrase: str = "", *, node: Node | None = None, job: Any = None) -> Copy:
        node = node or self.box.node
        header = check_export(node, self.exports, path, passphrase, FakeProgress())
        return import_export(node, self.exports, path, passphrase, header, job or FakeProgress())


def clear(box: Sandbox) -> None:
    """Empty the live trees, as a machine looks that was installed a moment ago."""
    for each in ("etc", "lib/pbx", "default"):
        path = box.live / each
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)
