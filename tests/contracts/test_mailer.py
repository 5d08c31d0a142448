"""F13: the contract of the port Mailer, against a real mail server that fails at each of its verbs."""

import ssl
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from beistand.adapters.mail_form import mail_bytes
from beistand.adapters.smtp import SmtpMailer
from beistand.domain.mail import Encryption, MailServer
from beistand.domain.mail_address import is_mail_address
from beistand.domain.message import message
from beistand.ports.mail import Mail
from beistand.protocol import Trial
from contracts.mail_host import HANGS, HERE, free_port, mail_host, make_certificate, odd_host
from fakes.mail import FakeMailer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OWN = "127.0.0.3"
MAIL = Mail(
    id="<1@example.org>",
    recipient="alice@example.org",
    subject="Umschaltung: Ä",
    body="Grüße\n.\nEnde",
    at=NOW,
    language="de",
)
STEPS = ["mail-name", "mail-connection", "mail-greeting", "mail-sender", "mail-recipient", "mail-accepted"]
STEP_SECONDS = 0.6


def server(port: int, encryption: Encryption = Encryption.NONE, **changes: str) -> MailServer:
    values = {"host": HERE, "sender": "pbx@example.org", **changes}
    return MailServer(port=port, encryption=encryption, **values)


def patient(context: ssl.SSLContext | None = None) -> SmtpMailer:
    """Where the server answers: a busy machine may take its time."""
    return SmtpMailer(context, step=20, last=20, whole=60)


def impatient(context: ssl.SSLContext | None = None) -> SmtpMailer:
    """Where the server hangs."""
    return SmtpMailer(context, step=STEP_SECONDS, last=STEP_SECONDS, whole=5)


def why(trial: Trial) -> str:
    """The code of what went wrong, and at which step."""
    last = trial.steps[-1]
    return f"{last.code}: {last.why.code if last.why else ''}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_every_step_is_said_and_the_mail_is_taken(kind: str) -> None:
    with mail_host() as (host, port):
        port_under_test = FakeMailer() if kind == "fake" else SmtpMailer()
        trial = port_under_test.send(server(port), MAIL, OWN)
        assert trial.works, trial
        assert [each.code for each in trial.steps] == STEPS
        if kind == "real":
            assert host.recipients == ["alice@example.org"]
            assert set(host.peers) == {OWN}


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_a_refused_connection_ends_at_its_step(kind: str) -> None:
    port = free_port()
    refused = {"mail-connection": message("mail-connection-refused", host=HERE, port=port)}
    mailer = FakeMailer(refused) if kind == "fake" else SmtpMailer()
    trial = mailer.send(server(port), MAIL, OWN)
    assert [each.works for each in trial.steps] == [True, False]
    assert why(trial) == "mail-connection: mail-connection-refused"


