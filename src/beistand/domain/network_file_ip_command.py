"""`ip address add` in a command of a network file, as iproute2 reads it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from beistand.domain.network_file import with_prefix
from beistand.domain.network_file_text import LONGEST
from beistand.domain.value import Value

_WORD = re.compile(r"""(["']?)([\w.:/$+{}@,%=-]+)\1(?=\s|\Z)""")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,8}|0[0-7]{0,10}|[1-9][0-9]{0,9}")
_HARMLESS_END = re.compile(
    r"(?:\s+(?:[12&]?>{1,2}\s*/dev/null|2>&1))*(?:\s*(?:\|\||;)\s*(?:true|:|exit 0))?\s*\Z"
)
_ADDS = {"a", "ad", "add", "c", "ch", "cha", "chan", "chang", "change", "chg", "r", "re", "rep", "replace"}
_TAKES = {"d", "de", "del", "dele", "delet", "delete"}
_WITH_VALUE = {"dev", "brd", "broadcast", "label", "scope", "peer", "remote", "metric", "proto"}
_WITH_VALUE |= {"valid_lft", "preferred_lft", "anycast"}
_ALONE = {"noprefixroute", "home", "nodad", "mngtmpaddr", "optimistic", "autojoin"}


class IpCommand(Value, frozen=True, kw_only=True):
    """A command that gives an interface an address or takes it."""

    address: str
    """With its prefix length; 32 where it says none, as iproute2 has it."""
    is_adding: bool
    device: str
    """As the command says it; empty without one."""
    start: int
    end: int
    """Offsets of address and prefix length in the command."""
    has_length: bool


def ip_command(command: str) -> IpCommand | None:
    """Return what the command does; None for everything else, and for what is more than this one command."""
    said = _without_comment(command[:LONGEST])
    if len(command) > LONGEST:
        return None
    if end := _HARMLESS_END.search(said[-200:]):
        said = said[: len(said) - len(end[0])]
    words = _words(said)
    if words is None:
        return None
    rest = _behind_address(words)
    if len(rest) < 2 or rest[0][1] not in _ADDS | _TAKES:
        return None
    return _of_words(rest[1:], is_adding=rest[0][1] in _ADDS)


def ip_of_iproute(said: str) -> str:
    """Return the IPv4 address as iproute2 reads it: octal behind a 0, hexadecimal behind 0x, zeros at the end.

    Raises ValueError. From get_addr_ipv4 in its lib/utils.c.
    """
    parts = said.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(each) for each in parts):
        raise ValueError(said)
    numbers = [int(each, 8 if each.isdigit() and each.startswith("0") else 0) for each in parts]
    numbers += [0] * (4 - len(numbers))
    return str(IPv4Address(bytes(numbers)))


def _without_comment(command: str) -> str:
    for match in re.finditer(r"(?:\A|\s)#", command):
        before = command[: match.start()]
        if before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            return before
    return command


def _words(said: str) -> list[tuple[int, str]] | None:
    found = []
    at = 0
    for piece in re.finditer(r"\S+", said):
        match = _WORD.fullmatch(piece[0])
        if match is None:
            return None
        at = piece.start() + match.start(2)
        found.append((at, match[2]))
    return found


def _behind_address(words: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return what follows `ip address`."""
    said = [each for _, each in words]
    if not said or said[0].rpartition("/")[2] != "ip":
        return []
    at = 1
    while at < len(said) and said[at].startswith("-"):
        if said[at] in {"-f", "-family", "--family"} and said[at + 1 : at + 2] == ["inet"]:
            at += 2
        elif said[at] in {"-4", "--4"}:
            at += 1
        else:
            return []
    is_address = at < len(said) and "address".startswith(said[at])
    return words[at + 1 :] if is_address else []


def _of_words(words: list[tuple[int, str]], *, is_adding: bool) -> IpCommand | None:
    device, address, waits_for = "", None, ""
    for at, word in words:
        if waits_for:
            device = word if waits_for == "dev" else device
            waits_for = ""
        elif word in _WITH_VALUE:
            waits_for = word
        elif word in _ALONE or word == "local":
            continue
        elif address is not None:
            return None
        else:
            address = (at, word)
    if address is None or waits_for:
        return None
    ip, slash, length = address[1].partition("/")
    try:
        found = with_prefix(ip_of_iproute(ip), length or "32")
    except ValueError:
        return None
    return IpCommand(
        address=found,
        is_adding=is_adding,
        device=device,
        start=address[0],
        end=address[0] + len(address[1]),
        has_length=bool(slash),
    )
