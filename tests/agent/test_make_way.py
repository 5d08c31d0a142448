"""B8: right after a takeover the old contact of a phone makes way for it, and only for it."""

from collections.abc import Callable

import msgspec
import pytest

from beistand.agent.make_way import DOCUMENT, MakeWay
from beistand.domain.make_way import BACK_SECONDS, MOST_TIMES, WATCH_SECONDS, Watched
from beistand.domain.phones import Contact
from beistand.domain.profile import Console
from beistand.domain.profile import MakeWay as Told
from fakes.agents import Killed, OneOfTwo, TwoAgents
from fakes.pair_of_appliances import PROFILE

TOLD = Told(
    room="room {aor}",
    most="max",
    replaces="replaces",
    aside=("aside {key}",),
    is_aside="is aside",
    look=("look {endpoint}",),
    back=("back {key}",),
)
HOST = "192.0.2.50"
CONTACTS = (
    Contact(uri=f"sip:101@{HOST}:7000", endpoint="101", aor="101", key="k101"),
    Contact(uri="sip:102@192.0.2.51:7000", endpoint="102", aor="102", key="k102"),
)
MADE_WAY = ["room 101", "aside k101", "look 101"]
Act = tuple[float, Callable[[], object]]


@pytest.fixture
def active(two: TwoAgents) -> OneOfTwo:
    """It serves, and its PBX takes one contact of each phone."""
    one = two.a
    one.wiring.profile = msgspec.structs.replace(PROFILE, console=Console(socket="/ctl"), make_way=TOLD)
    one.agent.reload()
    two.turns(2)
    one.wiring.console.answers.update({"room 101": "max : 1\n", "aside k101": "contact: is aside\n"})
    one.wiring.console.asked.clear()
    return one


def register(one: OneOfTwo, source: str = HOST, port: int = 7001) -> bool:
    lines = (
        "REGISTER sip:192.0.2.10 SIP/2.0",
        "To: <sip:101@192.0.2.10>",
        f"Contact: <sip:101@{source}:{port}>",
    )
    return one.wiring.registers.send(source, port, ("\r\n".join(lines) + "\r\n\r\n").encode())


def after(one: OneOfTwo, way: MakeWay, *acts: Act) -> list[str]:
    """Let the minutes after a takeover pass, with these acts at their seconds; return what the PBX was asked."""
    clock, pending = one.world.clock, sorted(acts, key=lambda act: act[0])
    begin = clock.monotonic()

    def wait(seconds: float) -> None:
        clock.advance(seconds)
        while pending and clock.monotonic() - begin >= pending[0][0]:
            pending.pop(0)[1]()

    one.wiring.registers.wait = wait
    way.turn()
    return one.wiring.console.asked


def watching(one: OneOfTwo) -> MakeWay:
    way = MakeWay(one.agent)
    way.waking(CONTACTS)
    return way


def kept(one: OneOfTwo) -> Watched:
    return msgspec.json.decode(one.store.get(DOCUMENT) or b"", type=Watched)


@pytest.mark.shows("B8")
def test_the_contact_of_a_phone_with_a_new_port_makes_way_and_is_put_back(active: OneOfTwo) -> None:
    """B8: the PBX puts nothing back where the phone has registered meanwhile."""
    console, early = active.wiring.console, list[list[str]]()
    acts: list[Act] = [
        (1, lambda: register(active)),
        (BACK_SECONDS, lambda: early.append([*console.asked])),
    ]
    assert after(active, watching(active), *acts) == [*MADE_WAY, "back k101"]
    assert early == [MADE_WAY]


def test_its_first_register_comes_through_when_it_is_repeated(active: OneOfTwo) -> None:
    passed = list[bool]()
    after(active, watching(active), *((at, lambda: passed.append(register(active))) for at in (1.0, 1.5)))
    assert passed == [False, True]


@pytest.mark.parametrize(("source", "port"), [(HOST, 7000), ("192.0.2.51", 7001), ("192.0.2.99", 7001)])
def test_nobody_else_takes_it_away(active: OneOfTwo, source: str, port: int) -> None:
    assert after(active, watching(active), (1, lambda: register(active, source, port))) == []


def test_a_pbx_that_has_room_is_asked_to_look_and_keeps_it(active: OneOfTwo) -> None:
    active.wiring.console.answers["aside k101"] = ""
    assert after(active, watching(active), (1, lambda: register(active))) == MADE_WAY


