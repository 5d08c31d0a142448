"""netplan: YAML in /etc/netplan (netplan(5)); changed by position, so that comments and layout stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from beistand.domain.network_file import (
    Configured,
    Doubt,
    Edit,
    Reading,
    Unclear,
    is_length,
    shown,
    with_prefix,
)
from beistand.domain.network_file_text import Change, changed, ending, places
from beistand.domain.value import Value

if TYPE_CHECKING:
    from yaml.nodes import Node

NO_KINDS = {"version", "renderer", "openvswitch"}
"""Of the keys below `network`; all others are kinds of interfaces, those too that a later netplan brings."""
_LISTED = re.compile(r"([0-9.]+)(?:/([0-9]{1,3})(?![0-9]))?(?![0-9./])")
"""netplan takes the digits behind the stroke and passes over what follows."""
_DEEPEST = 3
"""Of `passthrough` below an interface: access-points, name of the network, networkmanager."""
_PASSED_THROUGH = re.compile(r"ipv4\.address(?:es)?[0-9]{0,9}")
_PASSED_ON = re.compile(r"([0-9.]+)(?:[/;,]([0-9]+))?(?:[/;,][0-9.]*)?[/;,]?\Z")
"""As NetworkManager writes an address, with its gateway."""


class _Interface(Value, frozen=True, kw_only=True):
    key: str
    name: str
    """What the file calls it outside: `set-name`, or what it matches, or its key."""
    node: Any


class _Item(Value, frozen=True, kw_only=True):
    """One entry of `addresses`, or one address that is passed through to NetworkManager."""

    interface: _Interface
    parent: Any
    """The sequence; of an address that is passed through, the mapping."""
    node: Any
    scalar: Any
    """The address itself: an entry with options is a mapping with the address as its only key."""
    address: str
    said: str
    """What of the scalar is the address with its prefix length."""
    key_end: int
    """Offset behind the key of the list."""

    @property
    def ip(self) -> str:
        return self.address.partition("/")[0]


def read(text: str) -> Reading:
    """Return the IPv4 addresses of all kinds of interfaces, and what of them cannot be read."""
    try:
        items, doubts = _items(text)
    except Unclear as unclear:
        return Reading(doubts=(Doubt(line=unclear.line, what=unclear.what, text=text, is_whole=True),))
    return Reading(
        configured=tuple(
            Configured(address=each.address, interface=each.interface.name, line=_line(each.scalar))
            for each in items
        ),
        doubts=tuple(doubts),
    )


def leases(text: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (each.name, _line(value))
        for each in _interfaces(text)
        for key, value in _pairs(each.node)
        if key.value == "dhcp4" and str(value.value).lower() in {"true", "yes", "on", "y"}
    )


def names(text: str) -> tuple[tuple[str, str], ...]:
    """Return (key, name or pattern or MAC) of each interface."""
    return tuple((each.key, each.name) for each in _interfaces(text))


def replaced(text: str, old: str, new: str) -> Edit:
    """Return the text with the address `old` as `new`, which has a prefix length. Raises Unclear."""
    changes, left = [], []
    for each in _items(text)[0]:
        if each.ip == old:
            start, end = _span(each.scalar)
            at = text.find(each.said, start, end)
            if at < 0 or len(places(text[start:end], old)) != 1:
                left.append(_left(each))  # written with escapes
            else:
                changes.append(Change(start=at, end=at + len(each.said), new=new))
    return Edit(text=changed(text, changes), left=tuple(left))


def without(text: str, ip: str) -> Edit:
    """Return the text without this address; an emptied list stays, as `[]`. Raises Unclear."""
    items = _items(text)[0]
    changes: list[Change] = []
    left: list[Doubt] = []
    for parent, ours in _of_parents(each for each in items if each.ip == ip):
        try:
            changes += _out_of(text, parent, ours)
        except Unclear:
            left += [_left(each) for each in ours]
    return Edit(text=changed(text, changes), left=tuple(left))


def _out_of(text: str, parent: Any, ours: list[_Item]) -> list[Change]:
    nodes = [each.node for each in ours]
    if _is(parent, "mapping"):
        return _not_passed_through(text, parent, ours)
    if len(ours) == len(parent.value):
        return [_emptied(text, parent, ours[0].key_end)]
    if parent.flow_style:
        return _out_of_flow(parent, nodes)
    return [_out_of_block(text, node) for node in nodes]


def added(text: str, interface: str, address: str) -> str:
    """Return the text with one address more for an interface that it has. Raises Unclear."""
    found = [each for each in _interfaces(text) if interface in {each.name, each.key}]
    if len(found) != 1:
        raise Unclear(1, interface)
    lists = [value for key, value in _pairs(found[0].node) if key.value == "addresses"]
    end = ending(text)
    if not lists:
        keys = [key for key, _ in _pairs(found[0].node)]
        if not keys or found[0].node.flow_style:
            raise Unclear(_line(found[0].node), interface)
        at = keys[0].start_mark.index
        indent = " " * keys[0].start_mark.column
        return changed(text, [Change(start=at, end=at, new=f"addresses: [{address}]{end}{indent}")])
    parent = lists[-1]
    if not _is(parent, "sequence"):
        raise Unclear(_line(parent), interface)
    if parent.flow_style:
        at = _span(parent.value[-1])[1] if parent.value else _span(parent)[0] + 1
        said = f", {address}" if parent.value else address
    else:
        at = _end_of_line(text, _last(parent.value[-1]))
        lead = "" if text[:at].endswith("\n") else end
        said = f"{lead}{' ' * parent.start_mark.column}- {address}{end}"
    return changed(text, [Change(start=at, end=at, new=said)])


def _compose(text: str) -> Node | None:
    # Loaded when there is such a file only: the guard runs at every boot.
    import yaml

    # The library that netplan itself reads with, which limits how deep a text may go; bytes, as it decodes them.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # netplan reads the first document of a file and no other.
        return next(iter(yaml.compose_all(text.encode("utf-8", "surrogateescape"), Loader=loader)), None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unclear(mark.line + 1 if mark else 1, error.problem or "YAML") from error
    except yaml.YAMLError as error:
        raise Unclear(1, str(error)) from error
    except RecursionError as error:
        raise Unclear(1, "YAML") from error


def _devices(text: str) -> Iterator[tuple[Any, Any]]:
    """Yield (key, node) of each interface, whatever the node is. Raises Unclear for what is no YAML."""
    for top, network in _pairs(_compose(text)):
        if top.value == "network":
            for kind, devices in _pairs(network):
                if kind.value not in NO_KINDS:
                    yield from ((key, node) for key, node in _pairs(devices) if key.value != "renderer")


def _interfaces(text: str) -> list[_Interface]:
    return [
        _Interface(key=key.value, name=_name(key.value, node), node=node)
        for key, node in _devices(text)
        if _is(node, "mapping") or _is_empty(node)
    ]


def _name(key: str, node: Node) -> str:
    said = {each.value: value for each, value in _pairs(node)}
    if "set-name" in said:
        return str(said["set-name"].value)
    if "match" in said:
        matched = {each.value: str(value.value) for each, value in _pairs(said["match"])}
        return matched.get("name") or matched.get("macaddress") or "*"
    return key


def _items(text: str) -> tuple[list[_Item], list[Doubt]]:
    """Raise Unclear for what is no YAML."""
    found: list[_Item] = []
    doubts: list[Doubt] = []
    for key, device in _devices(text):
        if not _is(device, "mapping"):
            if not _is_empty(device):
                doubts.append(_doubt(text, device, key.value))
            continue
        interface = _Interface(key=key.value, name=_name(key.value, device), node=device)
        for list_key, parent, node, scalar in _candidates(device):
            try:
                if item := _item(interface, list_key, parent, node, scalar):
                    found.append(item)
            except ValueError:
                doubts.append(_doubt(text, node, interface.name, scalar))
    return found, doubts


def _candidates(device: Node, depth: int = 0) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Yield (key of the list, list, entry, scalar) of what may be an address below an interface.

    An address for NetworkManager stands below `networkmanager`, of the interface or of one of its access points.
    """
    for key, value in _pairs(device):
        if key.value == "addresses" and depth == 0 and not _is_empty(value):
            if not _is(value, "sequence"):
                yield key, value, value, value
                continue
            for node in value.value:
                pairs = list(_pairs(node)) if _is(node, "mapping") else []
                yield key, value, node, pairs[0][0] if len(pairs) == 1 else node
        elif key.value == "passthrough" and _is(value, "mapping"):
            for each, said in _pairs(value):
                if _PASSED_THROUGH.fullmatch(str(each.value)) and not _is_empty(said):
                    yield key, value, each, said
        elif depth < _DEEPEST and (depth or key.value in {"networkmanager", "access-points"}):
            yield from _candidates(value, depth + 1)