def test_what_arrives_is_a_decent_mail() -> None:
    with mail_host() as (host, port):
        SmtpMailer().send(server(port), MAIL, OWN)
        (mail,) = host.mails
    assert str(make_header(decode_header(mail["Subject"]))) == "Umschaltung: Ä"
    assert mail.get_payload(decode=True).decode().splitlines() == ["Grüße", ".", "Ende"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<1@example.org>"
    assert mail["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert (mail["From"], mail["To"]) == ("Beistand <pbx@example.org>", "alice@example.org")


def test_no_header_can_be_smuggled_in() -> None:
    evil = Mail(
        id="<1@example.org>",
        recipient="alice@example.org",
        subject="one\r\nBcc: eve@example.org\x00\x1b[2J \ud800",
        body="two\r\n.\r\nMAIL FROM:<eve@example.org>\r\n\x1b[2J\ud800",
        at=NOW,
    )
    with mail_host() as (host, port):
        assert SmtpMailer().send(server(port), evil, OWN).works
        (mail,) = host.mails
    assert mail["Bcc"] is None
    assert host.recipients == ["alice@example.org"]
    assert b"\x1b" not in mail.as_bytes()


@pytest.mark.parametrize(
    ("sender", "recipient", "expected"),
    [
        ("pbx", "a@example.org", "mail-name: mail-sender-form"),
        ("pbx@example.org", "a@b@c", "mail-name: mail-recipient-form"),
        ("pbx@example.org", "ä@example.org", "mail-name: mail-recipient-form"),
        ("pbx@example.org", "a@example.org>\r\nDATA", "mail-name: mail-recipient-form"),
        ("pbx@example.org", "", "mail-name: mail-recipient-form"),
    ],
)
def test_an_odd_address_never_reaches_the_server(sender: str, recipient: str, expected: str) -> None:
    mail = Mail(id="<1@x>", recipient=recipient, subject="s", body="b", at=NOW)
    assert why(SmtpMailer().send(server(9, sender=sender), mail, OWN)) == expected


ODD = (
    "max..muster@example.org",
    ".max@example.org",
    '"a b"@example.org',
    "ä@example.org",
    "a@b@c",
    "",
    "g:a@x;",
)


@pytest.mark.parametrize("kind", ["fake", "real"])
@pytest.mark.parametrize("sender", ["pbx@example.org", "", "max..muster@example.org"])
def test_the_fault_of_a_mail_is_known_before_it_is_sent(kind: str, sender: str) -> None:
    """D5: whatever the sender is, whose fault is told apart."""
    mailer = FakeMailer() if kind == "fake" else SmtpMailer()
    assert mailer.fault(MAIL, sender) is None
    for each in ODD:
        fault = mailer.fault(msgspec.structs.replace(MAIL, recipient=each), sender)
        assert fault is not None
        assert fault.code == "mail-recipient-form"


SIGNS = st.sampled_from("aZ09.-_@+=?'\"\\ ()<>,;:[]!#$%&*/^`{|}~ä\n\r\t\0\x7f\ud800")


@given(
    st.one_of(
        st.text(SIGNS, max_size=30),
        st.builds(
            "{}@{}".format, st.text(SIGNS, min_size=1, max_size=12), st.text(SIGNS, min_size=1, max_size=12)
        ),
        st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9_.-]{1,150}", fullmatch=True),
    )
)
@example(f"{'a' * 64}@{'.'.join(['d' * 60] * 3)}.org")
@example("a?=b=?c@example.org")
@example("a@=?x?q?b?=")
def test_an_address_that_is_taken_is_one_that_the_mail_library_builds(address: str) -> None:
    """D5: one grammar. What is typed, saved and checked is what arrives in the header, letter by letter."""
    mail = msgspec.structs.replace(MAIL, recipient=address)
    if not is_mail_address(address):
        assert SmtpMailer().fault(mail, "pbx@example.org") is not None
        return
    read = message_from_bytes(mail_bytes(mail, address), policy=default)
    assert [each.addr_spec for each in (*read["To"].addresses, *read["From"].addresses)] == [address] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "<1@x>\r\nBcc: eve@example.org"},
        {"id": ""},
        {"language": "de\r\nBcc: eve@example.org"},
        {"at": datetime.max.replace(tzinfo=UTC)},
        {"subject": "", "body": ""},
        {"subject": "ä" * 5000, "body": "\ud800" * 5000},
        {"subject": "=?utf-8?q?=FF?= =?x?q?a?="},
    ],
)
def test_a_mail_that_cannot_be_built_is_a_fault_and_no_exception(changes: dict[str, Any]) -> None:
    mail = msgspec.structs.replace(MAIL, **changes)
    fault = SmtpMailer().fault(mail, "pbx@example.org")
    if fault is None:
        assert b"eve@" not in mail_bytes(mail, "pbx@example.org")
    else:
        assert (fault.code, fault.fields["recipient"]) == ("mail-not-built", MAIL.recipient)


def test_a_challenge_that_is_no_base64_is_a_failure_and_no_exception() -> None:
    """A server's odd words end in a ValueError deep in smtplib."""
    with mail_host({"AUTH": "334 \u00e4%%%"}, has_login=True) as (_, port):
        trial = patient().send(server(port, user="pbx", password="geheim"), MAIL, OWN)
    assert not trial.works
    assert trial.steps[-1].code == "mail-login"


@pytest.mark.parametrize(
    ("verb", "answer", "expected"),
    [
        ("EHLO", HANGS, "mail-greeting: mail-timeout"),
        ("MAIL", "451 later", "mail-sender: mail-server-busy"),
        ("MAIL", "550 you may not", "mail-sender: mail-sender-refused"),
        ("MAIL", HANGS, "mail-sender: mail-timeout"),
        ("RCPT", "450 greylisted", "mail-recipient: mail-recipient-deferred"),
        ("RCPT", "550 no such user", "mail-recipient: mail-recipient-refused"),
        ("RCPT", "421 going down", "mail-recipient: mail-server-busy"),
        ("RCPT", HANGS, "mail-recipient: mail-timeout"),
        ("DATA", "452 disk full", "mail-accepted: mail-server-busy"),
        ("DATA", "554 no", "mail-accepted: mail-content-refused"),
        ("DATA", HANGS, "mail-accepted: mail-timeout"),
    ],
)
def test_a_server_that_fails_at_a_verb(verb: str, answer: str, expected: str) -> None:
    began = perf_counter()
    with mail_host({verb: answer}) as (host, port):
        mailer = impatient() if answer == HANGS else patient()
        trial = mailer.send(server(port), MAIL, OWN)
        assert why(trial) == expected
        assert host.mails == []
    if answer != HANGS:
        reply = str(trial.steps[-1].why.fields["reply"])  # type: ignore[union-attr]
        assert reply.startswith(answer[:3])
    assert perf_counter() - began < 20


