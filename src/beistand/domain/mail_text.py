"""Texts of mails that an administrator may write, with fields in braces (S21)."""

import re
from string import Formatter

from beistand.domain.mail import MailText
from beistand.domain.message import Message, message

USERS_TAKEOVER = "users-takeover"
"""Kind of the mail to all users after a takeover."""
FIELDS = {USERS_TAKEOVER: ("host", "address", "when")}
"""What may stand in braces, by the kind of the mail."""
LONGEST_SUBJECT = 200
LONGEST_BODY = 20_000
_BRACES = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z]+)\}")


def text_problem(text: MailText) -> Message | None:
    """Return what is wrong with a text, None if it may be saved."""
    known = FIELDS.get(text.kind)
    if known is None:
        return message("mail-text-unknown", kind=text.kind)
    if not text.subject.strip() or not text.body.strip():
        return message("mail-text-empty")
    if len(text.subject) > LONGEST_SUBJECT or len(text.body) > LONGEST_BODY:
        return message("mail-text-long", subject=LONGEST_SUBJECT, body=LONGEST_BODY)
    if any(each < " " for each in text.subject):
        return message("mail-subject-lines")
    for part in (text.subject, text.body):
        try:
            wrong = next((each for each in _fields(part) if each not in known), None)
        except ValueError:
            wrong = "{"
        if wrong is not None:
            return message("mail-text-field", field=wrong, known=" ".join(f"{{{each}}}" for each in known))
    return None


def filled(template: str, fields: dict[str, str]) -> str:
    """Return the text with its fields; braces that name none stay as they are."""

    def part(found: re.Match[str]) -> str:
        return found[0][0] if found["name"] is None else fields.get(found["name"], found[0])

    return _BRACES.sub(part, template)


def one_line(text: str) -> str:
    """Return the text without line ends and control characters: a header ends where its line does."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def printable(text: str) -> str:
    """Return the text with plain line ends, without other control characters and lone surrogates."""
    lines = text.encode("utf-8", "replace").decode("utf-8").splitlines()
    kept = ("".join(each for each in line if each.isprintable() or each == "\t") for line in lines)
    return "\n".join(kept).rstrip() + "\n"


def _fields(template: str) -> list[str]:
    """Return what stands in braces, with its format if it has one. Raises ValueError for a single brace."""
    found = []
    for _, name, spec, conversion in Formatter().parse(template):
        if name is not None:
            found.append(name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else ""))
    return found
