"""NetworkManager: connection profiles as key files (nm-settings-keyfile(5))."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from beistand.domain.network_file import (
    ANY,
    Configured,
    Doubt,
    Edit,
    Reading,
    Unclear,
    is_length,
    with_prefix,
)
from beistand.domain.network_file_sections import Entry, Section, headless, of_name, sections
from beistand.domain.network_file_text import LONGEST, Change, changed, doubt, ending, lines
from beistand.domain.value import Value

_KEY = re.compile(r"address(?:es)?([0-9]{0,9})")
# Both the present form `192.0.2.1/24,192.0.2.254` and the older one `192.0.2.1;24;192.0.2.254;`: the separators
# may stand for each other.
_VALUE = re.compile(r"([0-9.]+)(?:[/;,]([0-9]+))?(?:[/;,]([0-9.]*))?[/;,]?")
_NEEDS_ADDRESS = re.compile(
    r"method|gateway|dns(?:-search|-options)?|(?:address(?:es)?|routes?)[0-9]*(?:_options)?"
)


class _Address(Value, frozen=True, kw_only=True):
    entry: Entry
    address: str
    gateway: str
    start: int
    end: int
    """Offsets of address and prefix length, without the gateway."""
    number: int
    """Of its key: NetworkManager takes them in this order."""

    @property
    def ip(self) -> str:
        return self.address.partition("/")[0]


def read(text: str) -> Reading:
    """Return the addresses of [ipv4], and what of them cannot be read."""
    found = _sections(text)
    interface = _interface(found)
    addresses, doubts = _addresses(found, interface)
    return Reading(
        configured=tuple(
            Configured(address=each.address, interface=interface, line=each.entry.line.number)
            for each in addresses
        ),
        doubts=(*doubts, *headless(found, interface)),
    )


def leases(text: str) -> tuple[tuple[str, int], ...]:
    found = _sections(text)
    return tuple(
        (_interface(found), entry.line.number)
        for section in of_name(found, "ipv4")
        for entry in section.entries
        if entry.key == "method" and entry.value == "auto"
    )


def replaced(text: str, old: str, new: str) -> Edit:
    """Return the text with the address `old` as `new`, which has a prefix length."""
    ip, _, length = new.partition("/")
    changes = []
    for each in _addresses(_sections(text), "")[0]:
        if each.ip == old:
            between = ";" if ";" in text[each.start : each.end] else "/"
            as_new = f"{ip}{between}{length}" if "/" in each.address else ip
            changes.append(Change(start=each.start, end=each.end, new=as_new))
    return Edit(text=changed(text, changes))


def without(text: str, ip: str) -> Edit:
    """Return the text without this address: the gateway that counted stays; without any, IPv4 is switched off."""
    all_of_it = _addresses(_sections(text), "")[0]
    ours = [each for each in all_of_it if each.ip == ip]
    if not ours:
        return Edit(text=text)
    if len(ours) == len(all_of_it) and not leases(text):
        return Edit(text=_disabled(text))
    # The first gateway is the one that counts, unless the profile names one by itself.
    first = next((each for each in all_of_it if each.gateway), None)
    has_own = any(section.value("gateway") for section in of_name(_sections(text), "ipv4"))
    changes = []
    for each in ours:
        stays = f"gateway={each.gateway}{ending(text)}" if each is first and not has_own else ""
        changes.append(Change(start=each.entry.line.start, end=each.entry.line.end, new=stays))
    return Edit(text=changed(text, changes))


def added(text: str, interface: str, address: str) -> str:
    """Return the text with one address more. Raises Unclear where it has no [ipv4] or is for another interface."""
    found = _sections(text)
    if not matches(text, interface, "") or not of_name(found, "ipv4"):
        raise Unclear(1, interface)
    section = of_name(found, "ipv4")[-1]
    taken = [int(match[1] or 0) for each in section.entries if (match := _KEY.fullmatch(each.key))]
    end = ending(text)
    lead = "" if text[: section.end].endswith("\n") else end
    line = f"{lead}address{max(taken, default=0) + 1}={address}{end}"
    changes = [Change(start=section.end, end=section.end, new=line)]
    changes += [
        Change(start=each.value_start, end=each.value_end, new="manual")
        for each in section.entries
        if each.key == "method" and each.value in {"disabled", "link-local"}
    ]
    return changed(text, changes)


def matches(text: str, interface: str, mac: str) -> bool:
    """Tell whether the profile fits this interface; without a MAC only its name is held against it."""
    found = _sections(text)
    connection, match = of_name(found, "connection"), of_name(found, "match")
    name = connection[-1].value("interface-name") if connection else ""
    patterns = [word for each in match for word in re.split(r"[;,\s]+", each.value("interface-name")) if word]
    macs = [
        each.value("mac-address").lower() for each in of_name(found, "ethernet", "802-3-ethernet", "wifi")
    ]
    if name and name != interface:
        return False
    if patterns and not any(fnmatchcase(interface, each.lstrip("|&")) for each in patterns):
        return False
    return not mac or not any(macs) or mac.lower() in macs


def is_named(text: str, interface: str) -> bool:
    """Tell whether the profile asks for this interface by its name."""
    return any(each.value("interface-name") == interface for each in of_name(_sections(text), "connection"))


def uuid(text: str) -> str:
    """Return by which name NetworkManager knows the profile; empty where it makes one up."""
    return next((each.value("uuid") for each in of_name(_sections(text), "connection")), "")


def folder(text: str) -> str:
    """Return where the configuration of NetworkManager has its profiles, as [keyfile] says; empty: as ever."""
    return next(
        (each.value("path") for each in of_name(_sections(text), "keyfile") if each.value("path")), ""
    )


def is_made_up(text: str) -> bool:
    """Tell whether NetworkManager wrote the profile by itself, after what others gave the interface."""
    return any(each.value("nm-generated") in {"true", "1"} for each in of_name(_sections(text), ".nmmeta"))


def _sections(text: str) -> tuple[Section, ...]:
    return sections(lines(text), comments="#")


def _interface(found: tuple[Section, ...]) -> str:
    named = [each.value("interface-name") for each in of_name(found, "connection", "match")]
    macs = [each.value("mac-address") for each in of_name(found, "ethernet", "802-3-ethernet", "wifi")]
    return next((each for each in (*named, *macs) if each), "*")


def _addresses(found: tuple[Section, ...], interface: str) -> tuple[list[_Address], list[Doubt]]:
    addresses, doubts = [], []
    for section in of_name(found, "ipv4"):
        for entry in section.entries:
            match = _KEY.fullmatch(entry.key)
            if match is None or not entry.value:
                continue
            try:
                addresses.append(_address(entry, int(match[1] or -1)))
            except ValueError:
                doubts.append(doubt(entry.line, interface))
    return sorted(addresses, key=lambda each: each.number), doubts


def _address(entry: Entry, number: int) -> _Address:
    """Raise ValueError."""
    match = _VALUE.fullmatch(entry.value[:LONGEST])
    if match is None:
        raise ValueError(entry.value)
    # A length that there is none of counts for NetworkManager as if it were missing.
    address = with_prefix(match[1], match[2] if is_length(match[2]) else "")
    gateway = "" if match[3] in {None, ANY} else match[3]
    last = match.end(2) if match[2] else match.end(1)
    return _Address(
        entry=entry,
        address=address,
        gateway=gateway,
        start=entry.value_start,
        end=entry.value_start + last,
        number=number,
    )


def _disabled(text: str) -> str:
    # "manual" without an address is no valid profile, nor is "disabled" with a gateway or a DNS server.
    section, end = of_name(_sections(text), "ipv4")[-1], ending(text)
    changes = [
        Change(start=each.line.start, end=each.line.end)
        for each in section.entries
        if _NEEDS_ADDRESS.fullmatch(each.key)
    ]
    after = section.line.end
    return changed(text, [*changes, Change(start=after, end=after, new=f"method=disabled{end}")])
