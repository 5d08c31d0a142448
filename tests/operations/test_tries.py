"""S10, F1: every try is counted once, whatever ends it."""

from datetime import timedelta
from pathlib import Path

import pytest

from beistand.domain.attempts import WAIT_BETWEEN_TRIES, Attempts
from beistand.domain.errors import Cancelled, Failed
from beistand.domain.generation import CopyState
from beistand.operations.tries import close_interrupted, counted, note_interrupted
from fakes.active import Active, make_active


@pytest.fixture
def active(tmp_path: Path) -> Active:
    return make_active(tmp_path)


def waiting(active: Active, failed: int = 1) -> Attempts:
    return Attempts(failed=failed, next_at=active.clock.now() + WAIT_BETWEEN_TRIES)


@pytest.mark.parametrize("error", [Failed("disk-full"), ValueError("a bug")])
def test_a_failure_and_a_bug_are_followed_by_the_next_try(active: Active, error: Exception) -> None:
    with pytest.raises(type(error)), counted(active.node):
        raise error
    assert active.store.attempts() == waiting(active)


def test_a_try_that_works_ends_the_run(active: Active) -> None:
    active.store.set_attempts(waiting(active))
    with counted(active.node):
        active.cycle()
    assert active.store.attempts() == Attempts()
    close_interrupted(active.node)
    assert active.store.attempts() == Attempts()
    assert active.newest().state is CopyState.IMPORTED


def test_a_cancel_ends_the_run(active: Active) -> None:
    """Else the due moment of the run would start it again at once."""
    active.store.set_attempts(waiting(active))
    active.clock.advance(timedelta(minutes=6).total_seconds())
    with pytest.raises(Cancelled), counted(active.node):
        raise Cancelled
    assert active.store.attempts() == Attempts()


def test_a_stop_of_the_agent_is_no_cancel_of_a_person(active: Active) -> None:
    def stop(_what: str) -> None:
        raise Cancelled

    active.peer.before = stop
    with pytest.raises(Cancelled), counted(active.node):
        active.cycle()
    note_interrupted(active.node)
    close_interrupted(active.node)
    why = active.newest().why
    assert why is not None
    assert why.code == "cycle-interrupted"
    assert active.store.attempts() == waiting(active)


def test_a_killed_try_is_one_that_failed(active: Active) -> None:
    class Killed(BaseException):
        """Nothing runs after it: neither the record of the failure nor the counting."""

    def kill(what: str) -> None:
        if what == "send files":
            raise Killed

    active.write("voicemail/INBOX/msg0.wav")
    active.peer.before = kill
    with pytest.raises(Killed):
        active.cycle()
    note_interrupted(active.node)
    for _ in range(2):  # a second recovery changes nothing
        close_interrupted(active.node)
        newest = active.newest()
        assert (newest.state, newest.failed_stage) == (CopyState.FAILED, "transfer")
        assert newest.why is not None
        assert newest.why.code == "cycle-interrupted"
        assert active.store.attempts() == waiting(active)
