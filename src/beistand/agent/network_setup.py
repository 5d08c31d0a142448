"""`beistand setup` in the agent: its journal, its deadline, and what was cut short goes back at the next start."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from functools import partial
from threading import Event, RLock
from typing import TYPE_CHECKING

import msgspec

from beistand.adapters.settings import forget_installation
from beistand.agent import sessions, setup_code
from beistand.agent.log import log, log_message
from beistand.agent.setting_up import initialise_appliance
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.domain.setup import (
    AGAIN_SECONDS,
    CONFIRM_SECONDS,
    OPEN,
    Setup,
    Stage,
    UndoFacts,
    in_the_way,
    seconds_left,
    setup_finding,
    undo_refusal,
    unproven,
    why_back,
)
from beistand.operations import initialise
from beistand.operations.setup import SetupNode, change_over, plan_setup, shown
from beistand.operations.setup_back import go_back, restored_files
from beistand.protocol import (
    ConfirmSetup,
    GetSetup,
    Init,
    PlanSetup,
    SetupPlan,
    SetupView,
    StartSetup,
    UndoSetup,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.finding import Finding
    from beistand.domain.message import Message

DOCUMENT = "setup"
"""Name of the journal among the store's documents."""
KEPT = (DOCUMENT, sessions.DOCUMENT, setup_code.DOCUMENT)
"""Documents that do not depend on what this machine is."""
TOLD_EVERY = 30.0
"""The log counts down in steps of so many seconds."""
LOOK_SECONDS = 1.0
"""A look of the main loop's is over sooner, on a slow disk too; an act takes many seconds."""


