"""A peer that receives into a folder, and believes nothing that it cannot check."""

import os
import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Event

import msgspec

from beistand.domain.connections import Connection
from beistand.domain.errors import (
    BadGeneration,
    BeistandError,
    Cancelled,
    Failed,
    PeerRefused,
    PeerUnreachable,
)
from beistand.domain.generation import Generation
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.manifest import (
    Entry,
    Kind,
    apply_delta,
    contents_to_send,
    database_name,
    dump_name,
    encode,
    read_entries,
    shown,
)
from beistand.domain.message import Field, message
from beistand.ports.peer import Sent
from beistand.protocol import MakeRoom, OfferAnswer
from fakes.clock import A_SUNDAY_NOON


def nothing(_what: str) -> None:
    pass


class FakePeer:
    """Port Peer. `contents` is what it has live, by path."""

    def __init__(self, inbox: Path) -> None:
        self._inbox = inbox
        self.entries: tuple[Entry, ...] = ()
        self.contents: dict[str, bytes] = {}
        self.live = ""
        self.forgets = False
        """True: it says that nothing is live, as after an import by hand."""
        self.before: Callable[[str], None] = nothing
        """Called with the name of each call before it is answered; may raise what the line would."""
        self.sent: list[tuple[str, str]] = []
        """Folder and name of everything that travelled in the last cycle."""
        self.offers: list[Generation] = []
        self.needed: list[MakeRoom] = []
        self.connections: tuple[Connection, ...] = ()
        """What came with the last `receive`."""
        self.cancelled = 0
        self.result: dict[str, Field] = {"state": "imported"}
        self._jobs: list[Job] = []

    def offer(self, generation: Generation) -> OfferAnswer:
        self.before("offer")
        self.sent = []
        self.offers.append(generation)
        return OfferAnswer(base="" if self.forgets else self.live)

    def make_room(self, needed: MakeRoom) -> None:
        self.before("make_room")
        self.needed.append(needed)

    def send(
        self,
        source: Path,
        names: Sequence[str],
        folder: str,
        *,
        bandwidth_limit: int,
        cancelled: Event,
        progress: Callable[[int, int], None],
    ) -> Sent:
        self.before(f"send {folder}")
        size = 0
        for name in names:
            if cancelled.is_set():
                raise Cancelled
            to = self._inbox / folder / name
            to.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(source / name, to, follow_symlinks=False)
            except FileNotFoundError:
                raise Failed("files-vanished", count=1, first=shown(name)) from None
            size += to.stat().st_size
            self.sent.append((folder, name))
            progress(size, size)
        self.before(f"sent {folder}")
        return Sent(files=len(names), bytes_on_wire=size)

    def receive(self, generation: Generation, base: str, connections: tuple[Connection, ...] = ()) -> Job:
        self.before("receive")
        self.connections = connections
        job = Job(id="1", kind=JobKind.RECEIVE, begin=A_SUNDAY_NOON, stage="verify")
        end = self._end(job, generation, base)
        self._jobs = [job, msgspec.structs.replace(job, stage="import", revision=1), end]
        return self._jobs.pop(0)

    def watch(self, job: str, seen: int, seconds: float) -> Job:
        self.before("watch")
        if not self._jobs:
            raise PeerRefused(message("unknown-job", job=job))
        return self._jobs.pop(0)

    def cancel(self, job: str) -> None:
        self.before("cancel")
        self.cancelled += 1
        self._jobs = [msgspec.structs.replace(self._jobs[-1], state=JobState.CANCELLED)]

    def close(self) -> None:
        pass

    def _end(self, job: Job, generation: Generation, base: str) -> Job:
        try:
            self._import(generation, base)
        except BeistandError as error:
            return msgspec.structs.replace(job, state=JobState.FAILED, error=error.message, revision=2)
        finally:
            for folder in ("files", "manifest"):
                shutil.rmtree(self._inbox / folder, ignore_errors=True)
        return msgspec.structs.replace(job, state=JobState.DONE, revision=2, result=self.result)

    def _import(self, generation: Generation, base: str) -> None:
        if generation.manifest == base == self.live:
            return
        assert base in ("", self.live)
        old = self.entries if base else ()
        with (self._inbox / "manifest/current.jsonl").open("rb") as file:
            new = tuple(read_entries(map(encode, apply_delta(old, file)) if base else file))
        assert sha256(b"".join(map(encode, new))).hexdigest() == generation.manifest
        assert (generation.entries, generation.size) == (len(new), sum(each.size for each in new))
        reuse = contents_to_send(lambda: old, lambda: new).reuse
        contents = {
            entry.path: self._content(entry, reuse, old)
            for entry in new
            if entry.kind in (Kind.FILE, Kind.DATABASE)
        }
        self.entries, self.contents, self.live = new, contents, generation.manifest

    def _content(self, entry: Entry, reuse: dict[str, str], old: tuple[Entry, ...]) -> bytes:
        if entry in old:
            return self.contents[entry.path]
        if entry.kind is Kind.FILE and entry.path in reuse:
            return self.contents[reuse[entry.path]]
        if entry.kind is Kind.DATABASE:
            path = self._inbox / "databases" / dump_name(database_name(entry))
        else:
            path = self._inbox / "files" / entry.path.lstrip("/")
        if not os.path.lexists(path):
            raise BadGeneration("content-missing", path=shown(entry.path))
        content = path.read_bytes()
        if sha256(content).hexdigest() != entry.digest:
            raise BadGeneration("content-differs", path=shown(entry.path))
        return content


def unreachable(call: str) -> Callable[[str], None]:
    """Return a fault: this call finds nobody."""

    def before(what: str) -> None:
        if what == call:
            raise PeerUnreachable("peer-silent", server="192.0.2.2")

    return before
