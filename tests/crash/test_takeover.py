"""F1: cut a takeover short at every effect, before and after it, by power loss and by a kill, and recover."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from beistand.domain.connections import Connection
from beistand.domain.errors import Failed
from beistand.domain.facts import Facts, PeerSigns
from beistand.domain.message import Message
from beistand.domain.plan import Item, Status
from beistand.operations.dead_connections import keep_connections
from beistand.operations.runner import recover_plan, run
from beistand.operations.takeover import TakeoverPlan, takeover_grant, takeover_plan
from fakes.pair_of_appliances import ADDRESS, Crash, World
from fakes.progress import FakeProgress
from fakes.situations import A_MAC, HUNG, RUNNING, SILENT, STRANGER_MAC, facts, generation, imported

GENERATION = "20260302T070000Z-7"
EFFECTS = 26  # more than a takeover and its undoing need; a test below keeps it honest
AGAIN = range(14)  # more than a recovery needs
ONCE_MORE = (0, 2, 5)


def look(world: World) -> Facts:
    """Return what `observe` would see; the question itself has tests of its own."""
    peer: PeerSigns = SILENT
    if world.can_talk():
        peer = RUNNING if world.a.agent_runs else HUNG
    holder = world.segment.holder(world.b.machine, ADDRESS)
    epoch = world.a.store.standing().epoch if peer.agent else 0
    return facts(
        holder_mac=holder.mac if holder else "", peer=peer, peer_epoch=epoch, copy=imported(id=GENERATION)
    )


def click(world: World, plan_of: Callable[..., TakeoverPlan] = takeover_plan) -> Message | None:
    """Take over as the agent does: plan, run, and converge after the grant. Return why not."""
    seen, standing = look(world), world.b.store.standing()
    plan = plan_of(seen, standing, world.b.node.installation)
    why = run(plan, world.reach, takeover_grant(seen, standing, "admin"), FakeProgress())
    if why is None:
        world.b.converge(serve=True)
    return why


def restart_until_settled(
    world: World, power_loss: bool, crashes: list[int], recover: Any = recover_plan
) -> None:
    """Start the agent on the standby again and again, crashing as told; then let both keep their standing."""
    while True:
        if power_loss:
            world.b.lose_power()
        world.crash_at = world.effects + crashes.pop(0) if crashes else -1
        try:
            recover(world.b.node, world.reach)
            world.b.keep()
            break
        except Crash:
            continue
    world.crash_at = -1
    for _ in range(3):
        for each in (world.a, world.b):
            if each.machine.is_up and each.agent_runs:
                each.keep()


def assert_whole(world: World) -> None:
    """At most one serves, it holds the highest grant, the other is clean, no plan is left, the data is whole."""
    world.check()
    assert world.b.store.plan() is None
    assert world.data != "cut" or not world.b.store.standing().is_holder
    winner, loser = (world.b, world.a) if world.b.store.standing().is_holder else (world.a, world.b)
    assert loser.is_clean or not loser.machine.is_up
    if winner.machine.is_up and not world.stranger.held:
        assert winner.serves
        assert winner.services.is_gate_open
    if winner is world.b:
        assert world.data == GENERATION


def the_active_is_dead() -> World:
    world = World()
    world.kill_a()
    return world


def the_active_can_be_asked() -> World:
    return World()


def the_data_was_being_imported() -> World:
    world = the_active_is_dead()
    world.data = "cut"
    return world


def a_stranger_comes_meanwhile() -> World:
    return World(stranger_comes_at=2)


def the_data_cannot_be_made_ready() -> World:
    return World(data_fails=True)


SCENARIOS = [
    the_active_is_dead,
    the_active_can_be_asked,
    the_data_was_being_imported,
    a_stranger_comes_meanwhile,
    the_data_cannot_be_made_ready,
]


def cut_everywhere(
    scenario: Callable[[], World],
    *,
    power_loss: bool,
    after: bool,
    take_over: Callable[[World], object] = click,
    recover: Any = recover_plan,
) -> int:
    schedules = 0
    for first, *again in itertools.product(range(EFFECTS), AGAIN, ONCE_MORE):
        world = scenario()
        world.crash_at, world.crash_after_effect = first, after
        try:
            take_over(world)
        except Crash:
            restart_until_settled(world, power_loss, list(again), recover)
        else:
            world.a.keep() if world.a.machine.is_up else None
        assert_whole(world)
        schedules += 1
    return schedules


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_counts_above_cover_a_whole_takeover(scenario: Callable[[], World]) -> None:
    world = scenario()
    click(world)
    assert world.effects < EFFECTS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("power_loss", [False, True], ids=["kill", "power-loss"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_anywhere_leaves_one_server_and_whole_data(
    scenario: Callable[[], World], power_loss: bool, after: bool
) -> None:
    assert cut_everywhere(scenario, power_loss=power_loss, after=after) == EFFECTS * len(AGAIN) * len(
        ONCE_MORE
    )


@pytest.mark.parametrize(
    "scenario", [the_active_is_dead, the_active_can_be_asked, the_data_was_being_imported]
)
def test_after_a_crash_one_click_is_enough(scenario: Callable[[], World]) -> None:
    """I7: whatever the first takeover left, the next one succeeds."""
    for at, after in itertools.product(range(EFFECTS), (False, True)):
        world = scenario()
        world.crash_at, world.crash_after_effect = at, after
        try:
            click(world)
        except Crash:
            restart_until_settled(world, True, [])
        if not world.b.store.standing().is_holder:
            assert click(world) is None
        for each in (world.a, world.b):
            each.keep() if each.machine.is_up else None
        assert world.b.serves
        assert_whole(world)


def test_a_takeover_succeeds_and_reaches_the_phones() -> None:
    """S3, B8: address, contacts, PBX, and an end for the connections of the dead one."""
    world = the_active_is_dead()
    assert click(world) is None
    assert world.b.serves
    assert world.b.announced == 1
    assert world.b.contacts.renewed == 1
    assert world.b.sip.ended == [(ADDRESS, 5060, ("192.0.2.50", 40000))]


def test_what_the_dead_one_told_of_its_connections_is_ended_once() -> None:
    """B8: on whatever port; a phone of which nothing was told is tried where its contact says."""
    world = the_active_is_dead()
    told = (Connection(port=5061, peer="192.0.2.60", peer_port=33001),)
    active = world.a.store.standing().epoch
    keep_connections(world.b.node, generation(epoch=active, pair="0" * 32), told)
    assert click(world) is None
    ended = [(ADDRESS, 5060, ("192.0.2.50", 40000)), (ADDRESS, 5061, ("192.0.2.60", 33001))]
    assert world.b.sip.ended == ended
    world.b.lose_power()
    world.b.keep()
    assert world.b.serves
    assert world.b.sip.ended == ended


@pytest.mark.parametrize("fields", [{"epoch": 1}, {"pair": "1" * 32}], ids=["epoch", "pair"])
def test_connections_of_another_time_are_left_alone(fields: dict[str, Any]) -> None:
    world = the_active_is_dead()
    world.b.contacts.uris = ()
    about = generation(**{"epoch": world.a.store.standing().epoch, "pair": "0" * 32, **fields})
    keep_connections(world.b.node, about, (Connection(port=5061, peer="192.0.2.60", peer_port=33001),))
    assert click(world) is None
    assert world.b.sip.ended == []


def test_nothing_is_done_twice_on_the_next_tick() -> None:
    world = the_active_is_dead()
    click(world)
    before = world.effects
    outcome = world.b.converge(serve=True)
    assert (outcome.holds, outcome.running, outcome.answers, outcome.failure) == (True, True, True, None)
    assert world.effects == before
    assert world.b.contacts.renewed == 1
    assert len(world.b.sip.ended) == 1


def test_the_old_active_comes_back_and_stays_quiet() -> None:
    """B5, F19: not a frame with the service address, no PBX."""
    world = the_active_is_dead()
    click(world)
    world.boot_a()
    world.a.keep()
    assert world.a.is_clean
    assert not [frame for frame in world.segment.frames if frame[0] == A_MAC]
    assert world.a.store.standing().role == "superseded"


@pytest.mark.parametrize("scenario", [a_stranger_comes_meanwhile, the_data_cannot_be_made_ready])
def test_a_failed_step_gives_the_address_back(scenario: Callable[[], World]) -> None:
    world = scenario()
    assert click(world) is not None
    assert world.b.is_clean
    assert world.b.store.plan() is None
    assert world.a.serves or world.stranger.held
    world.stranger.held.clear()
    world.a.keep()
    assert world.a.serves


def test_a_stranger_is_named() -> None:
    """F22."""
    why = click(a_stranger_comes_meanwhile())
    assert why is not None
    assert why.fields == {"address": ADDRESS, "mac": STRANGER_MAC}


def test_a_cancelled_takeover_is_undone() -> None:
    world = World()
    seen, standing = look(world), world.b.store.standing()
    plan = takeover_plan(seen, standing, world.b.node.installation)
    why = run(plan, world.reach, takeover_grant(seen, standing, "admin"), FakeProgress(cancel_at=3))
    assert why is not None
    assert why.code == "cancelled"
    assert world.a.serves


def test_a_grant_that_was_overtaken_is_not_taken() -> None:
    world = the_active_is_dead()
    seen, standing = look(world), world.b.store.standing()
    claim = takeover_grant(seen, standing, "admin")
    plan = takeover_plan(seen, standing, world.b.node.installation)
    world.b.store.adopt(msgspec.structs.replace(claim, epoch=claim.epoch + 1, holder="a" * 16))
    why = run(plan, world.reach, claim, FakeProgress())
    assert why is not None
    assert why.code == "grant-overtaken"
    assert world.b.is_clean


def test_a_failed_undo_keeps_the_plan_until_it_succeeds() -> None:
    """The peer released, the plan failed, and the peer cannot be told so yet."""
    world = World(data_fails=True, lost_calls=frozenset({2, 3}))
    with pytest.raises(Failed, match="undo-failed"):
        click(world)
    with pytest.raises(Failed, match="undo-failed"):
        recover_plan(world.b.node, world.reach)
    assert world.b.store.plan() is not None
    assert world.b.is_clean
    assert recover_plan(world.b.node, world.reach)
    assert world.a.serves
    assert not recover_plan(world.b.node, world.reach)


def test_a_peer_that_died_after_its_release_does_not_stand_in_the_way() -> None:
    """I7: the undo of the first plan is still open, and the next click takes over all the same."""
    world = World(data_fails=True, lost_calls=frozenset({2}))
    with pytest.raises(Failed, match="undo-failed"):
        click(world)
    world.kill_a()
    world.data_fails = False
    assert click(world) is None
    assert world.b.serves
    assert world.b.store.plan() is None


def test_a_failing_second_click_undoes_the_first_one_too() -> None:
    world = World(data_fails=True, lost_calls=frozenset({2, 3}))
    with pytest.raises(Failed, match="undo-failed"):
        click(world)
    world.a.agent_runs = False
    with pytest.raises(Failed, match="undo-failed"):
        click(world)
    world.a.agent_runs = True
    assert recover_plan(world.b.node, world.reach)
    assert world.a.serves


def test_a_hung_peer_is_unplugged_while_the_takeover_waits() -> None:
    """F23: its kernel answers for the address, its agent does not."""
    world = World()
    world.a.agent_runs = False
    clock = world.b.node.clock
    wait = clock.wait

    class Unplugging:
        """The clock of the standby; after ten waits somebody pulls the plug."""

        waits = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(clock, name)

        def wait(self, event: Any, seconds: float) -> bool:
            self.waits += 1
            if self.waits == 10:
                world.kill_a()
            return wait(event, seconds)

    world.reach = dataclasses.replace(world.reach, node=dataclasses.replace(world.b.node, clock=Unplugging()))
    assert click(world) is None
    assert world.b.serves


def test_a_hung_peer_that_nobody_unplugs_keeps_the_address() -> None:
    world = World()
    world.a.agent_runs = False
    why = click(world)
    assert why is not None
    assert why.code == "address-in-use"
    assert world.b.is_clean


def test_a_pbx_that_does_not_start_is_told_and_can_be_tried_again() -> None:
    """F27: the address stays, the cause is shown."""
    world = the_active_is_dead()
    world.b.services.broken.add("asterisk.service")
    click(world)
    outcome = world.b.converge(serve=True)
    assert (outcome.holds, outcome.running) == (True, False)
    assert outcome.failure is not None
    assert outcome.failure.fields["why"] == "port in use"
    world.b.services.broken.clear()
    assert world.b.converge(serve=True).answers


def test_damaged_contacts_do_not_keep_the_pbx_from_starting() -> None:
    world = the_active_is_dead()
    world.b.contacts.is_damaged = True
    click(world)
    assert world.b.serves


# --- planted faults ------------------------------------------------------------------------------


def without_probe(seen: Facts, *rest: Any) -> TakeoverPlan:
    plan = takeover_plan(seen, *rest)
    return TakeoverPlan(items=tuple(each for each in plan.items if "Probe" not in type(each.step).__name__))


def without_release(seen: Facts, *rest: Any) -> TakeoverPlan:
    plan = without_probe(seen, *rest)
    return TakeoverPlan(items=tuple(each for each in plan.items if "Release" not in type(each.step).__name__))


def without_data(seen: Facts, *rest: Any) -> TakeoverPlan:
    plan = takeover_plan(seen, *rest)
    return TakeoverPlan(items=tuple(each for each in plan.items if "Data" not in type(each.step).__name__))


def takes_with(plan_of: Callable[..., TakeoverPlan]) -> Callable[[World], object]:
    def take_over(world: World) -> object:
        why = click(world, plan_of)
        held = [each for each in (world.a.machine, world.b.machine, world.stranger) if each.held]
        assert len(held) <= 1, "I1: taken from somebody who has it"
        return why

    return take_over


def address_before_grant(world: World) -> object:
    world.b.node.addresses.hold(world.b.node.installation)
    return click(world)


def commits_in_two_steps(world: World) -> object:
    """The plan is closed first and the grant is written after it."""
    close = world.b.store.close_plan

    def close_plan(grant: Any) -> None:
        close(None)
        if grant is not None:
            world.b.store.adopt(grant)

    world.b.store.close_plan = close_plan  # type: ignore[method-assign]
    return click(world)


def leaves_the_gate_open(world: World) -> object:
    world.a.services.close_gate = lambda: None  # type: ignore[method-assign]
    return click(world)


def forgets_to_undo(node: Any, reach: Any) -> None:
    node.store.close_plan(None)


def goes_on_after_a_crash(node: Any, reach: Any) -> None:
    """Continues the old click with what was true then, and takes every step for done."""
    body = node.store.plan()
    if body is None:
        return
    plan = msgspec.json.decode(body, type=TakeoverPlan)
    items = tuple(Item(step=each.step, status=Status.DONE) for each in plan.items)
    assert items
    standing = node.store.standing()
    node.store.close_plan(takeover_grant(facts(), standing, "nobody"))
    reach.node.addresses.hold(node.installation)


FAULTS: dict[str, dict[str, Any]] = {
    "no probe": {"scenario": a_stranger_comes_meanwhile, "take_over": takes_with(without_probe)},
    "no release": {"scenario": the_active_can_be_asked, "take_over": takes_with(without_release)},
    "data left as it was": {"scenario": the_data_was_being_imported, "take_over": takes_with(without_data)},
    "address before the grant": {"scenario": the_active_is_dead, "take_over": address_before_grant},
    "two commits": {"scenario": the_active_can_be_asked, "take_over": commits_in_two_steps},
    "gate left open": {"scenario": the_active_can_be_asked, "take_over": leaves_the_gate_open},
    "recovery forgets to undo": {"scenario": the_active_can_be_asked, "recover": forgets_to_undo},
    "recovery goes on": {"scenario": the_active_can_be_asked, "recover": goes_on_after_a_crash},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError):
        cut_in_all_ways(**FAULTS[fault])


def cut_in_all_ways(**how: Any) -> None:
    for after, power_loss in itertools.product((False, True), repeat=2):
        cut_everywhere(**how, power_loss=power_loss, after=after)
