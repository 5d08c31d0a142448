"""What people are told of the kernel's gate, which keeps the service address silent where it may not serve."""

from collections.abc import Sequence
from datetime import datetime

from beistand.domain.finding import Finding, Severity
from beistand.domain.value import Value

FAMILIES = ("inet", "arp", "netdev")
TOLD_SECONDS = 86400.0
"""A breach is shown for a day: who made it is probably still at it."""


class Breach(Value, frozen=True, kw_only=True):
    """Somebody changed the rules that keep the service address silent; they were put back at once."""

    program: str
    """Empty where the kernel did not say."""
    at: datetime


def missing_finding(missing: Sequence[str]) -> Finding | None:
    """A machine that cannot shut all of the gate has only the guard, and the agent that takes the address away."""
    if not missing:
        return None
    code = "gate-missing" if set(missing) == set(FAMILIES) else "gate-incomplete"
    fields: dict[str, str | int | float | bool] = {"families": ", ".join(missing)}
    return Finding(code=code, severity=Severity.WARN, fields=fields)


def breach_finding(breach: Breach, now: datetime) -> Finding | None:
    if (now - breach.at).total_seconds() > TOLD_SECONDS:
        return None
    fields: dict[str, str | int | float | bool] = {"at": breach.at.isoformat()}
    if breach.program:
        return Finding(
            code="gate-breached", severity=Severity.WARN, fields={**fields, "program": breach.program}
        )
    return Finding(code="gate-breached-unseen", severity=Severity.WARN, fields=fields)
