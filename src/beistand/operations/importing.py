"""The live generation of this appliance: import another one, take an import back, go to a restore point (B7)."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from beistand.domain.errors import BeistandError, Failed, NoSpace, Refused
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.imports import (
    Lineage,
    Move,
    Point,
    begun,
    imported,
    reachable,
    renewed,
    taken_back,
    way,
)
from beistand.domain.message import message
from beistand.domain.retention import retained
from beistand.operations.exchange import Step, exchange
from beistand.operations.keeping import refuse_unkept
from beistand.operations.lineage import load_lineage, save_lineage, sweep
from beistand.ports.node import Node
from beistand.ports.progress import UNWATCHED, Progress
from beistand.ports.store import Event

PROVEN = (CopyState.IMPORTED, CopyState.PROVEN)


def live_generation(node: Node) -> Generation | None:
    """Return the generation that was imported last, or rolled back to; None before the first import.

    After this appliance has served, its trees have moved on from it.
    """
    point = load_lineage(node).live_point
    return point.generation if point else None


def live_base(node: Node) -> str:
    """Return the digest of the manifest that the live trees follow; empty where they must be compared whole.

    That is before the first import, after this appliance served (its PBX wrote to the trees), and
    after a difference was seen.
    """
    lineage = load_lineage(node)
    point = lineage.live_point
    if point is None or lineage.is_drifted or lineage.moving is not None:
        return ""
    has_served_since = node.store.standing().own_epoch > point.generation.epoch
    return (
        ""
        if has_served_since or not node.manifests.has(point.generation.manifest)
        else point.generation.manifest
    )


def restore_points(node: Node) -> tuple[Generation, ...]:
    """Return the generations that can be live, the live one among them, newest first."""
    lineage = load_lineage(node)
    return tuple(lineage.points[at].generation for at in reachable(lineage))


def roll_back(node: Node, generation_id: str) -> None:
    """Make this restore point live, older or newer: one journaled move for each generation on the way.

    A kill leaves one of them, whole. Raises Refused `restore-point-unknown`, `pbx-running`, `live-moved-on`
    (this appliance served since, or its trees were changed: undoing would mix data); Failed, after which
    the generation that was live last is live again.
    """
    end_move(node)
    lineage = load_lineage(node)
    steps = way(lineage, generation_id)
    if steps and not live_base(node):
        raise Refused("live-moved-on", generation=generation_id)
    refuse_while_running(node)
    for at in steps:
        forward = at > lineage.live
        point = lineage.points[at if forward else lineage.live]
        move = Move(undo=point.undo, forward=forward, generation=point.generation, fresh=False)
        lineage = _move(node, lineage, move, msgspec.structs.replace(lineage, live=at))


def import_staged(node: Node, undo: str, generation: Generation, *, continues: bool, job: Progress) -> None:
    """Make what was staged for this undo live; the job may be ended between two effects.

    When it raises, the generation that was live before is live again, whole. Raises Refused
    `own-data-not-kept` where this appliance served since and no generation of that exists (I10).
    """
    refuse_unkept(node.store)
    refuse_while_running(node)
    lineage = load_lineage(node)
    move = Move(undo=undo, forward=True, generation=generation, fresh=True)
    point = Point(generation=generation, undo=undo)
    _move(node, lineage, move, imported(lineage, point, continues=continues), job)


def renew(node: Node, generation: Generation) -> None:
    """Note that this generation is live: its manifest is the live one's, nothing has to be moved."""
    save_lineage(node, renewed(load_lineage(node), generation))


def recover_import(node: Node, job: Progress = UNWATCHED) -> None:
    """Bring the live trees to a whole generation after a kill, and the records to what is there. Idempotent.

    Ending the job ends the clearing up, never a way back.
    """
    end_move(node, job)
    with told():
        tidy(node, job)
    record_interrupted(node)


def end_move(node: Node, job: Progress = UNWATCHED) -> None:
    """Bring the live trees alone to a whole generation; on a full disk this is all that a takeover needs.

    What was not committed is taken back: the time is that of the renames done so far.
    """
    lineage = load_lineage(node)
    if lineage.moving is not None:
        _take_back(node, lineage, lineage.moving, job)


def tidy(node: Node, job: Progress = UNWATCHED) -> None:
    """Bring records, restore points and staging to what the live generation says (after a commit or a kill)."""
    sweep(node, record_live(node), job)


def record_live(node: Node) -> Lineage:
    """Bring records and restore points to what the live generation says; what goes with them stays for `sweep`."""
    lineage = load_lineage(node)
    if (point := lineage.live_point) is None:
        return lineage
    _record_imported(node, point.generation)
    kept = retained(lineage, node.store.config().keep_generations)
    if kept != lineage:
        save_lineage(node, kept)
    return kept


def mark_drifted(node: Node) -> None:
    """Note that the live trees differ from the live generation: the next import compares everything."""
    save_lineage(node, msgspec.structs.replace(load_lineage(node), is_drifted=True))


def refuse_while_running(node: Node) -> None:
    """Raise Refused `pbx-running`: data is never replaced under a PBX that has it open."""
    for service in node.profile.services:
        if node.services.is_running(service.unit):
            raise Refused("pbx-running", unit=service.unit)


@contextmanager
def told() -> Iterator[None]:
    """Turn what the kernel refused into NoSpace `disk-full` or Failed `disk-failed`."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or "")
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("disk-full", path=where) from error
        raise Failed("disk-failed", path=where, why=error.strerror or str(error)) from error


def _move(node: Node, lineage: Lineage, move: Move, after: Lineage, job: Progress = UNWATCHED) -> Lineage:
    """Begin, exchange, commit; take it back when any of it fails."""
    started = begun(lineage, move)
    try:
        with told():
            save_lineage(node, started)
            kept = exchange(node, move, forward=move.forward, step=_until_ended(job))
            save_lineage(node, after)
    except BeistandError:
        # The write of a commit may fail after it took: what the record says is what counts.
        if load_lineage(node).moving is not None:
            job.turn_back("take-back")
            _take_back(node, started, move, job)
            raise
        if load_lineage(node) != after:
            raise
        return after
    if kept:
        with suppress(BeistandError):  # it is live: no line of history may make a failure of that
            node.store.tell(
                Event(at=node.clock.now(), message=message("folders-kept", count=len(kept), path=kept[0]))
            )
    return after


def _until_ended(job: Progress) -> Step:
    def step(done: int, total: int) -> None:
        job.check()
        job.advance(done, total)

    return step


def _take_back(node: Node, lineage: Lineage, move: Move, job: Progress) -> None:
    with told():
        exchange(node, move, forward=not move.forward, step=job.advance)
        save_lineage(node, taken_back(lineage))


def _record_imported(node: Node, generation: Generation) -> None:
    known = next((each for each in node.store.copies() if each.generation.id == generation.id), None)
    if known is None or known.state not in PROVEN:
        node.store.record(Copy(generation=generation, state=CopyState.IMPORTED, at=node.clock.now()))


def record_interrupted(node: Node) -> None:
    """What was verified and is not imported any more was lost with its staging: no copy may promise more."""
    live, me = live_generation(node), node.store.standing().me
    for copy in node.store.copies():
        is_open = copy.state is CopyState.VERIFIED and copy.generation.source != me
        if is_open and (live is None or copy.generation.id != live.id):
            failed = {
                "state": CopyState.FAILED,
                "failed_stage": "import",
                "why": message("import-interrupted"),
            }
            node.store.record(msgspec.structs.replace(copy, at=node.clock.now(), **failed))
