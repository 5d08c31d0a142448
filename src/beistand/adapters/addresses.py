"""The machine's interfaces, addresses and source routes, by netlink (port `Addresses`).

Every call opens its own netlink socket: 1 ms, safe in every thread.
"""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from beistand.adapters.source_routes import SourceRoutes
from beistand.domain.errors import Failed
from beistand.domain.installation import Installation

IPV4 = 2
PERMANENT = 0x80
"""IFA_F_PERMANENT: an address without a lifetime."""

RESOLVED = Path("/run/systemd/resolve/resolv.conf")
"""What systemd-resolved really asks; /etc/resolv.conf names only its stub then."""


class NetlinkAddresses:
    def __init__(
        self,
        routes_before: Path = Path("/run/beistand/routes.json"),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = SourceRoutes(routes_before, monotonic)
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

    def has(self, interface: str, ip: str) -> bool:
        with _netlink() as netlink:
            try:
                device = link_of(netlink, interface)["index"]
            except Failed:
                return False
            return any(
                each.get_attr("IFA_LOCAL") == ip for each in netlink.get_addr(family=IPV4, index=device)
            )

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
                    self._routes.prefer(netlink, _index(each.interface), each.address)
                    for each in _first_of_each_interface(installation)
                ]
        except (NetlinkError, OSError) as error:
            raise Failed("address-not-added", why=str(error)) from error
        return any(added) or any(turned)

    def drop(self, installation: Installation) -> bool:
        """Raise Failed `address-not-removed`, or `routes-not-restored`: the address is gone all the same."""
        return self._take_away(installation, stays=False)

    def give_back(self, installation: Installation) -> None:
        """Take away what `hold` made, /32; with another length a network file put it there. Raise as `drop`."""
        self._take_away(installation, stays=True)

    def _take_away(self, installation: Installation, *, stays: bool) -> bool:
        try:
            with self._lock, _netlink() as netlink:
                # Routes first: with the address the kernel would delete every route that prefers it.
                wanted = {each.address for each in installation.service_addresses}
                restored, trouble = False, None
                try:
                    restored = self._routes.restore(
                        netlink, _devices(installation), wanted, own_ip=installation.own_ip, stays=stays
                    )
                except (NetlinkError, OSError) as error:
                    trouble = error  # an address that is to go goes, whatever becomes of the routes
                there = [
                    each for each in _addresses(netlink) if each[0] in wanted and (each[1] == 32 or not stays)
                ]
                for address, length, device in there:
                    promote_secondaries(netlink, device)
                    with _already(errno.EADDRNOTAVAIL):
                        netlink.addr("del", index=device, address=address, prefixlen=length)
        except (NetlinkError, OSError) as error:
            raise Failed("address-not-removed", why=str(error)) from error
        if trouble is not None:
            raise Failed("routes-not-restored", why=str(trouble)) from trouble
        return bool(there) or restored

    def _add(self, netlink: IPRoute, address: str, interface: str, installation: Installation) -> bool:
        standing = _addresses(netlink)
        there = {(device, length) for found, length, device in standing if found == address}
        if any(length != 32 for _, length in there):
            return False  # of a network file, which looks after it
        home = _home(standing, interface, installation)
        others = {device for device, _ in there} - {home}
        if there and not others:
            return False
        # First there, then away here: it is never gone.
        promote_secondaries(netlink, home)
        with _already(errno.EEXIST):
            netlink.addr("add", index=home, address=address, prefixlen=32)
        for device in others:
            with _already(errno.EADDRNOTAVAIL):
                netlink.addr("del", index=device, address=address, prefixlen=32)
        return True


def _home(standing: list[tuple[str, int, int]], interface: str, installation: Installation) -> int:
    """Return the index of the interface to hold a service address on.

    `lo`, too, as long as the interface of the own address has none of its own. NetworkManager takes an
    interface with nothing but our address on it for one that somebody else configures, and never gives it the
    own address back: seen after six seconds without carrier, and after `nmcli device disconnect`.
    """
    device, loopback = _index(interface), socket.if_nametoindex("lo")
    ours = {each.address for each in installation.service_addresses}
    is_bare = all(found in ours for found, _, where in standing if where == device)
    if installation.on_loopback or (is_bare and interface == installation.interface):
        return loopback
    return device


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        raise Failed("interface-missing", interface=interface) from None


def _devices(installation: Installation) -> list[int]:
    """Return the indexes of the service addresses' interfaces, of those that are there."""
    found = {each.interface for each in installation.service_addresses}
    return [index for index, name in socket.if_nameindex() if name in found]


def vlan_of(link: Any) -> int:
    """Return the VLAN that a link of the kernel's list is tagged with, 0 without a tag."""
    info = link.get_attr("IFLA_LINKINFO")
    if info is None or info.get_attr("IFLA_INFO_KIND") != "vlan":
        return 0
    data = info.get_attr("IFLA_INFO_DATA")
    return int(data.get_attr("IFLA_VLAN_ID") or 0) if data else 0


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
