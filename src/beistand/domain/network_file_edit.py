"""What a network file configures, and the same file changed: one way to the four formats.

Every change is read again and held against what was meant; what is not certain is NotUnderstood, never a guess.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import msgspec

from beistand.domain import (
    network_file_ifupdown,
    network_file_keyfile,
    network_file_netplan,
    network_file_networkd,
)
from beistand.domain.network_file import Configured, Manager, Named, NotUnderstood, Unclear
from beistand.domain.network_file_text import lines, places

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from beistand.domain.network_file import NetworkFile

FORMATS: dict[Manager, ModuleType] = {
    Manager.NETWORKD: network_file_networkd,
    Manager.IFUPDOWN: network_file_ifupdown,
    Manager.NETWORK_MANAGER: network_file_keyfile,
    Manager.NETPLAN: network_file_netplan,
}


def configured(file: NetworkFile) -> tuple[Configured, ...]:
    """Return the IPv4 addresses that this file gives to interfaces. Raises NotUnderstood."""
    try:
        found: tuple[Configured, ...] = FORMATS[file.manager].configured(file.text)
    except Unclear as unclear:
        raise NotUnderstood(file.path, unclear) from None
    return tuple(_of_parent(file, each) for each in found)


def leases(file: NetworkFile) -> tuple[tuple[str, int], ...]:
    """Return (interface, line) where the file has a DHCP server give the IPv4 address. Raises NotUnderstood."""
    try:
        found: tuple[tuple[str, int], ...] = FORMATS[file.manager].leases(file.text)
    except Unclear as unclear:
        raise NotUnderstood(file.path, unclear) from None
    return found


def replaced(file: NetworkFile, old: str, new: str, *, rest_may_stay: bool = False) -> NetworkFile:
    """Return the file with the address `old` (without prefix length) as `new` (with one).

    All other bytes stay. Raises NotUnderstood, also where other lines still speak of the old address; what they
    say brings no address, and `rest_may_stay` leaves them as they are.
    """
    after = _changed(file, lambda text: FORMATS[file.manager].replaced(text, old, new))
    rest = mentions(after, old)
    if rest and not rest_may_stay:
        raise NotUnderstood(file.path, Unclear(rest[0], _said(after, rest[0])))
    meant = sorted(new.partition("/")[0] if each.ip == old else each.ip for each in configured(file))
    _hold_against(file, after, meant)
    return after


def without(file: NetworkFile, address: str) -> NetworkFile:
    """Return the file without this address (no prefix length). Raises NotUnderstood."""
    after = _changed(file, lambda text: FORMATS[file.manager].without(text, address))
    _hold_against(file, after, sorted(each.ip for each in configured(file) if each.ip != address))
    return after


def added(file: NetworkFile, interface: str, address: str) -> NetworkFile:
    """Return the file with one address more (with prefix length) on this interface, which it has already.

    Raises NotUnderstood.
    """
    after = _changed(file, lambda text: FORMATS[file.manager].added(text, interface, address))
    meant = [*(each.ip for each in configured(file)), address.partition("/")[0]]
    _hold_against(file, after, sorted(meant))
    return after


def mentions(file: NetworkFile, address: str) -> tuple[int, ...]:
    """Return the lines that speak of this address, whatever they say of it; comments are passed over."""
    return tuple(
        each.number
        for each in lines(file.text)
        if not each.bare.startswith(("#", ";")) and places(each.text.partition(" #")[0], address)
    )


def named(file: NetworkFile, addresses: Collection[str]) -> tuple[Named, ...]:
    """Return every place where the file brings one of these addresses; never raises.

    A file or a command that cannot be read and speaks of one is a place, too, with `is_understood` false.
    """
    try:
        found = configured(file)
    except NotUnderstood:
        return tuple(
            _named(file, address, line, "*", is_understood=False)
            for address in addresses
            for line in mentions(file, address)
        )
    sure = [_named(file, each.ip, each.line, each.interface) for each in found if each.ip in addresses]
    unsure = [
        _named(file, address, line, "*", is_understood=False)
        for address in addresses
        if (line := _unclear_line(file, address))
    ]
    return (*sure, *unsure)


def _changed(file: NetworkFile, change: Callable[[str], str]) -> NetworkFile:
    try:
        text = change(file.text)
    except Unclear as unclear:
        raise NotUnderstood(file.path, unclear) from None
    return msgspec.structs.replace(file, body=text.encode("utf-8", "surrogateescape"))


def _hold_against(file: NetworkFile, after: NetworkFile, meant: list[str]) -> None:
    if sorted(each.ip for each in configured(after)) != meant:
        first = next(iter(configured(file)), None)
        raise NotUnderstood(file.path, Unclear(first.line if first else 1, ", ".join(meant)))


def _unclear_line(file: NetworkFile, address: str) -> int:
    try:
        FORMATS[file.manager].without(file.text, address)
    except Unclear as unclear:
        return unclear.line
    return 0


def _of_parent(file: NetworkFile, found: Configured) -> Configured:
    return found if found.interface else msgspec.structs.replace(found, interface=file.interface or "*")


def _said(file: NetworkFile, number: int) -> str:
    return next((each.bare for each in lines(file.text) if each.number == number), "")


def _named(
    file: NetworkFile, address: str, line: int, interface: str, *, is_understood: bool = True
) -> Named:
    return Named(
        path=file.path,
        line=line,
        manager=file.manager,
        interface=interface,
        address=address,
        is_understood=is_understood,
    )
