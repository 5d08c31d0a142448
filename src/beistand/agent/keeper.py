"""The keeper: keeps the machine as its standing says, at every turn and at every piece of news (DESIGN R1 to R5)."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

import msgspec

from beistand.adapters.durable_file import write_durably
from beistand.agent.announcer import Announcer
from beistand.agent.log import log, log_message
from beistand.domain.boot import Action, Adopt, Held, Serve, StandBy, Wait, peer_news
from beistand.domain.facts import Finding, Severity
from beistand.domain.role import Role
from beistand.domain.value import Value
from beistand.operations.boot_check import boot_check
from beistand.operations.converge import Outcome, converge

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.message import Message
    from beistand.domain.pair import Greeting
    from beistand.domain.role import Standing
    from beistand.ports.node import Node

LOOK_SECONDS = 5.0
"""The machine is compared with its standing so often, when nothing happened."""
RETRY_SECONDS = 30.0
"""After a failed start of the PBX it is tried again so often, and whenever a person asks."""
RELEASED = "released"


class Checked(Value, frozen=True, kw_only=True):
    """This boot's check: gone with /run at the next boot, still there after a restart of the agent."""

    epoch: int
    """Of the grant it was made for: with any other one it does not count."""
    verified: bool
    since: float
    """Monotonic seconds at which serving began."""


class Released(Value, frozen=True, kw_only=True):
    """Given up for the other side's claim; durable, taken back by `resume` or a person."""

    epoch: int


