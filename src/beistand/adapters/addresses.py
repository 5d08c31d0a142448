"""The machine's interfaces, addresses and source routes, by netlink (port `Addresses`).

Every call opens its own netlink socket: 1 ms, safe in every thread.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec
from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from beistand.adapters.routes import DEFAULT, Route, delete_route, prefers, read_routes, set_route
from beistand.domain.errors import Failed
from beistand.domain.installation import Installation

IPV4 = 2
PERMANENT = 0x80
"""IFA_F_PERMANENT: an address without a lifetime."""

RESOLVED = Path("/run/systemd/resolve/resolv.conf")
"""What systemd-resolved really asks; /etc/resolv.conf names only its stub then."""


class NetlinkAddresses:
    """Remembers the routes as they were in a file that no boot survives, like the routes themselves."""

    def __init__(self, routes_before: Path = Path("/run/beistand/routes.json")) -> None:
        self._routes_before = routes_before
        self._lock = RLock()
        """Of two threads that put the same right, the second one finds it done."""

    def mac(self, interface: str) -> str:
        """Raise Failed `interface-missing`."""
        with _netlink() as netlink:
            return str(link_of(netlink, interface).get_attr("IFLA_ADDRESS") or "")

    def carrier(self, interface: str) -> bool:
        with _netlink() as netlink:
            try:
                link = link_of(netlink, interface)
            except Failed:
                return False
            return bool(link.get_attr("IFLA_CARRIER")) and bool(link["flags"] & 1)

    def gateway(self) -> str:
        with _netlink() as netlink:
            routes = [
                (each.get_attr("RTA_PRIORITY") or 0, each.get_attr("RTA_GATEWAY"))
                for each in netlink.get_default_routes(family=IPV4)
            ]
        return next((gateway for _, gateway in sorted(routes, key=lambda each: each[0]) if gateway), "")

    def dns(self) -> tuple[str, ...]:
        file = RESOLVED if RESOLVED.exists() else Path("/etc/resolv.conf")
        try:
            lines = [line.split() for line in file.read_text(errors="replace").splitlines()]
        except OSError:
            return ()
        return tuple(line[1] for line in lines if len(line) > 1 and line[0] == "nameserver")

    def is_static(self, interface: str, own_ip: str) -> bool:
        with _netlink() as netlink:
            try:
                device = link_of(netlink, interface)["index"]
            except Failed:
                return False
            found = [
                each
                for each in netlink.get_addr(family=IPV4, index=device)
                if each.get_attr("IFA_LOCAL") == own_ip
            ]
        return any((each.get_attr("IFA_FLAGS") or each["flags"]) & PERMANENT for each in found)

    def vlan(self, interface: str) -> int:
        with _netlink() as netlink:
            try:
                return vlan_of(link_of(netlink, interface))
            except Failed:
                return 0

    def candidates(self) -> tuple[tuple[str, str], ...]:
        with _netlink() as netlink:
            names = {each["index"]: str(each.get_attr("IFLA_IFNAME")) for each in netlink.get_links()}
            return tuple(
                (f"{each.get_attr('IFA_LOCAL')}/{each['prefixlen']}", names.get(each["index"], ""))
                for each in netlink.get_addr(family=IPV4)
                if (each.get_attr("IFA_FLAGS") or each["flags"]) & PERMANENT
                and each["prefixlen"] < 31
                and names.get(each["index"], "lo") != "lo"
            )

    def held(self, installation: Installation) -> tuple[str, ...]:
        wanted = {each.address for each in installation.service_addresses}
        with _netlink() as netlink:
            return tuple(sorted({address for address, _, _ in _addresses(netlink) if address in wanted}))

    def hold(self, installation: Installation) -> bool:
        try:
            with self._lock, _netlink() as netlink:
                added = [
                    self._add(netlink, each.address, each.interface, installation)
                    for each in installation.service_addresses
                ]
                turned = [
                    self._prefer(netlink, each.address, each.interface)
                    for each in _first_of_each_interface(installation)
                ]
        except (NetlinkError, OSError) as error:
            raise Failed("address-not-added", why=str(error)) from error
        return any(added) or any(turned)

    def drop(self, installation: Installation) -> bool:
        """Raise Failed `address-not-removed`."""
        return self._take_away(installation, stays=False)

    def give_back(self, installation: Installation) -> None:
        """Take away what `hold` made, /32; with another length a network file put it there. Raise as `drop`."""
        self._take_away(installation, stays=True)

    def _take_away(self, installation: Installation, *, stays: bool) -> bool:
        try:
            with self._lock, _netlink() as netlink:
                # Routes first: with the address the kernel would delete every route that prefers it.
                wanted = {each.address for each in installation.service_addresses}
                restored = self._restore(netlink, wanted, installation, stays=stays)
                there = [
                    each for each in _addresses(netlink) if each[0] in wanted and (each[1] == 32 or not stays)
                ]
                for address, length, device in there:
                    promote_secondaries(netlink, device)
                    with _already(errno.EADDRNOTAVAIL):
                        netlink.addr("del", index=device, address=address, prefixlen=length)
        except (NetlinkError, OSError) as error:
            raise Failed("address-not-removed", why=str(error)) from error
        return bool(there) or restored

    def _add(self, netlink: IPRoute, address: str, interface: str, installation: Installation) -> bool:
        device = link_of(netlink, "lo" if installation.on_loopback else interface)["index"]
        if any(each[0] == address for each in _addresses(netlink)):
            return False
        promote_secondaries(netlink, device)
        with _already(errno.EEXIST):
            netlink.addr("add", index=device, address=address, prefixlen=32)
        return True

    def _prefer(self, netlink: IPRoute, address: str, interface: str) -> bool:
        """Let the connected and the default route prefer the address; put back what a network manager lost."""
        device = link_of(netlink, interface)["index"]
        before = self._remembered()
        current = [each for each in read_routes(netlink, device) if prefers(each, address)]
        present = {each.key for each in current}
        lost = [
            each
            for each in before
            if each.device == device and prefers(each, address) and not _replaced(each, current)
        ]
        changing = [each for each in current if each.source != address]
        if not changing and not lost:
            return False
        new = {each.key for each in changing}
        kept = [
            each
            for each in before
            if each.device != device or (each.key not in new and (each.key in present or each in lost))
        ]
        self._remember(kept + changing)
        # The connected route first: a gateway is reachable only through it.
        ours = {each.key: each for each in current if each.source == address}
        for route in sorted([*changing, *lost], key=lambda each: each.to == DEFAULT):
            # A restarted network manager puts a double beside ours, and "replace" would find ours.
            if double := ours.pop(route.key, None):
                delete_route(netlink, double)
            set_route(netlink, route.with_source(address))
        return True

    def _restore(self, netlink: IPRoute, ours: set[str], installation: Installation, *, stays: bool) -> bool:
        before = self._remembered()
        changed = False
        for interface in {each.interface for each in installation.service_addresses}:
            device = link_of(netlink, interface)["index"]
            known = {each.key: each for each in before if each.device == device}
            current = read_routes(netlink, device)
            theirs = {each.key for each in current if each.source not in ours}
            for route in (each for each in current if each.source in ours):
                if stays and route.to != DEFAULT:
                    continue  # of an address that stays the kernel itself makes its network's route so
                if route.key in theirs:
                    delete_route(netlink, route)
                else:
                    plain = route.with_source("" if route.to == DEFAULT else installation.own_ip)
                    set_route(netlink, known.get(route.key) or plain)
                changed = True
            lost = [each for each in known.values() if not _replaced(each, current)]
            lost = [each for each in lost if each.to == DEFAULT or not stays]
            for route in sorted(lost, key=lambda each: each.to == DEFAULT):
                set_route(netlink, route)
                changed = True
        self._routes_before.unlink(missing_ok=True)
        return changed

    def _remembered(self) -> list[Route]:
        try:
            return msgspec.json.decode(self._routes_before.read_bytes(), type=list[Route])
        except (FileNotFoundError, msgspec.DecodeError):
            return []

    def _remember(self, routes: list[Route]) -> None:
        # Not durable on purpose: a boot forgets the routes, too.
        beside = self._routes_before.with_suffix(".new")
        self._routes_before.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.encode(routes))
        beside.rename(self._routes_before)


def vlan_of(link: Any) -> int:
    """Return the VLAN that a link of the kernel's list is tagged with, 0 without a tag."""
    info = link.get_attr("IFLA_LINKINFO")
    if info is None or info.get_attr("IFLA_INFO_KIND") != "vlan":
        return 0
    data = info.get_attr("IFLA_INFO_DATA")
    return int(data.get_attr("IFLA_VLAN_ID") or 0) if data else 0


