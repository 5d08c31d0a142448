"""The gate is shut before the address goes, and open once it is there (F19, F33)."""

from collections.abc import Callable

import pytest

from beistand.domain.errors import Failed
from beistand.operations.holding import drop, hold
from fakes.address_gate import FakeAddressGate
from fakes.network import FakeAddresses, Machine
from fakes.pair_of_appliances import ADDRESS, World


class Watched:
    """Writes down what the network could hear after each effect."""

    def __init__(self) -> None:
        self.node = World().b.node
        assert isinstance(self.node.addresses, FakeAddresses)
        assert isinstance(self.node.address_gate, FakeAddressGate)
        self.machine: Machine = self.node.addresses.machine
        self.gate = self.node.address_gate
        self.seen: list[tuple[bool, bool]] = []
        self.gate.effect = self.node.addresses.effect = self._effect

    def _effect(self, change: Callable[[], object]) -> None:
        change()
        self.seen.append((ADDRESS in self.machine.held, ADDRESS in self.machine.heard))


def test_it_speaks_once_it_is_there() -> None:
    one = Watched()
    one.machine.silenced.add(ADDRESS)
    assert hold(one.node)
    assert one.seen == [(True, False), (True, True)]
    assert not hold(one.node)


def test_it_is_silent_before_it_goes() -> None:
    one = Watched()
    hold(one.node)
    one.seen.clear()
    assert drop(one.node)
    assert one.seen == [(True, False), (False, False)]
    assert not drop(one.node)


def test_what_somebody_else_brings_is_silent_and_goes() -> None:
    one = Watched()
    drop(one.node)
    one.machine.held.add(ADDRESS)
    assert ADDRESS not in one.machine.heard
    assert drop(one.node)
    assert not one.machine.held


def test_it_goes_too_where_the_kernel_shuts_nothing() -> None:
    one = Watched()
    one.gate.cannot = ("inet", "arp", "netdev")
    hold(one.node)
    assert drop(one.node)
    assert not one.machine.held


def test_a_gate_that_does_not_open_is_told() -> None:
    one = Watched()
    one.machine.silenced.add(ADDRESS)
    one.gate.is_stuck = True
    with pytest.raises(Failed, match="gate-not-opened"):
        hold(one.node)
