"""Which mails will reach nobody, told before the day (S11, S21)."""

from beistand.domain.config import ModuleConfig
from beistand.domain.finding import Finding, Severity
from beistand.domain.mail import MailServer, User
from beistand.domain.mail_address import is_mail_address
from beistand.domain.message import Field

MOST_NAMED = 5
"""People whose names stand in a sentence; the page of the users marks all of them."""


def unusable(users: tuple[User, ...]) -> tuple[User, ...]:
    """Return who has an address that no mail can go to; who has none at all is another matter."""
    return tuple(each for each in users if each.address and not is_mail_address(each.address))


def address_findings(
    server: MailServer, config: ModuleConfig, users: tuple[User, ...]
) -> tuple[Finding, ...]:
    """Return what is wrong with the addresses that mails go from and to; an earlier version may have let them in."""
    found = []
    if not is_mail_address(server.sender):
        found.append(_warn("mail-sender-form", address=server.sender))
    if config.send_mail and config.mail_address and not is_mail_address(config.mail_address):
        found.append(_warn("mail-address-form", address=config.mail_address))
    if people := unusable(users):
        names = ", ".join(f"{each.name or each.extension} ({each.extension})" for each in people[:MOST_NAMED])
        more = "" if len(people) <= MOST_NAMED else ", …"
        found.append(_warn("users-unreachable", count=len(people), names=f"{names}{more}"))
    return tuple(found)


def _warn(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.WARN, fields=fields)
