"""Which contact makes way for a phone that was switched off and on right after a takeover (B8)."""

import re
from collections.abc import Iterable

from beistand.domain.phones import MOST_SECONDS, Contact, phone, request_uri
from beistand.domain.profile import MakeWay
from beistand.domain.value import Value

WATCH_SECONDS = float(MOST_SECONDS)
"""After a takeover: no contact whose time ran out in the outage lives longer."""
BACK_SECONDS = 5.0
"""A contact whose phone has not registered so long after it made way is put back."""
MOST_TIMES = 5
"""So often one contact makes way: whoever only pretends to be its phone does not keep it away."""
LONGEST = 4096
"""Bytes of a request that are looked at."""
MOST_LINES = 200
FIRST = b"REGISTER "
_NAME = re.compile(r"[A-Za-z0-9_.@+:-]{1,80}")
_KEY = re.compile(r"[A-Za-z0-9_.@+:;/-]{1,160}")
"""What may stand in a command: the names come from a database and from the network."""
_SCHEMES = {"sip", "sips"}
_LONG = {"t": "to", "m": "contact"}
"""Short names of headers (RFC 3261 section 7.3.3)."""


class Register(Value, frozen=True, kw_only=True):
    """A REGISTER as it came over UDP; nobody has proved who sent it."""

    user: str
    """Whose registration it would be: user of the To header …"""
    domain: str
    """… and its host."""
    source: str
    port: int
    contact: str
    """The URI at which the phone wants to be called."""


class Aside(Value, frozen=True, kw_only=True):
    """A contact that made way a moment ago."""

    contact: Contact
    most: int
    """Contacts that the PBX takes for this phone."""


class Watched(Value, frozen=True, kw_only=True):
    """What is kept on the disk, for an agent that starts again in these minutes."""

    until: float
    """Epoch seconds."""
    contacts: tuple[Contact, ...] = ()
    aside: tuple[Aside, ...] = ()


def register(datagram: bytes, source: str, port: int) -> Register | None:
    """Return what a datagram asks for; None where it is no REGISTER that names a phone and a place."""
    if not datagram.startswith(FIRST):
        return None
    head = datagram[:LONGEST].partition(b"\r\n\r\n")[0].decode(errors="replace")
    values: dict[str, str] = {}
    for line in head.split("\r\n", MOST_LINES)[1:MOST_LINES]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        values.setdefault(_LONG.get(name, name), value)
    user, at, domain = _address(values.get("to", "")).partition("@")
    contact = request_uri(_uri(values.get("contact", "")))
    if not at or not _NAME.fullmatch(user) or contact.partition(":")[0].lower() not in _SCHEMES:
        return None
    return Register(user=user, domain=_host(domain), source=source, port=port, contact=contact)


def watched(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Return the contacts that could shut their phone out: over UDP, alive after the start, with usable names."""
    return tuple(
        each
        for each in contacts
        if each.survives
        and _NAME.fullmatch(each.aor)
        and _KEY.fullmatch(each.key)
        and (found := phone(each.uri))
        and not found.is_connected
    )


def hosts(contacts: Iterable[Contact]) -> tuple[str, ...]:
    """Return where these phones are, each address once."""
    return tuple(dict.fromkeys(found.address for each in contacts if (found := phone(each.uri))))


def in_the_way(asked: Register, contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Return the contacts of the same phone at the same host that the new one is not.

    The same host only: a packet from elsewhere takes nothing away. None where one of them is renewed by this.
    """
    names = {asked.user, f"{asked.user}@{asked.domain}"}
    own = [
        each
        for each in contacts
        if each.aor in names and (found := phone(each.uri)) and found.address == asked.source
    ]
    return () if any(_is_same(asked, each) for each in own) else tuple(own)


def room(make_way: MakeWay, answer: str) -> int | None:
    """Return how many contacts the PBX takes for a phone; 0: it makes room by itself; None: it did not say."""
    most = None
    for row in answer[:65536].splitlines():
        key, _, value = (part.strip() for part in row.partition(":"))
        if key == make_way.replaces and value in make_way.replaces_if:
            return 0
        if key == make_way.most and value.isdecimal():
            most = int(value[:6])
    return most


def question(make_way: MakeWay, contact: Contact) -> str:
    """Return the command that shows how many contacts this phone may have."""
    return make_way.room.replace("{aor}", contact.aor)


def commands(templates: Iterable[str], aside: Aside) -> tuple[str, ...]:
    """Return these commands for this contact; whoever has no name that may stand in one is left out of it."""
    contact = aside.contact
    endpoint = contact.endpoint if _NAME.fullmatch(contact.endpoint) else ""
    words = {"{aor}": contact.aor, "{key}": contact.key, "{most}": str(aside.most), "{endpoint}": endpoint}
    made = []
    for each in templates:
        if endpoint or "{endpoint}" not in each:
            for place, word in words.items():
                each = each.replace(place, word)  # noqa: PLW2901  # one after the other
            made.append(each)
    return tuple(made)


def _is_same(asked: Register, contact: Contact) -> bool:
    """Tell whether the PBX would take the new contact for this one (RFC 3261 section 19.1.4)."""
    new, old = phone(asked.contact), phone(contact.uri)
    # The PBX may put the source of the packet into the contact, or leave what the phone wrote there.
    places = {(asked.source, asked.port), (new.address, new.port) if new else None}
    if old is None or (old.address, old.port) not in places:
        return False
    mine, known = request_uri(asked.contact), request_uri(contact.uri)
    if _user(mine) != _user(known):
        return False
    one, other = _parameters(mine), _parameters(known)
    return all(one[name] == other[name] for name in one.keys() & other.keys())


def _address(header: str) -> str:
    """Return `user@host…` of the URI in a header, empty where it has none."""
    uri = _uri(header)
    scheme, _, rest = uri.partition(":")
    return rest if scheme.lower() in _SCHEMES else ""


def _uri(header: str) -> str:
    """Return the URI of the first value in a header, without its angle brackets."""
    text = header.strip()
    if text.startswith('"'):  # a name, in which anything may stand
        text = text[1:].replace('\\"', "").partition('"')[2]
    _, bracket, rest = text.partition("<")
    return rest.partition(">")[0].strip() if bracket else text.partition(";")[0].partition(",")[0].strip()


def _host(text: str) -> str:
    return text.partition(";")[0].partition("?")[0].partition(":")[0]


def _user(uri: str) -> str:
    before, at, _ = uri.partition("@")
    return before.partition(":")[2] if at else ""


def _parameters(uri: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in uri.partition("@")[2].partition("?")[0].split(";")[1:])
    return {name.lower(): value.lower() for name, _, value in pairs}
