"""`beistand mail`: the mail server, texts, users, and what is under way."""

import sys
from typing import TextIO

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Failed
from beistand.domain.mail import Encryption, MailState, MailText, OutboxEntry
from beistand.domain.mail_reach import unusable
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
from beistand.text.catalogue import hint, sentence

USUAL_PORTS = {Encryption.NONE: 25, Encryption.STARTTLS: 587, Encryption.TLS: 465}
TEST_SECONDS = 60.0
USERS_TAKEOVER = "users-takeover"


@click.group("mail")
def command() -> None:
    """Mail server, texts, and the mails that are under way."""


@command.command("show")
@verb
def show(console: Console) -> None:
    """Show the mail server and how many mails wait."""
    with Client() as client:
        view = client.call(GetMail(), MailView)
    console.document(view)
    if not view.host:
        console.pairs([("cli.mail.server", console.term("cli.mail.none"))])
        return
    console.pairs(
        [
            ("cli.mail.server", f"{view.host}:{view.port}"),
            ("cli.mail.encryption", console.term(f"encryption.{view.encryption}")),
            ("cli.mail.login", _login(console, view)),
            ("cli.mail.sender", view.sender),
            ("cli.mail.outbox", _counts(console, view.outbox)),
        ]
    )


@command.command("server")
@click.option("--host", help="Name or IPv4 address; empty: no mail server any more.")
@click.option("--port", type=click.IntRange(1, 65535), help="Else the usual one of the encryption.")
@click.option("--encryption", type=click.Choice([each.value for each in Encryption]))
@click.option("--user", help="For the login; empty: none.")
@click.option("--sender", help="Mail address of this pair.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--ask-password", is_flag=True, help="Ask for a new password.")
@verb
def server(console: Console, *, password_stdin: bool, ask_password: bool, **wanted: str | int | None) -> None:
    """Set the mail server; what is not given stays as it is."""
    with Client() as client:
        view = client.call(GetMail(), MailView)
        request = _changed(view, wanted)
        password = None
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        elif ask_password or (request.user and not view.has_password and console.is_interactive):
            password = console.ask("cli.mail.password", hidden=True)
        saved = client.call(
            SetMailServer(
                host=request.host,
                port=request.port,
                encryption=request.encryption,
                user=request.user,
                password=password,
                sender=request.sender,
            ),
            MailView,
        )
    console.document(saved)
    console.line("cli.mail.saved" if saved.host else "cli.mail.removed")


def _changed(view: MailView, wanted: dict[str, str | int | None]) -> SetMailServer:
    given = {name: value for name, value in wanted.items() if value is not None}
    encryption = Encryption(str(given.get("encryption", view.encryption)))
    is_new = encryption is not view.encryption or not view.host
    port = given.get("port", USUAL_PORTS[encryption] if is_new else view.port)
    return SetMailServer(
        host=str(given.get("host", view.host)),
        port=int(port),
        encryption=encryption,
        user=str(given.get("user", view.user)),
        sender=str(given.get("sender", view.sender)),
    )


@command.command("text")
@click.argument("file", type=click.File(encoding="utf-8"), required=False)
@click.option("--kind", default=USERS_TAKEOVER, show_default=True, help="Which mail.")
@click.option("--subject", help="Subject; else as it is.")
@click.option("--default", "is_default", is_flag=True, help="Back to the usual text.")
@verb
def text(console: Console, *, file: TextIO | None, kind: str, subject: str | None, is_default: bool) -> None:
    """Show the text of a mail, or set it from a file (- reads standard input). Fields: {host} {address} {when}."""
    with Client() as client:
        view = client.call(GetMail(), MailView)
        now = next(
            (each for each in view.texts if each.kind == kind), MailText(kind=kind, subject="", body="")
        )
        if file is None and subject is None and not is_default:
            console.document(now)
            console.line("cli.mail.subject", subject=now.subject)
            console.block(f"\n{now.body}")
            return
        body = file.read() if file is not None else now.body
        wanted = MailText(kind=kind, subject=subject or now.subject, body=body)
        if is_default:
            wanted = MailText(kind=kind, subject="", body="")
        saved = client.call(SetMailText(text=wanted), MailView)
    console.document(saved)
    console.line("cli.mail.text-saved")


@command.command("test")
@click.argument("address")
@verb
def send_test(console: Console, *, address: str) -> None:
    """Send one mail now, and say what works step by step."""
    with Client() as client:
        trial = client.call(SendTestMail(address=address), Trial, TEST_SECONDS)
    console.document(trial)
    for each in trial.steps:
        mark = console.term("cli.mail.works" if each.works else "cli.mail.fails")
        console.text(f"{console.term(f'trial.{each.code}')}: {mark}")
    failed = trial.steps[-1].why
    if failed is None:
        return
    if not console.as_json:
        console.fail(failed)
    raise SystemExit(1)


@command.command("users")
@verb
def users(console: Console) -> None:
    """Show who gets a mail after a takeover."""
    with Client() as client:
        found = client.call(ListUsers(), UserList)
    console.document(found)
    if found.problem is not None:
        if console.as_json:
            raise SystemExit(1)
        raise Failed(found.problem.code, **found.problem.fields)
    if not found.users:
        console.line("cli.mail.no-users")
    wrong = unusable(found.users)
    for each in found.users:
        address = each.address or console.term("cli.mail.no-address")
        if each in wrong:
            address += f"  ({console.term('cli.mail.wrong-address')})"
        console.text(f"{each.extension:<8} {each.name:<30} {address}")


@command.command("outbox")
@verb
def outbox(console: Console) -> None:
    """Show the last mails and what became of them."""
    with Client() as client:
        view = client.call(GetMail(), MailView)
    console.document({"mails": view.outbox})
    if not view.outbox:
        console.line("cli.mail.no-mails")
    for each in view.outbox:
        console.text(f"{each.recipient}: {each.subject}")
        console.text(f"  {_became(console, each)}")
        if each.why is not None:
            console.text(f"  {sentence(each.why, console.language)}")
            console.text(f"  HINT: {hint(each.why, console.language)}")


@command.command("retry")
@verb
def retry(console: Console) -> None:
    """Try every mail now that waits or was given up."""
    with Client() as client:
        view = client.call(RetryMails(), MailView)
    console.document(view)
    count = sum(each.state is MailState.WAITING for each in view.outbox)
    console.line("cli.mail.retried", count=count)


def _login(console: Console, view: MailView) -> str:
    if not view.user:
        return console.term("cli.mail.no-login")
    named = "cli.mail.with-password" if view.has_password else "cli.mail.without-password"
    return console.term(named, user=view.user)


def _counts(console: Console, entries: tuple[OutboxEntry, ...]) -> str:
    states = [each.state for each in entries]
    return console.term(
        "cli.mail.counts",
        waiting=states.count(MailState.WAITING),
        sent=states.count(MailState.SENT),
        lost=states.count(MailState.GIVEN_UP),
    )


def _became(console: Console, entry: OutboxEntry) -> str:
    state = console.term(f"mail-state.{entry.state}")
    if entry.next_at is not None:
        return f"{state}, {console.term('cli.mail.next', at=entry.next_at.isoformat())}"
    return f"{state} {entry.sent_at.astimezone():%Y-%m-%d %H:%M:%S}" if entry.sent_at else state
