"""`beistand backup`: local backups as files, and the first import of a standby from one (S14, S16)."""

import sys
from contextlib import suppress
from pathlib import Path

import click

from beistand.cli.backup_file import fetch, upload
from beistand.cli.console import Console
from beistand.cli.jobs import follow_with_care, must_be_done
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.job import Job
from beistand.protocol import (
    Backup,
    BackupDetails,
    BackupList,
    CheckUpload,
    CreateBackup,
    DeleteBackup,
    Done,
    DropUpload,
    GetBackup,
    GetUpload,
    ImportUpload,
    ListBackups,
    Part,
    UploadView,
)

READABLE_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
passphrase_option = click.option(
    "--passphrase-stdin", is_flag=True, help="Read a passphrase from standard input."
)


@click.group("backup")
def command() -> None:
    """Local backups, and the first import of a standby from one."""


@command.command("create")
@click.option(
    "--passphrase-stdin",
    is_flag=True,
    help="Read a passphrase of 12 characters or more from standard input.",
)
@verb
def create(console: Console, *, passphrase_stdin: bool) -> None:
    """Save this appliance as one file; with a passphrase it is encrypted."""
    passphrase = _from_stdin() if passphrase_stdin else ""
    with Client() as client:
        job = follow_with_care(client, client.call(CreateBackup(passphrase=passphrase), Job), console)
        must_be_done(console, job)
        details = client.call(GetBackup(id=str(job.result["backup"])), BackupDetails)
    console.document(details)
    console.line("cli.backup.created", backup=details.backup.id, size=details.backup.file_size)
    if details.backup.generation.growing:
        console.line("cli.backup.growing", count=len(details.backup.generation.growing))


@command.command("list")
@verb
def list_backups(console: Console) -> None:
    """Show the local backups, newest first."""
    with Client() as client:
        found = client.call(ListBackups(), BackupList)
    console.document(found)
    for each in found.backups:
        console.text(_line(console, each))
    if not found.backups:
        console.line("cli.backup.none")
    if found.next_backup:
        console.line("cli.backup.next", at=found.next_backup)


@command.command("show")
@click.argument("backup", metavar="ID")
@verb
def show(console: Console, *, backup: str) -> None:
    """Show what a backup holds."""
    with Client() as client:
        details = client.call(GetBackup(id=backup), BackupDetails)
    console.document(details)
    console.text(_line(console, details.backup))
    console.pairs(
        [
            ("cli.backup.host", details.host),
            ("cli.backup.digest", details.backup.digest),
            ("cli.backup.version", details.backup.generation.pbx_version),
        ]
    )
    _show_parts(console, details.parts)


@command.command("delete")
@click.argument("backup", metavar="ID")
@verb
def delete(console: Console, *, backup: str) -> None:
    """Delete a backup from this appliance."""
    with Client() as client:
        console.document(client.call(DeleteBackup(id=backup), BackupList))
    console.line("cli.backup.deleted", backup=backup)


@command.command("get")
@click.argument("backup", metavar="ID")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@verb
def get(console: Console, *, backup: str, output: Path) -> None:
    """Write a backup to a file that can be carried away."""
    with Client() as client:
        known = client.call(GetBackup(id=backup), BackupDetails).backup
        fetch(client, known, output)
    console.document(known)
    console.line("cli.backup.fetched", file=str(output), size=known.file_size)


@command.command("check")
@click.argument("file", type=READABLE_FILE)
@passphrase_option
@verb
def check(console: Console, *, file: Path, passphrase_stdin: bool) -> None:
    """On the standby: see whether a file can be imported here; nothing is changed."""
    with Client() as client:
        view = _checked(console, client, file, passphrase_stdin=passphrase_stdin)
        client.call(DropUpload(id=view.id), Done)
    console.document(view)
    _show_upload(console, view)


@command.command("import")
@click.argument("file", type=READABLE_FILE)
@click.option("--confirm", metavar="GENERATION", help="Import exactly this generation; then nobody is asked.")
@passphrase_option
@verb
def import_(console: Console, *, file: Path, confirm: str | None, passphrase_stdin: bool) -> None:
    """On the standby: overwrite its data with what a file holds."""
    with Client() as client:
        view = _checked(console, client, file, passphrase_stdin=passphrase_stdin)
        assert view.generation is not None
        try:
            _show_upload(console, view)
            _confirm(console, view.generation.id, confirm)
        except BaseException:
            client.call(DropUpload(id=view.id), Done)
            raise
        request = ImportUpload(id=view.id, generation=view.generation.id)
        job = follow_with_care(client, client.call(request, Job), console)
    must_be_done(console, job)
    console.document(job)
    console.line("cli.backup.imported", generation=view.generation.id)


def _checked(console: Console, client: Client, file: Path, *, passphrase_stdin: bool) -> UploadView:
    """Upload the file and have it checked; where it is refused, nothing of it stays."""
    begun = upload(console, client, file)
    try:
        passphrase = ""
        if passphrase_stdin:
            passphrase = _from_stdin()
        elif client.call(GetUpload(), UploadView).needs_passphrase and console.is_interactive:
            passphrase = console.ask("cli.backup.ask-passphrase", hidden=True)
        job = client.call(CheckUpload(id=begun.id, passphrase=passphrase), Job)
        must_be_done(console, follow_with_care(client, job, console))
        return client.call(GetUpload(), UploadView)
    except BaseException:
        # The answer to an interrupted question may be under way on the first connection; a job that was left
        # running keeps its file until it ends.
        with suppress(BeistandError), Client() as other:
            other.call(DropUpload(id=begun.id), Done)
        raise


def _confirm(console: Console, generation: str, confirm: str | None) -> None:
    if confirm is None and console.is_interactive:
        console.line("cli.backup.warning")
        confirm = console.ask("cli.backup.ask-generation")
    if confirm != generation:
        raise Refused("seed-not-confirmed", generation=generation)


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\n")


def _line(console: Console, backup: Backup) -> str:
    words = [
        backup.id,
        console.term("cli.moment", at=backup.generation.begin.isoformat()),
        console.term("cli.size", size=backup.file_size),
        console.term(_kind(backup)),
        console.term("cli.backup.encrypted") if backup.is_encrypted else "",
    ]
    return "  ".join(word for word in words if word)


def _kind(backup: Backup) -> str:
    if backup.superseded_by:
        return "backup.kept"
    return "cli.backup.asked" if backup.asked else "cli.backup.scheduled"


def _show_upload(console: Console, view: UploadView) -> None:
    assert view.generation is not None
    console.pairs(
        [
            ("cli.backup.generation", view.generation.id),
            ("cli.backup.host", view.host),
            ("cli.backup.begin", console.term("cli.moment", at=view.generation.begin.isoformat())),
            ("cli.backup.version", view.generation.pbx_version),
        ]
    )
    _show_parts(console, view.parts)


def _show_parts(console: Console, parts: tuple[Part, ...]) -> None:
    for each in parts:
        code = "cli.backup.database" if each.is_database else "cli.backup.tree"
        console.line(code, path=each.path, files=each.files, size=each.bytes)
