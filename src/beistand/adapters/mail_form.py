"""The bytes of a mail (RFC 5322), safe against anything that a name or a text may hold."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from beistand.domain.mail_address import is_mail_address
from beistand.domain.mail_text import one_line, printable
from beistand.domain.message import Message, message
from beistand.ports.mail import Mail

POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
PLACEHOLDER = "beistand@localhost"
"""Stands for a sender that is not configured yet."""


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


def mail_fault(mail: Mail, sender: str) -> Message | None:
    """Return why this mail cannot be built, None if it can; the sender's own faults are not among them."""
    if not is_mail_address(mail.recipient):
        return message("mail-recipient-form", address=mail.recipient)
    try:
        mail_bytes(mail, sender if is_mail_address(sender) else PLACEHOLDER)
    except Exception as error:  # noqa: BLE001  the mail library raises what it likes, IndexError included
        return message(
            "mail-not-built", recipient=mail.recipient, why=one_line(f"{error or type(error).__name__}")
        )
    return None
