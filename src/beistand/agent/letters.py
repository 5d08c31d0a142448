"""Mails as they are written: subject and body from the catalogue or by an administrator."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from beistand.domain.mail import MailText, OutboxEntry
from beistand.domain.mail_text import FIELDS, filled
from beistand.text.catalogue import entries, hint, language, sentence, term
from beistand.text.figures import moment

if TYPE_CHECKING:
    from datetime import datetime

    from beistand.agent.agent import Agent
    from beistand.domain.config import ModuleConfig
    from beistand.domain.message import Field
    from beistand.domain.notices import Notice
    from beistand.domain.settings import PairSettings

PAGES_PORT = 8443


def texts(agent: Agent) -> tuple[MailText, ...]:
    """Return the texts that an administrator may change, as they would be sent, with their fields in braces."""
    spoken = _language(agent)
    return tuple(text(agent.store.settings(), kind, spoken) for kind in FIELDS)


def text(settings: PairSettings, kind: str, spoken: str) -> MailText:
    """Return what was written for this kind of mail, else the catalogue's."""
    catalogue = entries(spoken)
    return next(
        (each for each in settings.mail_texts if each.kind == kind),
        MailText(
            kind=kind,
            subject=catalogue[f"mail.{kind}.subject"],
            body=catalogue[f"mail.{kind}.body"],
        ),
    )


def to_users(
    agent: Agent, kind: str, occasion: str, recipients: list[str], happened: datetime
) -> list[OutboxEntry]:
    """Return one mail for each of these people."""
    spoken, written = _language(agent), text(agent.store.settings(), kind, _language(agent))
    fields = {
        "host": socket.gethostname(),
        "address": agent.node.installation.service_ip,
        "when": moment(happened, spoken),
    }
    now = agent.clock.now()
    return [
        OutboxEntry(
            occasion=occasion,
            kind=kind,
            recipient=each,
            subject=filled(written.subject, fields),
            body=filled(written.body, fields),
            since=now,
        )
        for each in recipients
    ]


def to_administrator(agent: Agent, occasion: str, notice: Notice) -> OutboxEntry:
    """Return the mail that tells the notice to the address of the module configuration."""
    spoken, installation = _language(agent), agent.node.installation
    fields: dict[str, Field] = {
        "host": socket.gethostname(),
        "address": installation.service_ip,
        "when": agent.clock.now().isoformat(),
        **notice.fields,
    }
    if notice.about is not None:
        fields["problem"] = sentence(notice.about, spoken)
    fields["problems"] = "\n".join(f"- {_whole(sentence(each, spoken))}" for each in notice.others)
    subject = term(f"mail.{notice.code}.subject", spoken, **fields)
    if notice.about is not None:
        fields["problem"] = _whole(str(fields["problem"]))
        fields["advice"] = _whole(hint(notice.about, spoken) or term("mail.no-advice", spoken))
    pages = f"https://{installation.own_ip}:{PAGES_PORT}/"
    body = term(f"mail.{notice.code}.body", spoken, **fields)
    foot = term("mail.foot", spoken, **fields, pages=pages, own=installation.own_ip)
    return OutboxEntry(
        occasion=occasion,
        kind=notice.code,
        recipient=agent.store.config().mail_address,
        subject=subject,
        body=f"{body.rstrip()}\n\n{foot}\n",
        since=agent.clock.now(),
    )


def to_former(agent: Agent, address: str, config: ModuleConfig, who: str) -> OutboxEntry:
    """Return the mail that tells an address that no more alarms come to it, and who decided that."""
    spoken, installation = _language(agent), agent.node.installation
    host = socket.gethostname()
    goes_on = config.send_mail and not config.is_removed
    kind = "address-changed" if goes_on else "mails-off"
    fields = {"host": host, "who": who, "when": agent.clock.now().isoformat(), "new": config.mail_address}
    pages = f"https://{installation.own_ip}:{PAGES_PORT}/"
    foot = term(
        "mail.foot", spoken, host=host, address=installation.service_ip, pages=pages, own=installation.own_ip
    )
    body = term(f"mail.{kind}.body", spoken, **fields)
    return OutboxEntry(
        occasion=f"{kind}-{config.revision}",
        kind=kind,
        recipient=address,
        subject=term(f"mail.{kind}.subject", spoken, host=host),
        body=f"{body.rstrip()}\n\n{foot}\n",
        since=agent.clock.now(),
    )


def trial_letter(agent: Agent) -> tuple[str, str]:
    """Return subject and body of a test mail."""
    spoken = _language(agent)
    host = socket.gethostname()
    return term("mail.trial.subject", spoken, host=host), term("mail.trial.body", spoken, host=host)


def _language(agent: Agent) -> str:
    return language(agent.node.installation.language)


def _whole(text: str) -> str:
    """Return a sentence of the catalogue as one that stands for itself."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
