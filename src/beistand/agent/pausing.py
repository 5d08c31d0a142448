"""The pause of the cycles, as this appliance keeps it: a small document, whatever restarts or is upgraded (S4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.domain.pause import FORGOTTEN, Pause
from beistand.domain.stored import read

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.pair import Greeting
    from beistand.ports.store import Store

DOCUMENT = "cycles-pause"
SHOWN = FORGOTTEN
"""So long an update is shown after its end."""


def own_pause(store: Store) -> Pause | None:
    """Return the newest pause of this active, also one that has ended; a takeover ends them all."""
    pause, standing = _kept(store), store.standing()
    return pause if pause and standing.is_holder and standing.epoch == pause.epoch else None


def pause_on(store: Store) -> Pause | None:
    """Return why no cycle may begin here now, None if one may."""
    pause = own_pause(store)
    return pause if pause is not None and pause.is_on else None


def known_pause(agent: Agent) -> Pause | None:
    """Return the pair's pause, ours or what the active told last; one that is on, or ended a short while ago."""
    pause = _kept(agent.store)
    if pause is None or pause.epoch != agent.store.standing().epoch:
        return None
    return pause if pause.end is None or agent.clock.now() - pause.end < SHOWN else None


def learn_pause(agent: Agent, greeting: Greeting) -> None:
    """Keep what the active says of its pause: in the middle of an update it may not be understood for a while."""
    if agent.store.standing().is_holder or greeting.pause == _kept(agent.store):
        return
    note(agent.store, greeting.pause)


def note(store: Store, pause: Pause | None) -> None:
    store.put(DOCUMENT, msgspec.json.encode(pause) if pause else b"")


def _kept(store: Store) -> Pause | None:
    body = store.get(DOCUMENT)
    return read(body, Pause) if body else None
