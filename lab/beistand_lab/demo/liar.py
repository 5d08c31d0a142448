"""An active that lies, run inside appliance a by the Python of /opt/beistand.

It sends, over the pair's own channel, a generation of one entry, and the
folder around it where that is /etc/asterisk. Without a wish every digest is right and the
entry names a path that belongs to the standby's identity; with a wish the generation itself is a lie. Prints
the code of the refusal, or `accepted`.
Arguments: PATH [LINK-TARGET], or PATH --WISH with one of: digest, cut, missing, manifest, pair, older,
source, version, profile, counts.
"""

import hashlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import msgspec

from beistand.domain.errors import BeistandError
from beistand.domain.generation import Generation
from beistand.domain.job import JobState
from beistand.domain.manifest import Entry, Kind, encode
from beistand.ports.node import Node
from beistand.ports.peer import Peer
from beistand.ports.places import Places
from beistand.wiring import Wiring

FOLDER = "/etc/asterisk"
CONTENT = b"not yours\n"
SENT = {"cut": CONTENT[:4], "missing": b""}
"""What is sent instead of the content."""


def lie(path: str, target: str, wish: str) -> str:
    node = Wiring(Places()).node()
    assert node is not None
    assert node.peer is not None
    entries = [_entry(path, target, b"another\n" if wish == "digest" else CONTENT)]
    if path.startswith(f"{FOLDER}/"):
        entries.insert(
            0, Entry(path=FOLDER, kind=Kind.FOLDER, mode=0o750, owner="asterisk", group="asterisk")
        )
    manifest = b"".join(map(encode, entries))
    generation = _bent(_generation(node, manifest, len(entries), 0 if target else len(CONTENT)), wish)
    try:
        node.peer.offer(generation)
        with tempfile.TemporaryDirectory() as folder:
            _send(node.peer, Path(folder), path, manifest, b"" if target else SENT.get(wish, CONTENT))
        job = node.peer.receive(generation, "")
        while job.state is JobState.RUNNING:
            job = node.peer.watch(job.id, job.revision, 10)
    except BeistandError as error:
        return error.message.code
    finally:
        node.peer.close()
    return job.error.code if job.error else "accepted"


def _entry(path: str, target: str, content: bytes) -> Entry:
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
        digest=hashlib.sha256(content).hexdigest(),
    )


def _generation(node: Node, manifest: bytes, entries: int, size: int) -> Generation:
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
        entries=entries,
        size=size,
    )


def _bent(generation: Generation, wish: str) -> Generation:
    """Return the generation with what is wished to be a lie in it."""
    lies: dict[str, dict[str, object]] = {
        "manifest": {"manifest": hashlib.sha256(b"another").hexdigest()},
        "pair": {"pair": "f" * 32},
        "older": {"id": f"{generation.begin:%Y%m%dT%H%M%SZ}-1", "sequence": 1},
        "source": {"source": "f" * 16},
        "version": {"pbx_version": "Asterisk 99"},
        "profile": {"profile": "freepbx"},
        "counts": {"entries": 9},
    }
    return msgspec.structs.replace(generation, **lies.get(wish, {}))


def _send(peer: Peer, folder: Path, path: str, manifest: bytes, content: bytes) -> None:
    """Send the manifest, and the content where there is one."""

    def send(source: Path, name: str, into: str) -> None:
        quiet = Event()
        peer.send(source, [name], into, bandwidth_limit=0, cancelled=quiet, progress=lambda _done, _all: None)

    (folder / "current.jsonl").write_bytes(manifest)
    send(folder, "current.jsonl", "manifest")
    if content:
        inside = folder / "tree" / path.lstrip("/")
        inside.parent.mkdir(parents=True)
        inside.write_bytes(content)
        send(folder / "tree", path.lstrip("/"), "files")


if __name__ == "__main__":
    last = sys.argv[2] if len(sys.argv) > 2 else ""
    is_wish = last.startswith("--")
    print(lie(sys.argv[1], "" if is_wish else last, last[2:] if is_wish else ""))
