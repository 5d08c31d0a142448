"""The one way to change the pair settings: accounts, tokens, mail server, mail texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log
from beistand.domain.errors import Refused
from beistand.domain.role import Role
from beistand.domain.settings_check import is_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from beistand.agent.agent import Agent
    from beistand.domain.settings import PairSettings


def change_settings(
    agent: Agent, change: Callable[[PairSettings], PairSettings], *, is_at_console: bool = False
) -> PairSettings:
    """Save what `change` makes of the pair settings, tell the peer at once, and return them.

    `change` may raise: nothing is saved then. Works before `init`, too. The revision is ours to raise.
    Raises Refused `settings-on-the-active` on the standby of a pair. Who sits at its console may all the same while the
    active is silent: what is changed there holds until it is heard, as its settings count.
    """
    with agent.changing_settings:
        if not _may_change(agent, is_at_console=is_at_console):
            raise Refused("settings-on-the-active")
        old = agent.store.settings()
        heard = agent.link.last()
        # Above the peer's, too: they may have been changed there last, when that was the active.
        told = heard.settings_revision if heard else 0
        known = max(old.revision, told if is_step(old.revision, told) else 0)
        new = msgspec.structs.replace(change(old), revision=known + 1)
        agent.store.set_settings(new)
    agent.link.greet_now()
    return new


def take_settings(agent: Agent, settings: PairSettings) -> None:
    """Have what the active has. Raises Refused `settings-on-the-active` where this appliance is the holder."""
    with agent.changing_settings:
        if agent.node.store.standing().is_holder:
            raise Refused("settings-on-the-active")
        agent.peer_words.check_settings(settings)
        if settings != agent.store.settings():
            agent.store.set_settings(settings)
            log("accounts-taken", revision=settings.revision)


def _may_change(agent: Agent, *, is_at_console: bool) -> bool:
    if not agent.is_initialised or agent.store.pair() is None:
        return True
    if agent.store.standing().role is Role.ACTIVE:
        return True
    active = agent.link.current()
    # An active that can be heard would take it back at once, unless it has no settings of its own yet.
    return is_at_console and (active is None or active.settings_revision == 0)
