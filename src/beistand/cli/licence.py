"""`beistand licence`: both sets of licences, installing by file or key; for sellers: keygen and issue (S5 to S7)."""

from pathlib import Path

import click

from beistand.cli.console import Console
from beistand.cli.licence_seller import issue, keygen
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.domain.licence import Licence, is_key
from beistand.protocol import GetLicences, InstallLicence, InstallLicences, LicencesView, RemoveLicence

LARGEST_FILE = 512 * 1024


@click.group("licence")
def command() -> None:
    """Licences of this appliance and of the other one."""


command.add_command(keygen)
command.add_command(issue)


@command.command("list")
@verb
def list_licences(console: Console) -> None:
    """Show both sets, what is known from files, and what is wrong with them."""
    with Client() as client:
        _show(console, client.call(GetLicences(), LicencesView))


@command.command("show")
@click.argument("key")
@verb
def show(console: Console, *, key: str) -> None:
    """Show all that is known of one licence."""
    with Client() as client:
        view = client.call(GetLicences(), LicencesView)
    for each in (*view.own, *view.peer, *view.known):
        if each.key == key.strip().upper():
            console.document(each)
            console.text(_line(console, each))
            console.pairs(_details(console, each))
            return
    raise Refused("licence-unknown", key=key)


@command.command("install")
@click.argument("what", metavar="FILE|KEY")
@verb
def install(console: Console, *, what: str) -> None:
    """Install what a licence file grants and belongs here, or one key that a file made known."""
    with Client() as client:
        if is_key(what.strip().upper()) and not Path(what).exists():
            after = client.call(InstallLicence(key=what), LicencesView)
        else:
            after = client.call(InstallLicences(file=_text(what)), LicencesView)
    console.document(after)
    for each in after.own:
        if each.key in after.installed:
            console.line("cli.licence.installed", licence=_line(console, each))
    for each in after.known:
        if each.key in after.elsewhere:
            console.line("cli.licence.known-now", licence=_line(console, each))
    console.findings(after.findings)


@command.command("remove")
@click.argument("key")
@verb
def remove(console: Console, *, key: str) -> None:
    """Remove a licence; the server licence is replaced by installing another one."""
    with Client() as client:
        view = client.call(RemoveLicence(key=key), LicencesView)
    console.document(view)
    console.line("cli.licence.removed", key=key.strip().upper())
    console.findings(view.findings)


def _show(console: Console, view: LicencesView) -> None:
    console.document(view)
    for heading, licences in (
        ("cli.licence.own", view.own),
        ("cli.licence.peer", view.peer),
        ("cli.licence.known", view.known),
    ):
        if not licences and heading != "cli.licence.own":
            continue
        console.line(heading)
        for each in licences:
            console.text(f"  {_line(console, each)}")
        if not licences:
            console.text(f"  {console.term('cli.licence.none')}")
    console.findings(view.findings)


def _line(console: Console, licence: Licence) -> str:
    words = [licence.key, console.term(f"licence.kind.{licence.kind}")]
    if licence.module:
        words.append(licence.module)
    if licence.count:
        words.append(console.term("cli.licence.count", count=licence.count))
    if licence.counterpart:
        words.append(console.term("cli.licence.counterpart", key=licence.counterpart))
    return "  ".join(words)


def _details(console: Console, licence: Licence) -> list[tuple[str, str]]:
    issued = console.term("cli.licence.self-issued") if licence.is_self_issued else licence.seller
    expires = licence.expires.isoformat() if licence.expires else "-"
    return [
        ("cli.licence.holder", licence.holder or "-"),
        ("cli.licence.seller", issued or "-"),
        ("cli.licence.expires", expires),
    ]


def _text(name: str) -> str:
    try:
        with click.open_file(name, encoding="utf-8") as file:
            return str(file.read(LARGEST_FILE + 1))
    except OSError as error:
        raise Refused("file-unreadable", path=name, why=error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise Refused("licence-file-form", why=str(error)) from None