def _item(interface: _Interface, key: Node, parent: Node, node: Node, scalar: Node) -> _Item | None:
    """Raise ValueError for what is no IPv4 address; None: it is an IPv6 one."""
    if not _is(scalar, "scalar") or _is(parent, "scalar"):
        raise ValueError
    said = str(scalar.value)
    if ":" in said:
        return None
    is_listed = _is(parent, "sequence")
    match = (_LISTED if is_listed else _PASSED_ON).match(said)
    if match is None:
        raise ValueError(said)
    # What NetworkManager cannot read as a length counts there as none.
    has_length = bool(match[2]) and (is_listed or is_length(match[2]))
    return _Item(
        interface=interface,
        parent=parent,
        node=node,
        scalar=scalar,
        address=with_prefix(match[1], match[2] if has_length else ""),
        said=said[: match.end(2) if has_length else match.end(1)],
        key_end=_span(key)[1],
    )


def _left(item: _Item) -> Doubt:
    return Doubt(line=_line(item.scalar), what=shown(str(item.scalar.value)))


def _doubt(text: str, node: Any, interface: str, value: Any = None) -> Doubt:
    """Return the doubt about an entry; of a pair, `node` is the key and `value` the rest."""
    last = node if value is None else value
    said = text[_span(node)[0] : max(_last(node), _last(last))]
    return Doubt(line=_line(node), what=shown(said), text=f"{said} {last.value}", interface=interface)


