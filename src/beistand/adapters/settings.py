"""The settings of this installation: /etc/beistand/installation.toml."""

import re
import tomllib
from collections.abc import Iterator
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import msgspec

from beistand.adapters.durable_file import remove_durably, write_durably
from beistand.domain.addressing import addressing_problem
from beistand.domain.errors import Failed, Refused
from beistand.domain.installation import Installation, ServiceAddress

FILE = "installation.toml"
LONGEST = 1 << 16
"""Bytes; no settings are longer."""
PAIR = re.compile(r"""\b(\w{1,40}) ?= ?["']([^"'\n]{0,100})["']""")
HEADING = b"# Written by `beistand init`. Identity of this appliance: it never travels to the other one.\n"


def settings_file(etc: Path) -> Path:
    return etc / FILE


def read_installation(etc: Path) -> Installation:
    """Raise Refused `not-initialised` without a file, Failed `settings-wrong` naming file and field."""
    path = settings_file(etc)
    try:
        installation = msgspec.toml.decode(path.read_bytes(), type=Installation)
    except FileNotFoundError:
        raise Refused("not-initialised") from None
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from error
    if problem := addressing_problem(installation):
        raise _wrong(path, str(problem))
    return installation


def read_loosely(etc: Path) -> Installation | None:
    """Return what the settings of any version, or damaged ones, still say of interface and addresses.

    None: nothing that can be used. For who takes Beistand away, who must not forget the phones' address.
    """
    try:
        text = settings_file(etc).read_bytes()[:LONGEST].decode(errors="replace")
    except OSError:
        return None
    said = _table(text)
    interface, own = str(said.get("interface", "")), str(said.get("own_address", ""))
    services = said.get("service_addresses", said.get("service_address", ()))
    try:
        return Installation(
            interface=interface,
            own_address=str(IPv4Interface(own)),
            service_addresses=tuple(_services(services, interface)),
            profile=str(said.get("profile", "")),
            on_loopback=said.get("on_loopback") is True,
        )
    except ValueError:
        return None


def _table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # Pair by pair: what is damaged spoils nothing else.
        found: dict[str, Any] = {}
        every = [(match[1], match[2]) for match in PAIR.finditer(text)]
        for key, value in every:
            found.setdefault(key, value)
        services = [value for key, value in every if key == "address"]
        return {"service_addresses": services, **found} if services else found


def _services(said: object, interface: str) -> Iterator[ServiceAddress]:
    """Raise ValueError for an address that is none, and where there is none."""
    every = said if isinstance(said, list) else [said]
    for each in every:
        table = each if isinstance(each, dict) else {"address": each}
        address = IPv4Interface(str(table.get("address", "")))
        yield ServiceAddress(address=str(address.ip), interface=str(table.get("interface") or interface))


def write_installation(etc: Path, installation: Installation) -> None:
    """Write it whole and durably. Raises Refused with the code of what is wrong, Failed `file-not-written`."""
    if problem := addressing_problem(installation):
        raise Refused(problem.code, **problem.fields)
    write_durably(settings_file(etc), HEADING + msgspec.toml.encode(installation))


def forget_installation(etc: Path) -> None:
    """Remove it durably: where it came back, beistand-guard would act by it. Raises Failed `file-not-written`."""
    remove_durably(settings_file(etc))


def _wrong(path: Path, why: str) -> Failed:
    return Failed("settings-wrong", path=str(path), why=why)
