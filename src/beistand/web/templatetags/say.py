"""Words, figures and files in templates: nothing but codes stands there."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings

from beistand.domain.message import Message
from beistand.text import hint as hint_of
from beistand.text import sentence as sentence_of
from beistand.text import term
from beistand.text.audit import audited
from beistand.text.catalogue import Tellable, entries
from beistand.text.figures import FIGURES
from beistand.web.telling import spoken

COMMANDS = ("beistand", "systemctl", "journalctl", "sudo", "apt", "ip")
register = template.Library()


@register.simple_tag
def say(code: str, **fields: Any) -> str:
    """`{% say "web.overview.age" age=seconds %}`: the interface's words for a code."""
    return term(code, spoken(), **fields)


@register.filter
def word(value: Any, prefix: str) -> str:
    """`{{ status.role|word:"role" }}`: the word for one of several values, by the code `role.active`."""
    return term(f"{prefix}.{value}", spoken())


@register.filter
def sentence(told: Tellable) -> str:
    """The sentence of a message or a finding, beginning as sentences do."""
    return _begun(sentence_of(told, spoken()), told.code)


@register.filter
def hint(told: Tellable) -> str:
    """What to do about it; empty where there is nothing to do."""
    return _begun(hint_of(told, spoken()), f"{told.code}.hint")


def _begun(text: str, code: str) -> str:
    """Return it with a capital, unless it begins with a name or a command: those stay as they are written."""
    begins_with_field = entries(spoken()).get(code, "{").startswith("{")
    is_command = text.partition(" ")[0] in COMMANDS
    return text if begins_with_field or is_command else text[:1].upper() + text[1:]


@register.filter
def deed(what: Message) -> str:
    """A line of the audit log: what somebody did, or why it was refused."""
    return _begun(audited(what, spoken()), what.code)


@register.filter
def duration(seconds: float) -> str:
    return FIGURES["duration"](seconds, spoken())


@register.filter
def size(count: int) -> str:
    """Bytes in the largest fitting unit."""
    return FIGURES["bytes"](count, spoken())


@register.filter
def number(value: float) -> str:
    return FIGURES["number"](value, spoken())


@register.filter
def moment(when: Any) -> str:
    """Date and time to the minute: nobody plans by the second."""
    return FIGURES["minute"](when, spoken())


@register.filter
def instant(when: Any) -> str:
    """To the second, for logs and clocks."""
    return FIGURES["moment"](when, spoken())


@register.simple_tag
def asset(name: str) -> str:
    """The address of a file of ours, with its digest: browsers keep it for good and miss no change."""
    return f"{settings.STATIC_URL}{name}?{_digest(name)}"


@cache
def _digest(name: str) -> str:
    # Joined as text: a path takes no name that a template has marked as safe.
    return hashlib.sha256(Path(f"{settings.STATIC_ROOT}/" + name).read_bytes()).hexdigest()[:12]
