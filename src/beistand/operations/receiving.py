"""The receiving side of a cycle: look at the offer, verify what arrived, import it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from beistand.domain.boundary import MOST_ENTRIES, Boundary
from beistand.domain.connections import Connection
from beistand.domain.errors import BadGeneration, BeistandError, Cancelled, Refused
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.imports import Operation, undo_name
from beistand.domain.message import Message
from beistand.domain.role import Role
from beistand.operations.dead_connections import keep_connections
from beistand.operations.importing import (
    import_staged,
    live_base,
    live_generation,
    mark_drifted,
    recover_import,
    refuse_while_running,
    renew,
    tidy,
    told,
)
from beistand.operations.lineage import load_lineage, sweep
from beistand.operations.planning import Drifted, write_operations
from beistand.operations.staging import check_space, stage
from beistand.operations.verifying import keep_manifest
from beistand.ports.node import Node
from beistand.ports.progress import Progress
from beistand.protocol import OfferAnswer

ARRIVED = "manifest/current.jsonl"
LINE = 250
"""Bytes of a manifest's line, about."""
ID_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{1,12}")
DIGEST_FORM = re.compile(r"[0-9a-f]{64}")


class Source(Protocol):
    """What brings a generation here."""

    @property
    def is_delta(self) -> bool:
        """Tell whether its manifest is a delta to the base; else it is the whole one."""

    def manifest(self) -> BinaryIO: ...

    def content(self, operation: Operation) -> BinaryIO:
        """Open the content of a new file or database; asked in the order of the manifest."""

    def staged(self) -> None:
        """Everything that is needed of it stands in staging."""


def check_offer(node: Node, generation: Generation) -> OfferAnswer:
    """Return which manifest is live here, if this generation may be imported. Changes nothing.

    Raises Refused: `not-paired`, `generation-other-pair`, `not-our-peer`, `generation-malformed`,
    `generation-profile-differs`, `generation-version-differs`, `not-standby`, `pbx-running`,
    `generation-superseded`, `generation-epoch-unknown`, `generation-not-newer`; NoSpace `no-space`.
    """
    pair = node.store.pair()
    if pair is None:
        raise Refused("not-paired")
    if generation.pair != pair.id:
        raise Refused("generation-other-pair")
    if generation.source != pair.peer.node:
        raise Refused("not-our-peer", source=generation.source)
    _check_form(generation)
    if generation.profile != node.profile.name:
        raise Refused("generation-profile-differs", ours=node.profile.name, theirs=generation.profile)
    version = node.services.version(node.profile)
    if generation.pbx_version != version:
        raise Refused("generation-version-differs", ours=version, theirs=generation.pbx_version)
    standing = node.store.standing()
    if standing.role is not Role.STANDBY:
        raise Refused("not-standby", role=standing.role)
    refuse_while_running(node)
    if generation.epoch < standing.epoch:
        # Made before the present active began to serve, whatever its number (F7).
        raise Refused("generation-superseded", epoch=generation.epoch, known=standing.epoch)
    if generation.epoch > standing.epoch:
        # A number that nobody was granted as far as we know: it would outrank every true one for good.
        raise Refused("generation-epoch-unknown", epoch=generation.epoch, known=standing.epoch)
    live = live_generation(node)
    # Sequences of another pair, from before this one was made, are no order between the two.
    if live is not None and live.pair == pair.id and generation.order <= live.order:
        raise Refused("generation-not-newer", offered=generation.id, live=live.id)
    # Both manifests side by side and the operations; the sizes of contents are known with the manifest.
    check_space(node, {str(node.places.state): 3 * LINE * generation.entries})
    return OfferAnswer(base=live_base(node))


def receive_generation(
    node: Node, generation: Generation, base: str, job: Progress, connections: tuple[Connection, ...] = ()
) -> Copy:
    """Verify what stands in the inbox and import it; return the copy, as recorded.

    `base` is the digest of the live manifest that the sent one is a delta to; empty: it was sent whole.
    `connections` are those of the sender, kept for the day when it is dead.
    Until the import begins nothing but staging is written; when anything fails the generation that
    was live stays live. Raises what `check_offer` does, Refused `base-unknown`, BadGeneration, NoSpace,
    Failed, Cancelled.
    """
    recover_import(node, job)
    check_offer(node, generation)
    if base and base != live_base(node):
        raise Refused("base-unknown", base=base)
    copy = receive_from(node, _Inbox(node, is_delta=bool(base)), generation, base, job)
    keep_connections(node, generation, connections)
    return copy


