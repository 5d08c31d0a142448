"""netplan: YAML in /etc/netplan (netplan(5)); changed by position, so that comments and layout stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from beistand.domain.network_file import Configured, Unclear, with_prefix
from beistand.domain.network_file_text import Change, changed, ending, places
from beistand.domain.value import Value

if TYPE_CHECKING:
    from yaml.nodes import Node

KINDS = (
    *("ethernets", "bonds", "bridges", "vlans", "wifis", "tunnels", "modems"),
    *("dummy-devices", "vrfs", "virtual-ethernets", "nm-devices"),
)


class _Interface(Value, frozen=True, kw_only=True):
    key: str
    name: str
    """What the file calls it outside: `set-name`, or what it matches, or its key."""
    node: Any


class _Item(Value, frozen=True, kw_only=True):
    """One entry of `addresses`."""

    interface: _Interface
    list: Any
    node: Any
    scalar: Any
    """The address itself: an entry with options is a mapping with the address as its only key."""
    address: str


def configured(text: str) -> tuple[Configured, ...]:
    """Return the IPv4 addresses of all kinds of interfaces. Raises Unclear."""
    return tuple(
        Configured(address=each.address, interface=each.interface.name, line=_line(each.scalar))
        for each in _items(text)
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


def replaced(text: str, old: str, new: str) -> str:
    """Return the text with the address `old` as `new`, which has a prefix length. Raises Unclear."""
    changes = []
    for each in _items(text):
        if each.address.partition("/")[0] == old:
            start, end = _span(each.scalar)
            said = text[start:end]
            if len(places(said, old)) != 1 or each.scalar.value not in said:
                raise Unclear(_line(each.scalar), said)
            at = start + said.index(each.scalar.value)
            changes.append(Change(start=at, end=at + len(each.scalar.value), new=new))
    return changed(text, changes)


def without(text: str, ip: str) -> str:
    """Return the text without this address; an emptied list stays, as `[]`. Raises Unclear."""
    items = _items(text)
    changes: list[Change] = []
    for parent in _lists(items):
        every = parent.value
        ours = [each.node for each in items if each.list is parent and each.address.partition("/")[0] == ip]
        if not ours:
            continue
        if len(ours) == len(every):
            changes.append(_emptied(text, parent))
        elif parent.flow_style:
            changes += [_out_of_flow(parent, node, ours) for node in ours]
        else:
            changes += [_out_of_block(text, node) for node in ours]
    return changed(text, changes)


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

    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unclear(mark.line + 1 if mark else 1, error.problem or "YAML") from error
    except yaml.YAMLError as error:
        raise Unclear(1, str(error)) from error
    except RecursionError as error:
        raise Unclear(1, "YAML") from error


def _interfaces(text: str) -> list[_Interface]:
    root = _compose(text)
    found = []
    for top, network in _pairs(root):
        if top.value != "network":
            continue
        for kind, devices in _pairs(network):
            if kind.value in KINDS:
                for key, node in _pairs(devices):
                    if key.value != "renderer":
                        found.append(_Interface(key=key.value, name=_name(key.value, node), node=node))
    return found


def _name(key: str, node: Node) -> str:
    said = {each.value: value for each, value in _pairs(node)}
    if "set-name" in said:
        return str(said["set-name"].value)
    if "match" in said:
        matched = {each.value: str(value.value) for each, value in _pairs(said["match"])}
        return matched.get("name") or matched.get("macaddress") or "*"
    return key


def _items(text: str) -> list[_Item]:
    found = []
    for interface in _interfaces(text):
        for key, parent in _pairs(interface.node):
            if key.value == "addresses" and not _is_empty(parent):
                if not _is(parent, "sequence"):
                    raise Unclear(_line(key), f"{key.value}: {parent.value}")
                found += [item for node in parent.value if (item := _item(interface, parent, node))]
    return found


def _item(interface: _Interface, parent: Node, node: Node) -> _Item | None:
    pairs = list(_pairs(node)) if _is(node, "mapping") else []
    scalar = pairs[0][0] if len(pairs) == 1 else node
    if not _is(scalar, "scalar"):
        raise Unclear(_line(node), "addresses")
    if ":" in scalar.value:
        return None
    ip, _, length = str(scalar.value).partition("/")
    try:
        address = with_prefix(ip, length)
    except ValueError:
        raise Unclear(_line(scalar), scalar.value) from None
    return _Item(interface=interface, list=parent, node=node, scalar=scalar, address=address)


def _lists(items: list[_Item]) -> list[Any]:
    once: list[Any] = []
    for each in items:
        if not any(each.list is known for known in once):
            once.append(each.list)
    return once


def _pairs(node: Node | None) -> Iterator[tuple[Any, Any]]:
    """Yield key and value nodes; nothing for what is no mapping, as `eth0:` without anything below."""
    if node is None or _is_empty(node):
        return
    if not _is(node, "mapping"):
        raise Unclear(_line(node), str(node.value)[:40])
    yield from node.value


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


def _emptied(text: str, parent: Any) -> Change:
    if parent.flow_style:
        start, end = _span(parent)
        return Change(start=start, end=end, new="[]")
    # From behind `addresses:` to the last entry; the comment behind the colon goes with what it spoke of.
    colon = text.rindex(":", 0, _span(parent)[0])
    return Change(start=colon, end=_last(parent), new=": []")


def _out_of_block(text: str, node: Node) -> Change:
    start = text.rfind("\n", 0, _span(node)[0]) + 1
    if text[start : _span(node)[0]].strip() != "-":
        raise Unclear(_line(node), text[start : _span(node)[1]])
    return Change(start=start, end=_end_of_line(text, _last(node)))


def _out_of_flow(parent: Node, node: Node, ours: list[Any]) -> Change:
    """Return the change that takes an entry with one of its commas."""
    entries = list(parent.value)
    at = next(index for index, each in enumerate(entries) if each is node)
    before = [each for each in entries[:at] if not any(each is one for one in ours)]
    if before:
        return Change(start=_span(entries[at - 1])[1], end=_span(node)[1])
    return Change(start=_span(node)[0], end=_span(entries[at + 1])[0])
