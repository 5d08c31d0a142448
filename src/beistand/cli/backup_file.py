"""Bring a backup from the agent into a file, and a file to the agent, piece by piece."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from beistand.cli.console import Console
from beistand.client import Client
from beistand.domain.errors import Failed
from beistand.protocol import (
    CHUNK_BYTES,
    Backup,
    BeginUpload,
    Chunk,
    Done,
    ReadBackup,
    SendUpload,
    UploadView,
)

SECONDS = 60.0
"""For one piece: a disk may be slow, and the agent busy with packing."""


def fetch(client: Client, backup: Backup, output: Path) -> None:
    """Write the backup to a file, 0600: it holds passwords. It stands there whole or not at all.

    Raises Failed `file-not-written`, `backup-damaged` where it is not what was saved.
    """
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.absolute().parent)
    except OSError as error:
        raise Failed("file-not-written", path=str(output), why=error.strerror or str(error)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            found = _pieces(client, backup, file.write)
            file.flush()
            os.fsync(file.fileno())
        if found != backup.digest:
            raise Failed("backup-damaged", backup=backup.id)
        os.replace(beside, output)
    except OSError as error:
        raise Failed("file-not-written", path=str(output), why=error.strerror or str(error)) from None
    finally:
        Path(beside).unlink(missing_ok=True)


def upload(console: Console, client: Client, file: Path) -> UploadView:
    """Send the file to the agent. Raises what it refuses; then it keeps nothing."""
    size, sent = file.stat().st_size, 0
    begun = client.call(BeginUpload(name=file.name, size=size), UploadView)
    with file.open("rb") as content:
        while piece := content.read(CHUNK_BYTES):
            client.call(SendUpload(id=begun.id, offset=sent, data=piece), Done, SECONDS)
            sent += len(piece)
            if not console.as_json and sys.stderr.isatty():
                click.echo(
                    f"\r\033[K{console.term('cli.backup.uploading', done=sent, total=size)}",
                    nl=False,
                    err=True,
                )
    if not console.as_json and sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)
    return begun


def _pieces(client: Client, backup: Backup, write: Callable[[bytes], object]) -> str:
    """Hand over the pieces of a backup; return the SHA-256 of them all."""
    digest, offset, is_last = hashlib.sha256(), 0, False
    while not is_last:
        chunk = client.call(ReadBackup(id=backup.id, offset=offset), Chunk, SECONDS)
        digest.update(chunk.data)
        write(chunk.data)
        offset, is_last = offset + len(chunk.data), chunk.is_last or not chunk.data
    return digest.hexdigest()
