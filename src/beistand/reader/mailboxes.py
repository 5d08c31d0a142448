"""The people of a telephone system, from Asterisk's voicemail.conf and what it includes."""

import re
from collections.abc import Sequence

from beistand.reader.asking import MOST_ROWS, Includes, People, Person, ReadMailboxes
from beistand.reader.asterisk_config import Budget, Reading, Section

LONGEST = 200
"""Signs of a name, an extension or an address; what is longer is none."""
MOST_FIELDS = 4
NO_MAILBOXES = ("general", "zonemessages", "general-template")
_EXTENSION = re.compile(r"[0-9A-Za-z_.*#+-]{1,80}")


def read(ask: ReadMailboxes, files: Sequence[int]) -> People | Includes:
    reading = Reading(files, ask.includes)
    sections = reading.sections()
    if reading.missing:
        return Includes(names=tuple(reading.missing))
    return People(people=_mailboxes(sections))


def _mailboxes(sections: tuple[Section, ...]) -> tuple[Person, ...]:
    """Return the owner of each mailbox; of one that is named twice in a context, as it was named last."""
    found: dict[tuple[str, str], Person] = {}
    budget = Budget()
    for section in sections:
        if section.name.lower() in NO_MAILBOXES or section.is_template:
            continue
        for key, value in section.entries(budget):
            if person := _person(key, value):
                found[section.name, key] = person
            if len(found) >= MOST_ROWS:
                return tuple(found.values())
    return tuple(found.values())


def _person(extension: str, value: str) -> Person | None:
    """Return who `PIN,name,address,pager,options` names; the PIN is dropped here and read nowhere else."""
    parts = [each.strip() for each in value.split(",", MOST_FIELDS)]
    if not _EXTENSION.fullmatch(extension) or len(parts) < 2:
        return None
    # Several addresses stand between bars; the first one is the person's.
    address = parts[2].split("|", 1)[0].strip() if len(parts) > 2 else ""
    name = "".join(each for each in parts[1][: LONGEST * 2] if each.isprintable())
    if max(len(name), len(parts[1]) - LONGEST, len(address)) > LONGEST or not address.isprintable():
        return None
    return Person(name=name, extension=extension, address=address)
