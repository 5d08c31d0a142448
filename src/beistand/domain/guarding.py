"""The service address in a network file: what the guard takes out of it at boot, and what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Field, Message
from beistand.domain.network_file import Doubt, Named, NetworkFile
from beistand.domain.network_file_edit import configured, exchanged, leases, taken_out
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


def held_back(
    file: NetworkFile, address: str, own_address: str, *, has_own: bool
) -> tuple[NetworkFile, tuple[Doubt, ...]]:
    """Return the file without the service address (no prefix length), and the places where that cannot be done.

    Where no file of this manager brings the own address (with prefix length), that one takes its place: the machine
    keeps a network, and the file says what `beistand setup` would have written. Raises NotUnderstood.
    """
    if has_own:
        return taken_out(file, address)
    return exchanged(file, address, own_address)


def brings(file: NetworkFile, address: str) -> bool:
    """Tell whether the file gives this address (no prefix length) to an interface, as far as it can be read."""
    return any(each.ip == address for each in configured(file))


def place_findings(places: Iterable[Named]) -> list[Finding]:
    """Return what is told before the next boot of places that bring the service address."""
    return [_understood(each) if each.is_understood else _unclear(each) for each in places]


def _understood(place: Named) -> Finding:
    return Finding(
        code="service-address-in-network-file",
        severity=Severity.WARN,
        fields={**_fields(place), "manager": place.manager.value},
    )


def _unclear(place: Named) -> Finding:
    return Finding(
        code="service-address-unclear-in-network-file",
        severity=Severity.WARN,
        fields={**_fields(place), "manager": place.manager.value, "what": place.what},
    )


def unread_findings(files: Iterable[NetworkFile]) -> list[Finding]:
    """Return what is told of files that a network manager may read and that could not be looked at."""
    return [
        Finding(
            code="network-file-unread",
            severity=Severity.WARN,
            fields={"path": each.shown, "manager": each.manager.value, "why": each.unread},
        )
        for each in files
        if each.unread
    ]


def lease_finding(file: NetworkFile, interface: str) -> Finding | None:
    """A DHCP server may give the service address away, and no guard sees it in a file."""
    for _, line in leases(file):
        fields: dict[str, Field] = {"interface": interface, "path": file.shown, "line": line}
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
