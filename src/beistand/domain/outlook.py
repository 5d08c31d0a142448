"""What may keep a takeover from working on the day, seen while all is well: each appliance looks, both tell.

The evidence of a takeover needs witnesses, phones must hear the announcement of the new holder, and nobody else may
have the service address. None of it can be mended in the minute in which the active is dead.
"""

from typing import Annotated

from beistand.domain.bounds import FEW, Count, Seconds, Word
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Field
from beistand.domain.value import Value

ENOUGH_LOST = 3
"""Announcements in a row that did not arrive while the control frame beside each did."""
DEAF_SECONDS = 2400.0
"""Without any control frame for so long, though both talk: broadcasts do not pass. They come every ten minutes."""


class Hearing(Value, frozen=True, kw_only=True):
    """What an appliance heard of the trial frames of its peer."""

    control_seconds: Seconds = 0.0
    """Since the last control frame, or since the peer has been connected: an ARP probe for its own address."""
    lost: Count = 0
    """Control frames since the last one that had the announcement of a foreign address beside it."""


class Outlook(Value, frozen=True, kw_only=True):
    """What an appliance sees of the network around it; in each greeting."""

    gateway: bool | None = None
    """Answers ARP; None: not looked yet, or there is none."""
    phones_known: Count = 0
    phones_answering: Count = 0
    has_looked: bool = False
    """The witnesses were asked: the standby does that all the time, the active has no need to."""
    rivals: Annotated[tuple[Word, ...], FEW] = ()
    """MACs of machines outside the pair that answer for the service address."""
    hearing: Hearing | None = None


def witnesses(outlook: Outlook | None) -> Finding | None:
    """Silence of the active proves nothing where nobody else can be heard either."""
    if outlook is None or not outlook.has_looked:
        return None
    if not outlook.gateway and not outlook.phones_known:
        return _warn("no-witnesses")
    if outlook.gateway is False:
        return _warn("gateway-no-witness", phones=outlook.phones_known)
    if not outlook.phones_known:
        return Finding(code="no-phones-known", severity=Severity.INFO)
    return None


def rival(outlook: Outlook | None, host: str) -> Finding | None:
    """A second machine at the service address takes calls from phones, and stops a takeover on the day."""
    if outlook is None or not outlook.rivals:
        return None
    macs = ", ".join(outlook.rivals)
    return Finding(code="stranger-at-address", severity=Severity.BLOCK, fields={"mac": macs, "host": host})


def announcements(outlook: Outlook | None, sender: str, hearer: str) -> Finding | None:
    """A switch that lets no announcement of another address pass leaves the phones with the dead appliance.

    `outlook` is the hearer's. What it cannot know: whether the switch has an exception for the service address.
    """
    if outlook is None or outlook.hearing is None:
        return None
    if outlook.hearing.lost >= ENOUGH_LOST:
        return _warn("announcements-dropped", host=sender, hearer=hearer)
    if outlook.hearing.control_seconds >= DEAF_SECONDS:
        return _warn("broadcasts-lost", host=sender, hearer=hearer)
    return None


def outlook_findings(mine: Outlook | None, theirs: Outlook | None, me: str, peer: str) -> tuple[Finding, ...]:
    """Return what either of the two sees, for both to tell, each once."""
    found = (
        rival(mine, me) or rival(theirs, peer),
        announcements(theirs, sender=me, hearer=peer),
        announcements(mine, sender=peer, hearer=me),
        witnesses(mine) or witnesses(theirs),
    )
    return tuple({(each.code, str(each.fields.get("host"))): each for each in found if each}.values())


def _warn(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.WARN, fields=fields)
