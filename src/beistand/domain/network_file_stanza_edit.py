"""Stanzas of /etc/network/interfaces with one address exchanged or taken out, and every other byte as it was."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface

from beistand.domain.network_file_ip_command import IpCommand
from beistand.domain.network_file_stanzas import Option, Parsed, Stanza
from beistand.domain.network_file_text import Change, Line, ending
from beistand.domain.value import Value

_COMMANDS = {"pre-up", "up", "post-up", "down", "pre-down", "post-down"}
_OF_ONE_ADDRESS = {
    "address",
    "netmask",
    "broadcast",
    "network",
    "pointopoint",
    "point-to-point",
    "scope",
    "label",
}
_OF_ADDRESS = {*_OF_ONE_ADDRESS, "gateway", "metric"}


class Brought(Value, frozen=True, kw_only=True):
    """An address and where it stands."""

    stanza: Stanza
    option: Option
    address: str
    interface: str
    start: int
    end: int
    """Offsets of the address, and of its prefix length where it has one, in the whole text."""
    has_length: bool
    command: IpCommand | None = None
    """None: an `address` line brings it."""

    @property
    def ip(self) -> str:
        return self.address.partition("/")[0]


def replacement(each: Brought, new: str) -> list[Change]:
    """Return the changes that make one place say the new address, and the masks beside it with it."""
    after = IPv4Interface(new)
    has_length = each.has_length or (each.command is None and len(each.stanza.values("address")) > 1)
    changes = [Change(start=each.start, end=each.end, new=str(after) if has_length else str(after.ip))]
    if each.command is not None or "/" not in each.address:
        return changes
    network = after.network
    if IPv4Interface(each.address).network == network:
        return changes  # what stands beside it is as right as it was
    by_key = {"broadcast": str(network.broadcast_address), "network": str(network.network_address)}
    if not has_length:
        by_key["netmask"] = str(network.netmask)
    for beside in each.stanza.options:
        if beside.key in by_key and beside.value:
            as_length = beside.key == "netmask" and "." not in beside.word
            said = str(network.prefixlen) if as_length else by_key[beside.key]
            changes.append(Change(start=beside.at(0), end=beside.at(len(beside.word) - 1) + 1, new=said))
    return changes


def removal(text: str, everything: Parsed, ours: list[Brought]) -> list[Change]:
    """Return the changes that take these addresses out."""
    changes: list[Change] = []
    gone: dict[int, Stanza] = {}
    going = {id(each.option) for each in ours}
    for each in ours:
        if each.command is not None:
            changes.append(_line(each.option))
        elif id(each.stanza) in gone:
            continue
        elif each.stanza.is_real and all(id(one) in going for one in each.stanza.values("address")):
            gone[id(each.stanza)] = each.stanza
        else:
            changes += [_line(each.option), *_masks_behind(each)]
    left = [each for each in everything.stanzas if id(each) not in gone]
    beside = _Beside(left)
    for stanza in gone.values():
        changes += _unhoused(text, stanza, beside)
    names = {each.name for each in gone.values()} - {each.name for each in left}
    changes += _unnamed(everything.others, {each for each in names if ":" in each})
    changes += _heirs({each.name for each in gone.values()}, left)
    return _merged(changes)


class _Beside:
    """The stanzas that keep an address, found by what is asked of them."""

    def __init__(self, left: list[Stanza]) -> None:
        self.parents = {each.parent for each in left if each.parent}
        self.of_base: dict[str, list[Stanza]] = {}
        for each in left:
            if each.is_ipv4:
                self.of_base.setdefault(each.base, []).append(each)

    def home(self, stanza: Stanza) -> Stanza | None:
        """Return the stanza of the same interface that takes over what another one said."""
        others = [
            each
            for each in self.of_base.get(stanza.base, ())
            if each.method in {"static", ""} and each.values("address")
        ]
        # One of the same name first: an alias comes up and goes by itself.
        return min(others, key=lambda each: each.name != stanza.name, default=None)

    def has(self, stanza: Stanza) -> bool:
        """Tell whether another stanza of this name stays."""
        return any(each.name == stanza.name for each in self.of_base.get(stanza.base, ()))


def _line(option: Option) -> Change:
    return Change(start=option.line.start, end=option.line.end)


def _masks_behind(each: Brought) -> list[Change]:
    """Return the changes that take what ifupdown2 counts to this address of several: lines of a kind behind it."""
    counts = {key: len(each.stanza.values(key)) for key in ("netmask", "broadcast", "scope")}
    changes: list[Change] = []
    if max(counts.values()) < 2:
        return changes
    is_behind = False
    for one in each.stanza.options:
        if one.key == "address":
            is_behind = one is each.option
        elif is_behind and counts.get(one.key, 0) > 1:
            changes.append(_line(one))
    return changes


def _unhoused(text: str, stanza: Stanza, beside: _Beside) -> list[Change]:
    """Return the changes that take a stanza's only address away."""
    home = beside.home(stanza)
    stays = (
        (":" not in stanza.name and not beside.has(stanza))
        or stanza.name in beside.parents
        or stanza.method not in {"static", ""}
    )
    moved = [each for each in stanza.options if home is not None and _moves(each, home)]
    if stays:
        moved = [each for each in moved if each.key == "gateway"]
        changes = _manual(stanza)
    else:
        changes = [Change(start=stanza.line.start, end=stanza.line.end)]
        changes += [_line(each) for each in stanza.options]
    if home is not None and moved:
        lead = "" if text[: home.end].endswith("\n") else ending(text)
        said = "".join(_said(text, each.line) + ending(text) for each in moved)
        changes.append(Change(start=home.end, end=home.end, new=lead + said))
    return changes


