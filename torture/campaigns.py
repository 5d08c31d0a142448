"""The list of campaigns, in the order in which they run: the quick ones first."""

from collections.abc import Callable

from torture import (
    alarms,
    boots,
    clocks,
    durable_order,
    evidence,
    guard,
    huge,
    kills,
    lines,
    partition,
    patience,
)
from torture.run import Run

CAMPAIGNS: dict[str, Callable[[Run], None]] = {
    "clocks": clocks.campaign,
    "patience": patience.campaign,
    "guard": guard.campaign,
    "alarms": alarms.campaign,
    "busy": busy.campaign,
    "lines": lines.campaign,
    "network": network.campaign,
    "boots": boots.campaign,
    "durable-order": durable_order.campaign,
    "evidence": evidence.campaign,
    "partition": partition.campaign,
    "huge": huge.campaign,
    "kills": kills.campaign,
}
