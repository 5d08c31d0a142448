"""F2, F3: the alarm of a disk that is full or fails: a finding, a line in the journal, a mail; and its end."""

from typing import NoReturn

import pytest

from beistand.agent.room import LOOK_SECONDS
from beistand.domain.errors import Failed
from beistand.domain.room import FileSystem
from beistand.protocol import GetStatus, Status
from fakes.agents import OneOfTwo, TwoAgents

FULL = FileSystem(mount="/var", size=20 << 30, free=0)


def told(one: OneOfTwo) -> set[str]:
    status = one.ask(GetStatus())
    assert isinstance(status, Status)
    return {each.code for each in status.findings}


def look(two: TwoAgents, one: OneOfTwo) -> None:
    two.clock.advance(LOOK_SECONDS)
    one.agent.room.tick()


def test_a_full_disk_is_told_and_so_is_its_end(two: TwoAgents, capsys: pytest.CaptureFixture[str]) -> None:
    one = two.b
    one.wiring.file_systems.now = [FULL]
    look(two, one)
    look(two, one)
    assert "disk-no-room" in told(one)
    assert capsys.readouterr().err.count("disk-no-room mount=/var") == 1
    one.wiring.file_systems.now = []
    look(two, one)
    assert "disk-no-room" not in told(one)


def test_a_disk_that_refuses_is_noticed_without_a_cycle_or_a_click(
    two: TwoAgents, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = two.b
    look(two, one)
    assert "state-not-written" not in told(one)

    def failing(_name: str, _body: bytes) -> NoReturn:
        raise Failed("state-not-written", path="/var/lib/beistand/state.db", why="disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(one.store, "put", failing)
        for _ in range(6):
            look(two, one)
        assert "state-not-written" in told(one)
    look(two, one)
    assert "state-not-written" not in told(one)


def test_the_reserve_is_made_again_by_itself(two: TwoAgents) -> None:
    one = two.b
    while one.store.reserve.give_up_piece():
        pass
    look(two, one)
    assert (one.folder / "state" / "state.reserve").stat().st_size == 1 << 20