def _replaced(route: Route, current: list[Route]) -> bool:
    """Tell whether there is such a route now, or one to the same place that somebody put instead."""
    return any(each.key == route.key or each.to == route.to for each in current)


def _first_of_each_interface(installation: Installation) -> list[Any]:
    found: dict[str, Any] = {}
    for each in installation.service_addresses:
        found.setdefault(each.interface, each)
    return list(found.values())


def link_of(netlink: IPRoute, interface: str) -> Any:
    try:
        links = list(netlink.get_links(ifname=interface))
    except NetlinkError:
        links = []
    if not links:
        raise Failed("interface-missing", interface=interface)
    return links[0]


def _addresses(netlink: IPRoute) -> list[tuple[str, int, int]]:
    """Return (address, prefix length, interface index) of everything on this machine."""
    return [
        (each.get_attr("IFA_LOCAL") or "", each["prefixlen"], each["index"])
        for each in netlink.get_addr(family=IPV4)
    ]


def promote_secondaries(netlink: IPRoute, device: int) -> None:
    """See that deleting one address never takes another with it (FIGURES section 5)."""
    name = netlink.get_links(device)[0].get_attr("IFLA_IFNAME")
    path = Path(f"/proc/sys/net/ipv4/conf/{name}/promote_secondaries")
    if path.read_text().strip() != "1":
        path.write_text("1")


@contextmanager
def _netlink() -> Iterator[IPRoute]:
    with IPRoute() as netlink:
        yield netlink


@contextmanager
def _already(code: int) -> Iterator[None]:
    """Pass over the one error that says that it was already so."""
    try:
        yield
    except NetlinkError as error:
        if error.code != code:
            raise
