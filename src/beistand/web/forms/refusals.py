"""The agent's refusals, told beside the field that they concern."""

from django import forms

from beistand.domain.message import Message
from beistand.web.templatetags.say import hint, sentence

FIELDS = {
    "config-name-missing": "name",
    "licence-key-form": "licence_key",
    "licence-key-other": "licence_key",
    "mail-address-form": "mail_address",
    "mail-address-missing": "mail_address",
    "standby-server-form": "server",
    "standby-server-own": "server",
    "standby-server-outside": "server",
    "standby-server-missing": "server",
    "not-an-address": "server",
    "subnet-differs": "server",
    "pair-with-itself": "server",
    "host-key-missing": "server",
    "no-layer-2": "server",
    "schedule-start-form": "start",
    "schedule-start-past": "start",
    "schedules-meet": "at",
    "replug-too-long": "replug",
    "passphrase-unusable": "passphrase",
    "passphrase-short": "passphrase",
    "log-in-wrong": "own_password",
}
"""Which field of a form a code is about."""


def tell_at(form: forms.Form, problem: Message) -> bool:
    """Tell the problem at its field; return False where this form has no such field."""
    field = FIELDS.get(problem.code, "")
    if field not in form.fields:
        return False
    form.add_error(field, in_full(problem))
    return True


def in_full(problem: Message) -> str:
    """Return sentence and hint as one text."""
    return ". ".join(text for text in (sentence(problem), hint(problem)) if text)
