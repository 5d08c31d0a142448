"""Send what the peer lacks of a generation into its inbox."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from beistand.domain.errors import Failed
from beistand.domain.manifest import (
    Change,
    Entry,
    Kind,
    changed_lines,
    contents_of,
    database_name,
    decode,
    delta_lines,
    dump_name,
    shown,
)
from beistand.operations.backup import Taken
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

    Raises Unsettled, and what Peer.send raises.
    """
    if taken.generation.manifest == base:
        return NOTHING
    job.stage("transfer")
    delivery = _Delivery(node, peer, taken, base, job)
    contents = delivery.contents()
    delivery.see_unchanged(contents)
    sent = delivery.send_contents(contents)
    # Again: what changed while it was read is found here for nothing, and there after a whole transfer.
    delivery.see_unchanged(contents)
    return _sum(sent, delivery.send_dumps(), delivery.send_manifest())


class _Delivery:
    """One transfer under way."""

    def __init__(self, node: Node, peer: Peer, taken: Taken, base: str, job: Progress) -> None:
        self._node, self._peer, self._job = node, peer, job
        self._new, self._base = taken.generation.manifest, base
        self._limit = node.store.config().bandwidth_limit
        self._few: list[Change] | None = None
        """All changes, where they are few enough to remember."""

    def contents(self) -> tuple[str, ...]:
        few = list(islice(self._changes(), FEW + 1))
        self._few = few if len(few) <= FEW else None
        return contents_of(self._changes(), self._old).send

    def see_unchanged(self, paths: Sequence[str]) -> None:
        if not paths:
            return
        wanted = frozenset(paths)
        entries = (change.new for change in self._changes() if change.path in wanted and change.new)
        if changed := self._node.scanner.changed_since(entries):
            raise Unsettled(changed)

    def send_contents(self, paths: Sequence[str]) -> Sent:
        try:
            return self._send(Path("/"), [path.removeprefix("/") for path in paths], "files")
        except Failed as error:
            if error.message.code == "files-vanished":
                self.see_unchanged(paths)
            raise

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
            progress=self._job.advance,
        )

    def _changes(self) -> Iterator[Change]:
        """Compare anew where the changes are many: a list of them may be as big as the manifest."""
        if self._few is not None:
            return iter(self._few)
        manifests = self._node.manifests
        return changed_lines(manifests.lines(self._base), manifests.lines(self._new))

    def _old(self) -> Iterator[Entry]:
        return map(decode, self._node.manifests.lines(self._base))


def _sum(*parts: Sent) -> Sent:
    return Sent(
        files=sum(part.files for part in parts), bytes_on_wire=sum(part.bytes_on_wire for part in parts)
    )
