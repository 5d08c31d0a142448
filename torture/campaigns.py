"""The list of campaigns, in the order in which they run: the quick ones first."""

from collections.abc import Callable
from importlib import import_module

from torture.run import Run

CAMPAIGNS: dict[str, str] = {
    # name: module in this package
    "model": "model",
    "walks": "walks",
    "clocks": "clocks",
    "patience": "patience",
    "guard": "guard",
    "alarms": "alarms",
    "busy": "busy",
    "hostile": "hostile",
    "lines": "lines",
    "network": "network",
    "boots": "boots",
    "durable-order": "durable_order",
    "evidence": "evidence",
    "partition": "partition",
    "setup": "setup",
    "huge": "huge",
    "disk-scenes": "disk_scenes",
    "disks": "disk_faults",
    "power-cuts": "power_cuts",
    "kills": "kills",
}


def campaign(name: str) -> Callable[[Run], None]:
    """Return what runs the campaign of this name."""
    found: Callable[[Run], None] = import_module(f"torture.{CAMPAIGNS[name]}").campaign
    return found


def title(name: str) -> str:
    """Return what the campaign says of itself: the first line of its module."""
    return (import_module(f"torture.{CAMPAIGNS[name]}").__doc__ or "").strip().splitlines()[0]