def receive_from(node: Node, source: Source, generation: Generation, base: str, job: Progress) -> Copy:
    """Verify and import what a source brings, as `receive_generation` does; the offer was checked."""
    reception = _Reception(node, source, generation, job, began=node.clock.monotonic())
    with reception.failures():
        if base and generation.manifest == base:
            job.stage("verify")
            _check_counts(generation, live_generation(node))
            reception.record(CopyState.VERIFIED)
            renew(node, generation)
        else:
            reception.verify_and_import(base)
    copy = reception.record(CopyState.IMPORTED)
    with told():
        tidy(node)
        node.manifests.prune(load_lineage(node).manifests)
    return copy


@dataclass(frozen=True)
class _Inbox:
    """What the peer sent by rsync."""

    node: Node
    is_delta: bool

    def manifest(self) -> BinaryIO:
        return self.node.disk.open_inbox(self.node.places.inbox, ARRIVED)

    def content(self, operation: Operation) -> BinaryIO:
        return self.node.disk.open_inbox(self.node.places.inbox, operation.content)

    def staged(self) -> None:
        # `databases` stays: the next dumps travel as a delta against these.
        for folder in ("files", "manifest"):
            self.node.disk.clear(self.node.places.inbox, folder)


@dataclass
class _Reception:
    """One generation on its way in, and the stage it is at."""

    node: Node
    source: Source
    generation: Generation
    job: Progress
    began: float
    stage: str = "verify"

    def verify_and_import(self, base: str) -> None:
        node, generation, job = self.node, self.generation, self.job
        job.stage("verify")
        boundary = Boundary(node.profile)
        continues = bool(live_base(node))
        undo = undo_name(load_lineage(node), generation)
        delta_to = base if self.source.is_delta else ""
        keep_manifest(node, generation, delta_to, boundary, job, self.source.manifest())
        needs = write_operations(node, generation.manifest, base, undo, boundary, job.check)
        check_space(node, needs)
        stage(node, undo, needs, self.source.content, job)
        self.record(CopyState.VERIFIED)
        self.source.staged()
        self.stage = "import"
        job.stage("import")
        import_staged(node, undo, generation, continues=continues, job=job)

    def record(self, state: CopyState, why: Message | None = None) -> Copy:
        copy = Copy(
            generation=self.generation,
            state=state,
            at=self.node.clock.now(),
            failed_stage=self.stage if why else "",
            why=why,
            seconds=self.node.clock.monotonic() - self.began,
        )
        self.node.store.record(copy)
        return copy

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Record what went wrong, with its stage, and remove what was staged; after a click recovery does that."""
        try:
            with told():
                yield
        except BeistandError as error:
            # What cannot be removed now is removed by the next recovery: the first error is the one to tell.
            with suppress(OSError, BeistandError):
                self._clean_up(error)
            with suppress(BeistandError):
                self.record(CopyState.FAILED, error.message)
            raise

    def _clean_up(self, error: BeistandError) -> None:
        lineage = load_lineage(self.node)
        if lineage.moving is not None:
            return  # the way back failed, too: recovery needs what is there
        if not isinstance(error, Cancelled):  # else somebody may wait, and no takeover waits for clearing up
            sweep(self.node, lineage)
        self.node.manifests.prune(lineage.manifests)
        if isinstance(error, Drifted):
            mark_drifted(self.node)


def _check_form(generation: Generation) -> None:
    """Check the fields of an offer that become names and limits here."""
    is_well_formed = (
        ID_FORM.fullmatch(generation.id) is not None
        and int(generation.id.rpartition("-")[2]) == generation.sequence
        and DIGEST_FORM.fullmatch(generation.manifest) is not None
        and 0 <= generation.entries <= MOST_ENTRIES
        and generation.size >= 0
        and generation.epoch > 0
        and generation.sequence > 0
    )
    if not is_well_formed:
        raise Refused("generation-malformed", generation=generation.id[:100])


def _check_counts(generation: Generation, live: Generation | None) -> None:
    if live is None or (generation.entries, generation.size) != (live.entries, live.size):
        raise BadGeneration(
            "counts-differ",
            entries=generation.entries,
            size=generation.size,
            announced_entries=0,
            announced_size=0,
        )
