"""An active that lies, run inside appliance a by the Python of /opt/beistand.

It sends, over the pair's own channel and with every digest right, a generation whose manifest names a path
that belongs to the standby's identity. Prints the code of the refusal, or `accepted`.
Arguments: PATH [LINK-TARGET].
"""

import hashlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from beistand.domain.errors import BeistandError
from beistand.domain.generation import Generation
from beistand.domain.job import JobState
from beistand.domain.manifest import Entry, Kind, encode
from beistand.ports.node import Node
from beistand.ports.peer import Peer
from beistand.ports.places import Places
from beistand.wiring import Wiring

CONTENT = b"not yours\n"


def lie(path: str, target: str) -> str:
    node = Wiring(Places()).node()
    assert node is not None
    assert node.peer is not None
    manifest = encode(_entry(path, target))
    generation = _generation(node, manifest, 0 if target else len(CONTENT))
    try:
        node.peer.offer(generation)
        with tempfile.TemporaryDirectory() as folder:
            _send(node.peer, Path(folder), path, manifest, is_link=bool(target))
        job = node.peer.receive(generation, "")
        while job.state is JobState.RUNNING:
            job = node.peer.watch(job.id, job.revision, 10)
    except BeistandError as error:
        return error.message.code
    finally:
        node.peer.close()
    return job.error.code if job.error else "accepted"


def _entry(path: str, target: str) -> Entry:
    if target:
        return Entry(path=path, kind=Kind.LINK, target=target, owner="root", group="root")
    return Entry(
        path=path,
        kind=Kind.FILE,
        mode=0o600,
        owner="root",
        group="root",
        size=len(CONTENT),
        mtime_ns=10**18,
        digest=hashlib.sha256(CONTENT).hexdigest(),
    )


def _generation(node: Node, manifest: bytes, size: int) -> Generation:
    now, standing, pair = datetime.now(UTC), node.store.standing(), node.store.pair()
    assert pair is not None
    sequence = node.store.next_sequence(standing.epoch)
    return Generation(
        id=f"{now:%Y%m%dT%H%M%SZ}-{sequence}",
        pair=pair.id,
        source=standing.me,
        epoch=standing.epoch,
        sequence=sequence,
        begin=now,
        end=now,
        profile=node.profile.name,
        pbx_version=node.services.version(node.profile),
        manifest=hashlib.sha256(manifest).hexdigest(),
        entries=1,
        size=size,
    )


def _send(peer: Peer, folder: Path, path: str, manifest: bytes, *, is_link: bool) -> None:
    def send(source: Path, name: str, into: str) -> None:
        quiet = Event()
        peer.send(source, [name], into, bandwidth_limit=0, cancelled=quiet, progress=lambda _done, _all: None)

    (folder / "current.jsonl").write_bytes(manifest)
    send(folder, "current.jsonl", "manifest")
    if not is_link:
        inside = folder / "tree" / path.lstrip("/")
        inside.parent.mkdir(parents=True)
        inside.write_bytes(CONTENT)
        send(folder / "tree", path.lstrip("/"), "files")


if __name__ == "__main__":
    print(lie(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
