"""The keeper: keeps the machine as its standing says, at every turn and at every piece of news (DESIGN R1 to R5)."""

from __future__ import annotations

from threading import Event, RLock
from typing import TYPE_CHECKING

from beistand.agent.after_start import AfterStart
from beistand.agent.contention import announcer_of
from beistand.agent.gate_watch import GateWatch
from beistand.agent.log import log, log_message
from beistand.agent.serving_acts import ServingActs
from beistand.agent.serving_notes import released_for
from beistand.domain.boot import Action, Adopt, Held, Serve, StandBy, Wait, pair_grant, peer_news
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.finding import Finding, Severity
from beistand.domain.healing import SILENT_SECONDS, peer_knows_our_grant
from beistand.domain.role import Role
from beistand.domain.serving import (
    GIVE_UP,
    RELEASE,
    Act,
    acts_on_news,
    is_asked_to_serve,
    may_release,
    needs_check,
    takes_back,
)
from beistand.operations.boot_check import boot_check
from beistand.operations.converge import Outcome, converge
from beistand.operations.holding import drop, hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from beistand.agent.agent import Agent
    from beistand.domain.message import Message
    from beistand.domain.pair import Greeting
    from beistand.domain.role import Standing
    from beistand.ports.node import Node

LOOK_SECONDS = 5.0
"""The machine is compared with its standing so often, when nothing happened."""
RETRY_SECONDS = 30.0
"""After a failed start of the PBX it is tried again so often, and whenever a person asks."""


