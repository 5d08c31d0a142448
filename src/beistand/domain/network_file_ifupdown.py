"""ifupdown: /etc/network/interfaces and what it sources (interfaces(5))."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface

from beistand.domain.network_file import Configured, Unclear, with_prefix
from beistand.domain.network_file_text import Change, Line, changed, ending, lines, places, replaced_in
from beistand.domain.value import Value

COMMANDS = {"pre-up", "up", "post-up", "down", "pre-down", "post-down"}
BEGINNINGS = {
    "iface",
    "auto",
    "mapping",
    "source",
    "source-directory",
    "rename",
    "template",
    "no-auto-down",
    "no-scripts",
}
_OF_ADDRESS = {
    "address",
    "netmask",
    "broadcast",
    "network",
    "pointopoint",
    "gateway",
    "metric",
    "scope",
    "label",
}
_IP = re.compile(
    r"(?:\S*/)?ip (?:-4 )?(?:address|addr|add|ad|a) (?:add|replace|change|del|delete) (?:local )?"
    r"(?P<ip>[0-9.]+)(?:/(?P<length>\d+))?(?P<rest>(?: [\w.:$+{}-]+)*)(?: \|\| (?:true|:))?"
)
_ADDS = re.compile(r" (?:add|replace|change) (?:local )?[0-9]")


class Option(Value, frozen=True, kw_only=True):
    line: Line
    key: str
    value: str
    start: int
    """Offset of the value in the text."""


class Stanza(Value, frozen=True, kw_only=True):
    """One `iface`: several of one name add up."""

    name: str
    method: str
    line: Line
    options: tuple[Option, ...]
    is_ipv4: bool

    @property
    def end(self) -> int:
        return self.options[-1].line.end if self.options else self.line.end

    def values(self, key: str) -> tuple[Option, ...]:
        return tuple(each for each in self.options if each.key == key)

    @property
    def base(self) -> str:
        """The interface behind an alias: `eth0` of `eth0:0`."""
        return self.name.partition(":")[0]


class _Address(Value, frozen=True, kw_only=True):
    stanza: Stanza
    option: Option
    address: str
    interface: str

    @property
    def ip(self) -> str:
        return self.address.partition("/")[0]


def configured(text: str) -> tuple[Configured, ...]:
    """Return the addresses of static stanzas and of `ip address add` in their commands. Raises Unclear."""
    return tuple(
        Configured(address=each.address, interface=each.interface, line=each.option.line.number)
        for each in _addresses(_stanzas(text))
        if each.option.key == "address" or _ADDS.search(_plain(each.option.value))
    )


def leases(text: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (each.base, each.line.number)
        for each in _stanzas(text)
        if each.is_ipv4 and each.method in {"dhcp", "bootp"}
    )


def sources(text: str) -> tuple[tuple[str, str], ...]:
    """Return (`source` or `source-directory`, pattern) of what else is read, in its order."""
    words = [each.bare.split(None, 1) for each in lines(text, joins=True)]
    return tuple(
        (each[0], each[1].strip())
        for each in words
        if len(each) == 2 and each[0] in {"source", "source-directory"}
    )


def interfaces(text: str) -> tuple[str, ...]:
    """Return the interfaces that have a stanza for IPv4."""
    return tuple(dict.fromkeys(each.base for each in _stanzas(text) if each.is_ipv4))


def replaced(text: str, old: str, new: str) -> str:
    """Return the text with the address `old` as `new`, which has a prefix length; its netmask follows.

    Raises Unclear, also where a command speaks of the old address in a way that cannot be read.
    """
    stanzas = _stanzas(text)
    changes = []
    for each in _addresses(stanzas):
        if each.ip == old:
            changes += _as_new(each, old, new)
    _refuse_rest(stanzas, old)
    return changed(text, changes)


def without(text: str, ip: str) -> str:
    """Return the text without this address.

    A further stanza of an interface goes whole, and what it says beside the address moves to the one that stays;
    the only stanza of an interface becomes `manual`. Raises Unclear as `replaced` does.
    """
    stanzas = _stanzas(text)
    _refuse_rest(stanzas, ip)
    changes: list[Change] = []
    gone: list[Stanza] = []
    for each in _addresses(stanzas):
        if each.ip != ip:
            continue
        if each.option.key != "address":
            changes.append(Change(start=each.option.line.start, end=each.option.line.end))
        else:
            gone.append(each.stanza)
    left = [each for each in stanzas if each not in gone]
    for stanza in gone:
        changes += _unhoused(text, stanza, left)
    for name in {each.name for each in gone} - {each.name for each in left}:
        if ":" in name:
            changes += _unnamed(text, name)
    return changed(text, _merged(changes))


def added(text: str, interface: str, address: str) -> str:
    """Return the text with one stanza more for an interface that it has already. Raises Unclear."""
    if interface not in interfaces(text):
        raise Unclear(1, interface)
    last = [each for each in _stanzas(text) if each.base == interface][-1]
    end = ending(text)
    lead = "" if text[: last.end].endswith("\n") else end
    stanza = f"{lead}{end}iface {interface} inet static{end}\taddress {address}{end}"
    return changed(text, [Change(start=last.end, end=last.end, new=stanza)])


def _stanzas(text: str) -> list[Stanza]:
    found: list[tuple[list[str], Line, list[Option]]] = []
    is_inside = False
    for line in lines(text, joins=True):
        bare = line.bare
        if not bare or bare.startswith("#"):
            continue
        words = _plain(bare).split()
        if words[0] in BEGINNINGS or words[0].startswith("allow-"):
            is_inside = words[0] == "iface"
            if is_inside and len(words) < 2:
                raise Unclear(line.number, bare)
            if is_inside:
                found.append((words, line, []))
        elif is_inside:
            found[-1][2].append(_option(line))
    return [
        Stanza(
            name=words[1],
            method=words[3] if len(words) > 3 else "",
            line=line,
            options=tuple(options),
            is_ipv4=len(words) < 3 or words[2] != "inet6",
        )
        for words, line, options in found
    ]


def _option(line: Line) -> Option:
    key = line.bare.split()[0]
    at = line.text.index(key) + len(key)
    value = line.text[at:]
    start = line.start + at + len(value) - len(value.lstrip())
    return Option(line=line, key=key, value=value.strip(), start=start)


def _plain(value: str) -> str:
    """Return the words of a logical line, one space apart."""
    return " ".join(value.replace("\\\r\n", " ").replace("\\\n", " ").split())


def _addresses(stanzas: list[Stanza]) -> list[_Address]:
    found = []
    for stanza in stanzas:
        for option in stanza.options:
            if option.key in COMMANDS:
                match = _IP.fullmatch(_plain(option.value))
                address = match and _checked(option, match["ip"], match["length"] or "32")
                if match and address:
                    device = re.search(r" dev (\S+)", match["rest"])
                    named = device[1] if device else stanza.base
                    interface = stanza.base if named.strip("${}") == "IFACE" else named
                    found.append(_Address(stanza=stanza, option=option, address=address, interface=interface))
            elif option.key == "address" and stanza.is_ipv4 and ":" not in option.value:
                address = _of_stanza(stanza, option)
                found.append(_Address(stanza=stanza, option=option, address=address, interface=stanza.base))
    return found


def _of_stanza(stanza: Stanza, option: Option) -> str:
    ip, _, length = option.value.partition("/")
    masks = stanza.values("netmask")
    return _checked(option, ip, length or (masks[-1].value if masks else ""))


def _checked(option: Option, ip: str, length: str) -> str:
    try:
        return with_prefix(ip, length)
    except ValueError:
        raise Unclear(option.line.number, option.line.bare) from None


def _as_new(each: _Address, old: str, new: str) -> list[Change]:
    """Return the changes that make one place say the new address, and the masks beside it with it."""
    option, after = each.option, IPv4Interface(new)
    end = option.start + len(option.value)
    changes = [replaced_in(option.line, option.start, end, old, str(after.ip))]
    length = re.match(rf"{re.escape(old)}/([\d.]+)", option.value[changes[0].start - option.start :])
    if length:
        at = changes[0].end + 1
        changes[0] = Change(start=changes[0].start, end=at + len(length[1]), new=str(after))
    if option.key != "address":
        return changes
    network = after.network
    by_key = {"broadcast": str(network.broadcast_address), "network": str(network.network_address)}
    if not length and "/" in each.address:
        by_key["netmask"] = str(network.netmask)
    if "/" not in each.address or IPv4Interface(each.address).network == network:
        return changes  # what stands beside it is as right as it was
    for beside in each.stanza.options:
        if beside.key in by_key:
            stop = beside.start + len(beside.value)
            as_length = beside.key == "netmask" and "." not in beside.value
            said = str(network.prefixlen) if as_length else by_key[beside.key]
            changes.append(Change(start=beside.start, end=stop, new=said))
    return changes


def _refuse_rest(stanzas: list[Stanza], ip: str) -> None:
    """A command that speaks of an address in another way may bring it: never a guess."""
    for stanza in stanzas:
        for option in stanza.options:
            if option.key not in COMMANDS or not places(option.value, ip):
                continue
            match = _IP.fullmatch(_plain(option.value))
            if match is None or match["ip"] != ip:
                raise Unclear(option.line.number, option.line.bare)


def _unhoused(text: str, stanza: Stanza, left: list[Stanza]) -> list[Change]:
    """Return the changes that take a stanza's address away."""
    others = [each for each in left if each.base == stanza.base and each.is_ipv4]
    # One of the same name first: an alias comes up and goes by itself.
    homes = sorted(
        (each for each in others if each.method == "static"), key=lambda each: each.name != stanza.name
    )
    home = next(iter(homes), None)
    if ":" not in stanza.name and stanza.name not in {each.name for each in others}:
        moved = [each for each in stanza.values("gateway") if home is not None and _moves(each, home)]
        changes = _manual(stanza)
    else:
        moved = [each for each in stanza.options if home is not None and _moves(each, home)]
        changes = [Change(start=stanza.line.start, end=stanza.line.end)]
        changes += [Change(start=each.line.start, end=each.line.end) for each in stanza.options]
    if home is not None and moved:
        lead = "" if text[: home.end].endswith("\n") else ending(text)
        said = "".join(each.line.text + ending(text) for each in moved)
        changes.append(Change(start=home.end, end=home.end, new=lead + said))
    return changes