def test_a_pbx_that_makes_room_by_itself_keeps_it(active: OneOfTwo) -> None:
    active.wiring.console.answers["room 101"] = "max : 1\nreplaces : true\n"
    assert after(active, watching(active), (1, lambda: register(active))) == ["room 101", "look 101"]


def test_a_pbx_that_takes_no_commands_yet_is_asked_again(active: OneOfTwo) -> None:
    console = active.wiring.console
    console.is_silent = True
    acts: list[Act] = [(1, lambda: register(active)), (3, lambda: setattr(console, "is_silent", False))]
    assert after(active, watching(active), *acts) == [*MADE_WAY, "back k101"]


def test_a_pbx_that_never_takes_commands_is_given_up(active: OneOfTwo) -> None:
    active.wiring.console.answers.clear()
    assert len(after(active, watching(active), (1, lambda: register(active)))) < 1000


def test_whoever_only_pretends_to_be_the_phone_does_not_keep_it_away(active: OneOfTwo) -> None:
    acts: list[Act] = [(10.0 * at, lambda: register(active)) for at in range(1, 3 * MOST_TIMES)]
    assert after(active, watching(active), *acts) == MOST_TIMES * [*MADE_WAY, "back k101"]


def test_a_kernel_that_holds_nothing_up_is_no_hindrance(active: OneOfTwo) -> None:
    active.wiring.registers.has_filter = False
    assert after(active, watching(active), (1, lambda: register(active))) == [*MADE_WAY, "back k101"]


def test_only_the_phones_of_the_copy_are_held_up_and_only_for_minutes(active: OneOfTwo) -> None:
    registers, held = active.wiring.registers, list[frozenset[str]]()
    begin = active.world.clock.monotonic()
    after(active, watching(active), (1, lambda: held.append(registers.held_up)))
    assert held == [{HOST, "192.0.2.51"}]
    assert active.world.clock.monotonic() - begin <= WATCH_SECONDS + 1
    assert not registers.held_up
    assert not registers.is_listening
    assert kept(active) == Watched(until=0.0)


def test_it_ends_with_the_address(active: OneOfTwo) -> None:
    begin = active.world.clock.monotonic()
    acts: list[Act] = [(1, lambda: register(active)), (3, active.machine.held.clear)]
    assert after(active, watching(active), *acts) == [*MADE_WAY, "back k101"]
    assert active.world.clock.monotonic() - begin < 5
    assert not active.wiring.registers.held_up


def test_an_agent_that_stops_lets_everything_pass_and_the_next_one_goes_on(active: OneOfTwo) -> None:
    way = watching(active)
    assert after(active, way, (1, lambda: register(active)), (3, way.stop)) == MADE_WAY
    assert not active.wiring.registers.held_up
    following = MakeWay(active.agent)
    following.resume()
    assert after(active, following, (1, lambda: register(active, port=7002)))[3:] == [
        "back k101",
        *MADE_WAY,
        "back k101",
    ]


def test_what_a_killed_agent_took_away_is_put_back(active: OneOfTwo) -> None:
    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        after(active, watching(active), (1, lambda: register(active)), (3, kill))
    following = MakeWay(active.agent)
    following.resume()
    assert after(active, following) == [*MADE_WAY, "back k101"]


def test_what_a_killed_agent_held_up_passes_after_the_minutes(active: OneOfTwo) -> None:
    active.wiring.registers.held_up = frozenset({HOST})
    active.store.put(DOCUMENT, msgspec.json.encode(Watched(until=1.0, contacts=CONTACTS)))
    following = MakeWay(active.agent)
    following.resume()
    following.turn()
    assert not active.wiring.registers.held_up


def test_without_phones_nothing_is_watched(active: OneOfTwo) -> None:
    way = MakeWay(active.agent)
    way.waking((Contact(uri=f"sip:101@{HOST}:7000"),))
    way.turn()
    assert active.store.get(DOCUMENT) is None


def test_a_start_with_contacts_of_this_machine_holds_nobody_up(active: OneOfTwo) -> None:
    """Its phones have what they would have had."""
    after_start = active.agent.keeper.after_start
    after_start.around(lambda: None).waking(CONTACTS)
    assert not after_start.make_way.is_due
