"""What this appliance remembers about its serving, and the acts that change it: one moment for question and act."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from beistand.agent.log import log, log_message
from beistand.agent.serving_notes import BootNote, forget_released, note_released, released_for
from beistand.domain.errors import BeistandError
from beistand.domain.serving import TAKE_BACK, WITHDRAW, Act, looks_again, may_serve, release_is_void

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from beistand.agent.agent import Agent
    from beistand.domain.role import Grant
    from beistand.domain.serving import Checked


class ServingActs:
    """Carries out what `domain.serving` lists. Any thread may use it."""

    def __init__(self, agent: Agent, drop: Callable[[], None], soon: Callable[[], None]) -> None:
        """`drop` takes the address away and says so; `soon` asks for a turn."""
        self._agent = agent
        self._note = BootNote(agent.wiring.places.run / "boot-check", agent.clock.monotonic)
        self._drop = drop
        self._soon = soon
        self.moment = RLock()
        """Held from the question whether to serve to the act, and from the peer's word to what follows from it."""
        self.voided = 0
        """How often a look around was declared void; one that began before does not count."""
        self.claims = 0
        """Epoch that a takeover under way here would mint; 0: none. The peer is told, and adds nothing meanwhile."""

    def may_serve(self) -> bool:
        """Tell whether the grant is ours, this boot was checked, and nothing was released."""
        store = self._agent.store
        standing = store.standing()
        return may_serve(standing, self._note.of(standing.epoch), released_for(store))

    def checked(self) -> Checked | None:
        """Return this boot's check for the present epoch."""
        return self._note.of(self._agent.store.standing().epoch)

    def was_checked(self) -> bool:
        """Tell whether this appliance was about to serve in this boot, under whatever grant."""
        return self._note.is_there()

    def while_ours(self, act: Callable[[], object]) -> bool:
        """Do it if we may serve, and return whether that was so; no news comes between question and act."""
        with self.moment:
            if not self.may_serve():
                return False
            act()
            return True

    def unless_ours(self, act: Callable[[], object]) -> None:
        """Do it if we may not serve; no grant comes between question and act."""
        with self.moment:
            if not self.may_serve():
                act()

    def end_void_release(self) -> None:
        """Serve again where nothing comes of the claim that we released for, as its owner says now (I8)."""
        store = self._agent.store
        released = released_for(store)
        if not released or self.claims:
            return
        greeting = self._agent.link.ask()
        with self.moment:
            is_same = released_for(store) == released
            if greeting is not None and is_same and release_is_void(released, store.standing(), greeting):
                self.take_back()
                log("release-void", level="warning", epoch=released)

    def begin(self, *, holds: bool) -> bool:
        """Forget the check of an agent that ended without the address; return whether to look around again."""
        with self.moment:
            if not looks_again(self.checked(), self._agent.store.standing(), holds=holds):
                return False
            self._note.forget()
            return True

    def claim(self, epoch: int) -> None:
        """Note a click for this epoch; until `end_claim` the peer is told of it."""
        with self.moment:
            self.claims = epoch
            self._note.claim(self._agent.store.standing().epoch, epoch)

    def end_claim(self) -> None:
        self.claims = 0

    def note_look(self, begun: int, *, verified: bool) -> None:
        """Note that a look around allows serving, unless news voided it since (`begun`: `voided` at its begin)."""
        with self.moment:
            if self.voided == begun:
                self._note.write(self._agent.store.standing().epoch, verified=verified)

    def take_back(self) -> None:
        """Take back a release; a look around comes before the address."""
        self.carry_out(TAKE_BACK)

    def carry_out(self, acts: Iterable[Act], *, epoch: int = 0, grant: Grant | None = None) -> None:
        """Do all of them in this order; what fails is told or raised after the last one.

        A PBX takes long to start and to end: the turn that follows does it.
        """
        failure: BeistandError | None = None
        with self.moment:
            for act in acts:
                try:
                    self._do(act, epoch, grant)
                except BeistandError as error:
                    if act not in WITHDRAW:
                        failure = failure or error
                    else:
                        log_message(error.message, "error")
                self._soon()
        if failure is not None:
            raise failure

    def _do(self, act: Act, epoch: int, grant: Grant | None) -> None:
        store = self._agent.store
        match act:
            case Act.VERIFY if self.checked() is not None:
                self._note.write(store.standing().epoch, verified=True)
            case Act.FORGET_CHECK:
                self.voided += 1
                self._note.forget()
            case Act.NOTE_RELEASE:
                note_released(store, epoch)
            case Act.FORGET_RELEASE:
                forget_released(store)
            case Act.ADOPT_GRANT if grant is not None:
                if store.adopt(grant):
                    log("grant-adopted", level="warning", epoch=grant.epoch, holder=grant.holder)
            case Act.DROP_ADDRESS:
                self._drop()
            case Act.CLOSE_GATE:
                self._agent.node.services.close_gate()
