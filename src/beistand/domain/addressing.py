"""Whether the addresses of an installation can work at all (S1)."""

from ipaddress import IPv4Address, IPv4Interface

from beistand.domain.installation import Installation
from beistand.domain.message import Message, message


def addressing_problem(installation: Installation) -> Message | None:
    """Return what is wrong with the interface or the addresses, None if they can work."""
    if not installation.interface or "/" in installation.interface or len(installation.interface) > 15:
        return message("interface-name-wrong", interface=installation.interface)
    try:
        own = IPv4Interface(installation.own_address)
    except ValueError:
        return message("own-address-wrong", address=installation.own_address)
    # A bare address parses as /32: nobody else would be in its subnet.
    if not 1 <= own.network.prefixlen <= 30 or own.ip in (
        own.network.network_address,
        own.network.broadcast_address,
    ):
        return message("own-address-wrong", address=installation.own_address)
    if not installation.service_addresses:
        return message("service-address-missing")
    if len(installation.service_addresses) > 1:
        several = ", ".join(each.address for each in installation.service_addresses)
        return message("service-addresses-several", addresses=several)
    (service,) = installation.service_addresses
    # Boot check, evidence, announcing and what watches them ask on one interface: there it has to be.
    if service.interface != installation.interface:
        return message(
            "service-address-elsewhere",
            address=service.address,
            interface=service.interface,
            own_interface=installation.interface,
        )
    return _service_problem(own, service.address)


def _service_problem(own: IPv4Interface, text: str) -> Message | None:
    try:
        address = IPv4Address(text)
    except ValueError:
        return message("service-address-wrong", address=text)
    if address == own.ip:
        return message("service-address-is-own", address=text)
    edges = (own.network.network_address, own.network.broadcast_address)
    if address not in own.network or address in edges:
        return message("service-address-outside", address=text, subnet=str(own.network))
    return None
