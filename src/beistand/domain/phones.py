"""Registered phones, read from the contacts of the PBX."""

import re
from ipaddress import IPv4Address

from beistand.domain.value import Value

_URI = re.compile(r"sips?:(?:[^@;>]*@)?(?P<host>[0-9.]+)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[;>?].*)?")

_BREAKS = re.compile(r"[\s<>\"]")


class Phone(Value, frozen=True, kw_only=True):
    address: str
    port: int
    is_connected: bool
    """Holds a TCP or TLS connection to the PBX, which dies with it."""
    is_secure: bool = False
    """By TLS."""


def contact(uri: str) -> str:
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
    is_secure = uri.lower().lstrip("<").startswith("sips:") or "transport=tls" in rest
    return Phone(
        address=address,
        port=int(found["port"] or (5061 if is_secure else 5060)),
        is_connected=is_secure or "transport=tcp" in rest,
        is_secure=is_secure,
    )


def phones(uris: tuple[str, ...]) -> tuple[Phone, ...]:
    """Return the phones of these contacts, each once."""
    return tuple(dict.fromkeys(each for uri in uris if (each := phone(uri))))