def _of_parents(items: Iterator[_Item]) -> list[tuple[Any, list[_Item]]]:
    # A list that an alias names twice is there once.
    by_parent: dict[int, tuple[Any, dict[int, _Item]]] = {}
    for each in items:
        by_parent.setdefault(id(each.parent), (each.parent, {}))[1].setdefault(id(each.node), each)
    return [(parent, list(ours.values())) for parent, ours in by_parent.values()]


def _pairs(node: Node | None) -> Iterator[tuple[Any, Any]]:
    """Yield key and value nodes; nothing for what is no mapping, as `eth0:` without anything below."""
    if node is not None and _is(node, "mapping"):
        yield from ((key, value) for key, value in node.value if _is(key, "scalar"))


def _is(node: Any, kind: str) -> bool:
    return bool(node.id == kind)


def _is_empty(node: Node) -> bool:
    return _is(node, "scalar") and node.value in {"", "~", "null", "{}"}


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _span(node: Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _last(node: Any) -> int:
    """Return the offset behind the last character of a node: a block's own end lies behind its comments."""
    if _is(node, "scalar") or getattr(node, "flow_style", False) or not node.value:
        return _span(node)[1]
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _emptied(text: str, parent: Any, key_end: int) -> Change:
    if parent.flow_style:
        start, end = _span(parent)
        return Change(start=start, end=end, new="[]")
    # From behind `addresses` to the last entry; the comment behind the colon goes with what it spoke of.
    colon = text.find(":", key_end, _span(parent)[0])
    if colon < 0:
        raise Unclear(_line(parent), "addresses")
    return Change(start=colon, end=_last(parent), new=": []")


def _out_of_block(text: str, node: Any, value: Any = None) -> Change:
    """Return the change that takes the lines of one entry; of a pair, `node` is the key."""
    start = text.rfind("\n", 0, _span(node)[0]) + 1
    if text[start : _span(node)[0]].strip() != ("-" if value is None else ""):
        raise Unclear(_line(node), text[start : _span(node)[1]])
    return Change(start=start, end=_end_of_line(text, _last(node if value is None else value)))


def _out_of_flow(parent: Any, ours: list[Any]) -> list[Change]:
    """Return the changes that take entries, each with one of its commas."""
    gone = {id(each) for each in ours}
    entries = list(parent.value)
    changes, is_any_before = [], False
    for at, node in enumerate(entries):
        if id(node) not in gone:
            is_any_before = True
        elif is_any_before:
            changes.append(Change(start=_span(entries[at - 1])[1], end=_span(node)[1]))
        else:
            changes.append(Change(start=_span(node)[0], end=_span(entries[at + 1])[0]))
    return changes


def _not_passed_through(text: str, parent: Any, ours: list[_Item]) -> list[Change]:
    """Return the changes that take an address away from NetworkManager; without any, IPv4 is switched off."""
    if parent.flow_style:
        raise Unclear(_line(parent), "passthrough")
    changes = [_out_of_block(text, each.node, each.scalar) for each in ours]
    pairs = list(_pairs(parent))
    if sum(bool(_PASSED_THROUGH.fullmatch(str(key.value))) for key, _ in pairs) > len(ours):
        return changes
    # A profile cannot be "manual" without an address.
    for key, value in pairs:
        if key.value == "ipv4.method" and value.value == "manual":
            changes.append(Change(start=_span(value)[0], end=_span(value)[1], new='"disabled"'))
    return changes
