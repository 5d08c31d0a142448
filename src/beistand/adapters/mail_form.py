"""The bytes of a mail (RFC 5322), safe against anything that a name or a text may hold."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from beistand.ports.mail import Mail

POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)


def mail_bytes(mail: Mail, sender: str) -> bytes:
    """Return the whole mail, seven bits and CRLF. Sender and recipient are addresses that were checked."""
    form = EmailMessage(policy=POLICY)
    form["From"] = Address("Beistand", addr_spec=sender)
    form["To"] = Address(addr_spec=mail.recipient)
    form["Subject"] = one_line(mail.subject)
    form["Date"] = format_datetime(mail.at)
    form["Message-ID"] = mail.id
    # RFC 3834 section 5: no holiday notice and no other machine answers.
    form["Auto-Submitted"] = "auto-generated"
    if mail.language:
        form["Content-Language"] = mail.language
    form.set_content(printable(mail.body), charset="utf-8", cte="quoted-printable")
    return form.as_bytes()


def one_line(text: str) -> str:
    """Return the text without line ends and control characters: a header ends where its line does."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def printable(text: str) -> str:
    """Return the text with plain line ends, without other control characters and lone surrogates."""
    lines = text.encode("utf-8", "replace").decode("utf-8").splitlines()
    kept = ("".join(each for each in line if each.isprintable() or each == "\t") for line in lines)
    return "\n".join(kept).rstrip() + "\n"