@pytest.mark.parametrize(
    ("greeting", "drips", "expected"),
    [
        (b"", False, "mail-greeting: mail-timeout"),
        (b"2", True, "mail-greeting: mail-timeout"),
        (b"421 too many\r\n", False, "mail-greeting: mail-server-busy"),
        (b"554 go away\r\n", False, "mail-greeting: mail-server-odd"),
        (b"SSH-2.0-OpenSSH\r\n", False, "mail-greeting: mail-server-odd"),
        (b"x" * 10_000, False, "mail-greeting: mail-server-odd"),
    ],
)
def test_a_server_that_greets_oddly(greeting: bytes, drips: bool, expected: str) -> None:
    with odd_host(greeting, drips=drips) as port:
        mailer = impatient() if expected.endswith("timeout") else patient()
        assert why(mailer.send(server(port), MAIL, OWN)) == expected


def test_a_host_that_nobody_knows() -> None:
    trial = impatient().send(server(25, host="mail.invalid"), MAIL, OWN)
    assert why(trial) in ("mail-name: mail-name-unknown", "mail-name: mail-name-timeout")


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
def test_an_encrypted_way_with_a_login(encryption: Encryption, certificate: Path) -> None:
    is_tls = encryption is Encryption.TLS
    with mail_host(certificate=certificate, is_tls=is_tls, has_login=True) as (host, port):
        wanted = server(port, encryption, host="localhost", user="pbx", password="geheim")
        trial = SmtpMailer(trusting(certificate)).send(wanted, MAIL, OWN)
        assert trial.works, trial
        assert host.logins == [(b"pbx", b"geheim")]
    first = ["mail-encryption", "mail-greeting"] if is_tls else ["mail-greeting", "mail-encryption"]
    assert [each.code for each in trial.steps] == [*STEPS[:2], *first, "mail-login", *STEPS[3:]]


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.TLS])
@pytest.mark.parametrize("name", ["localhost", HERE])
def test_a_certificate_that_is_not_trusted_or_of_another_name(
    encryption: Encryption, name: str, certificate: Path
) -> None:
    context = None if name == "localhost" else trusting(certificate)
    with mail_host(certificate=certificate, is_tls=encryption is Encryption.TLS, has_login=True) as (
        host,
        port,
    ):
        wanted = server(port, encryption, host=name, user="pbx", password="geheim")
        assert why(patient(context).send(wanted, MAIL, OWN)) == "mail-encryption: mail-certificate-wrong"
        assert host.logins == []


def test_encryption_is_never_left_out(certificate: Path) -> None:
    """A server, or somebody before it, that does not offer STARTTLS gets neither password nor mail."""
    with mail_host(has_login=True) as (host, port):
        wanted = server(port, Encryption.STARTTLS, user="pbx", password="geheim")
        assert why(patient().send(wanted, MAIL, OWN)) == "mail-encryption: mail-starttls-missing"
        assert host.logins == []


def test_a_server_that_does_not_speak_tls() -> None:
    with mail_host() as (_, port):
        trial = patient().send(server(port, Encryption.TLS), MAIL, OWN)
        assert why(trial) == "mail-encryption: mail-encryption-failed"


def test_a_server_that_hangs_in_the_handshake() -> None:
    with odd_host(b"") as port:
        trial = impatient().send(server(port, Encryption.TLS), MAIL, OWN)
        assert why(trial) == "mail-encryption: mail-timeout"


def test_a_wrong_password_and_a_server_without_a_login() -> None:
    with mail_host({"AUTH": "no"}, has_login=True) as (_, port):
        trial = patient().send(server(port, user="pbx", password="falsch"), MAIL, OWN)
        assert why(trial) == "mail-login: mail-login-refused"
        assert "falsch" not in str(trial)
    with mail_host() as (_, port):
        trial = patient().send(server(port, user="pbx", password="geheim"), MAIL, OWN)
        assert why(trial) == "mail-login: mail-login-unsupported"
