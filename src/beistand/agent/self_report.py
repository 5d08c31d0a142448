"""What this appliance says about itself: to its peer and to people."""

import socket
import threading

from beistand import __version__
from beistand.domain.installation import Installation
from beistand.domain.pair import Appliance
from beistand.domain.profile import Profile
from beistand.domain.role import NodeId
from beistand.domain.value import Value
from beistand.ports.clock import Clock
from beistand.ports.network import Addresses, TimeServers
from beistand.ports.services import Services

FRESH_SECONDS = 20.0
"""The version of the PBX is asked again after so long: asking starts a program."""


GLANCE_SECONDS = 1.0
"""What the kernel says of the network is good for so long: each look opens netlink sockets, and each page looks."""


class _Network(Value, frozen=True, kw_only=True):
    """What the kernel and its configuration say of the network, one look."""

    mac: str
    gateway: str
    dns: tuple[str, ...]
    is_static: bool
    time_servers: tuple[str, ...]
    vlan: int


class SelfReport:
    """Builds Appliance values; slow facts are kept for a while."""

    def __init__(
        self, addresses: Addresses, services: Services, time_servers: TimeServers, clock: Clock
    ) -> None:
        self._addresses = addresses
        self._services = services
        self._time_servers = time_servers
        self._clock = clock
        self._lock = threading.Lock()
        self._version: str | None = None
        self._asked = 0.0
        self._network: tuple[float, Installation, _Network] | None = None

    def appliance(
        self, node: NodeId, licence_key: str, installation: Installation, profile: Profile
    ) -> Appliance:
        network = self._look(installation)
        return Appliance(
            node=node,
            host=socket.gethostname(),
            own_address=installation.own_address,
            service_addresses=tuple(each.address for each in installation.service_addresses),
            mac=network.mac,
            beistand_version=__version__,
            pbx_version=self._pbx_version(profile),
            profile=profile.name,
            licence_key=licence_key,
            gateway=network.gateway,
            dns=network.dns,
            is_static=network.is_static,
            now=self._clock.now(),
            time_servers=network.time_servers,
            vlan=network.vlan,
            start_options=self._services.start_options(profile),
        )

    def _look(self, installation: Installation) -> _Network:
        now, known = self._clock.monotonic(), self._network
        if known is not None and known[1] == installation and now - known[0] < GLANCE_SECONDS:
            return known[2]
        network = _Network(
            mac=self._addresses.mac(installation.interface),
            gateway=self._addresses.gateway(),
            dns=self._addresses.dns(),
            is_static=self._is_static(installation),
            time_servers=self._time_servers.list(),
            vlan=self._addresses.vlan(installation.interface),
        )
        self._network = (now, installation, network)
        return network

    def _is_static(self, installation: Installation) -> bool:
        """Tell what was so while there was a link: many network managers take the address away without one."""
        if not self._addresses.carrier(installation.interface):
            return self._network is None or self._network[2].is_static
        return self._addresses.is_static(installation.interface, installation.own_ip)

    def _pbx_version(self, profile: Profile) -> str:
        """Return what was known; ask again beside: a program that hangs must not delay a greeting."""
        now = self._clock.monotonic()
        with self._lock:
            if self._version is None:
                self._version, self._asked = self._services.version(profile), now
            elif now - self._asked > FRESH_SECONDS:
                self._asked = now
                threading.Thread(target=self._ask, args=(profile,), name="version", daemon=True).start()
            return self._version

    def _ask(self, profile: Profile) -> None:
        version = self._services.version(profile)
        with self._lock:
            self._version = version
