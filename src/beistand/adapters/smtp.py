"""Handing a mail to a mail server (port `Mailer`): SMTP of RFC 5321, step by step, each with a deadline (F13)."""

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from beistand.adapters.deadline import Deadline
from beistand.adapters.mail_form import mail_bytes, mail_fault
from beistand.domain.mail import Encryption, MailServer
from beistand.domain.mail_address import is_mail_address
from beistand.domain.message import Field, Message, message
from beistand.ports.mail import Mail
from beistand.protocol import Trial, TrialStep

STEP_SECONDS = 10.0
LAST_SECONDS = 30.0
"""For the server's word that it has the mail: it may look through it first, and who gives up sends it twice."""
WHOLE_SECONDS = 35.0
LONGEST_REPLY = 200
"""Signs of a server's reply that are passed on to a person."""


class SmtpMailer:
    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        step: float = STEP_SECONDS,
        last: float = LAST_SECONDS,
        whole: float = WHOLE_SECONDS,
    ) -> None:
        """Without a context the system's certificates are trusted, and the server's name is checked."""
        self._context = context
        self._step, self._last = step, last
        self._whole = whole

    def fault(self, mail: Mail, sender: str) -> Message | None:
        return mail_fault(mail, sender)

    def send(self, server: MailServer, mail: Mail, own_ip: str) -> Trial:
        steps: list[TrialStep] = []
        attempt = _Attempt(server, mail, own_ip, self._trusted, Deadline(self._whole))
        try:
            for code, act in attempt.acts():
                began = monotonic()
                why = attempt.tried(act, self._last if code == "mail-accepted" else self._step)
                seconds = round(monotonic() - began, 3)
                steps.append(TrialStep(code=code, works=why is None, why=why, seconds=seconds))
                if why is not None:
                    break
        finally:
            attempt.close()
        return Trial(steps=tuple(steps))

    def _trusted(self) -> ssl.SSLContext:
        # Read anew each time: an administrator may have added the certificate of the site a minute ago.
        return self._context or ssl.create_default_context()


