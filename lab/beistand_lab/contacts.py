"""Where phones can be reached: as a PBX acknowledged it at the switch, and as an appliance has it on its disk."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterable

from beistand_lab.lab import Lab
from beistand_lab.sip_messages import SipMessage, registers_answered

ASTDB = "/var/lib/asterisk/astdb.sqlite3"
_PREFIX = "/registrar/contact/"
_URI = re.compile(r"sips?:[^>;^\s\"]+")


def acknowledged(lab: Lab, before: float = 9e9, after: float = 0) -> dict[str, str]:
    """The contact of each phone's last REGISTER that the PBX had answered with 200 by then, by number."""
    return newest_contacts(from_phones(lab, after, before))


def from_phones(lab: Lab, after: float = 0, before: float = 9e9) -> list[SipMessage]:
    """The answers 200 to phones' registrations: the PBX's own at its provider are none of them."""
    server = lab.settings.service_address
    answers = registers_answered(lab.capture.sip_messages(after, before))
    return [each for each in answers if each.source == server]


def newest_contacts(answers: Iterable[SipMessage]) -> dict[str, str]:
    """What the answers add up to: the last one of each phone counts, one without a contact is its good-bye."""
    contacts = {each.to_user: uri_in(each.header("Contact")) for each in answers}
    return {number: uri for number, uri in contacts.items() if uri}


def on_the_disk(lab: Lab, host: str) -> dict[str, str]:
    """The contact of each phone in an appliance's astdb, by number; the PBX does not have to run."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(lab.read(host, ASTDB))
        file.flush()
        database = sqlite3.connect(f"file:{file.name}?mode=ro&immutable=1", uri=True)
        try:
            rows = database.execute(
                "select key, value from astdb where key like ?", (f"{_PREFIX}%",)
            ).fetchall()
        finally:
            database.close()
    # The key is PREFIX, the phone's number, ";@" and a digest of the contact.
    return {key.removeprefix(_PREFIX).split(";")[0]: uri_in(value) for key, value in rows}


def uri_in(text: str) -> str:
    """The first SIP address in a text, without its parameters: astdb writes their semicolon as ^3B."""
    found = _URI.search(text)
    return found[0] if found else ""
