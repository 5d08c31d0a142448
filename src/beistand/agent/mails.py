"""Mail server, texts, outbox and users, as the agent answers for them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.letters import texts, trial_letter
from beistand.agent.pair_settings import change_settings
from beistand.domain.errors import Refused
from beistand.domain.mail import Encryption, MailServer, MailState
from beistand.domain.mail_address import is_mail_address, is_mail_host
from beistand.domain.mail_text import text_problem
from beistand.ports.mail import Mail
from beistand.protocol import (
    GetMail,
    ListUsers,
    MailView,
    RetryMails,
    SendTestMail,
    SetMailServer,
    SetMailText,
    Trial,
    UserList,
)
from beistand.text.catalogue import language

if TYPE_CHECKING:
    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.settings import PairSettings

SHOWN = 100
"""Newest mails of the outbox."""


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""
    mails = _Mails(agent)
    return {
        GetMail: mails.view,
        SetMailServer: mails.set_server,
        SetMailText: mails.set_text,
        SendTestMail: mails.send_test,
        ListUsers: mails.users,
        RetryMails: mails.retry,
    }


class _Mails:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def view(self, _request: object, _caller: Caller) -> MailView:
        agent = self._agent
        server = agent.store.settings().mail_server
        return MailView(
            host=server.host,
            port=server.port,
            encryption=server.encryption,
            user=server.user,
            has_password=bool(server.password),
            sender=server.sender,
            texts=texts(agent),
            outbox=agent.store.outbox(SHOWN),
            users_told=agent.aftermath.users_told(),
        )

    def set_server(self, request: SetMailServer, caller: Caller) -> MailView:
        def change(settings: PairSettings) -> PairSettings:
            return msgspec.structs.replace(
                settings, mail_server=changed_server(settings.mail_server, request)
            )

        change_settings(self._agent, change, is_at_console=caller.is_at_console)
        self._agent.postman.retry(MailState.WAITING)
        return self.view(request, caller)

    def set_text(self, request: SetMailText, caller: Caller) -> MailView:
        text = request.text
        is_default = not text.subject.strip() and not text.body.strip()
        problem = text_problem(text)
        if problem and not (is_default and problem.code == "mail-text-empty"):
            raise Refused(problem.code, **problem.fields)

        def change(settings: PairSettings) -> PairSettings:
            others = tuple(each for each in settings.mail_texts if each.kind != text.kind)
            return msgspec.structs.replace(settings, mail_texts=others if is_default else (*others, text))

        change_settings(self._agent, change, is_at_console=caller.is_at_console)
        return self.view(request, caller)

    def send_test(self, request: SendTestMail, _caller: Caller) -> Trial:
        agent = self._agent
        server, installation = agent.store.settings().mail_server, agent.node.installation
        if not server.host:
            raise Refused("mail-server-unknown")
        if not is_mail_address(request.address):
            raise Refused("mail-address-form", address=request.address)
        subject, body = trial_letter(agent)
        mail = Mail(
            id=f"<{secrets.token_hex(20)}@{server.sender.rpartition('@')[2]}>",
            recipient=request.address,
            subject=subject,
            body=body,
            at=agent.clock.now(),
            language=language(installation.language),
        )
        return agent.wiring.mailer.send(server, mail, installation.own_ip)

    def users(self, _request: ListUsers, _caller: Caller) -> UserList:
        return self._agent.directory.read()

    def retry(self, request: RetryMails, caller: Caller) -> MailView:
        if not self._agent.store.settings().mail_server.host:
            raise Refused("mail-server-unknown")
        self._agent.postman.retry(MailState.WAITING, MailState.GIVEN_UP)
        return self.view(request, caller)


def changed_server(old: MailServer, wanted: SetMailServer) -> MailServer:
    """Return the mail server as it is to be.

    Raises Refused `mail-host-form`, `mail-sender-form`, `mail-port-form`, `mail-user-form`, `mail-password-again`.
    """
    host = wanted.host.strip()
    if not host:
        return MailServer()
    if not is_mail_host(host):
        raise Refused("mail-host-form", host=host)
    if not 1 <= wanted.port <= 65535:
        raise Refused("mail-port-form", port=wanted.port)
    if not is_mail_address(wanted.sender):
        raise Refused("mail-sender-form", address=wanted.sender)
    if not wanted.user.isprintable():
        raise Refused("mail-user-form")
    password = old.password if wanted.password is None else wanted.password
    is_elsewhere = host.lower() != old.host.lower() or (
        wanted.encryption is Encryption.NONE and old.encryption is not Encryption.NONE
    )
    if wanted.user and wanted.password is None and old.password and is_elsewhere:
        # Who may change the server but does not know the password must not have it sent to himself.
        raise Refused("mail-password-again", host=host)
    return MailServer(
        host=host,
        port=wanted.port,
        encryption=wanted.encryption,
        user=wanted.user,
        password=password if wanted.user else "",
        sender=wanted.sender,
    )