def _moves(option: Option, home: Stanza) -> bool:
    return option.key in COMMANDS or (
        option.key not in _OF_ADDRESS - {"gateway"} and not home.values(option.key)
    )


def _manual(stanza: Stanza) -> list[Change]:
    at = stanza.line.text.rindex("static") if "static" in stanza.line.text else None
    if at is None:
        raise Unclear(stanza.line.number, stanza.line.bare)
    at += stanza.line.start
    return [
        Change(start=at, end=at + len("static"), new="manual"),
        *(
            Change(start=each.line.start, end=each.line.end)
            for each in stanza.options
            if each.key in _OF_ADDRESS
        ),
    ]


def _unnamed(text: str, name: str) -> list[Change]:
    """Return the changes that take an alias out of `auto` and `allow-…`."""
    changes = []
    for line in lines(text, joins=True):
        words = line.bare.split()
        if not words or not (words[0] == "auto" or words[0].startswith("allow-")) or name not in words[1:]:
            continue
        if len(words) == 2:
            changes.append(Change(start=line.start, end=line.end))
        else:
            match = re.search(rf"\s+{re.escape(name)}(?=\s|$)", line.text)
            if match is None:
                raise Unclear(line.number, line.bare)
            changes.append(Change(start=line.start + match.start(), end=line.start + match.end()))
    return changes


def _merged(changes: list[Change]) -> list[Change]:
    """Return the changes without those inside of a line that goes anyway."""
    gone = [each for each in changes if not each.new and each.end > each.start]
    return [
        each
        for each in changes
        if not any(
            one != each and one.start <= each.start and each.end <= one.end and one.start < each.end
            for one in gone
        )
    ]