class NetworkSetup:
    """Verbs come from connections, `begin` and `tick` from the main loop; one act at a time."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._acting = RLock()
        self._next_try = 0.0
        self._next_told = 0.0
        self._never = Event()

    def acts(self) -> Acts:
        return {
            PlanSetup: self.plan,
            StartSetup: self.start,
            GetSetup: lambda _request, _caller: self.view(),
            ConfirmSetup: self.confirm,
            UndoSetup: self.undo,
        }

    # --- what others ask ------------------------------------------------------------------------

    def findings(self) -> tuple[Finding, ...]:
        finding = setup_finding(self.journal(), now=self._agent.clock.monotonic())
        return (finding,) if finding else ()

    def refuse_while_open(self) -> None:
        """Raise Refused `setup-begun`, `setup-not-confirmed`, `setup-undoing`."""
        if problem := in_the_way(self.journal()):
            raise Refused(problem.code, **problem.fields)

    @contextmanager
    def none_open(self) -> Iterator[None]:
        """See to it that no setup is open or begins meanwhile. Raises as `refuse_while_open`."""
        with self._alone():
            self.refuse_while_open()
            yield

    def stage(self) -> Stage | None:
        """Return how far the last setup has come; None: there never was one."""
        setup = self.journal()
        return setup.stage if setup else None

    def journal(self) -> Setup | None:
        """Raise Failed `state-damaged`."""
        body = self._agent.store.get(DOCUMENT)
        if not body:
            return None
        try:
            return msgspec.json.decode(body, type=Setup)
        except msgspec.MsgspecError as error:
            raise Failed("state-damaged", path=DOCUMENT, why=str(error)) from error

    # --- turns ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """At the start of the agent, before it reads what it is: a setup that was cut short goes back."""
        self._next_try = 0.0
        self.tick()

    def tick(self) -> None:
        if not self._acting.acquire(blocking=False):
            return
        try:
            setup, now = self.journal(), self._agent.clock.monotonic()
            if setup is None or setup.stage not in OPEN:
                return
            why = why_back(setup, boot=self._boot(), now=now)
            if why is None:
                self._count_down(setup, now)
            elif now >= self._next_try:
                self._next_try = now + AGAIN_SECONDS
                self._try_back(setup, why)
        finally:
            self._acting.release()

    # --- verbs ----------------------------------------------------------------------------------

    def plan(self, request: PlanSetup, _caller: Caller) -> SetupPlan:
        with self._alone():
            return shown(self._planned(request))

    def start(self, request: StartSetup, _caller: Caller) -> SetupView:
        """Change over and begin to wait; whatever fails, everything is as it was before this returns."""
        with self._alone():
            setup = self._planned(request)
            self._save(setup)
            log("setup-begins", own_address=setup.own_address, service_address=setup.service_ip)
            try:
                change_over(self._node(), setup, partial(self._become_active, request))
            except BeistandError as error:
                self._back_after(setup, error)
            deadline = self._agent.clock.monotonic() + CONFIRM_SECONDS
            self._save(msgspec.structs.replace(setup, stage=Stage.WAITING, deadline=deadline))
            self._next_told = 0.0
            return self.view()

    def view(self) -> SetupView:
        setup = self.journal()
        if setup is None:
            return SetupView()
        return SetupView(
            stage=setup.stage,
            interface=setup.interface,
            own_address=setup.own_address,
            service_address=setup.service_address,
            seconds_left=seconds_left(setup, self._agent.clock.monotonic()),
            files=tuple(each.path for each in setup.files),
            why=setup.why,
            trouble=self._agent.troubles.get(DOCUMENT),
        )

    def confirm(self, request: ConfirmSetup, caller: Caller) -> SetupView:
        """Raise Refused with why this proves nothing, or that nothing waits."""
        with self._alone():
            setup = self.journal()
            if setup is not None and setup.stage is Stage.CONFIRMED:
                return self.view()
            if setup is None or setup.stage is not Stage.WAITING or not self.view().seconds_left:
                raise Refused("setup-not-waiting")
            at_console = request.at_console and caller.is_at_console
            if problem := unproven(setup, request.reached, at_console=at_console):
                raise Refused(problem.code, **problem.fields)
            self._save(msgspec.structs.replace(setup, stage=Stage.CONFIRMED))
            log("setup-confirmed", address=setup.own_ip)
            return self.view()

    def undo(self, request: UndoSetup, _caller: Caller) -> SetupView:
        with self._alone():
            setup = self.journal()
            if problem := undo_refusal(setup, self._undo_facts(), request.accept):
                raise Refused(problem.code, **problem.fields)
            assert setup is not None
            setup = msgspec.structs.replace(setup, files=restored_files(self._node(), setup))
            self._back(setup, message("setup-undone-by-person"))
            return self.view()

    # --- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Raise Refused `setup-under-way-elsewhere` while another act is; a look of the agent's own is waited for."""
        if not self._acting.acquire(timeout=LOOK_SECONDS):
            raise Refused("setup-under-way-elsewhere")
        try:
            yield
        finally:
            self._acting.release()

    def _planned(self, request: PlanSetup | StartSetup) -> Setup:
        wiring, known = self._agent.wiring, self.journal()
        if wiring.store.is_initialised():
            raise Refused("already-initialised")
        self.refuse_while_open()
        if known is not None and known.stage is not Stage.UNDONE:
            raise Refused("setup-not-confirmed", address=known.own_ip)
        profile = wiring.profiles.load(request.profile)
        initialise.check_pbx(profile)
        return plan_setup(self._node(), request, profile, self._boot())

    def _become_active(self, request: StartSetup, setup: Setup) -> None:
        init = Init(
            role=Role.ACTIVE,
            interface=setup.interface,
            own_address=setup.own_address,
            service_address=setup.service_ip,
            profile=setup.profile,
            strict_boot=request.strict_boot,
            language=request.language,
        )
        initialise_appliance(self._agent, init)
        # The person's click is this boot's check (ADR 3): the address is held when this returns.
        keeper = self._agent.keeper
        try:
            keeper.prepare(self._agent.store.standing().epoch)
            keeper.put_back()
        finally:
            keeper.end_claim()
        keeper.soon()

    def _become_nothing(self, setup: Setup) -> None:
        wiring = self._agent.wiring
        profile = wiring.profiles.load(setup.profile)
        self._agent.store.forget_identity(keep=KEPT)
        self._agent.reload()
        self._agent.keeper.stop()
        (wiring.places.run / "boot-check").unlink(missing_ok=True)
        wiring.services.remove_gate(profile)
        wiring.services.close_gate()
        wiring.address_gate.let_speak()  # the address is the machine's own again
        self._agent.troubles.pop("settings", None)

    def _back_after(self, setup: Setup, error: BeistandError) -> None:
        """Go back after a failure, and raise it."""
        try:
            self._back(setup, error.message)
        except BeistandError as trouble:
            self._note_trouble(trouble)
            raise Failed("setup-failed", why=str(error.message), then=str(trouble.message)) from error
        raise Failed("setup-failed-undone", why=str(error.message)) from error

    def _try_back(self, setup: Setup, why: Message) -> None:
        """Go back with the files as they were, or, where somebody changed one meanwhile, with that change."""
        try:
            setup = msgspec.structs.replace(setup, files=restored_files(self._node(), setup))
        except BeistandError as error:
            log_message(error.message, "warning")
        try:
            self._back(setup, why)
        except BeistandError as trouble:
            self._note_trouble(trouble)

    def _back(self, setup: Setup, why: Message) -> None:
        log("setup-goes-back", level="warning", why=str(why))
        wiring = self._agent.wiring
        go_back(
            self._node(),
            setup,
            why,
            wiring.profiles.load(setup.profile),
            forget_settings=lambda: forget_installation(wiring.places.etc),
            become_nothing=lambda: self._become_nothing(setup),
        )
        self._agent.troubles.pop(DOCUMENT, None)
        self._agent.complaints.end(DOCUMENT)
        log("setup-is-back", level="warning", address=setup.service_ip)

    def _note_trouble(self, trouble: BeistandError) -> None:
        why = str(trouble.message)
        self._agent.troubles[DOCUMENT] = message("setup-undo-fails", why=why, seconds=AGAIN_SECONDS)
        self._agent.complaints.tell(DOCUMENT, trouble.message, "error")

    def _undo_facts(self) -> UndoFacts:
        agent = self._agent
        if not agent.is_initialised:
            return UndoFacts(standing=None)
        running, pair = agent.worker.running(), agent.store.pair()
        return UndoFacts(
            standing=agent.store.standing(),
            own_address=agent.node.installation.own_address,
            is_serving=agent.keeper.is_serving,
            peer=pair.peer.host if pair else "",
            is_peer_connected=pair is not None and agent.link.is_connected(),
            job=running.kind if running else "",
        )

    def _count_down(self, setup: Setup, now: float) -> None:
        if setup.stage is Stage.WAITING and now >= self._next_told:
            self._next_told = now + TOLD_EVERY
            log("setup-waiting", level="warning", address=setup.own_ip, seconds=seconds_left(setup, now))

    def _node(self) -> SetupNode:
        wiring = self._agent.wiring
        return SetupNode(
            clock=self._agent.clock,
            files=wiring.network_files,
            managers=wiring.network_managers,
            live=wiring.live_addresses,
            addresses=wiring.addresses,
            arp=wiring.arp,
            services=wiring.services,
            save=self._save,
            wait=lambda seconds: self._agent.clock.wait(self._never, seconds),
        )

    def _save(self, setup: Setup) -> None:
        # The way back must not end at a full disk.
        is_vital = setup.stage in (Stage.UNDOING, Stage.UNDONE)
        self._agent.store.put(DOCUMENT, msgspec.json.encode(setup), vital=is_vital)

    def _boot(self) -> str:
        """Return what names this boot: a file of /run, which none outlives."""
        file = self._agent.wiring.places.run / "setup-boot"
        try:
            return file.read_text()
        except FileNotFoundError:
            token = secrets.token_hex(8)
            file.parent.mkdir(parents=True, exist_ok=True)
            beside = file.with_suffix(".new")
            beside.write_text(token)
            os.rename(beside, file)
            return token
