"""Addresses of an interface by netlink, whoever put them there (port `LiveAddresses`)."""

import errno
from ipaddress import IPv4Interface

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from beistand.adapters.addresses import IPV4, PERMANENT, NetlinkAddresses, link_of, promote_secondaries
from beistand.domain.errors import Failed
from beistand.domain.installation import Installation
from beistand.ports.live_addresses import LiveAddress

NO_PREFIX_ROUTE = 0x200
"""IFA_F_NOPREFIXROUTE."""


class NetlinkLiveAddresses:
    def __init__(self, addresses: NetlinkAddresses) -> None:
        self._addresses = addresses

    def on(self, interface: str) -> tuple[LiveAddress, ...]:
        with IPRoute() as netlink:
            device = link_of(netlink, interface)["index"]
            return tuple(
                LiveAddress(
                    address=f"{each.get_attr('IFA_LOCAL')}/{each['prefixlen']}",
                    is_static=bool((each.get_attr("IFA_FLAGS") or each["flags"]) & PERMANENT),
                    has_route=not (each.get_attr("IFA_FLAGS") or 0) & NO_PREFIX_ROUTE,
                )
                for each in netlink.get_addr(family=IPV4, index=device)
            )

    def add(self, interface: str, address: str, *, has_route: bool = True) -> None:
        spec: dict[str, object] = {} if has_route else {"flags": NO_PREFIX_ROUTE}
        network = IPv4Interface(address).network
        if network.prefixlen < 31:
            spec["broadcast"] = str(network.broadcast_address)
        self._change("add", "address-not-added", interface, address, errno.EEXIST, spec)

    def remove(self, interface: str, address: str) -> None:
        self._change("del", "address-not-removed", interface, address, errno.EADDRNOTAVAIL, {})

    def give_back(self, installation: Installation) -> None:
        self._addresses.give_back(installation)

    def _change(
        self, command: str, code: str, interface: str, address: str, already: int, spec: dict[str, object]
    ) -> None:
        ip, _, length = address.partition("/")
        try:
            with IPRoute() as netlink:
                device = link_of(netlink, interface)["index"]
                promote_secondaries(netlink, device)
                netlink.addr(command, index=device, address=ip, prefixlen=int(length), **spec)
        except (NetlinkError, OSError) as error:
            if not isinstance(error, NetlinkError) or error.code != already:
                raise Failed(code, why=str(error)) from error
