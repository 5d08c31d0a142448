"""What arrived at the lab's mail host."""

from __future__ import annotations

import contextlib
import dataclasses
import email
import email.policy
import os
import signal
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path

MAIL_HOST = "beistand_lab.mail_host"
"""The module that runs as the lab's mail server."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail; `time` is its arrival in epoch seconds, the addresses are those of the envelope."""

    time: float
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str


def received(box: Path) -> list[Mail]:
    """The mails in a Maildir, oldest first."""
    files = [file for folder in ("new", "cur") for file in (box / folder).glob("*")]
    return sorted((_mail(file) for file in files), key=lambda mail: mail.time)


def hang(processes: Iterable[int], *, hangs: bool) -> None:
    """Stops the mail server among these processes, or lets it go on."""
    for pid in processes:
        with contextlib.suppress(OSError):
            if MAIL_HOST.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGSTOP if hangs else signal.SIGCONT)


def _mail(file: Path) -> Mail:
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    return Mail(
        time=file.stat().st_mtime,
        sender=str(message["X-MailFrom"] or ""),
        recipients=tuple(str(message["X-RcptTo"] or "").split(", ")),
        subject=str(message["Subject"] or ""),
        text=str(body.get_content()) if body is not None else "",
    )
