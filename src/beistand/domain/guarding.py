"""The service address in a network file: what the guard takes out of it at boot, and what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.domain.facts import Finding, Severity
from beistand.domain.message import Field, Message
from beistand.domain.network_file import Named, NetworkFile, NotUnderstood
from beistand.domain.network_file_edit import configured, leases, replaced, without
from beistand.domain.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class HeldBack(Value, frozen=True, kw_only=True):
    """A place that brought the service address until the guard took it out."""

    place: Named
    kept: str
    """Path of the file as it was; empty for one that is generated at every boot."""


class LetPass(Value, frozen=True, kw_only=True):
    """A place that brings the service address still."""

    place: Named
    why: Message


class GuardNote(Value, frozen=True, kw_only=True):
    """What the guard did at this boot."""

    held: tuple[HeldBack, ...] = ()
    passed: tuple[LetPass, ...] = ()


def held_back(file: NetworkFile, address: str, own_address: str, *, has_own: bool) -> NetworkFile:
    """Return the file without the service address (no prefix length).

    Where no file of this manager brings the own address (with prefix length), that one takes its place: the machine
    keeps a network, and the file says what `beistand setup` would have written. Raises NotUnderstood.
    """
    if has_own:
        return without(file, address)
    return replaced(file, address, own_address, rest_may_stay=True)


def brings(file: NetworkFile, address: str) -> bool:
    """Tell whether the file gives this address (no prefix length) to an interface, as far as it can be read."""
    try:
        return any(each.ip == address for each in configured(file))
    except NotUnderstood:
        return False


def place_findings(places: Iterable[Named]) -> list[Finding]:
    """Return what is told before the next boot of places that bring the service address."""
    return [
        Finding(
            code="service-address-in-network-file"
            if each.is_understood
            else "service-address-unclear-in-network-file",
            severity=Severity.WARN,
            fields={
                "address": each.address,
                "path": each.path,
                "line": each.line,
                "manager": each.manager.value,
            },
        )
        for each in places
    ]


def lease_finding(file: NetworkFile, interface: str) -> Finding | None:
    """A DHCP server may give the service address away, and no guard sees it in a file."""
    for _, line in leases(file):
        fields: dict[str, Field] = {"interface": interface, "path": file.path, "line": line}
        return Finding(code="network-file-leases", severity=Severity.WARN, fields=fields)
    return None


def note_findings(note: GuardNote) -> list[Finding]:
    """Return what is told of this boot's guard."""
    held = [
        Finding(
            code="service-address-held-back",
            severity=Severity.WARN,
            fields={**_fields(each.place), "kept": each.kept},
        )
        for each in note.held
        if each.kept  # what was generated from a file is told with that file
    ]
    passed = [
        Finding(
            code="service-address-let-pass",
            severity=Severity.BLOCK,
            fields={**_fields(each.place), "why": str(each.why)},
        )
        for each in note.passed
    ]
    return [*passed, *held]


def _fields(place: Named) -> dict[str, Field]:
    return {"address": place.address, "path": place.path, "line": place.line}
