"""One cycle: back up, offer, transfer, and let the peer verify and import (S2, B1)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from beistand.domain.errors import BeistandError, Cancelled, PeerRefused, PeerUnreachable, Refused
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.job import Job, JobState
from beistand.domain.manifest import decode
from beistand.domain.message import Message, message
from beistand.operations.backup import LiveThere, begin_generation, take_generation
from beistand.operations.dead_connections import established
from beistand.operations.kept_manifests import live_there, note_live_there, prune_manifests
from beistand.operations.transfer import Unsettled, transfer
from beistand.ports.node import Node
from beistand.ports.peer import Peer
from beistand.ports.progress import Progress

TAKES = 4
"""A generation whose files change while they travel is taken anew so often within one try."""
TAKES_TO_SETTLE = 2
"""So many takes wait for a file to settle; then it is left for the next cycle."""
WATCH_SECONDS = 1.0
PATIENCE = 5
"""So often the line may break while the peer works; it goes on without us."""
WAIT_SECONDS = 2.0
NOT_WHAT_WAS_SAID = ("content-differs", "content-missing")
"""What the receiving side says of a file that changed on the way."""


def run_cycle(node: Node, job: Progress, asked: bool = False) -> Copy:
    """Bring a new generation to the peer and return its copy as the peer left it; every state is recorded.

    `asked`: by hand, not by the schedule. Raises, after recording the failure: Refused `not-paired`,
    Failed, NoSpace, PeerError, Cancelled.
    """
    if node.peer is None:
        raise Refused("not-paired")
    began = node.clock.monotonic()
    cycle = _Cycle(
        node=node, peer=node.peer, job=job, asked=asked, began=began, generation=begin_generation(node)
    )
    return cycle.run()


class _Differs(PeerRefused):
    """What arrived is not what the manifest says."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.path = str(why.fields.get("path", ""))


@dataclass(kw_only=True)
class _Cycle:
    """One cycle under way, and how far it is."""

    node: Node
    peer: Peer
    job: Progress
    asked: bool
    began: float
    generation: Generation
    stage: str = "backup"
    bytes_on_wire: int = 0

    def run(self) -> Copy:
        """Take and deliver until nothing changes on the way, at last without what never settles."""
        restless: set[str] = set()
        with self._failures():
            for take in range(1, TAKES + 1):
                leave = frozenset(restless) if take > TAKES_TO_SETTLE else frozenset()
                try:
                    return self._deliver(leave)
                except (Unsettled, _Differs) as error:
                    if take == TAKES:
                        raise
                    restless |= error.paths if isinstance(error, Unsettled) else self._changed(error.path)
        raise AssertionError

    def _deliver(self, leave: frozenset[str]) -> Copy:
        node, job = self.node, self.job
        self.stage = "backup"
        live = LiveThere(manifests=node.manifests, digest=live_there(node), unsettled=leave)
        taken = take_generation(node, job, begun=self.generation, live=live)
        self.generation = taken.generation
        self._record(CopyState.TAKEN)
        self.stage = "offer"
        job.stage("offer")
        answer = self.peer.offer(taken.generation)
        note_live_there(node, answer.base)
        # Without that manifest no delta can be made: then everything travels.
        base = answer.base if node.manifests.has(answer.base) else ""
        self.stage = "transfer"
        self.bytes_on_wire += transfer(node, self.peer, taken, base, job).bytes_on_wire
        self._record(CopyState.TRANSFERRED)
        self.stage = "verify"
        job.check()
        there = self._follow(self.peer.receive(taken.generation, base, established(node)))
        self._see_done(there)
        note_live_there(node, taken.generation.manifest)
        prune_manifests(node, taken.generation.manifest)
        is_imported = there.result.get("state") == CopyState.IMPORTED
        return self._record(CopyState.IMPORTED if is_imported else CopyState.VERIFIED)

    def _follow(self, there: Job) -> Job:
        """Show the peer's progress as ours until its job ends. A person who cancels ends it there."""
        patience, is_cancelling = PATIENCE, False
        while there.state is JobState.RUNNING:
            self._show(there)
            try:
                if self.job.cancelled.is_set() and not is_cancelling:
                    is_cancelling = True
                    with suppress(PeerRefused):  # it ended by itself just now
                        self.peer.cancel(there.id)
                there = self.peer.watch(there.id, there.revision, WATCH_SECONDS)
                patience = PATIENCE
            except PeerRefused as error:
                if error.message.code != "unknown-job":
                    raise
                # Its agent was started anew, and has taken back what it had begun.
                raise PeerRefused(message("import-interrupted")) from None
            except PeerUnreachable:
                patience -= 1
                if not patience:
                    raise
                self.node.clock.wait(self.job.cancelled, WAIT_SECONDS)
        return there

    def _show(self, there: Job) -> None:
        with suppress(Cancelled):  # answered by cancelling the job there
            if there.stage and there.stage != self.stage:
                self.stage = there.stage
                self.job.stage(there.stage)
        self.job.advance(there.done, there.total)

    def _see_done(self, there: Job) -> None:
        """Raise what ended the peer's job, if it did not end well."""
        if there.state is JobState.DONE:
            return  # also when it was cancelled too late: then the generation is imported there
        if there.state is JobState.CANCELLED:
            raise Cancelled
        why = there.error or message("peer-job-failed", job=there.id)
        raise _Differs(why) if why.code in NOT_WHAT_WAS_SAID else PeerRefused(why)

    def _changed(self, path: str) -> set[str]:
        """Return the path if the file is no longer what was said of it; else it is simply sent again."""
        line = LiveThere(manifests=self.node.manifests, digest=self.generation.manifest).line(path)
        return set(self.node.scanner.changed_since([decode(line)])) if line else set()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Record what went wrong, with its stage."""
        try:
            yield
        except BeistandError as error:
            # The first failure is the one to tell.
            with suppress(BeistandError):
                self._record(CopyState.FAILED, error.message)
            with suppress(BeistandError):
                prune_manifests(self.node, self.generation.manifest)
            raise

    def _record(self, state: CopyState, why: Message | None = None) -> Copy:
        copy = Copy(
            generation=self.generation,
            state=state,
            at=self.node.clock.now(),
            failed_stage=self.stage if why else "",
            why=why,
            asked=self.asked,
            seconds=self.node.clock.monotonic() - self.began,
            bytes_on_wire=self.bytes_on_wire,
        )
        self.node.store.record(copy)
        return copy
