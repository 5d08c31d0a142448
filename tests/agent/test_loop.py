"""The loop feeds the watchdog while it turns, whatever fails in a turn."""

from threading import Event
from typing import NoReturn

import pytest

from beistand.agent.daemon import Loop
from beistand.domain.errors import CommandFailed
from fakes.agents import TwoAgents


def test_a_pbx_that_starts_slowly_is_no_hang(two: TwoAgents) -> None:
    loop = Loop(two.a.agent, Event())
    loop.turn()
    two.clock.advance(200)
    assert not loop.hangs()
    two.clock.advance(2000)
    assert loop.hangs()


@pytest.mark.parametrize(
    "error", [CommandFailed("command-timeout", program="systemctl"), OSError(24, "files")]
)
def test_whatever_fails_in_a_turn_the_rest_is_done_and_told_once(
    two: TwoAgents, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_node: object) -> NoReturn:
        raise error

    loop = Loop(two.a.agent, Event())
    loop.recovery.tick = lambda: broken(None)
    for _ in range(20):
        loop.turn()
        two.clock.advance(1)
    assert two.a.serves
    told = capsys.readouterr().err
    assert told.count("Traceback") + told.count("command-timeout") == 1


def test_a_unit_that_cannot_be_asked_leaves_the_address_known(two: TwoAgents) -> None:
    """A service manager that hangs: what the peer is told of the address stays true."""
    two.turns(2)
    ask = two.a.services.is_running

    def hang(_unit: str) -> NoReturn:
        raise CommandFailed("command-timeout", program="systemctl", seconds=10)

    two.a.services.is_running = hang
    two.clock.advance(10)
    two.a.turn()
    assert two.a.state == "active-failed"
    assert two.a.agent.keeper.is_serving
    two.a.services.is_running = ask
    two.clock.advance(31)
    two.a.turn()
    assert two.a.state == "serving"


def test_the_log_says_no_more_than_was_asked_for(two: TwoAgents, capsys: pytest.CaptureFixture[str]) -> None:
    """S8: logging with its level."""
    from beistand.agent.log import log
    from beistand.domain.config import LogLevel

    two.a.store.set_config(two.a.config(log_level=LogLevel.ERROR))
    loop = Loop(two.a.agent, Event())
    loop.turn()
    capsys.readouterr()
    log("nothing-of-note", level="warning")
    log("trouble", level="error")
    assert capsys.readouterr().err == "<3>trouble\n"
    two.a.store.set_config(two.a.config(log_level=LogLevel.INFO))
    loop.turn()
