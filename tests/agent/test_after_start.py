"""B14: whoever takes over has the PBX look at its phones at once, and at lines that failed again."""

import msgspec
import pytest

from beistand.agent.after_start import FEW, LOOK_SECONDS
from beistand.domain.after_start import FIRST_WAIT, PAUSE_SECONDS
from beistand.domain.connections import Connection
from beistand.domain.errors import Failed
from beistand.domain.phones import Contact
from beistand.domain.profile import AfterStart, Console
from beistand.operations.dead_connections import keep_connections
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import PROFILE
from fakes.situations import generation

ASKED = AfterStart(
    phone="look at {name}",
    lines="list",
    failed=("Rejected",),
    line_again="again {name}",
    line="show {name}",
    line_delay="delay",
)
PHONES = tuple(
    Contact(uri=f"sip:{number}@192.0.2.50", endpoint=str(number), is_qualified=True) for number in (101, 102)
)


@pytest.fixture
def active(two: TwoAgents) -> OneOfTwo:
    """The active, whose PBX can be asked."""
    one = two.a
    one.wiring.profile = msgspec.structs.replace(PROFILE, console=Console(socket="/ctl"), after_start=ASKED)
    one.agent.reload()
    two.turns(2)
    one.agent.keeper.after_start.turn()
    one.wiring.console.asked.clear()
    return one


def look(one: OneOfTwo, seconds: float = LOOK_SECONDS) -> list[str]:
    """Let time pass; return what the PBX is asked then."""
    one.wiring.console.asked.clear()
    one.world.clock.advance(seconds)
    one.agent.keeper.after_start.turn()
    return one.wiring.console.asked


@pytest.mark.shows("B14")
def test_phones_are_looked_at_after_a_start_and_once(active: OneOfTwo) -> None:
    """B14: a phone with qualify is unavailable until its first OPTIONS."""
    active.agent.keeper.after_start.woken(PHONES)
    assert look(active, 0) == ["look at 101", "look at 102"]
    assert "look at 101" not in look(active)


def test_a_pbx_that_takes_no_commands_yet_is_asked_again(active: OneOfTwo) -> None:
    console = active.wiring.console
    console.silent_for = 3
    active.agent.keeper.after_start.woken(PHONES)
    assert look(active, 0) == ["look at 101", "look at 102"]


def test_whoever_does_not_serve_asks_nothing(two: TwoAgents, active: OneOfTwo) -> None:
    two.b.agent.keeper.after_start.woken(PHONES)
    two.b.agent.keeper.after_start.turn()
    assert two.b.wiring.console.asked == []


def ended(one: OneOfTwo) -> int:
    return len(one.wiring.sip.ended)


@pytest.fixture
def told(active: OneOfTwo) -> OneOfTwo:
    """The active took over from one that told of a connection on 5061, and its PBX was started."""
    store = active.store
    grant = store.standing().grant
    assert grant is not None
    connection = Connection(port=5061, peer="192.0.2.60", peer_port=33001)
    keep_connections(active.agent.node, generation(epoch=grant.epoch, pair="0" * 32), (connection,))
    store.adopt(msgspec.structs.replace(grant, epoch=grant.epoch + 2, parent=grant.epoch))
    active.agent.keeper.after_start.woken(PHONES)
    return active


@pytest.mark.shows("B8")
def test_dead_connections_are_ended_once_the_pbx_answers_and_never_again(told: OneOfTwo) -> None:
    """B8: before that nobody would answer the phone that connects again."""
    after_start = told.agent.keeper.after_start
    look(told, 0)
    assert ended(told) == 0
    after_start.answers()
    look(told, 0)
    assert told.wiring.sip.ended == [("192.0.2.10", 5061, ("192.0.2.60", 33001))]
    after_start.woken(PHONES)
    after_start.answers()
    look(told)
    assert ended(told) == 1


def test_a_pbx_that_takes_no_commands_keeps_no_phone_waiting(told: OneOfTwo) -> None:
    """The connections are ended all the same."""
    told.wiring.console.is_silent = True
    told.agent.keeper.after_start.answers()
    with pytest.raises(Failed, match="pbx-not-asked"):
        look(told, 0)
    assert ended(told) == 1


def test_the_network_has_a_rest_between_the_questions_and_the_ends(told: OneOfTwo) -> None:
    """No network sees more than 400 packets a second."""
    after_start = told.agent.keeper.after_start
    after_start.woken(
        tuple(Contact(uri="sip:x", endpoint=str(number), is_qualified=True) for number in range(FEW + 1))
    )
    after_start.answers()
    before = told.world.clock.monotonic()
    look(told, 0)
    assert told.world.clock.monotonic() - before >= PAUSE_SECONDS
    assert ended(told) == 1


@pytest.mark.shows("B14")
def test_a_line_that_failed_is_asked_again_with_longer_and_longer_waits(active: OneOfTwo) -> None:
    """B14: what failed is asked again as long as this appliance serves."""
    answers = active.wiring.console.answers
    answers["list"] = "trunk0/sip:192.0.2.9 auth Rejected\ntrunk1/sip:192.0.2.9 auth Registered\n"
    assert "again trunk0" in look(active)
    asked = [at for at in range(1, 40) if "again trunk0" in look(active)]
    waits = [later - before for before, later in zip([0, *asked], asked, strict=False)]
    assert waits[0] * LOOK_SECONDS == FIRST_WAIT
    assert waits == sorted(waits)
    assert len(set(waits)) > 2
    answers["list"] = "trunk0/sip:192.0.2.9 auth Registered\n"
    assert "again trunk0" not in look(active)
    answers["list"] = "trunk0/sip:192.0.2.9 auth Rejected\n"
    assert "again trunk0" in look(active)


@pytest.mark.shows("B14")
def test_lines_that_register_late_are_a_finding_until_they_do_not(active: OneOfTwo) -> None:
    """B14: below Asterisk's own delay there is one cure, and it stands in the customer's file."""
    answers = active.wiring.console.answers
    answers.update({"list": "trunk0/sip:192.0.2.9 auth Registered\n", "show trunk0": " delay : 10\n"})
    look(active, 601)
    assert [each.fields["names"] for each in found(active)] == ["trunk0"]
    answers["show trunk0"] = " delay : 0\n"
    look(active, 601)
    assert found(active) == []


def found(one: OneOfTwo) -> list[object]:
    return [each for each in one.agent.keeper.findings() if each.code == "lines-register-late"]
