"""Whether the machine that an installation finds itself on is its own: a cloned disk knows everything but its hardware.

The network cards decide, not the machine-id: a clone has the same one, and whoever renews it is still the same.
"""

from enum import StrEnum

from beistand.domain.value import Value

MOST_CARDS = 32
"""Cards that are remembered: a machine has a few, and hot-plugged ones come and go."""


class MachineSigns(Value, frozen=True, kw_only=True):
    """What tells one machine from another."""

    machine_id: str = ""
    """Digest of /etc/machine-id (machine-id(5): it is not to be shown); empty: there is none."""
    cards: tuple[str, ...] = ()
    """MAC addresses of its network cards as they were made, sorted; none that is made up at each start."""
    host: str = ""


class Whose(StrEnum):
    OWN = "own"
    OTHER = "other"
    """Not one of the cards that the installation knows: its disk was copied or moved, or all were replaced."""
    UNKNOWN = "unknown"
    """An installation of a version that wrote nothing down."""


def whose(known: MachineSigns | None, seen: MachineSigns) -> Whose:
    """Judge the machine by what was written down of it.

    One card is enough: a second one may have been replaced. Where no card can be seen, or none was, the machine-id
    decides, so that a card that is slow to appear holds nobody.
    """
    if known is None:
        return Whose.UNKNOWN
    if known.cards and seen.cards:
        return Whose.OWN if set(known.cards) & set(seen.cards) else Whose.OTHER
    return Whose.OWN if known.machine_id == seen.machine_id else Whose.OTHER


def with_news(known: MachineSigns, seen: MachineSigns) -> MachineSigns:
    """Return what is to be written down of the own machine now: a card that is away for a while stays known."""
    cards = dict.fromkeys([*seen.cards, *known.cards])
    return MachineSigns(
        machine_id=seen.machine_id, cards=tuple(sorted(list(cards)[:MOST_CARDS])), host=seen.host
    )


def twins(one: str, other: str) -> bool:
    """Tell whether two that should differ are the same: host names, keys, ids; nothing is like nothing."""
    return bool(one) and one.strip().casefold() == other.strip().casefold()
