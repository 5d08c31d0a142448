"""A fuse in every effect of an appliance's agent: at the Nth one its process is killed, or its power is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fakes.agents import Killed, PeerOver
from fakes.pair_of_appliances import ADDRESS

if TYPE_CHECKING:
    from fakes.agents import OneOfTwo

STORE_EFFECTS = frozenset({"adopt", "save_plan", "close_plan", "put"})
NOTE_EFFECTS = frozenset({"write", "claim", "forget"})
PEER_EFFECTS = frozenset({"release", "resume"})
Check = Callable[[str], None]


class Fuse:
    """Counts the effects of one life of an agent; from the one that blows it on, nothing has an effect."""

    def __init__(self, one: OneOfTwo, check: Check = lambda _what: None) -> None:
        """`check(effect)` is called after every effect."""
        self._one = one
        self._check = check
        self.count = 0
        self.at = -1
        self.is_before = True
        self.takes_power = False
        self.blown = ""
        """The effect at which it blew; empty: it did not."""

    def set(self, effects: int, *, is_before: bool, takes_power: bool) -> None:
        """Blow at this effect from now on, counted from 0."""
        self.at, self.is_before, self.takes_power = self.count + effects, is_before, takes_power

    def through(self, what: str, change: Callable[[], Any]) -> Any:
        if self.blown:
            raise Killed
        is_here = self.count == self.at
        self.count += 1
        if is_here and self.is_before:
            self._blow(f"before {what}")
        result = change()
        self._check(what)
        if is_here:
            self._blow(f"after {what}")
        return result

    def _blow(self, what: str) -> None:
        self.blown = what
        one = self._one
        one.agent_runs = False
        if self.takes_power:
            one.machine.is_up = False
            one.machine.held.clear()
            one.machine.silenced.add(ADDRESS)
            one.services.running.clear()
            one.machine.answers_sip = False
        raise Killed


class _Fused:
    """Something whose effects pass the fuse; all else goes straight through."""

    def __init__(self, real: Any, name: str, effects: frozenset[str], fuse: Callable[[], Fuse]) -> None:
        self.__dict__.update(_real=real, _name=name, _effects=effects, _fuse=fuse)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in self._effects:
            return found
        return lambda *given, **named: self._fuse().through(
            f"{self._name}.{name}", lambda: found(*given, **named)
        )

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)


class Fused:
    """An appliance of `TwoAgents` with a fuse in all its effects."""

    def __init__(self, one: OneOfTwo, check: Check = lambda _what: None) -> None:
        self.one, self._check = one, check
        self.fuse = Fuse(one, check)
        one.wiring.store = _Fused(one.store, "store", STORE_EFFECTS, lambda: self.fuse)
        one.wiring.addresses.effect = lambda change: self.fuse.through("address", change)
        one.wiring.address_gate.effect = lambda change: self.fuse.through("gate", change)
        one.services.effect = lambda change: self.fuse.through("service", change)

    def renew(self) -> None:
        """Begin a new life: call it after each start of the agent."""
        self.fuse = fuse = Fuse(self.one, self._check)
        acts = self.one.agent.keeper._acts
        acts._note = _Fused(acts._note, "note", NOTE_EFFECTS, lambda: fuse)
        if not isinstance(self.one.wiring.peer_now, PeerOver):
            return
        self.one.wiring.peer_now = _Fused(self.one.wiring.peer_now, "peer", PEER_EFFECTS, lambda: fuse)


@contextmanager
def silent_deaths() -> Iterator[None]:
    """A thread that dies with its agent is no error of the test."""
    before = threading.excepthook

    def hook(given: threading.ExceptHookArgs) -> None:
        if given.exc_type is not Killed:
            before(given)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
