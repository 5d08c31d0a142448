"""How far an update of a pair may be, as the agent answers it."""

from typing import Any

from msgspec.structs import replace

from beistand.domain.checks import checks
from beistand.domain.generation import CopyState
from beistand.domain.pair import Appliance
from beistand.domain.pause import Pause, Versions
from beistand.domain.update import Seen, Side, update_steps
from beistand.protocol import Check, UpdateView
from web.page_values import OTHER, OWN, ago, copy

OLD = Versions(beistand="0.1.0", pbx="Asterisk 20.11.1~dfsg+~cs6.15.60-1")
NEW = Versions(beistand="0.2.0", pbx="Asterisk 20.12.0~dfsg+~cs6.15.60-1")
PAUSE = Pause(who="anna", since=ago(minutes=40), epoch=2, active=OLD, standby=OLD)
OVER = replace(PAUSE, end=ago(minutes=5), ended_by="anna")


def _as(appliance: Appliance, versions: Versions) -> Appliance:
    return replace(
        appliance,
        beistand_version=versions.beistand,
        pbx_version=versions.pbx,
        dns=OWN.dns,
    )


def seen(pause: Pause | None, active: Versions, standby: Versions, **more: Any) -> UpdateView:
    """The answer that the active gives when it sees this."""
    is_heard = more.pop("is_heard", True)
    rows = checks(_as(OWN, active), _as(OTHER, standby))
    before = OLD if pause else None
    facts = Seen(
        pause=pause,
        active=Side(host="pbx-a", is_heard=True, now=active, before=before),
        standby=Side(host="pbx-b", is_heard=is_heard, now=standby, before=before),
        differences=tuple(each.finding for each in rows if each.finding),
        **more,
    )
    return UpdateView(
        is_active=True,
        pause=pause,
        steps=update_steps(facts),
        active=facts.active,
        standby=facts.standby,
        checks=tuple(
            Check(code=each.code, own=each.own, peer=each.peer, finding=each.finding) for each in rows
        ),
    )


BEFORE = seen(None, OLD, OLD)
PAUSED = seen(PAUSE, OLD, OLD)
MIDWAY = seen(PAUSE, OLD, NEW)
ON_THE_STANDBY = replace(MIDWAY, is_active=False)
VIEWS = {
    "one-side": seen(None, OLD, NEW),
    "cycling": seen(PAUSE, OLD, OLD, is_cycling=True),
    "paused": PAUSED,
    "silent": seen(PAUSE, OLD, OLD, is_heard=False),
    "midway": MIDWAY,
    "both": seen(PAUSE, NEW, NEW),
    "failed": seen(OVER, NEW, NEW, newest=copy(0.01, CopyState.FAILED)),
    "done": seen(OVER, NEW, NEW, newest=copy(0.01)),
    "alone": UpdateView(is_active=True),
}
