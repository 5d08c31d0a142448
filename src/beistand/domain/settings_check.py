"""Whether pair settings that the other appliance sends may be taken: the checks that a person's input passes."""

from collections.abc import Callable, Iterable

from beistand.domain.account import MOST_ACCOUNTS, MOST_TOKENS, Account, ApiToken, name_problem
from beistand.domain.mail import MailServer
from beistand.domain.mail_address import is_mail_address, is_mail_host
from beistand.domain.mail_text import text_problem
from beistand.domain.message import Message, message
from beistand.domain.settings import PairSettings

LARGEST_STEP = 1_000_000
"""By so much a revision may rise at once: more than anybody changes settings while one of the two is away."""


def settings_problem(settings: PairSettings, is_bearable: Callable[[str], bool]) -> Message | None:
    """Return what is wrong with the first part that is, None if the settings may be taken.

    `is_bearable` tells of a verifier whether it can be read and costs no more than a log-in may.
    """
    if len(settings.accounts) > MOST_ACCOUNTS:
        return message("too-many-accounts", most=MOST_ACCOUNTS)
    if len(settings.tokens) > MOST_TOKENS:
        return message("too-many-tokens", most=MOST_TOKENS)
    looks: Iterable[Message | None] = (
        *(_account_problem(each, is_bearable) for each in settings.accounts),
        _twice(each.name for each in settings.accounts),
        *(_token_problem(each) for each in settings.tokens),
        _twice(each.id for each in settings.tokens),
        _server_problem(settings.mail_server),
        *(text_problem(each) for each in settings.mail_texts),
    )
    return next((each for each in looks if each is not None), None)


def is_step(known: int, told: int) -> bool:
    """Tell whether a revision may follow this one: a number near the end of all would end every later change."""
    return told - known <= LARGEST_STEP


def _account_problem(account: Account, is_bearable: Callable[[str], bool]) -> Message | None:
    if problem := name_problem(account.name):
        return problem
    return None if is_bearable(account.verifier) else message("verifier-not-bearable", name=account.name)


def _token_problem(token: ApiToken) -> Message | None:
    return name_problem(token.name)


def _twice(names: Iterable[str]) -> Message | None:
    known = list(names)
    again = next((each for each in known if known.count(each) > 1), None)
    return None if again is None else message("name-twice", name=again)


def _server_problem(server: MailServer) -> Message | None:
    if not server.host:
        return None
    if not is_mail_host(server.host):
        return message("mail-host-form", host=server.host[:100])
    if not is_mail_address(server.sender):
        return message("mail-sender-form", address=server.sender[:100])
    return None if server.user.isprintable() else message("mail-user-form")
