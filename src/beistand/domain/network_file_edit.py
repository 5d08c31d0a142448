"""What a network file configures, and the same file changed: one way to the four formats.

What is understood is told and changed; what is not is told beside it. Neither hides the other. Every change is read
again and held against what was meant.
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
from beistand.domain.network_file import (
    Configured,
    Doubt,
    Edit,
    Manager,
    Named,
    NamesAddress,
    NotUnderstood,
    Reading,
    Unclear,
    plain,
    shown,
)
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


def reading(file: NetworkFile) -> Reading:
    """Return what the file says of IPv4 addresses; never raises."""
    found: Reading = FORMATS[file.manager].read(file.text)
    return Reading(configured=tuple(_of_parent(file, each) for each in found.configured), doubts=found.doubts)


def configured(file: NetworkFile) -> tuple[Configured, ...]:
    """Return the IPv4 addresses that this file gives to interfaces, as far as it can be read."""
    return reading(file).configured


def check(file: NetworkFile, interface: str) -> None:
    """See that every address that the file gives to this interface can be read. Raises NotUnderstood."""
    for each in reading(file).doubts:
        if each.is_whole or each.interface in {interface, "*"}:
            raise NotUnderstood(file.path, each.line, each.what)


def leases(file: NetworkFile) -> tuple[tuple[str, int], ...]:
    """Return (interface, line) where the file has a DHCP server give the IPv4 address. Raises NotUnderstood."""
    try:
        found: tuple[tuple[str, int], ...] = FORMATS[file.manager].leases(file.text)
    except Unclear as unclear:
        raise NotUnderstood(file.path, unclear.line, unclear.what) from None
    return found


def replaced(file: NetworkFile, old: str, new: str, *, rest_may_stay: bool = False) -> NetworkFile:
    """Return the file with the address `old` (without prefix length) as `new` (with one).

    All other bytes stay. Raises NotUnderstood, and NamesAddress where other lines still speak of the old address;
    `rest_may_stay` leaves these as they are.
    """
    after, left = exchanged(file, old, new)
    for doubt in left:
        raise NotUnderstood(file.path, doubt.line, doubt.what)
    rest = mentions(after, old)
    if rest and not rest_may_stay:
        raise NamesAddress(file.path, rest[0], _said(after, rest[0]), old)
    return after


def without(file: NetworkFile, address: str) -> NetworkFile:
    """Return the file without this address (no prefix length).

    Raises NotUnderstood, also where another line may bring it.
    """
    after, left = taken_out(file, address)
    for doubt in (*left, *_doubts(file, address)):
        raise NotUnderstood(file.path, doubt.line, doubt.what)
    return after


def exchanged(file: NetworkFile, old: str, new: str) -> tuple[NetworkFile, tuple[Doubt, ...]]:
    """Return the file with the address exchanged as far as that can be done, and the places that are left.

    Raises NotUnderstood where the file as a whole cannot be read or changed.
    """
    after, left = _changed(file, lambda text: FORMATS[file.manager].replaced(text, old, new))
    _hold_against(file, after, old, new.partition("/")[0], len(left))
    return after, left


def taken_out(file: NetworkFile, address: str) -> tuple[NetworkFile, tuple[Doubt, ...]]:
    """Return the file without the address as far as that can be done, and the places that are left.

    Raises NotUnderstood where the file as a whole cannot be read or changed.
    """
    after, left = _changed(file, lambda text: FORMATS[file.manager].without(text, address))
    _hold_against(file, after, address, "", len(left))
    return after, left


def added(file: NetworkFile, interface: str, address: str) -> NetworkFile:
    """Return the file with one address more (with prefix length) on this interface, which it has already.

    Raises NotUnderstood.
    """
    after, _ = _changed(file, lambda text: Edit(text=FORMATS[file.manager].added(text, interface, address)))
    meant = [*(each.ip for each in configured(file)), address.partition("/")[0]]
    if sorted(each.ip for each in configured(after)) != sorted(meant):
        raise NotUnderstood(file.path, 1, interface)
    return after


def mentions(file: NetworkFile, address: str) -> tuple[int, ...]:
    """Return the lines that speak of this address, whatever they say of it; comments are passed over."""
    return _lines_of(file.text, address)


def named(file: NetworkFile, addresses: Collection[str]) -> tuple[Named, ...]:
    """Return every place where the file brings one of these addresses; never raises.

    A file or a line that cannot be read and speaks of one is a place, too, with `is_understood` false.
    """
    found = reading(file)
    sure = [
        _named(file, each.ip, each.line, each.interface) for each in found.configured if each.ip in addresses
    ]
    unsure = dict.fromkeys(
        _named(file, address, doubt.line, "*", what=doubt.what)
        for address in addresses
        for doubt in _doubts(file, address, found)
    )
    return (*sure, *unsure)


def _doubts(file: NetworkFile, address: str, found: Reading | None = None) -> list[Doubt]:
    """Return the lines that cannot be read and speak of this address, each with the reason."""
    doubts: list[Doubt] = []
    for each in (found or reading(file)).doubts:
        if each.is_whole:
            doubts += [Doubt(line=line, what=each.what) for line in _lines_of(each.text, address)]
        elif places(each.text, address):
            doubts.append(each)
    return doubts


def _lines_of(text: str, address: str) -> tuple[int, ...]:
    return tuple(
        each.number
        for each in lines(text)
        if not each.bare.startswith(("#", ";")) and places(each.text.partition(" #")[0], address)
    )


def _changed(file: NetworkFile, change: Callable[[str], Edit]) -> tuple[NetworkFile, tuple[Doubt, ...]]:
    try:
        edit = change(file.text)
    except Unclear as unclear:
        raise NotUnderstood(file.path, unclear.line, unclear.what) from None
    return (file if edit.text == file.text else file.with_text(edit.text)), edit.left


def _hold_against(file: NetworkFile, after: NetworkFile, old: str, new: str, left: int) -> None:
    """See that one address changed and no other. Raises NotUnderstood."""
    before = [each.ip for each in configured(file)]
    meant = [each for each in before if each != old] + [old] * left
    meant += [new] * (before.count(old) - left) if new else []
    if sorted(each.ip for each in configured(after)) != sorted(meant):
        first = next((each for each in configured(file) if each.ip == old), None)
        raise NotUnderstood(file.path, first.line if first else 1, old)


def _of_parent(file: NetworkFile, found: Configured) -> Configured:
    return found if found.interface else msgspec.structs.replace(found, interface=file.interface or "*")


def _said(file: NetworkFile, number: int) -> str:
    return shown(next((each.text for each in lines(file.text) if each.number == number), ""))


def _named(file: NetworkFile, address: str, line: int, interface: str, *, what: str = "") -> Named:
    return Named(
        path=file.shown,
        line=line,
        manager=file.manager,
        interface=plain(interface),
        address=address,
        is_understood=not what,
        what=what,
    )
