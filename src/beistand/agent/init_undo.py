"""`beistand init --undo`: what became an appliance in the wrong window, or is a copy of one, is none any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.adapters.settings import forget_installation, read_loosely
from beistand.agent import network_setup, own_machine
from beistand.agent.log import log, log_message
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.setup import Stage
from beistand.domain.value import Value
from beistand.operations.importing import live_generation
from beistand.protocol import Done, UndoInit

if TYPE_CHECKING:
    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.profile import Profile

BEFORE = "before-init"
"""The document that says what ran before this machine became an appliance."""


class BeforeInit(Value, frozen=True, kw_only=True):
    units: tuple[str, ...] = ()
    """Units of the PBX that ran."""


def note_before(agent: Agent, profile: Profile) -> None:
    """Write down what runs now; called before `init` changes anything."""
    running = tuple(each.unit for each in profile.services if agent.wiring.services.is_running(each.unit))
    agent.store.put(BEFORE, msgspec.json.encode(BeforeInit(units=running)))


def acts(agent: Agent) -> Acts:
    return {UndoInit: lambda request, caller: undo_init(agent, request, caller)}


def undo_init(agent: Agent, _request: UndoInit, _caller: Caller) -> Done:
    """Make it no appliance: identity, settings, keys, gates.

    The PBX that ran before runs again; one that holds another machine's data does not start at boot any more. Raises
    Refused `not-initialised`, `undo-init-paired`, `undo-init-of-setup`, `undo-init-serves`, `job-running`.
    """
    store, wiring = agent.store, agent.wiring
    if not store.is_initialised():
        raise Refused("not-initialised")
    is_copy = _is_copy(agent)
    if not is_copy:
        _refuse(agent)
    with agent.network_setup.none_open():
        installation = read_loosely(wiring.places.etc)
        profile = _profile(agent, installation.profile if installation else "")
        is_own_data = not is_copy and live_generation(agent.node) is None
        before = store.get(BEFORE)
        if installation is not None:
            wiring.addresses.drop(installation)
        store.forget_identity(keep=network_setup.KEPT)
        forget_installation(wiring.places.etc)
        wiring.keys.forget(own=is_copy)
        agent.troubles.pop("settings", None)
        agent.reload()
        agent.keeper.stop()
        (wiring.places.run / "boot-check").unlink(missing_ok=True)
        if profile is not None:
            _leave_pbx(agent, profile, before if is_own_data else None)
    log("init-undone", level="warning", is_copy=is_copy)
    return Done()


def _is_copy(agent: Agent) -> bool:
    trouble = agent.troubles.get("settings")
    return trouble is not None and trouble.code == own_machine.IS_COPY


def _refuse(agent: Agent) -> None:
    node = agent.node
    if (job := agent.worker.running()) is not None:
        raise Refused("job-running", job=job.id, kind=job.kind)
    if (pair := agent.store.pair()) is not None:
        raise Refused("undo-init-paired", peer=pair.peer.host)
    if agent.network_setup.stage() is Stage.CONFIRMED:
        raise Refused("undo-init-of-setup")
    phones = len(node.contacts.list(node.profile)) if agent.keeper.is_serving else 0
    if phones:
        raise Refused("undo-init-serves", address=node.installation.service_ip, phones=phones)


def _profile(agent: Agent, name: str) -> Profile | None:
    try:
        found: Profile = agent.wiring.profiles.load(name)
    except BeistandError as error:
        log_message(error.message, "warning")
        return None
    return found


def _leave_pbx(agent: Agent, profile: Profile, before: bytes | None) -> None:
    """Take the gates away, and start what ran before; what has another one's data stays off, also at boot."""
    services = agent.wiring.services
    ran = msgspec.json.decode(before, type=BeforeInit).units if before else ()
    for each in profile.services:
        if before is None:
            services.stop(each)
            services.disable(each.unit)
            if services.starts_at_boot(each.unit):
                continue  # something else starts it: its gate stays
        services.ungate(each.unit)
    services.close_gate()
    for each in profile.services:
        if each.unit in ran and not services.is_running(each.unit):
            services.start(each)
