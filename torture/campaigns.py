"""The list of campaigns, in the order in which they run: the quick ones first."""

from collections.abc import Callable

from torture import boots, kills, patience
from torture.run import Run

CAMPAIGNS: dict[str, Callable[[Run], None]] = {
    "patience": patience.campaign,
    "boots": boots.campaign,
    "kills": kills.campaign,
}
