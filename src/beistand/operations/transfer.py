"""Send what the peer lacks of a generation into its inbox."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from beistand.domain.errors import Failed
from beistand.domain.manifest import (
    Change,
    Entry,
    Kind,
    Portion,
    changed_lines,
    database_name,
    decode,
    delta_lines,
    dump_name,
    portions,
    shown,
)
from beistand.operations.backup import Taken
from beistand.operations.room_there import room_needed
from beistand.ports.node import Node
from beistand.ports.peer import Peer, Sent
from beistand.ports.progress import Progress

FEW = 5000
NOTHING = Sent(files=0, bytes_on_wire=0)


class Unsettled(Failed):
    """Files are no longer what the manifest says: a generation has to be taken anew."""

    def __init__(self, paths: Sequence[str]) -> None:
        first = shown(paths[0]) if paths else ""
        super().__init__("files-changed-meanwhile", count=len(paths), first=first)
        self.paths = frozenset(paths)


def transfer(node: Node, peer: Peer, taken: Taken, base: str, job: Progress) -> Sent:
    """Send contents, dumps and the manifest, or its delta to `base`, which is live there ("": nothing is).

    Raises Unsettled, what Peer.make_room raises before anything travels, and what Peer.send raises.
    """
    if taken.generation.manifest == base:
        return NOTHING
    job.stage("transfer")
    delivery = _Delivery(node, peer, taken, base, job)
    delivery.begin()
    sent = NOTHING
    for portion in delivery.portions():
        sent = _sum(sent, delivery.send_contents(portion))
    return _sum(sent, delivery.send_dumps(), delivery.send_manifest())


class _Delivery:
    """One transfer under way."""

    def __init__(self, node: Node, peer: Peer, taken: Taken, base: str, job: Progress) -> None:
        self._node, self._peer, self._job = node, peer, job
        self._new, self._base = taken.generation.manifest, base
        self._limit = node.store.config().bandwidth_limit
        self._few: list[Change] | None = None
        """All changes, where they are few enough to remember."""
        self._portions: list[Portion] = []
        """Of these."""
        self._sent = 0
        self._total = 0
        """Bytes of contents that travelled, and of all that have to, as far as is known."""

    def begin(self) -> None:
        """See how much there is to do, and that it has room there. Raises what Peer.make_room raises."""
        few = list(islice(self._changes(), FEW + 1))
        self._few = few if len(few) <= FEW else None
        self._total = sum(map(_new_bytes, self._changes()))
        if self._few is not None:
            self._portions = list(portions(self._few, self._old))
        self._peer.make_room(room_needed(self.portions()))

    def portions(self) -> Iterator[Portion]:
        """Yield the changes, some at a time: a list of them all may be as big as the manifest."""
        return iter(self._portions) if self._few is not None else portions(self._changes(), self._old)

    def send_contents(self, portion: Portion) -> Sent:
        """Send what is found nowhere there. Raises Unsettled, and what Peer.send raises."""
        entries = portion.to_send
        size = sum(each.size for each in entries)
        self._total -= sum(map(_new_bytes, portion.changes)) - size
        self._see_unchanged(entries)
        try:
            sent = self._send(Path("/"), [each.path.removeprefix("/") for each in entries], "files")
        except Failed as error:
            if error.message.code == "files-vanished":
                self._see_unchanged(entries)
            raise
        # Again: what changed while it was read is found here for nothing, and there after a whole transfer.
        self._see_unchanged(entries)
        self._sent += size
        return sent

    def _see_unchanged(self, entries: Sequence[Entry]) -> None:
        if changed := self._node.scanner.changed_since(entries):
            raise Unsettled(changed)

    def send_dumps(self) -> Sent:
        names = [
            dump_name(database_name(change.new))
            for change in self._changes()
            if change.new is not None and change.new.kind is Kind.DATABASE
        ]
        return self._send(self._node.places.dumps, names, "databases")

    def send_manifest(self) -> Sent:
        manifests = self._node.manifests
        lines = delta_lines(self._changes()) if self._base else manifests.lines(self._new)
        path = manifests.outgoing(lines)
        return self._send(path.parent, [path.name], "manifest")

    def _send(self, source: Path, names: Sequence[str], folder: str) -> Sent:
        self._job.check()
        if not names:
            return NOTHING
        return self._peer.send(
            source,
            names,
            folder,
            bandwidth_limit=self._limit,
            cancelled=self._job.cancelled,
            progress=self._advance if folder == "files" else self._job.advance,
        )

    def _advance(self, done: int, total: int) -> None:
        """Count on over the portions."""
        self._job.advance(self._sent + done, max(self._total, self._sent + total))

    def _changes(self) -> Iterator[Change]:
        """Compare anew where the changes are many: a list of them may be as big as the manifest."""
        if self._few is not None:
            return iter(self._few)
        manifests = self._node.manifests
        return changed_lines(manifests.lines(self._base), manifests.lines(self._new))

    def _old(self) -> Iterator[Entry]:
        return map(decode, self._node.manifests.lines(self._base))


def _new_bytes(change: Change) -> int:
    """Return the size of what may have to travel; it may be found there under another name."""
    old, new = change.old, change.new
    if new is None or new.kind is not Kind.FILE or (old is not None and old.digest == new.digest):
        return 0
    return new.size


def _sum(*parts: Sent) -> Sent:
    return Sent(
        files=sum(part.files for part in parts), bytes_on_wire=sum(part.bytes_on_wire for part in parts)
    )
