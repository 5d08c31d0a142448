"""The network cards and the machine-id of this machine (port `Machine`)."""

import hashlib
import socket
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from beistand.domain.machine import MachineSigns

ETHERNET = 1
"""ARPHRD_ETHER."""
RANDOM = "1"
"""NET_ADDR_RANDOM: the kernel made the address up (/sys/class/net/NAME/addr_assign_type)."""
NO_CARD = "00:00:00:00:00:00"
SALT = b"beistand machine "


class LocalMachine:
    def __init__(
        self, machine_id: Path = Path("/etc/machine-id"), links: Path = Path("/sys/class/net")
    ) -> None:
        self._machine_id = machine_id
        self._links = links

    def look(self, interface: str) -> MachineSigns:
        return MachineSigns(
            machine_id=self._digest(), cards=self._cards(interface), host=socket.gethostname()
        )

    def _digest(self) -> str:
        try:
            text = self._machine_id.read_bytes()[:64].strip()
        except OSError:
            return ""
        return hashlib.sha256(SALT + text).hexdigest()[:32] if text else ""

    def _cards(self, interface: str) -> tuple[str, ...]:
        try:
            with IPRoute() as netlink:
                links = [each for each in netlink.get_links() if each["ifi_type"] == ETHERNET]
        except (NetlinkError, OSError):
            return ()
        found = {self._made(each, interface) for each in links}
        return tuple(sorted(found - {"", NO_CARD}))

    def _made(self, link: Any, interface: str) -> str:
        """Return the address that the card was made with; empty for what is no card."""
        name = str(link.get_attr("IFLA_IFNAME"))
        permanent = str(link.get_attr("IFLA_PERM_ADDRESS") or "").lower()
        info = link.get_attr("IFLA_LINKINFO")
        kind = str(info.get_attr("IFLA_INFO_KIND") or "") if info is not None else ""
        if not kind and permanent:
            return permanent
        # A container's one, and cards of drivers that do not say.
        is_own = name == interface and kind in {"", "veth", "macvlan", "ipvlan"}
        if (kind and not is_own) or self._assigned(name) == RANDOM:
            return ""
        return str(link.get_attr("IFLA_ADDRESS") or "").lower()

    def _assigned(self, name: str) -> str:
        try:
            return (self._links / name / "addr_assign_type").read_text().strip()
        except OSError:
            return ""
