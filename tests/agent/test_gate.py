"""The kernel's gate at boot and while the agent runs: shut unless it may serve, whoever changes it (F19, F33)."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from beistand.adapters.settings import write_installation
from beistand.agent.gate import shut_at_boot
from beistand.domain.finding import Finding
from beistand.domain.origin import Trace, TraceKind
from beistand.ports.places import Places
from fakes.address_gate import FakeAddressGate, FakeRuleChanges
from fakes.agents import OneOfTwo, TwoAgents
from fakes.network import Machine
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import B, grant

SCRIPT = Trace(kind=TraceKind.SCRIPT, address=ADDRESS, path="/etc/rc.local", line=3, program="")
UNIT = (Path(__file__).parents[2] / "packaging/beistand-gate.service").read_text().splitlines()
HEAVY = ("pyroute2", "sqlite3", "django", "click", "yaml", "cryptography")


def gate_of(one: OneOfTwo) -> FakeAddressGate:
    gate = one.wiring.address_gate
    assert isinstance(gate, FakeAddressGate)
    return gate


def codes(one: OneOfTwo) -> list[str]:
    return [each.code for each in findings(one)]


def findings(one: OneOfTwo) -> tuple[Finding, ...]:
    return one.agent.keeper.gate_watch.findings()


@pytest.fixture
def places(tmp_path: Path, two: TwoAgents) -> Places:
    found = Places(etc=tmp_path / "boot-etc", run=tmp_path / "boot-run", state=tmp_path / "boot-state")
    found.etc.mkdir()
    found.run.mkdir()
    write_installation(found.etc, two.b.wiring.installation_now)
    return found


def test_who_serves_speaks_and_who_does_not_is_silent(two: TwoAgents) -> None:
    two.turns(2)
    assert two.a.machine.heard == {ADDRESS}
    assert two.b.machine.silenced == {ADDRESS}


def test_what_somebody_flushes_is_shut_again_and_told_by_name(two: TwoAgents) -> None:
    two.turns(2)
    changes = FakeRuleChanges()
    changes.flush(two.b.machine, "iptables-nft")
    two.b.agent.keeper.gate_watch.look(changes)
    assert two.b.machine.silenced == {ADDRESS}
    (told,) = findings(two.b)
    assert (told.code, told.fields["program"]) == ("gate-breached", "iptables-nft")


def test_a_change_that_nobody_told_of_is_found_too(two: TwoAgents) -> None:
    two.turns(2)
    two.b.machine.silenced.clear()
    two.b.agent.keeper.gate_watch.look(FakeRuleChanges())
    assert two.b.machine.silenced == {ADDRESS}
    assert codes(two.b) == ["gate-breached-unseen"]


def test_an_address_that_comes_while_the_rules_are_gone_says_nothing_later(two: TwoAgents) -> None:
    two.turns(2)
    changes = FakeRuleChanges()
    changes.flush(two.b.machine)
    two.b.machine.held.add(ADDRESS)
    two.b.agent.keeper.gate_watch.look(changes)
    assert two.b.machine.heard == set()
    two.turns(1)
    assert two.b.machine.held == set()


def test_what_comes_by_itself_goes_and_is_told_by_name(two: TwoAgents) -> None:
    two.turns(2)
    two.b.machine.held.add(ADDRESS)
    two.b.wiring.origins.places.append(SCRIPT)
    two.turns(2)
    two.b.agent.keeper.gate_watch.look(FakeRuleChanges())
    assert two.b.machine.held == set()
    (told,) = findings(two.b)
    assert (told.code, told.fields["path"]) == ("address-brought-by-script", "/etc/rc.local")


def test_what_stands_there_at_boot_is_told_too(two: TwoAgents) -> None:
    two.turns(2)
    two.b.boot()
    two.b.agent.reload()
    two.b.machine.held.add(ADDRESS)
    two.turns(2)
    two.b.agent.keeper.gate_watch.look(FakeRuleChanges())
    assert two.b.machine.held == set()
    assert codes(two.b) == ["address-brought-by-hand"]


def test_what_we_held_ourselves_needs_no_explanation(two: TwoAgents) -> None:
    """Given up after a takeover, by this agent or by one that started meanwhile."""
    two.turns(2)
    two.a.start()
    two.a.agent.reload()
    two.a.store.adopt(grant(4, B))
    two.a.agent.keeper.settle()
    two.a.agent.keeper.gate_watch.look(FakeRuleChanges())
    assert two.a.machine.held == set()
    assert findings(two.a) == ()


def test_a_breach_is_told_for_a_day(two: TwoAgents) -> None:
    two.turns(2)
    changes = FakeRuleChanges()
    changes.flush(two.b.machine)
    two.b.agent.keeper.gate_watch.look(changes)
    two.clock.advance(timedelta(days=1, seconds=5).total_seconds())
    assert findings(two.b) == ()


def test_rules_that_shut_the_active_are_taken_away_at_once(two: TwoAgents) -> None:
    two.turns(2)
    two.a.machine.silenced.add(ADDRESS)
    two.a.agent.keeper.gate_watch.look(FakeRuleChanges())
    assert two.a.machine.heard == {ADDRESS}


def test_an_agent_that_starts_again_on_the_active_changes_nothing(two: TwoAgents) -> None:
    two.turns(2)
    effects: list[str] = []
    gate_of(two.a).effect = lambda change: (effects.append("gate"), change())[1]  # type: ignore[func-returns-value]
    two.a.start()
    two.a.agent.reload()
    two.turns(2)
    assert effects == []
    assert two.a.machine.heard == {ADDRESS}


def test_a_machine_that_cannot_shut_it_says_so_and_the_address_moves_all_the_same(two: TwoAgents) -> None:
    gate_of(two.b).cannot = ("inet", "arp", "netdev")
    two.turns(2)
    two.b.machine.held.add(ADDRESS)
    two.turns(1)
    assert two.b.machine.held == set()
    assert codes(two.b) == ["gate-missing"]


def test_a_kernel_that_lacks_a_part_is_told_with_the_part(two: TwoAgents) -> None:
    gate_of(two.b).cannot = ("netdev",)
    (told,) = findings(two.b)
    assert (told.code, told.fields["families"]) == ("gate-incomplete", "netdev")


def test_it_is_shut_at_boot_once(places: Places) -> None:
    machine = Machine("02:00:00:00:00:0b", "192.0.2.2")
    gate = FakeAddressGate(machine)
    assert shut_at_boot(places, gate)
    assert machine.silenced == {ADDRESS}
    gate.let_speak()  # the agent, which may serve
    assert not shut_at_boot(places, gate)
    assert machine.silenced == set()


def test_damaged_settings_keep_the_address_silent_too(places: Places) -> None:
    file = places.etc / "installation.toml"
    file.write_text(file.read_text() + "\nodd = [")
    machine = Machine("02:00:00:00:00:0b", "192.0.2.2")
    assert shut_at_boot(places, FakeAddressGate(machine))
    assert machine.silenced == {ADDRESS}


def test_a_machine_that_is_no_appliance_is_left_alone(places: Places) -> None:
    (places.etc / "installation.toml").unlink()
    machine = Machine("02:00:00:00:00:0b", "192.0.2.2")
    assert not shut_at_boot(places, FakeAddressGate(machine))
    assert machine.silenced == set()


@pytest.mark.parametrize("manager", ["systemd-networkd", "NetworkManager", "networking"])
def test_the_unit_comes_before_every_manager(manager: str) -> None:
    (before,) = (each for each in UNIT if each.startswith("Before="))
    assert {f"{manager}.service", "network-pre.target"} <= {*before.removeprefix("Before=").split()}
    assert "Wants=network-pre.target" in UNIT


def test_the_unit_comes_after_the_one_that_empties_the_rules() -> None:
    (after,) = (each for each in UNIT if each.startswith("After="))
    assert "nftables.service" in after


@pytest.mark.parametrize(
    "word", ["Requires=", "RequiredBy=", "BindsTo=", "PartOf=", "OnFailure=", "Restart=", "ExecStop="]
)
def test_nothing_depends_on_the_unit_and_its_stop_opens_nothing(word: str) -> None:
    assert not any(each.startswith(word) for each in UNIT)


def test_it_loads_little() -> None:
    ask = f"import beistand.agent.gate, sys; print([each for each in {HEAVY} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
