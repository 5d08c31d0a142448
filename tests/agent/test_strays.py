"""F34: a telephone system that something starts without a grant is stopped and told; one with a grant never."""

from collections.abc import Callable

import msgspec
import pytest

from beistand.agent.strays import FORCE_SECONDS, TOLD_SECONDS
from beistand.domain.role import Role
from beistand.domain.strays import Process
from beistand.protocol import GetStatus, Status
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import PROFILE
from fakes.situations import B, grant

PROGRAM = PROFILE.detect.version_command[0]


def stray(pid: int = 4711, **more: object) -> Process:
    values = {"pid": pid, "began": str(pid), "program": PROGRAM, "command": (PROGRAM, "-f"), "listens": True}
    values["seconds"] = 60.0
    return msgspec.convert({**values, "user": "root", "parents": ("cron",), **more}, Process)


def findings(one: OneOfTwo) -> dict[str, dict[str, object]]:
    answer = one.ask(GetStatus())
    assert isinstance(answer, Status)
    return {each.code: dict(each.fields) for each in answer.findings}


def standby(two: TwoAgents) -> OneOfTwo:
    two.turns(2)
    return two.b


def superseded(two: TwoAgents) -> OneOfTwo:
    two.turns(2)
    two.a.store.adopt(grant(3, B, 2))
    two.turns(2)
    assert two.a.store.standing().role is Role.SUPERSEDED
    return two.a


def held(two: TwoAgents) -> OneOfTwo:
    two.turns(1)
    two.a.boot()
    two.a.agent.reload()
    two.stranger.held.add(two.a.wiring.installation_now.service_ip)
    two.a.turn()
    assert two.a.state == "held"
    return two.a


def released(two: TwoAgents) -> OneOfTwo:
    two.turns(2)
    two.a.agent.keeper.release(3)
    assert two.a.state == "released"
    return two.a


@pytest.mark.shows("F34")
@pytest.mark.parametrize("become", [standby, superseded, held, released])
def test_it_is_stopped_and_told_with_who_did_it(
    two: TwoAgents, become: Callable[[TwoAgents], OneOfTwo]
) -> None:
    one = become(two)
    one.agent.strays.turn()
    one.wiring.processes.now = [stray()]
    one.agent.strays.turn()
    assert one.wiring.processes.ended == [(4711, False)]
    assert one.wiring.processes.now == []
    told = findings(one)["pbx-started-here"]
    assert (told["pid"], told["user"], told["parents"], told["count"]) == (4711, "root", "cron", 1)
    assert any(each.message.code == "pbx-started-here" for each in one.store.events(5))


def test_what_does_not_end_when_asked_is_ended(two: TwoAgents) -> None:
    one = standby(two)
    one.wiring.processes.now, one.wiring.processes.deaf = [stray()], {4711}
    one.agent.strays.turn()
    one.agent.strays.turn()
    assert one.wiring.processes.ended == [(4711, False)]
    two.clock.advance(FORCE_SECONDS)
    one.agent.strays.turn()
    assert one.wiring.processes.ended == [(4711, False), (4711, True)]
    assert one.wiring.processes.now == []


def test_what_comes_back_is_stopped_each_time_and_counted(two: TwoAgents) -> None:
    one = standby(two)
    for pid in range(100, 110):
        one.wiring.processes.now = [stray(pid, seconds=0.1)]
        one.agent.strays.turn()
        two.clock.advance(4)
    # At once: it has no call to end in order, and would be at its lines a moment later.
    assert one.wiring.processes.ended == [(pid, True) for pid in range(100, 110)]
    assert findings(one)["pbx-started-here"]["count"] == 10
    assert len([each for each in one.store.events(50) if each.message.code == "pbx-started-here"]) == 1


def test_one_of_its_own_unit_is_stopped_as_a_unit_behind_a_gate_that_is_there_again(two: TwoAgents) -> None:
    one = standby(two)
    one.services.has_gates = False
    one.services.running = {"asterisk.service"}
    one.wiring.processes.now = [stray(unit="asterisk.service")]
    one.agent.strays.turn()
    assert one.services.has_gates
    assert one.services.running == set()
    assert one.wiring.processes.ended == []
    assert "pbx-started-here" in findings(one)


def test_a_console_that_asks_is_left_alone(two: TwoAgents) -> None:
    one = standby(two)
    one.wiring.processes.now = [stray(listens=False)]
    one.agent.strays.turn()
    assert one.wiring.processes.ended == []


def test_on_the_active_nothing_happens(two: TwoAgents) -> None:
    two.turns(2)
    two.a.wiring.processes.now = [stray()]
    two.a.agent.strays.turn()
    assert two.a.wiring.processes.ended == []
    assert "pbx-started-here" not in findings(two.a)


def test_what_served_a_moment_ago_ends_by_the_keepers_hand(two: TwoAgents) -> None:
    """A release is no start: nothing is told of a PBX that is just being stopped; one that never ends is."""
    two.turns(2)
    two.a.wiring.processes.now = [stray()]
    two.a.agent.strays.turn()
    two.a.agent.keeper.release(3)
    two.a.agent.strays.turn()
    assert two.a.wiring.processes.ended == []
    two.clock.advance(600)
    two.a.agent.strays.turn()
    assert two.a.wiring.processes.ended == [(4711, False)]


def test_it_is_forgotten_after_a_while(two: TwoAgents) -> None:
    one = standby(two)
    one.wiring.processes.now = [stray()]
    one.agent.strays.turn()
    two.clock.advance(TOLD_SECONDS + 1)
    assert "pbx-started-here" not in findings(one)


def test_a_machine_that_is_no_appliance_is_nobodys_business(two: TwoAgents) -> None:
    two.b.store.forget_identity(keep=())
    two.b.agent.reload()
    two.b.wiring.processes.now = [stray()]
    two.b.agent.strays.turn()
    assert two.b.wiring.processes.ended == []


def test_a_pbx_that_serves_while_its_machine_becomes_an_appliance_is_no_stray(two: TwoAgents) -> None:
    """Turns of the look come before and behind the moment in which the identity is written."""
    one = standby(two)
    strays = one.agent.strays
    one.wiring.processes.now = [stray()]
    strays.expect()
    node, one.agent._node = one.agent._node, None
    initialised, one.agent.store.is_initialised = one.agent.store.is_initialised, lambda: False
    strays.turn()
    one.agent._node, one.agent.store.is_initialised = node, initialised
    strays.turn()
    assert one.wiring.processes.ended == []
    assert "pbx-started-here" not in findings(one)
