"""A real mail server that fails where a test says so."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

HERE = "127.0.0.1"
HANGS = "hangs"
"""As an answer: there is none."""


class Faulty:
    """Answers as `answers` says, by verb; what it took is in `mails`."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.mails: list[Message] = []
        self.recipients: list[str] = []
        self.peers: list[str] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.peers.append(session.peer[0])
        if told := await self._told("EHLO"):
            return [told]
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._told("MAIL") or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if told := await self._told("RCPT"):
            return told
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if told := await self._told("DATA"):
            return told
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content))
        self.recipients += envelope.rcpt_tos
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success="AUTH" not in self.answers, handled=False)

    async def _told(self, verb: str) -> str:
        answer = self.answers.get(verb, "")
        if answer == HANGS:
            await asyncio.sleep(3600)
        return answer


@contextmanager
def mail_host(
    answers: dict[str, str] | None = None,
    *,
    certificate: Path | None = None,
    is_tls: bool = False,
    has_login: bool = False,
) -> Iterator[tuple[Faulty, int]]:
    """Yield the server and its port."""
    faulty = Faulty(answers or {})
    context = _context(certificate) if certificate else None
    extra: dict[str, Any] = {"tls_context": context} if context and not is_tls else {}
    if has_login:
        extra |= {"authenticator": faulty.authenticate, "auth_require_tls": False}
    port = free_port()
    controller = Controller(
        faulty,
        hostname=HERE,
        server_hostname="mail.example",  # else it asks the DNS for its own with every connection
        port=port,
        ssl_context=context if is_tls else None,
        ready_timeout=20,
        **extra,
    )
    controller.start()
    try:
        yield faulty, port
    finally:
        for task in asyncio.all_tasks(controller.loop):
            controller.loop.call_soon_threadsafe(task.cancel)
        controller.stop()


@contextmanager
def odd_host(greeting: bytes, *, drips: bool = False) -> Iterator[int]:
    """Yield the port of a server that says only this; `drips`: a byte of it now and then, for ever."""
    with socket.create_server((HERE, 0)) as listening:
        kept: list[socket.socket] = []
        Thread(target=_greet, args=(listening, greeting, drips, kept), daemon=True).start()
        yield listening.getsockname()[1]
        for each in kept:
            each.close()


def _greet(listening: socket.socket, greeting: bytes, drips: bool, kept: list[socket.socket]) -> None:
    try:
        line, _ = listening.accept()
        kept.append(line)
        line.sendall(greeting)
        while drips:
            line.settimeout(0.05)
            try:
                if not line.recv(100):
                    return
            except TimeoutError:
                line.sendall(b"2")
    except OSError:
        return


def free_port() -> int:
    with socket.create_server((HERE, 0)) as probe:
        return int(probe.getsockname()[1])


def make_certificate(folder: Path, name: str) -> Path:
    """Return a self-signed certificate for this name, with its key in the same file."""
    file = folder / f"{name}.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made += ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*made, "-keyout", file, "-out", folder / "certificate"], check=True, capture_output=True)
    file.write_text(file.read_text() + (folder / "certificate").read_text())
    return file


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
