"""The list of campaigns, in the order in which they run: the quick ones first."""

from collections.abc import Callable

from torture import boots, guard, kills, patience
from torture.run import Run

CAMPAIGNS: dict[str, Callable[[Run], None]] = {
    "patience": patience.campaign,
    "guard": guard.campaign,
    "boots": boots.campaign,
    "kills": kills.campaign,
}
