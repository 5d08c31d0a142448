"""Dynamic ARP inspection at a switch port, as managed switches do it: only what is sent for one address passes."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from beistand_lab import commands
from beistand_lab.network import inside, port

if TYPE_CHECKING:
    from beistand_lab.lab import Lab

_ARP, _PASSES, _DROPS = 0x0806, 0, 2
_AT_TYPE, _AT_SENDER = 12, 28
"""Places in an ARP frame, from its first byte: EtherType and the sender's protocol address (RFC 826)."""


def program(own_address: str) -> str:
    """Return a classic BPF program for tc-bpf(8) that drops ARP from any sender but this one and 0.0.0.0 (probes)."""
    (own,) = struct.unpack("!I", IPv4Address(own_address).packed)
    lines = (
        f"40 0 0 {_AT_TYPE}",
        f"21 0 4 {_ARP}",
        f"32 0 0 {_AT_SENDER}",
        "21 2 0 0",
        f"21 1 0 {own}",
        f"6 0 0 {_DROPS}",
        f"6 0 0 {_PASSES}",
    )
    return f"{len(lines)},{','.join(lines)}"


def switch_on(lab: Lab, host: str) -> None:
    """Let the port of this appliance pass ARP of its own address only."""
    settings = lab.settings
    for line in (
        f"tc qdisc replace dev {port(host)} clsact",
        f"tc filter add dev {port(host)} ingress prio 1 bpf direct-action bytecode",
    ):
        words = line.split()
        more = [program(settings.address(host))] if words[-1] == "bytecode" else []
        commands.run(inside(settings, "sw", [*words, *more]))


def switch_off(lab: Lab, host: str) -> None:
    """Let the port pass everything again."""
    commands.run(inside(lab.settings, "sw", ["tc", "qdisc", "del", "dev", port(host), "clsact"]))
