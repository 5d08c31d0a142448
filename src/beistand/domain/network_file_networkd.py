"""systemd-networkd: `.network` files and their drop-ins (systemd.network(5))."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from ipaddress import IPv4Interface

from beistand.domain.network_file import ANY, Configured, Doubt, Edit, Reading, Unclear, with_prefix
from beistand.domain.network_file_sections import Entry, Section, headless, of_name, sections
from beistand.domain.network_file_text import SYSTEMD, Change, changed, doubt, ending, lines
from beistand.domain.value import Value

FAMILIES = {"yes", "ipv4", "true", "on", "1", "both"}
_BRINGING = {
    ("Network", "Address"),
    ("Address", "Address"),
    # The address that the interface's DHCP server has is given to the interface, too.
    ("DHCPServer", "ServerAddress"),
}
_LENGTH = re.compile(r"\s*\+?(0[xX][0-9a-fA-F]{1,4}|0[bB][01]{1,8}|0[oO][0-7]{1,4}|[0-9]{1,4})")
"""A number as systemd reads it (safe_atou8): octal behind a 0."""


class _Address(Value, frozen=True, kw_only=True):
    section: Section
    entry: Entry
    address: str

    @property
    def ip(self) -> str:
        return self.address.partition("/")[0]


def read(text: str) -> Reading:
    """Return the IPv4 addresses that networkd gives the interface, and what of them cannot be read."""
    found = _sections(text)
    interface = _interface(found)
    addresses, doubts = _addresses(found, interface)
    return Reading(
        configured=tuple(
            Configured(address=each.address, interface=interface, line=each.entry.line.number)
            for each in addresses
        ),
        doubts=(*doubts, *headless(found, interface or "*")),
    )


def leases(text: str) -> tuple[tuple[str, int], ...]:
    """Return (interface, line) where a DHCP server gives the IPv4 address."""
    found = _sections(text)
    return tuple(
        (_interface(found), each.line.number)
        for section in of_name(found, "Network")
        for each in section.entries
        if each.key == "DHCP" and each.value.lower() in FAMILIES
    )


def replaced(text: str, old: str, new: str) -> Edit:
    """Return the text with the address `old` as `new`, which has a prefix length; a peer of the old one goes."""
    changes = []
    found = _sections(text)
    for each in _addresses(found, "")[0]:
        if each.ip != old:
            continue
        said = new if "/" in each.entry.value else new.partition("/")[0]
        changes.append(Change(start=each.entry.value_start, end=each.entry.value_end, new=said))
        is_other = "/" in each.address and IPv4Interface(each.address).network != IPv4Interface(new).network
        # What spoke of the old address or its network is none of the new one's.
        gone = {"Peer", "Broadcast"} if is_other else {"Peer"}
        if each.section.name == "Address":
            changes += [_without(one) for one in each.section.entries if one.key in gone]
    return Edit(text=changed(text, changes))


def without(text: str, ip: str) -> Edit:
    """Return the text without this address; a section [Address] that held nothing else goes with it."""
    found = _addresses(_sections(text), "")[0]
    stays = {id(each.section) for each in found if each.ip != ip or each.section.name != "Address"}
    return Edit(
        text=changed(
            text,
            [
                _without(each.entry)
                if id(each.section) in stays
                else Change(start=each.section.line.start, end=each.section.end)
                for each in found
                if each.ip == ip
            ],
        )
    )


def added(text: str, interface: str, address: str) -> str:
    """Return the text with one address more in [Network], which is made where it is missing. Raises Unclear."""
    found, end = _sections(text), ending(text)
    if _interface(found) and not matches(text, interface, ""):
        raise Unclear(1, interface)
    networks = of_name(found, "Network")
    if not networks:
        gap = "" if text.endswith("\n") or not text else end
        return f"{text}{gap}{end}[Network]{end}Address={address}{end}"
    after = networks[-1].end
    lead = "" if text[:after].endswith("\n") else end
    return changed(text, [Change(start=after, end=after, new=f"{lead}Address={address}{end}")])


def matches(text: str, interface: str, mac: str) -> bool | None:
    """Tell whether the file is for this interface; None: it asks for what cannot be seen from here."""
    found = of_name(_sections(text), "Match")
    keys = {entry.key for section in found for entry in section.entries}
    if not keys or keys - {"Name", "MACAddress", "PermanentMACAddress", "OriginalName"}:
        return None
    names = _words(found, "Name") + _words(found, "OriginalName")
    macs = [each.lower().replace("-", ":") for each in _words(found, "MACAddress", "PermanentMACAddress")]
    if names and not _is_named(names, interface):
        return False
    return not macs or mac.lower() in macs


def interface_of(text: str) -> str:
    """Return for what the file is, as its [Match] says it; empty without one."""
    return _interface(_sections(text))


def _joined(line: str) -> str | None:
    # A backslash that another one escapes joins nothing (config_parse of systemd's conf-parser.c).
    is_joined = (len(line) - len(line.rstrip("\\"))) % 2 == 1
    return f"{line[:-1]} " if is_joined else None


def _sections(text: str) -> tuple[Section, ...]:
    return sections(lines(text, ends=SYSTEMD, joins=_joined, comments="#;", skips=True), comments="#;")


def _words(found: tuple[Section, ...], *keys: str) -> list[str]:
    return [
        word for section in found for key in keys for value in section.values(key) for word in value.split()
    ]


def _is_named(names: list[str], interface: str) -> bool:
    # A leading exclamation mark turns the whole list round.
    is_turned = names[0].startswith("!")
    return is_turned != any(fnmatchcase(interface, each.lstrip("!")) for each in names)


def _interface(found: tuple[Section, ...]) -> str:
    match = of_name(found, "Match")
    return " ".join(_words(match, "Name", "MACAddress", "PermanentMACAddress", "OriginalName"))


def _addresses(found: tuple[Section, ...], interface: str) -> tuple[list[_Address], list[Doubt]]:
    addresses, doubts = [], []
    for section in found:
        for entry in section.entries:
            # Nothing, and IPv6, is none of ours.
            if (section.name, entry.key) not in _BRINGING or ":" in entry.value or not entry.value:
                continue
            try:
                address = _address(entry.value)
            except ValueError:
                doubts.append(doubt(entry.line, interface or "*"))
            else:
                if address.partition("/")[0] != ANY:  # that one networkd picks itself
                    addresses.append(_Address(section=section, entry=entry, address=address))
    return addresses, doubts


def _address(value: str) -> str:
    """Raise ValueError."""
    ip, slash, length = value.partition("/")
    if not slash:
        return with_prefix(ip, "")
    match = _LENGTH.fullmatch(length)
    if match is None:
        raise ValueError(length)
    is_octal = match[1].startswith("0") and match[1].isdigit()
    return with_prefix(ip, str(int(match[1], 8 if is_octal else 0)))


def _without(entry: Entry) -> Change:
    return Change(start=entry.line.start, end=entry.line.end)
