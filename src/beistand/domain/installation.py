"""The settings of one installation, as they stand in /etc/beistand/installation.toml. Identity: they never travel."""

from ipaddress import IPv4Address, IPv4Interface

from beistand.domain.value import Value


class ServiceAddress(Value, frozen=True, kw_only=True):
    """An address that the phones know and that exactly the active holds."""

    address: str
    interface: str


class Installation(Value, frozen=True, kw_only=True):
    """How Beistand sits on this machine."""

    interface: str
    own_address: str
    """Own address with its prefix length, `192.0.2.1/24`: static, in the system's network configuration."""
    service_addresses: tuple[ServiceAddress, ...]
    """One for now (`addressing_problem`); a list, so that more need no other file."""
    profile: str
    on_loopback: bool = False
    """Hold the service address on `lo` instead of the interface: survives more, is looked for less."""
    strict_boot: bool = False
    """After a boot with a silent peer stay held until a click, instead of serving unverified (R2)."""
    language: str = ""
    """Language of mails and of what nobody asked for in person; empty: the system's."""

    @property
    def own_ip(self) -> str:
        return str(IPv4Interface(self.own_address).ip)

    @property
    def prefix_length(self) -> int:
        return IPv4Interface(self.own_address).network.prefixlen

    @property
    def subnet(self) -> str:
        return str(IPv4Interface(self.own_address).network)

    @property
    def service_ip(self) -> str:
        """The service address: the one that evidence and verification ask for."""
        return self.service_addresses[0].address

    def in_subnet(self, address: str) -> bool:
        return IPv4Address(address) in IPv4Interface(self.own_address).network
