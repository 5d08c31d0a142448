"""ifupdown: /etc/network/interfaces and what it sources (interfaces(5) of ifupdown, ifupdown-ng and ifupdown2)."""

from __future__ import annotations

import re

from beistand.domain.network_file import Configured, Doubt, Edit, Reading, Unclear, shown, with_prefix
from beistand.domain.network_file_ip_command import IpCommand, ip_command, ip_of_iproute
from beistand.domain.network_file_stanza_edit import Brought, removal, replacement
from beistand.domain.network_file_stanzas import Option, Parsed, Source, Stanza, parsed
from beistand.domain.network_file_text import Change, changed, doubt, ending

COMMANDS = {"pre-up", "up", "post-up", "down", "pre-down", "post-down"}
_ADDRESS = re.compile(r"([0-9A-Fa-fxX.]+)(?:/\s*([0-9.]+))?(?![0-9A-Fa-f.])")
"""What ifupdown takes of a value: the address up to the stroke, and of the rest the digits (compute_v4_mask)."""
_SHELL = set(";&|$`<>()\n")
_HARMLESS = {"gateway", "netmask", "broadcast", "network", "pointopoint", "point-to-point", "metric", "scope"}
_HARMLESS |= {
    "label",
    "hwaddress",
    "mtu",
    "hostname",
    "endpoint",
    "local",
    "dstaddr",
    "mode",
    "ttl",
    "script",
}
_HARMLESS |= {"map", "description", "alias", "use", "requires", "inherit", "inherits", "server", "provider"}
_HARMLESS_BEGINNINGS = (
    "dns-",
    "bridge-",
    "bond-",
    "vlan-",
    "wpa-",
    "wireless-",
    "ethtool-",
    "link-",
    "tunnel-",
)


def read(text: str) -> Reading:
    """Return the addresses of stanzas and of `ip address add` in their commands, and what may be one."""
    everything = parsed(text)
    brought, doubts = _brought(everything.stanzas)
    return Reading(
        configured=tuple(
            Configured(address=each.address, interface=each.interface, line=each.option.line.number)
            for each in brought
            if each.command is None or each.command.is_adding
        ),
        doubts=(*doubts, *_of_openings(everything)),
    )


def leases(text: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (each.base, each.line.number)
        for each in parsed(text).stanzas
        if each.is_ipv4
        and (
            each.method in {"dhcp", "bootp"}
            or any(option.value.split()[:1] == ["dhcp"] for option in each.values("use"))
        )
    )


def sources(text: str) -> tuple[Source, ...]:
    """Return what else is read, in its order."""
    return parsed(text).sources


def interfaces(text: str) -> tuple[str, ...]:
    """Return the interfaces that have a stanza for IPv4."""
    return tuple(dict.fromkeys(each.base for each in parsed(text).stanzas if each.is_ipv4))


def replaced(text: str, old: str, new: str) -> Edit:
    """Return the text with the address `old` as `new`, which has a prefix length; its netmask follows."""
    changes: list[Change] = []
    for each in _brought(parsed(text).stanzas)[0]:
        if each.ip == old:
            changes += replacement(each, new)
    return Edit(text=changed(text, changes))


def without(text: str, ip: str) -> Edit:
    """Return the text without this address.

    Of several addresses of a stanza one line goes. A further stanza of an interface goes whole, and what it says
    beside the address moves to the one that stays; the only stanza of an interface becomes `manual`.
    """
    everything = parsed(text)
    ours = [each for each in _brought(everything.stanzas)[0] if each.ip == ip]
    return Edit(text=changed(text, removal(text, everything, ours)))


def added(text: str, interface: str, address: str) -> str:
    """Return the text with one stanza more for an interface that it has already. Raises Unclear."""
    found = [each for each in parsed(text).stanzas if each.is_ipv4 and each.base == interface]
    if not found:
        raise Unclear(1, interface)
    last, end = found[-1], ending(text)
    lead = "" if text[: last.end].endswith("\n") else end
    stanza = f"{lead}{end}iface {interface} inet static{end}\taddress {address}{end}"
    return changed(text, [Change(start=last.end, end=last.end, new=stanza)])


def _brought(stanzas: tuple[Stanza, ...]) -> tuple[list[Brought], list[Doubt]]:
    found: list[Brought] = []
    doubts: list[Doubt] = []
    for stanza in stanzas:
        masks = _masks(stanza)
        for at, option in enumerate(stanza.options):
            if option.key == "address":
                if ":" in option.word:
                    continue
                try:
                    found.append(_of_option(stanza, option, masks[at]))
                except ValueError:
                    doubts.append(doubt(option.line, stanza.base))
                else:
                    doubts += _behind(option)
            elif option.key in COMMANDS:
                command = ip_command(option.value)
                if command:
                    found.append(_of_command(stanza, option, command))
                else:
                    doubts.append(doubt(option.line))
            elif not _is_harmless(option):
                doubts.append(doubt(option.line))
    return found, doubts


def _behind(option: Option) -> list[Doubt]:
    """Return the doubt about what stands behind an address; a comment is none."""
    match = _ADDRESS.match(option.value)
    rest = option.value[match.end() :] if match else ""
    if not rest.strip() or (re.match(r"\s+#|#", rest) and (rest[0] != "#" or "/" in option.word)):
        return []
    return [Doubt(line=option.line.number, what=shown(option.line.text), text=rest)]


def _is_harmless(option: Option) -> bool:
    # ifupdown puts values into commands for a shell: what follows a semicolon there is one of its own.
    is_known = option.key in _HARMLESS or option.key.startswith(_HARMLESS_BEGINNINGS)
    return is_known and _SHELL.isdisjoint(option.value)


def _masks(stanza: Stanza) -> list[str]:
    """Return for each option the netmask that an address there has: ifupdown2's follows it, others have one."""
    said = [option.word if option.key == "netmask" else "" for option in stanza.options]
    last = next((each for each in reversed(said) if each), "")
    found, following = [], ""
    for option, mask in zip(reversed(stanza.options), reversed(said), strict=True):
        following = mask or following
        found.append(following or last)
        if option.key == "address":
            following = ""
    return list(reversed(found))


def _of_option(stanza: Stanza, option: Option, mask: str) -> Brought:
    """Raise ValueError."""
    match = _ADDRESS.match(option.value)
    if match is None:
        raise ValueError(option.value)
    ip = ip_of_iproute(match[1])
    return Brought(
        stanza=stanza,
        option=option,
        address=with_prefix(ip, match[2] or mask),
        interface=stanza.base,
        start=option.at(0),
        end=option.at(match.end(2) - 1 if match[2] else match.end(1) - 1) + 1,
        has_length=bool(match[2]),
    )


def _of_command(stanza: Stanza, option: Option, command: IpCommand) -> Brought:
    is_own = command.device.strip("${}") in {"", "IFACE"}
    return Brought(
        stanza=stanza,
        option=option,
        address=command.address,
        interface=stanza.base if is_own else command.device,
        start=option.at(command.start),
        end=option.at(command.end - 1) + 1,
        has_length=command.has_length,
        command=command,
    )


def _of_openings(everything: Parsed) -> list[Doubt]:
    """Return the doubts about lines that open something: a lone carriage return may hide one behind another."""
    return [
        doubt(line)
        for line in everything.others
        if "\r" in line.text or len(line.text.split(None, 5)) > 5 or line.bare in {"iface", "interface"}
    ]
