"""The IPv4 routes whose source the service address becomes: read, changed in place, put back."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import msgspec
from pyroute2 import IPRoute

from beistand.domain.value import Value

MAIN_TABLE = 254
UNICAST = 1
DEFAULT = "0.0.0.0/0"


class Route(Value, frozen=True, kw_only=True):
    """One route of the main table, with all that is needed to make it again as it was."""

    to: str
    """Network with prefix length; DEFAULT for the default route."""
    device: int
    gateway: str = ""
    source: str = ""
    """Preferred source address (`src`); empty: the kernel chooses."""
    metric: int = 0
    protocol: int = 0
    scope: int = 0
    flags: int = 0
    service_type: int = 0
    metrics: dict[str, int] = {}
    """MTU and the like, by the kernel's names."""

    @property
    def key(self) -> tuple[str, int, int]:
        """What the kernel itself tells two routes of a table apart by."""
        return (self.to, self.metric, self.service_type)

    def with_source(self, source: str) -> "Route":
        return msgspec.structs.replace(self, source=source)


def read_routes(netlink: IPRoute, device: int) -> list[Route]:
    """Return the routes over this device that decide about the source: connected ones and default ones."""
    found = []
    for each in netlink.get_routes(family=2, table=MAIN_TABLE, oif=device):
        if each["type"] != UNICAST or each.get_attr("RTA_OIF") != device:
            continue  # several next hops in one route: left alone, as nobody can say which is meant
        route = _decoded(each)
        if route.to == DEFAULT or not route.gateway:
            found.append(route)
    return found


def set_route(netlink: IPRoute, route: Route) -> None:
    """Change the route with this key in place, or make it: nothing is ever without a route in between."""
    netlink.route("replace", **_spec(route))


def delete_route(netlink: IPRoute, route: Route) -> None:
    """Delete the route with this key and this source; its double with another source stays."""
    netlink.route("del", **_spec(route))


def _spec(route: Route) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "dst": route.to,
        "oif": route.device,
        "table": MAIN_TABLE,
        "proto": route.protocol,
        "scope": route.scope,
        "flags": route.flags & ONLINK,
        "tos": route.service_type,
    }
    if route.gateway:
        spec["gateway"] = route.gateway
    if route.source:
        spec["prefsrc"] = route.source
    if route.metric:
        spec["priority"] = route.metric
    if route.metrics:
        spec["metrics"] = route.metrics
    return spec


def prefers(route: Route, address: str) -> bool:
    """Tell whether traffic over this route should carry the service address as its source."""
    return route.to == DEFAULT or IPv4Address(address) in IPv4Network(route.to)


ONLINK = 4
"""RTNH_F_ONLINK; the other flags are the kernel's own remarks (link down, offloaded)."""


def _decoded(message: Any) -> Route:
    length = message["dst_len"]
    metrics = message.get_attr("RTA_METRICS")
    return Route(
        to=f"{message.get_attr('RTA_DST') or '0.0.0.0'}/{length}",
        device=message.get_attr("RTA_OIF"),
        gateway=message.get_attr("RTA_GATEWAY") or "",
        source=message.get_attr("RTA_PREFSRC") or "",
        metric=message.get_attr("RTA_PRIORITY") or 0,
        protocol=message["proto"],
        scope=message["scope"],
        flags=message["flags"],
        service_type=message["tos"],
        metrics={
            name.removeprefix("RTAX_").lower(): value
            for name, value in (metrics["attrs"] if metrics else ())
            if isinstance(value, int)
        },
    )
