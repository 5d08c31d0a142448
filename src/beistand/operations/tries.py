"""The tries of a run, counted on disk: one that a kill cut short is one that failed (S10, F1)."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from beistand.domain.attempts import LastTry, TryEnd, after_failure, after_success
from beistand.domain.errors import BeistandError, Cancelled
from beistand.domain.generation import CopyState
from beistand.domain.message import Message, message
from beistand.ports.node import Node

LAST_TRY = "last-try"
"""The document that says how the newest try ended."""
UNDER_WAY = "cycle-under-way"
"""The document that says that a try began and has not been counted yet."""
STAGE_AFTER = {
    CopyState.TAKEN: "transfer",
    CopyState.TRANSFERRED: "verify",
    CopyState.VERIFIED: "import",
}
"""Where a cycle was that had come so far."""


@contextmanager
def counted(node: Node) -> Iterator[None]:
    """Count what happens inside as one try, whatever ends it; a person's cancel ends the run."""
    store = node.store
    store.put(UNDER_WAY, b"1")
    has_failed, why = True, None
    try:
        yield
        has_failed = False
        _note_success(node)
    except Cancelled:
        has_failed = False
        raise
    except BeistandError as error:
        why = error.message
        raise
    finally:
        if has_failed:
            _count_failure(node, why)
        else:
            store.set_attempts(after_success(store.attempts()))
        store.put(UNDER_WAY, b"")


def note_interrupted(node: Node) -> None:
    """Have the next start count a try that was cancelled by a stop of the agent, not by a person."""
    node.store.put(UNDER_WAY, b"1")
    for copy in node.store.copies(1):
        if copy.why is not None and copy.why.code == "cancelled":
            node.store.record(msgspec.structs.replace(copy, why=message("cycle-interrupted")))


def close_interrupted(node: Node) -> None:
    """Record what a kill cut short, and plan the next try as after any failure. Idempotent."""
    me = node.store.standing().me
    for copy in node.store.copies():
        if copy.generation.source == me and copy.state in STAGE_AFTER:
            failed = msgspec.structs.replace(
                copy,
                state=CopyState.FAILED,
                at=node.clock.now(),
                failed_stage=STAGE_AFTER[copy.state],
                why=message("cycle-interrupted"),
            )
            node.store.record(failed)
    if node.store.get(UNDER_WAY):
        _count_failure(node)
        node.store.put(UNDER_WAY, b"")


def last_try(node: Node) -> LastTry | None:
    """Return how the newest try ended; None before there was one."""
    body = node.store.get(LAST_TRY)
    return msgspec.json.decode(body, type=LastTry) if body else None


def _note_success(node: Node) -> None:
    limit = node.store.config().attempts
    number = node.store.attempts().failed + 1
    _note(node, LastTry(end=TryEnd.DONE, number=number, attempts=limit, at=node.clock.now()))


def _count_failure(node: Node, why: Message | None = None) -> None:
    store, now = node.store, node.clock.now()
    before, limit = store.attempts(), store.config().attempts
    after = after_failure(before, limit, now)
    end = TryEnd.FAILED if after.next_at else TryEnd.GIVEN_UP
    # First: a kill in between counts the try again at the next start, and says the same of it.
    _note(
        node,
        LastTry(end=end, number=before.failed + 1, attempts=limit, at=now, next_at=after.next_at, why=why),
    )
    store.set_attempts(after)


def _note(node: Node, last: LastTry) -> None:
    node.store.put(LAST_TRY, msgspec.json.encode(last))
