"""The gate of the service addresses: a table of nftables, shut as long as it stands there (port `AddressGate`).

No sets and no counters: what stands there is compared byte by byte with what was made.
"""

import errno
import re
import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from threading import RLock

from beistand.adapters import commands, netfilter
from beistand.adapters.owned_rules import OwnedRules
from beistand.domain.errors import CommandFailed, Failed
from beistand.domain.installation import Installation

TABLE = "beistand"
OWNED = "beistand_agent"
"""The same once more, as this process's own: no flush takes it away while the agent lives. It ends with the agent."""
FAMILIES = ("inet", "arp", "netdev")
NFT_SECONDS = 3.0
"""Twenty milliseconds on a busy machine; a withdrawal does not wait for one that hangs."""
TRIES = 3
READY_SECONDS = 30.0
"""A claim has its grant, or is undone, within so long."""
FIRST = -400
"""Before everything else that looks at what goes out (priority of a hook, nft(8))."""
_QUOTABLE = re.compile(r"[^\"\\\s]{1,15}", re.ASCII)

Device = tuple[str, int]
Wanted = tuple[tuple[str, ...], tuple[Device, ...]]
"""The addresses, and the interfaces that are there now with their numbers: one made anew has another number."""


class KernelAddressGate:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = RLock()
        """From the question to the change: two threads never answer each other's half."""
        self._owned = OwnedRules()
        self._owned_for: Wanted | None = None
        """What our own table was made for, whether the kernel took it or not; None: it is not there."""
        self._ready_until = 0.0
        self._shut: Wanted | None = None
        """What the table was made for by us; None: not at all."""
        self._generation = -1
        self._picture = b""
        self._missing: tuple[str, ...] | None = None
        self._breaches = 0

    def let_speak(self) -> bool:
        with self._lock:
            self._shut = None
            self._release()
            try:
                return self._open()
            except OSError as error:
                raise Failed("gate-not-opened", why=error.strerror or str(error)) from error

    def make_ready(self) -> None:
        with self._lock:
            self._ready_until = self._monotonic() + READY_SECONDS
            self._release()

    def silence(self, installation: Installation) -> bool:
        with self._lock:
            wanted = _wanted(installation)
            try:
                return self._look(wanted)
            except OSError:
                self._shut, self._missing = None, FAMILIES
                return False

    def missing(self) -> tuple[str, ...]:
        with self._lock:
            if self._missing is None:
                self._missing = tuple(each for each in FAMILIES if not _is_there(each))
            return self._missing

    def breaches(self) -> int:
        with self._lock:
            found, self._breaches = self._breaches, 0
            return found

    def _open(self) -> bool:
        for _ in range(TRIES):
            there = sorted(self._families())
            try:
                if there:
                    netfilter.delete(TABLE, there)
            except OSError as error:
                if error.errno != errno.ENOENT:  # one went by itself meanwhile
                    raise
            else:
                return bool(there)
        return True

    def _families(self) -> frozenset[str]:
        try:
            return netfilter.families_of(TABLE)
        except OSError as error:
            if error.errno in netfilter.MISSING:
                return frozenset()  # a kernel without nf_tables: nothing of it can stand there
            raise

    def _look(self, wanted: Wanted) -> bool:
        generation = netfilter.generation()
        if wanted == self._shut:
            self._own(wanted)
            if generation == self._generation:
                return False
            if self._read() == self._picture:
                self._generation = generation
                return False
            self._breaches += 1
        return self._shut_for(wanted)

    def _shut_for(self, wanted: Wanted) -> bool:
        """Make the table anew, and remember how it looks; again where somebody else changed a rule meanwhile."""
        self._shut = None
        for _ in range(TRIES):
            before = netfilter.generation()
            try:
                loaded, transactions = _load(wanted)
            except CommandFailed:
                self._missing = FAMILIES
                return False  # without a program that ends: the next turn tries again
            after = netfilter.generation()
            self._missing = tuple(each for each in FAMILIES if each not in loaded)
            self._shut, self._generation, self._picture = wanted, after, self._read()
            if after - before == transactions and netfilter.generation() == after:
                break
        self._own(wanted)
        return True

    def _own(self, wanted: Wanted) -> None:
        """Have the table of our own, too; after the other one, which is there without us."""
        if self._owned_for != wanted and self._monotonic() >= self._ready_until:
            families = [each for each in FAMILIES if each not in (self._missing or ())]
            self._owned.load("".join(_table(each, wanted, OWNED) for each in families))
            self._owned_for = wanted

    def _release(self) -> None:
        self._owned.release()
        self._owned_for = None

    def _read(self) -> bytes:
        return netfilter.picture(TABLE, FAMILIES)


def _load(wanted: Wanted) -> tuple[tuple[str, ...], int]:
    """Return the families that are shut now, and how many transactions that took.

    Raises CommandFailed `command-missing`, `command-timeout`.
    """
    try:
        _nft("".join(_table(each, wanted) for each in FAMILIES))
    except CommandFailed as error:
        if error.message.code != "command-failed":
            raise
    else:
        return FAMILIES, 1
    loaded = [each for each in FAMILIES if _takes(_table(each, wanted))]
    return tuple(loaded), len(loaded)


def _takes(text: str) -> bool:
    try:
        _nft(text)
    except CommandFailed as error:
        if error.message.code != "command-failed":
            raise
        return False
    return True


def _is_there(family: str) -> bool:
    """Tell whether this machine could shut the family; what is made for the question is gone with it."""
    hook = "egress device lo" if family == "netdev" else "output"
    chain = f"    chain try {{\n        type filter hook {hook} priority {FIRST};\n    }}\n"
    name = f"{family} {TABLE}_try"
    try:
        return _takes(f"table {name} {{\n{chain}}}\ndelete table {name}\n")
    except CommandFailed:
        return False


def _table(family: str, wanted: Wanted, table: str = TABLE) -> str:
    """Return the text that makes the table of this family, in place of one that is there."""
    addresses, devices = wanted
    name, flags = f"{family} {table}", "    flags owner;\n" if table == OWNED else ""
    chains = {
        "inet": [_chain("out", "output", [f'oifname != "lo" ip saddr {each} drop' for each in addresses])],
        "arp": [_chain("out", "output", [f"arp saddr ip {each} drop" for each in addresses])],
        "netdev": [
            _chain(
                f"out{number}",
                f'egress device "{device}"',
                [f"{kind} {each} drop" for each in addresses for kind in ("arp saddr ip", "ip saddr")],
            )
            for number, (device, _) in enumerate(devices)
        ],
    }
    before = "" if flags else f"table {name}\ndelete table {name}\n"
    return f"{before}table {name} {{\n{flags}{''.join(chains[family])}}}\n"


def _chain(name: str, hook: str, rules: Iterable[str]) -> str:
    lines = [f"type filter hook {hook} priority {FIRST}; policy accept;", *rules]
    return f"    chain {name} {{\n" + "".join(f"        {each}\n" for each in lines) + "    }\n"


def _wanted(installation: Installation) -> Wanted:
    names = {installation.interface, *(each.interface for each in installation.service_addresses)} - {"lo"}
    addresses = {str(IPv4Address(each.address)) for each in installation.service_addresses}
    there = [(name, index) for index, name in socket.if_nameindex() if name in names]
    return tuple(sorted(addresses)), tuple(sorted(each for each in there if _QUOTABLE.fullmatch(each[0])))


def _nft(text: str) -> None:
    commands.run(["nft", "-f", "-"], seconds=NFT_SECONDS, stdin=text)