def _said(text: str, line: Line) -> str:
    return text[line.start : line.end].rstrip("\r\n")


def _moves(option: Option, home: Stanza) -> bool:
    return option.key in _COMMANDS or (
        option.key not in _OF_ADDRESS - {"gateway"} and not home.values(option.key)
    )


def _manual(stanza: Stanza) -> list[Change]:
    """Return the changes that leave the stanza without an address, as its manager takes it then."""
    # ifupdown wants no address of `manual` alone; a stanza without a method is ifupdown-ng's or ifupdown2's.
    is_static = stanza.method == "static" or bool(stanza.parent and not stanza.method)
    keys = _OF_ADDRESS if is_static or not stanza.method else _OF_ONE_ADDRESS
    changes = [_line(each) for each in stanza.options if each.key in keys]
    return [*_method(stanza), *changes] if is_static else changes


def _method(stanza: Stanza) -> list[Change]:
    """Return the change that makes the method of a stanza `manual`."""
    words = list(re.finditer(r"\S+", stanza.line.text))
    said = [each[0] for each in words]
    if stanza.method == "static":
        word = words[said.index("static", 2)]
        start, end = stanza.line.at(word.start()), stanza.line.at(word.end() - 1) + 1
        return [Change(start=start, end=end, new="manual")]
    at = stanza.line.at(words[said.index("inherits", 2)].start())
    family = "" if stanza.family else "inet "
    return [Change(start=at, end=at, new=f"{family}manual ")]


def _heirs(names: set[str], left: list[Stanza]) -> list[Change]:
    """Return the changes for stanzas that had the address from one that has none now: `static` needs one."""
    changes: list[Change] = []
    names = set(names)
    for stanza in left:
        if stanza.parent in names and not stanza.values("address"):
            names.add(stanza.name)
            changes += _manual(stanza) if stanza.method == "static" else []
    return changes


def _unnamed(openings: tuple[Line, ...], names: set[str]) -> list[Change]:
    """Return the changes that take aliases out of `auto` and `allow-…`."""
    changes = []
    for line in openings:
        words = line.bare.split()
        if not (words[0] == "auto" or words[0].startswith("allow-")) or names.isdisjoint(words[1:]):
            continue
        if names.issuperset(words[1:]):
            changes.append(Change(start=line.start, end=line.end))
            continue
        changes += [
            Change(start=line.at(match.start()), end=line.at(match.end() - 1) + 1)
            for match in re.finditer(r"\s+(\S+)", line.text)
            if match[1] in names
        ]
    return changes


def _merged(changes: list[Change]) -> list[Change]:
    """Return the changes without those inside of a line that goes anyway, and without doubles."""
    kept: list[Change] = []
    for each in sorted(dict.fromkeys(changes), key=lambda change: (change.start, -change.end, change.new)):
        last = kept[-1] if kept else None
        is_inside = last is not None and not last.new and last.start <= each.start and each.end <= last.end
        # What comes in at the end of a line that goes comes in all the same.
        if is_inside and last is not None and not (each.new and each.start == last.end):
            continue
        kept.append(each)
    return kept