class _Wrong(Exception):
    """A step did not work."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why


class _Client(smtplib.SMTP):
    """smtplib over a connection that stands already."""

    def __init__(self, connection: socket.socket, host: str, own_ip: str) -> None:
        self._connection = connection
        # An address literal (RFC 5321 section 4.1.3): asking DNS for our own name might hang.
        super().__init__(host, 0, local_hostname=f"[{own_ip}]")

    def _get_socket(self, *_: object) -> socket.socket:
        return self._connection


class _Attempt:
    """One mail on its way."""

    def __init__(
        self,
        server: MailServer,
        mail: Mail,
        own_ip: str,
        trusted: Callable[[], ssl.SSLContext],
        deadline: Deadline,
    ) -> None:
        self._server, self._mail, self._own_ip = server, mail, own_ip
        self._trusted = trusted
        self._deadline = deadline
        self._where: dict[str, Field] = {"host": server.host, "port": server.port}
        self._address = ""
        self._socket: socket.socket | None = None
        self._client: _Client | None = None

    def acts(self) -> list[tuple[str, Callable[[], None]]]:
        encryption = self._server.encryption
        acts = [("mail-name", self._find), ("mail-connection", self._connect)]
        if encryption is Encryption.TLS:
            acts.append(("mail-encryption", self._wrap))
        acts.append(("mail-greeting", self._greet))
        if encryption is Encryption.STARTTLS:
            acts.append(("mail-encryption", self._start_tls))
        if self._server.user:
            acts.append(("mail-login", self._log_in))
        return [
            *acts,
            ("mail-sender", self._say_sender),
            ("mail-recipient", self._say_recipient),
            ("mail-accepted", self._send),
        ]

    def tried(self, act: Callable[[], None], seconds: float) -> Message | None:
        """Do one step within this time; return what went wrong, in the project's words."""
        with self._deadline.step(seconds):
            try:
                act()
            except _Wrong as wrong:
                return self._slow() or wrong.why
            except ssl.SSLCertVerificationError as error:
                return message("mail-certificate-wrong", host=self._server.host, why=error.verify_message)
            except ssl.SSLError as error:
                return self._slow() or message("mail-encryption-failed", **self._where, why=_short(error))
            except smtplib.SMTPResponseException as error:
                return self._replied(error.smtp_code, error.smtp_error)
            except (smtplib.SMTPException, OSError, EOFError) as error:
                return self._slow() or message("mail-connection-lost", **self._where, why=_short(error))
            except Exception as error:  # noqa: BLE001  smtplib lets through what a server's odd words end in
                # ValueError, LookupError, RecursionError: none of them may keep the other mails from theirs.
                told = message("mail-failed", recipient=self._mail.recipient, why=_short(error))
                return self._slow() or told
        return None  # done is done, however late: what the server took must not be sent again

    def close(self) -> None:
        """Say goodbye where that costs no time, and end the connection."""
        self._deadline.end()
        for end in (self._client, self._socket):
            if end is not None:
                with suppress(OSError, smtplib.SMTPException):
                    end.close()

    def _slow(self) -> Message | None:
        if not self._deadline.is_over:
            return None
        return message("mail-timeout", **self._where, seconds=self._deadline.seconds)

    # --- the steps ------------------------------------------------------------------------------

    def _find(self) -> None:
        if not is_mail_address(self._server.sender):
            raise _Wrong(message("mail-sender-form", address=self._server.sender))
        if fault := mail_fault(self._mail, self._server.sender):
            raise _Wrong(fault)
        found: SimpleQueue[str | OSError] = SimpleQueue()
        # getaddrinfo(3) knows no time limit of ours: whoever waits for it must be one that can be left behind.
        Thread(target=_resolve, args=(self._server.host, found), name="resolve", daemon=True).start()
        try:
            answer = found.get(timeout=self._deadline.left())
        except Empty:
            raise _Wrong(
                message("mail-name-timeout", host=self._server.host, seconds=self._deadline.seconds)
            ) from None
        if isinstance(answer, OSError):
            raise _Wrong(message("mail-name-unknown", host=self._server.host, why=_short(answer)))
        self._address = answer

    def _connect(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(self._deadline.left())
        try:
            self._socket.bind((self._own_ip, 0))
            self._socket.connect((self._address, self._server.port))
        except ConnectionRefusedError:
            raise _Wrong(message("mail-connection-refused", **self._where)) from None
        except TimeoutError:
            raise _Wrong(message("mail-timeout", **self._where, seconds=self._deadline.seconds)) from None
        except OSError as error:
            raise _Wrong(message("mail-unreachable", **self._where, why=_short(error))) from None
        # From here on the deadline ends the connection; a time limit of the socket would begin anew at each byte.
        self._socket.settimeout(None)
        self._deadline.watch(self._socket)

    def _wrap(self) -> None:
        assert self._socket is not None
        self._socket = self._trusted().wrap_socket(self._socket, server_hostname=self._server.host)

    def _greet(self) -> None:
        assert self._socket is not None
        try:
            self._client = _Client(self._socket, self._server.host, self._own_ip)
            self._client.ehlo_or_helo_if_needed()
        except smtplib.SMTPConnectError as error:
            raise _Wrong(self._replied(error.smtp_code, error.smtp_error)) from None

    def _start_tls(self) -> None:
        try:
            self._mine.starttls(context=self._trusted())
        except smtplib.SMTPNotSupportedError:
            # Never in plain text instead: somebody on the way may have taken the offer out.
            raise _Wrong(message("mail-starttls-missing", **self._where)) from None
        self._mine.ehlo_or_helo_if_needed()

    def _log_in(self) -> None:
        client, server = self._mine, self._server
        client.user, client.password = server.user, server.password
        # One way only: after a wrong password by a second way some servers hang up without a word.
        ways = (
            ("PLAIN", client.auth_plain),
            ("LOGIN", client.auth_login),
            ("CRAM-MD5", client.auth_cram_md5),
        )
        offered = client.esmtp_features.get("auth", "").upper().split()
        possible = [each for each in ways if each[0] in offered]
        if not possible:
            raise _Wrong(message("mail-login-unsupported", **self._where))
        # Without encryption rather the one that does not send the password itself.
        name, act = possible[-1 if server.encryption is Encryption.NONE else 0]
        try:
            client.auth(name, act)
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise
            reply = _said(error.smtp_code, error.smtp_error)
            raise _Wrong(
                message("mail-login-refused", host=server.host, user=server.user, reply=reply)
            ) from None

    def _say_sender(self) -> None:
        code, reply = self._mine.mail(self._server.sender)
        if code >= 500:
            raise _Wrong(message("mail-sender-refused", sender=self._server.sender, reply=_said(code, reply)))
        self._check(code, reply)

    def _say_recipient(self) -> None:
        code, reply = self._mine.rcpt(self._mail.recipient)
        told: dict[str, Field] = {"recipient": self._mail.recipient, "reply": _said(code, reply)}
        if code >= 500:
            raise _Wrong(message("mail-recipient-refused", **told))
        if 400 <= code < 500 and code != 421:
            raise _Wrong(message("mail-recipient-deferred", **told))
        self._check(code, reply)

    def _send(self) -> None:
        try:
            code, reply = self._mine.data(mail_bytes(self._mail, self._server.sender))
        except smtplib.SMTPDataError as error:
            code, reply = error.smtp_code, _bytes(error.smtp_error)
        if code >= 500:
            raise _Wrong(message("mail-content-refused", reply=_said(code, reply)))
        self._check(code, reply)
        with suppress(OSError, smtplib.SMTPException):
            # Taken: what happens from here on changes nothing any more.
            self._mine.putcmd("quit")

    def _check(self, code: int, reply: bytes) -> None:
        if not 200 <= code < 300:
            raise _Wrong(self._replied(code, reply))

    def _replied(self, code: int, reply: bytes | str) -> Message:
        if late := self._slow():
            return late
        told: dict[str, Field] = {**self._where, "reply": _said(code, reply)}
        if 400 <= code < 500:
            return message("mail-server-busy", **told)
        return message("mail-server-odd", **told)

    @property
    def _mine(self) -> _Client:
        assert self._client is not None
        return self._client


def _resolve(host: str, found: "SimpleQueue[str | OSError]") -> None:
    try:
        # Version 4 only: the own address that everything of ours comes from is one.
        answers = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
        found.put(str(answers[0][4][0]))
    except (OSError, UnicodeError) as error:
        found.put(error if isinstance(error, OSError) else OSError(str(error)))


def _said(code: int, reply: bytes | str) -> str:
    """Return a server's reply on one line, shortened, without what a terminal would obey."""
    text = f"{code} {_bytes(reply).decode('utf-8', 'replace')}"
    clean = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(clean.split())[:LONGEST_REPLY]


def _bytes(reply: bytes | str) -> bytes:
    return reply if isinstance(reply, bytes) else reply.encode()


def _short(error: BaseException) -> str:
    return _said(0, getattr(error, "strerror", None) or str(error) or type(error).__name__).removeprefix("0 ")
