"""The guided update of both appliances (S4): pause the cycles, look how far it is, resume."""

from beistand.domain.pause import Pause
from beistand.domain.update import Side, UpdateStep
from beistand.domain.value import Value
from beistand.protocol.insight import Check


class GetUpdate(Value, frozen=True, kw_only=True, tag="update", tag_field="verb"):
    """Answers UpdateView, on either appliance."""


class PauseCycles(Value, frozen=True, kw_only=True, tag="cycles-pause", tag_field="verb"):
    """On the active: no cycle begins until `cycles-resume` or a takeover; an older pause stays. Answers UpdateView."""


class ResumeCycles(Value, frozen=True, kw_only=True, tag="cycles-resume", tag_field="verb"):
    """Answers UpdateView; Refused `cycles-not-paused`."""


# --- answers ------------------------------------------------------------------------------------


class UpdateView(Value, frozen=True, kw_only=True):
    """What is seen of an update; without a pair there are no steps."""

    is_active: bool
    """This appliance is the active: cycles are paused and resumed here."""
    pause: Pause | None = None
    """The one that is on, or that ended within a day."""
    steps: tuple[UpdateStep, ...] = ()
    active: Side | None = None
    standby: Side | None = None
    checks: tuple[Check, ...] = ()
    """The prerequisites; a difference has its finding."""
