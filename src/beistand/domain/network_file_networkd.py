"""systemd-networkd: `.network` files and their drop-ins (systemd.network(5))."""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import IPv4Interface

from beistand.domain.network_file import ANY, Configured, Unclear, with_prefix
from beistand.domain.network_file_sections import Entry, Section, of_name, sections
from beistand.domain.network_file_text import Change, changed, ending, replaced_in

FAMILIES = {"yes", "ipv4", "true", "on", "1", "both"}


def configured(text: str) -> tuple[Configured, ...]:
    """Return the IPv4 addresses of `Address=` in [Network] and [Address]. Raises Unclear."""
    found = _sections(text)
    interface = _interface(found)
    return tuple(
        Configured(address=address, interface=interface, line=entry.line.number)
        for _, entry, address in _addresses(found)
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


def replaced(text: str, old: str, new: str) -> str:
    """Return the text with the address `old` as `new`, which has a prefix length. Raises Unclear."""
    changes = []
    for section, entry, address in _addresses(_sections(text)):
        if address.partition("/")[0] != old:
            continue
        if "/" in address and IPv4Interface(address).network != IPv4Interface(new).network:
            _refuse_rest(section, "Broadcast")
        _refuse_rest(section, "Peer")
        changes.append(_value(entry, address, new if "/" in address else new.partition("/")[0]))
    return changed(text, changes)


def without(text: str, ip: str) -> str:
    """Return the text without this address; a section [Address] that held nothing else goes with it."""
    changes = []
    for section, entry, address in _addresses(_sections(text)):
        if address.partition("/")[0] != ip:
            continue
        whole = section.name == "Address"
        start, end = (section.line.start, section.end) if whole else (entry.line.start, entry.line.end)
        changes.append(Change(start=start, end=end))
    return changed(text, changes)


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


def _sections(text: str) -> tuple[Section, ...]:
    return sections(text, comments="#;", joins=True)


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


def _addresses(found: tuple[Section, ...]) -> list[tuple[Section, Entry, str]]:
    return [
        (section, entry, address)
        for section in of_name(found, "Network", "Address")
        for entry in section.entries
        if entry.key == "Address" and (address := _address(entry))
    ]


def _address(entry: Entry) -> str:
    """Return the IPv4 address; empty for IPv6, for nothing, and for one that networkd picks itself."""
    if ":" in entry.value or not entry.value:
        return ""
    ip, _, length = entry.value.partition("/")
    try:
        address = with_prefix(ip, length)
    except ValueError:
        raise Unclear(entry.line.number, entry.line.bare) from None
    return "" if address.partition("/")[0] == ANY else address


def _value(entry: Entry, old: str, new: str) -> Change:
    ip, _, length = old.partition("/")
    if length and entry.value == f"{ip}/{length}":
        return Change(start=entry.value_start, end=entry.value_end, new=new)
    return replaced_in(entry.line, entry.value_start, entry.value_end, ip, new.partition("/")[0])


def _refuse_rest(section: Section, key: str) -> None:
    for each in section.entries:
        if section.name == "Address" and each.key == key:
            raise Unclear(each.line.number, each.line.bare)