class Keeper:
    """Runs in the agent's main loop; `news`, `release` and `take_up` come from other threads."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = RLock()
        self._file = agent.wiring.places.run / "boot-check"
        self._began = agent.clock.monotonic()
        self._next_look = 0.0
        self._retry_at = 0.0
        self._held_mac = ""
        self._rival = ""
        self._failure: Message | None = None
        self._announcer = Announcer(agent.wiring.arp, agent.clock, self._alarm)
        self.state = "starting"
        self.is_serving = False

    # --- what others ask ------------------------------------------------------------------------

    @property
    def is_verified(self) -> bool:
        checked = self._checked()
        return checked is not None and checked.verified

    def unverified_seconds(self) -> float:
        checked = self._checked()
        if checked is None or checked.verified or not self.is_serving:
            return 0.0
        return max(0.0, self._agent.clock.monotonic() - checked.since)

    def findings(self) -> tuple[Finding, ...]:
        """Return what stands between this appliance and what it should do."""
        found = []
        if self.state == "held":
            code = "held-by-stranger" if self._held_mac else "held"
            found.append(Finding(code=code, severity=Severity.BLOCK, fields={"mac": self._held_mac}))
        if self.state in {"superseded", "released", "forked", "unverified"}:
            found.append(Finding(code=f"is-{self.state}", severity=Severity.WARN))
        if self._rival and self.is_serving:
            found.append(
                Finding(code="rival-holds-address", severity=Severity.BLOCK, fields={"mac": self._rival})
            )
        if self._failure is not None:
            found.append(
                Finding(code=self._failure.code, severity=Severity.BLOCK, fields=dict(self._failure.fields))
            )
        return tuple(found)

    # --- turns ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """One turn of the main loop."""
        if not self._agent.is_initialised:
            self.state = "not-initialised"
            return
        if self._agent.clock.monotonic() >= self._next_look:
            self.settle()

    def settle(self) -> Outcome:
        """Bring the machine to what the standing says, now."""
        node = self._agent.node
        self._check_boot(node)
        with self._lock:
            standing = node.store.standing()
            serve = standing.is_holder and self._checked() is not None and not self._is_released(node)
            may_start = self._failure is None or self._agent.clock.monotonic() >= self._retry_at
            outcome = converge(
                node, serve=serve, announce=lambda: self._announcer.start(node), may_start=may_start
            )
            if not serve:
                self._announcer.stop()
            self._note(standing, serve, outcome)
            return outcome

    def prepare(self, epoch: int) -> None:
        """The click is this boot's check. Written before the grant is: a kill in between delays nothing."""
        self._write_check(epoch, verified=True)

    def take_up(self) -> Outcome:
        """Serve under a grant that was committed a moment ago."""
        self._failure = None
        self._retry_at = 0.0
        return self.settle()

    def retry(self) -> None:
        """A person asks: start the PBX again, or take back what was released."""
        self._retry_at = 0.0
        if self._agent.node.store.get(RELEASED):
            self._agent.node.store.put(RELEASED, b"")
        self.soon()

    def stop(self) -> None:
        """End the announcing thread; address and PBX stay."""
        self._announcer.stop()

    # --- the peer -------------------------------------------------------------------------------

    def news(self, greeting: Greeting, was_silent: bool) -> None:
        """Act on what the peer says (R3); after a silence the line may have been cut."""
        if not self._agent.is_initialised:
            return
        store = self._agent.store
        action = peer_news(
            store.standing(), greeting, serving=self.is_serving, unverified_seconds=self.unverified_seconds()
        )
        if action in {Action.ADOPT, Action.WITHDRAW}:
            self._forget_check()
            if greeting.grant is not None and store.adopt(greeting.grant):
                log(
                    "grant-adopted", level="warning", epoch=greeting.grant.epoch, holder=greeting.grant.holder
                )
            self.soon()
        elif action is Action.FORK:
            if self.state != "forked":
                log("fork-found", level="error", peer=greeting.appliance.host)
            self.state = "forked"
        elif self.is_serving and was_silent:
            self._announcer.again(self._agent.node)
        if action is Action.KEEP and self.is_serving and not self.is_verified:
            self._write_check(store.standing().epoch, verified=True)
            self.soon()

    def release(self, epoch: int) -> None:
        """Stop serving for the claim of this epoch; done when the address and the PBX are gone."""
        node = self._agent.node
        if node.store.standing().epoch >= epoch:
            return
        node.store.put(RELEASED, msgspec.json.encode(Released(epoch=epoch)))
        log("released", level="warning", epoch=epoch)
        self.settle()

    def resume(self, epoch: int) -> None:
        """Take back a release of this epoch."""
        store = self._agent.node.store
        body = store.get(RELEASED)
        if body and msgspec.json.decode(body, type=Released).epoch == epoch:
            store.put(RELEASED, b"")
            log("resumed", level="warning", epoch=epoch)
            self.soon()

    def _alarm(self, mac: str) -> None:
        self._rival = mac
        log("rival-holds-address", level="error", mac=mac)

    # --- inside ---------------------------------------------------------------------------------

    def _check_boot(self, node: Node) -> None:
        """Ask the peer and the network who may serve, without holding the lock: the peer asks us, too."""
        if not node.store.standing().is_holder or self._checked() is not None:
            return
        greeting = self._agent.link.ask() if node.peer is not None else None
        waited = self._agent.clock.monotonic() - self._began
        verdict = boot_check(node, greeting, waited_seconds=waited)
        self._held_mac = ""
        match verdict:
            case Serve():
                log("boot-check", verdict="serve", verified=verdict.verified)
                self._write_check(node.store.standing().epoch, verified=verdict.verified)
            case Adopt():
                node.store.adopt(verdict.grant)
                log("boot-check", level="warning", verdict="superseded", epoch=verdict.grant.epoch)
            case Held():
                if self.state != "held":
                    log("boot-check", level="warning", verdict="held", mac=verdict.mac or "peer")
                self.state, self._held_mac = "held", verdict.mac
            case Wait():
                self.state = "checking"
            case StandBy():
                pass

    def _note(self, standing: Standing, serve: bool, outcome: Outcome) -> None:
        now = self._agent.clock.monotonic()
        if outcome.failure is not None and self._failure is None:
            log_message(outcome.failure, "error")
        if outcome.failure is not None and now >= self._retry_at:
            self._retry_at = now + RETRY_SECONDS
        if outcome.failure is None or outcome.failure.code != "pbx-not-running":
            self._failure = outcome.failure  # else the older one says why
        self.is_serving = outcome.holds
        state = self._state(standing, serve)
        if state != self.state:
            log("state", now=state, before=self.state, epoch=standing.epoch)
            self._agent.link.greet_now()
        self.state = state
        waiting = state in {"checking", "held"}
        self._next_look = now + (1.0 if waiting else LOOK_SECONDS)

    def _state(self, standing: Standing, serve: bool) -> str:
        if serve:
            if self._failure is not None:
                return "active-failed"
            return "serving" if self.is_verified else "unverified"
        if standing.is_holder:
            if self._is_released(self._agent.node):
                return "released"
            return self.state if self.state in {"checking", "held", "forked"} else "checking"
        if self.state == "forked":
            return self.state
        return "superseded" if standing.role is Role.SUPERSEDED else "standing-by"

    def soon(self) -> None:
        """Take the next turn at once."""
        self._next_look = 0.0
        self._agent.wake.set()

    def _is_released(self, node: Node) -> bool:
        body = node.store.get(RELEASED)
        if not body:
            return False
        return msgspec.json.decode(body, type=Released).epoch > node.store.standing().epoch

    def _checked(self) -> Checked | None:
        try:
            checked = msgspec.json.decode(self._file.read_bytes(), type=Checked)
        except FileNotFoundError:
            return None
        return checked if checked.epoch == self._agent.store.standing().epoch else None

    def _write_check(self, epoch: int, *, verified: bool) -> None:
        checked = Checked(epoch=epoch, verified=verified, since=self._agent.clock.monotonic())
        write_durably(self._file, msgspec.json.encode(checked))

    def _forget_check(self) -> None:
        self._file.unlink(missing_ok=True)
