"""Registered phones, read from the contacts of the PBX."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address

from beistand.domain.message import Message, message
from beistand.domain.value import Value

_URI = re.compile(r"sips?:(?:[^@;>]*@)?(?P<host>[0-9.]+)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[;>?].*)?")

_BREAKS = re.compile(r"[\s<>\"]")


LEAST_SECONDS, MOST_SECONDS = 300, 600
"""So long a contact whose time ran out in an outage lives on. A phone that failed to register in the meantime tries
again after up to 263 s (FIGURES section 4), and PJSIP after 300 s by default."""


class Contact(Value, frozen=True, kw_only=True):
    """One registration as the PBX keeps it."""

    uri: str
    endpoint: str = ""
    """What the PBX calls the phone that registered; empty: not known."""
    survives: bool = True
    """False: the PBX forgets it at its start, because it stands for a connection that is gone then."""
    is_qualified: bool = False
    """The PBX takes the phone for unavailable until it has answered an OPTIONS."""
    aor: str = ""
    """Whose contacts it is one of, as a REGISTER names them; empty: not known."""
    key: str = ""
    """What the database calls it."""


class Dated(Value, frozen=True, kw_only=True):
    """When the contacts of a database were those of a running PBX."""

    at: float
    """Epoch seconds, by the clock of the machine that ran it."""
    age: float
    """Seconds since then, which no clock difference changes."""


class Phone(Value, frozen=True, kw_only=True):
    address: str
    port: int
    is_connected: bool
    """Holds a TCP, TLS or WebSocket connection to the PBX, which dies with it."""
    is_secure: bool = False
    """By TLS."""


class Reached(Value, frozen=True, kw_only=True):
    """Address and port of each phone after a start of the PBX."""

    at_once: tuple[str, ...] = ()
    """The PBX still knows them: calls reach them from its first answer on."""
    later: tuple[str, ...] = ()
    """The PBX forgets them with their connection: calls reach them when they have connected again."""


def request_uri(uri: str) -> str:
    """Return a contact's URI as it stands in a request; empty where it would break one."""
    # Asterisk stores a semicolon as ^3B.
    text = uri.strip().strip("<>").replace("^3B", ";")
    return text if text.isascii() and text.isprintable() and not _BREAKS.search(text) else ""


def phone(uri: str) -> Phone | None:
    """Return the phone behind a contact's SIP URI; None where that names no IPv4 address."""
    # Asterisk stores a semicolon as ^3B.
    found = _URI.match(uri.strip().lstrip("<").replace("^3B", ";"))
    if found is None:
        return None
    try:
        address = str(IPv4Address(found["host"]))
    except ValueError:
        return None
    rest = (found["rest"] or "").lower()
    is_secure = (
        uri.lower().lstrip("<").startswith("sips:") or "transport=tls" in rest or "transport=wss" in rest
    )
    return Phone(
        address=address,
        port=int(found["port"] or (5061 if is_secure else 5060)),
        is_connected=is_secure or "transport=tcp" in rest or "transport=ws" in rest,
        is_secure=is_secure,
    )


def phones(contacts: Iterable[Contact]) -> tuple[Phone, ...]:
    """Return the phones of these contacts, each once."""
    return tuple(dict.fromkeys(found for each in contacts if (found := phone(each.uri))))


def reached(contacts: Iterable[Contact]) -> Reached:
    """Return which of these phones can be called at once after a start of the PBX, and which ones later."""
    known = [
        (each.survives, f"{found.address}:{found.port}") for each in contacts if (found := phone(each.uri))
    ]
    at_once = dict.fromkeys(name for survives, name in known if survives)
    later = dict.fromkeys(name for survives, name in known if not survives and name not in at_once)
    return Reached(at_once=tuple(at_once), later=tuple(later))


def reached_message(at_once: int, later: int) -> Message:
    """Say how many phones can be called at once, and how many when they have connected again."""
    match min(at_once, 2), min(later, 2):
        case 0, 0:
            return message("phones-reached.none")
        case 0, 1:
            return message("phones-reached.later.one")
        case 0, _:
            return message("phones-reached.later", later=later)
        case 1, 0:
            return message("phones-reached.one")
        case _, 0:
            return message("phones-reached", at_once=at_once)
        case 1, 1:
            return message("phones-reached.one-and-one")
        case 1, _:
            return message("phones-reached.one-and-later", later=later)
        case _, 1:
            return message("phones-reached.and-one", at_once=at_once)
        case _:
            return message("phones-reached.and-later", at_once=at_once, later=later)