class Keeper:
    """Runs in the agent's main loop; `news`, `release` and `take_up` come from other threads."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = RLock()
        self._acts = ServingActs(agent, self._drop, self.soon)
        self._began = agent.clock.monotonic()
        self._due = Event()
        """Set when a turn is due at once; whoever sets it during a turn gets another one."""
        self._next_look = 0.0
        self._retry_at = 0.0
        self._waiting = "checking"
        self._held_mac = ""
        self._is_asked = False
        self._is_forked = False
        self._rival = ""
        self._failure: Message | None = None
        self.after_start = AfterStart(agent)
        self.gate_watch = GateWatch(agent)
        self.gate_watch.is_ours = self._acts.was_checked()  # by an agent before us
        self._announcer = announcer_of(agent, self._acts, self._alarm, self._is_overruled)
        self._peer_served = False
        self._may_yield_to = ""
        """The peer's MAC, while its claim could only be the right one."""
        self._holds: bool | None = None
        self._has_begun = False
        """The first turn was taken."""
        self.state = "starting"

    # --- what others ask ------------------------------------------------------------------------

    @property
    def is_serving(self) -> bool:
        """Tell whether this machine has the service address, as far as the last turn saw."""
        if self._holds is None and self._agent.is_initialised:
            # A restart of the agent touched nothing: what the one before held is still held.
            node = self._agent.node
            self._holds = bool(node.addresses.held(node.installation))
        return bool(self._holds)

    @property
    def is_forked(self) -> bool:
        return self._is_forked

    @property
    def is_verified(self) -> bool:
        checked = self._acts.checked()
        return checked is not None and checked.verified

    def unverified_seconds(self) -> float:
        checked = self._acts.checked()
        if checked is None or checked.verified or not self.is_serving:
            return 0.0
        return max(0.0, self._agent.clock.monotonic() - checked.since)

    def findings(self) -> tuple[Finding, ...]:
        """Return what stands between this appliance and what it should do."""
        found = []
        if self.state == "held":
            code = self._held_code()
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
        return (*found, *self.after_start.findings())

    # --- turns ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """One turn of the main loop."""
        if not self._agent.is_initialised:
            self.state = "not-initialised"
            return
        if self._due.is_set() or self._agent.clock.monotonic() >= self._next_look:
            self._acts.end_void_release()
            self.settle()

    def settle(self) -> Outcome:
        """Bring the machine to what the standing says, now."""
        node = self._agent.node
        self._due.clear()
        self._begin(node)
        try:
            self._check_boot(node)
        except BeistandError as error:
            # What cannot be checked is not served; what is still held from before is given up all the same.
            self._agent.complaints.tell("boot-check", error.message)
        with self._lock:
            standing, serve = node.store.standing(), self._acts.may_serve()
            if not serve:
                self.gate_watch.look_for_strays(node)
            may_start = self._failure is None or self._agent.clock.monotonic() >= self._retry_at
            outcome = converge(
                node,
                serve=serve,
                around=self.after_start.around(lambda: self._announcer.start(node)),
                may_start=may_start,
                while_ours=self._while_ours,
            )
            self._may_yield_to = self._peer_mac() if self._peer_knows_our_grant() else ""
            if not serve:
                self._announcer.stop()
                self._rival = ""
            self._write_down(standing, outcome)
            return outcome

    def _begin(self, node: Node) -> None:
        if not self._has_begun:
            # Checked in this boot already: it looks, and does not wait for a silent peer.
            self._is_asked |= self._acts.begin(holds=bool(node.addresses.held(node.installation)))
            self._has_begun = True

    def put_back(self) -> bool:
        """Hold the address again at once, where it is ours, and return whether it is; looks at nothing else.

        A turn that is under way may be waiting for a PBX that cannot be heard without the address.
        """
        if not self._agent.is_initialised or not self._has_begun:
            return False  # before the first turn it is not known whether it was ours all the time
        node = self._agent.node
        return self._while_ours(lambda: hold(node))

    def keep_gate(self) -> None:
        """Have the kernel's gate as it should be, whoever changed its rules; looks at nothing else."""
        if self._agent.is_initialised and not self.put_back():
            node = self._agent.node
            self._acts.unless_ours(lambda: node.address_gate.silence(node.installation))

    def prepare(self, epoch: int) -> None:
        """The click is this boot's check. Written before the grant is: a kill in between delays nothing."""
        self._begin(self._agent.node)  # or the first turn would take this note for one of an agent before us
        self._agent.node.address_gate.make_ready()
        self._acts.claim(epoch)

    @property
    def claims(self) -> int:
        """Return the epoch that a takeover under way here would mint; 0: none."""
        return self._acts.claims

    def end_claim(self) -> None:
        """The takeover was granted or undone."""
        self._acts.end_claim()

    def take_up(self) -> Outcome:
        """Serve under a grant that was committed a moment ago."""
        self._failure = None
        self._retry_at = 0.0
        self._is_forked = False
        self.after_start.taken_over()
        return self.settle()

    def retry(self) -> None:
        """A person wants this appliance to serve: start the PBX again, take back a release, wait no longer."""
        store = self._agent.node.store
        self._retry_at = 0.0
        self._is_asked = is_asked_to_serve(store.standing(), serving=self.is_serving)
        if released_for(store):
            self._acts.take_back()
        self.soon()

    def stop(self) -> None:
        """End the announcing thread; address and PBX stay."""
        self._announcer.stop()

    # --- the peer -------------------------------------------------------------------------------

    def news(self, greeting: Greeting, was_silent: bool) -> None:
        """Act on what the peer says (R3). `was_silent`: it answers after a silence; the line may have been cut.

        What it says by itself may have been said before that, and come late: it ends no silence.
        """
        if not self._agent.is_initialised:
            return
        with self._acts.moment:
            self._act_on(greeting, was_silent)

    def _act_on(self, greeting: Greeting, was_silent: bool) -> None:
        standing = self._agent.store.standing()
        action = peer_news(
            standing, greeting, serving=self.is_serving, unverified_seconds=self.unverified_seconds()
        )
        self._tell_fork(action is Action.FORK, greeting)
        acts = acts_on_news(action, serving=self.is_serving, verified=self.is_verified)
        if (
            Act.DROP_ADDRESS not in acts
            and self.is_serving
            and (was_silent or (self._peer_served and not greeting.serving))
        ):
            # Whoever listened to the other one learns anew, at the latest now that it has withdrawn.
            self._announcer.again(self._agent.node)
        self._peer_served = greeting.serving
        self._acts.carry_out(each for each in acts if each is not Act.ADOPT_GRANT)
        # No disk that stalls keeps us from giving up; two histories are told apart by the grant we still know.
        self._agent.forks.learn(greeting)
        if Act.ADOPT_GRANT in acts:
            self._acts.carry_out([Act.ADOPT_GRANT], grant=pair_grant(standing, greeting))

    def peer_seen(self) -> None:
        """Tell everybody anew who has the address: the line has healed, and nobody could say yet what is so.

        Not where a claim of the peer would be the right one: it was told of our grant, and may have a newer one.
        """
        if self.is_serving and not self._peer_knows_our_grant():
            self._announcer.again(self._agent.node)

    def release(self, epoch: int) -> None:
        """Stop serving for the claim of this epoch; done when the address is gone, and the PBX, if it can be stopped.

        A PBX that cannot be is no reason to refuse a takeover: nobody reaches it, and the state here tells why.

        Raises Refused `claim-overtaken` where a grant at least as high is known here, Failed where the address
        could not be removed.
        """
        node = self._agent.node
        with self._acts.moment:
            standing = node.store.standing()
            if not may_release(standing, epoch):
                raise Refused("claim-overtaken", epoch=epoch, known=standing.epoch)
            note, *rest = RELEASE
            self._acts.carry_out([note], epoch=epoch)  # alone: what could not be noted is not given up
            log("released", level="warning", epoch=epoch)
            self._acts.carry_out([each for each in rest if each in GIVE_UP])
        outcome = self.settle()
        if outcome.holds and outcome.failure is not None:
            raise Failed(outcome.failure.code, **outcome.failure.fields)

    def resume(self, epoch: int) -> None:
        """Take back a release of this epoch; do nothing if there was none."""
        store = self._agent.node.store
        if takes_back(released_for(store), store.standing(), epoch):
            self._acts.take_back()
            log("resumed", level="warning", epoch=epoch)

    def _while_ours(self, act: Callable[[], object]) -> bool:
        """Do it if we may serve; the peer is told from the first of these acts on, which holds the address."""

        def serving() -> None:
            act()
            self._holds = self.gate_watch.is_ours = True

        return self._acts.while_ours(serving)

    def _drop(self) -> None:
        """Take the address away in this very moment; the turn that follows ends the PBX, too."""
        node = self._agent.node
        self._announcer.stop()
        self.gate_watch.look_for_strays(node)
        try:
            drop(node)
        finally:
            self._holds = bool(node.addresses.held(node.installation))
            self._agent.link.greet_now()

    def _tell_fork(self, is_forked: bool, greeting: Greeting) -> None:
        if is_forked != self._is_forked:
            self._is_forked = is_forked
            log("fork-found" if is_forked else "fork-ended", level="error", peer=greeting.appliance.host)
            self.soon()

    def _alarm(self, mac: str) -> None:
        before, self._rival = self._rival, mac
        if mac:
            log("rival-holds-address", level="error", mac=mac)
        else:
            log("rival-gone", level="warning", mac=before)

    def _is_overruled(self, mac: str) -> bool:
        """Tell whether a rival is the peer, back from behind a broken line and probably with a newer grant."""
        return mac.lower() == self._may_yield_to and self._agent.link.unanswered_seconds() >= SILENT_SECONDS

    # --- inside ---------------------------------------------------------------------------------

    def _check_boot(self, node: Node) -> None:
        """Ask the peer and the network who may serve, without holding the lock: the peer asks us, too."""
        if not needs_check(node.store.standing(), self._acts.checked()):
            return
        if not node.addresses.carrier(node.installation.interface):
            self._began = self._agent.clock.monotonic()  # without a link nobody could have answered
        link, begun = self._agent.link, self._acts.voided
        greeting = link.ask() or link.current() if node.peer is not None else None
        waited = self._agent.clock.monotonic() - self._began
        verdict = boot_check(node, greeting, waited_seconds=waited, is_asked=self._is_asked)
        was_held, self._held_mac, self._waiting = self._waiting == "held", "", "checking"
        match verdict:
            case Serve():
                log("boot-check", verdict="serve", verified=verdict.verified)
                self._is_asked = False
                self._acts.note_look(begun, verified=verdict.verified)
            case Adopt():
                node.store.adopt(verdict.grant)
                log("boot-check", level="warning", verdict="superseded", epoch=verdict.grant.epoch)
            case Held():
                if not was_held:
                    log("boot-check", level="warning", verdict="held", mac=verdict.mac or "peer")
                self._waiting, self._held_mac = "held", verdict.mac
            case Wait() | StandBy():
                pass

    def _write_down(self, standing: Standing, outcome: Outcome) -> None:
        """Note how the machine is after a turn, and when to look again."""
        now = self._agent.clock.monotonic()
        if outcome.failure is not None and self._failure is None:
            log_message(outcome.failure, "error")
        if outcome.failure is not None and now >= self._retry_at:
            self._retry_at = now + RETRY_SECONDS
        if outcome.failure is None or outcome.failure.code != "pbx-not-running":
            self._failure = outcome.failure  # else the older one says why
        self._holds = outcome.holds
        state = self._state(self._agent.node)
        if state != self.state:
            log("state", now=state, before=self.state, epoch=standing.epoch)
            self._agent.link.greet_now()
        self.state = state
        waiting = state in {"checking", "held", "released"}
        self._next_look = now + (1.0 if waiting else LOOK_SECONDS)

    def _state(self, node: Node) -> str:
        standing = node.store.standing()
        if not standing.is_holder:
            return "superseded" if standing.role is Role.SUPERSEDED else "standing-by"
        if self._is_forked:
            return "forked"
        if not self._acts.may_serve():
            return "released" if released_for(node.store) else self._waiting
        if self._failure is not None:
            return "active-failed"
        return "serving" if self.is_verified else "unverified"

    def _held_code(self) -> str:
        if not self._held_mac:
            return "held"
        return "held-by-peer" if self._held_mac.lower() == self._peer_mac() else "held-by-stranger"

    def _peer_mac(self) -> str:
        pair = self._agent.store.pair()
        return pair.peer.mac.lower() if pair else ""

    def _peer_knows_our_grant(self) -> bool:
        return peer_knows_our_grant(self._agent.store.standing(), self._agent.link.last())

    def soon(self) -> None:
        """Take the next turn at once."""
        self._due.set()
        self._agent.wake.set()
