"""From where each account has logged in: pair settings, so that both appliances know it on the day (F17)."""

from typing import Annotated

from msgspec import Meta

from beistand.domain.value import Value

MOST_OF_ONE = 3
"""Newest addresses of one account: each has tries of its own, and a broken-in web process can name any address."""
MOST_ACCOUNTS = 200
LONGEST_ADDRESS = 64

Address = Annotated[str, Meta(max_length=LONGEST_ADDRESS)]


class KnownPlaces(Value, frozen=True, kw_only=True):
    account: Annotated[str, Meta(max_length=200)]
    addresses: Annotated[tuple[Address, ...], Meta(max_length=MOST_OF_ONE)]
    """The newest last."""


def is_known(known: tuple[KnownPlaces, ...], account: str, address: str) -> bool:
    """Tell whether the right password of this account has come from there."""
    return address != "" and any(each.account == account and address in each.addresses for each in known)


def with_place(known: tuple[KnownPlaces, ...], account: str, address: str) -> tuple[KnownPlaces, ...]:
    """Return them with this one as the newest; the oldest of the account, and of all accounts, make room."""
    mine = next((each.addresses for each in known if each.account == account), ())
    addresses = (*(each for each in mine if each != address), address)[-MOST_OF_ONE:]
    others = [each for each in known if each.account != account]
    return (*others, KnownPlaces(account=account, addresses=addresses))[-MOST_ACCOUNTS:]


def without_account(known: tuple[KnownPlaces, ...], account: str) -> tuple[KnownPlaces, ...]:
    return tuple(each for each in known if each.account != account)
