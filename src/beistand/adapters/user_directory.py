"""The people of the telephone system, from its own files (port `Users`)."""

import re
from pathlib import Path

from beistand.adapters.asterisk_config import Section, read_sections
from beistand.domain.errors import Failed
from beistand.domain.mail import User
from beistand.domain.profile import DirectoryFormat, Profile

MOST_USERS = 20_000
LONGEST = 200
"""Signs of a name, an extension or an address; what is longer is none."""
NO_MAILBOXES = ("general", "zonemessages", "general-template")
_EXTENSION = re.compile(r"[0-9A-Za-z_.*#+-]{1,80}")


class FileUsers:
    def list(self, profile: Profile) -> tuple[User, ...]:
        directory = profile.users
        if directory is None:
            return ()
        try:
            match directory.format:
                case DirectoryFormat.ASTERISK_VOICEMAIL:
                    sections = read_sections(Path(directory.path))
        except OSError as error:
            why = error.strerror or str(error)
            raise Failed("users-not-read", path=directory.path, why=why) from error
        return _mailboxes(sections)


def _mailboxes(sections: tuple[Section, ...]) -> tuple[User, ...]:
    """Return the owner of each mailbox; of one that is named twice in a context, as it was named last."""
    found: dict[tuple[str, str], User] = {}
    for section in sections:
        if section.name.lower() in NO_MAILBOXES or section.is_template:
            continue
        for key, value in section.entries:
            if user := _user(key, value):
                found[section.name, key] = user
            if len(found) >= MOST_USERS:
                break
    return tuple(found.values())


def _user(extension: str, value: str) -> User | None:
    """Return who `PIN,name,address,pager,options` names; the PIN is dropped here and read nowhere else."""
    parts = [each.strip() for each in value.split(",")]
    if not _EXTENSION.fullmatch(extension) or len(parts) < 2:
        return None
    # Several addresses stand between bars; the first one is the person's.
    address = parts[2].split("|")[0].strip() if len(parts) > 2 else ""
    name = "".join(each for each in parts[1] if each.isprintable())
    if max(len(name), len(address)) > LONGEST or not address.isprintable():
        return None
    return User(name=name, extension=extension, address=address)
