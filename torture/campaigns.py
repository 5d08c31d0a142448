"""The list of campaigns, in the order in which they run: the quick ones first."""

from collections.abc import Callable

from torture import (, setup
    alarms,
    boots,
    clocks,
    disk_faults,
    durable_order,
    evidence,
    guard,
    hostile,
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
    "hostile": hostile.campaign,
    "lines": lines.campaign,
    "network": network.campaign,
    "boots": boots.campaign,
    "durable-order": durable_order.campaign,
    "evidence": evidence.campaign,
    "partition": partition.campaign,
    "setup": setup.campaign,
    "huge": huge.campaign,
    "disks": disk_faults.campaign,
    "kills": kills.campaign,
}
