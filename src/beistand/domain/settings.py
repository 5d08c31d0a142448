"""Pair settings beside the module configuration: the same on both appliances, so that the standby can mail and
its page can be logged into on the day. They hold secrets: shown to nobody as a whole, sent to the peer only.
"""

from typing import Annotated

from msgspec import Meta

from beistand.domain.account import Account, ApiToken
from beistand.domain.bounds import FEW, Count
from beistand.domain.mail import MailServer, MailText
from beistand.domain.places import MOST_ACCOUNTS, KnownPlaces
from beistand.domain.value import Value


class PairSettings(Value, frozen=True, kw_only=True):
    accounts: Annotated[tuple[Account, ...], FEW] = ()
    tokens: Annotated[tuple[ApiToken, ...], FEW] = ()
    mail_server: MailServer = MailServer()
    mail_texts: Annotated[tuple[MailText, ...], FEW] = ()
    known_places: Annotated[tuple[KnownPlaces, ...], Meta(max_length=MOST_ACCOUNTS)] = ()
    """From where each account has logged in: whoever guesses on the standby keeps its owner out of neither."""
    revision: Count = 0
    """Grows with each change; the active's counts."""
