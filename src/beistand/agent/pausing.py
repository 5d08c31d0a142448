"""The pause of the cycles, as this appliance keeps it: a small document, whatever restarts or is upgraded (S4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.domain.pause import FORGOTTEN, Pause

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.ports.store import Store

DOCUMENT = "cycles-pause"
SHOWN = FORGOTTEN
"""So long an update is shown after its end."""


def own_pause(store: Store) -> Pause | None:
    """Return the newest pause of this active, also one that has ended; a takeover ends them all."""
    body = store.get(DOCUMENT)
    if not body:
        return None
    pause, standing = msgspec.json.decode(body, type=Pause), store.standing()
    return pause if standing.is_holder and standing.epoch == pause.epoch else None


def pause_on(store: Store) -> Pause | None:
    """Return why no cycle may begin here now, None if one may."""
    pause = own_pause(store)
    return pause if pause is not None and pause.is_on else None


def known_pause(agent: Agent) -> Pause | None:
    """Return the pair's pause, ours or what the active told; one that is on, or ended a short while ago."""
    standing, heard = agent.store.standing(), agent.link.last()
    pause = own_pause(agent.store) if standing.is_holder else heard.pause if heard else None
    if pause is None or pause.epoch != standing.epoch:
        return None
    return pause if pause.end is None or agent.clock.now() - pause.end < SHOWN else None


def note(store: Store, pause: Pause) -> None:
    store.put(DOCUMENT, msgspec.json.encode(pause))
