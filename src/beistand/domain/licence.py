"""Licences (S5 to S7): a key is the name of a licence; each appliance has a set of its own."""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec

from beistand.domain.bounds import MANY, Count, Word
from beistand.domain.role import Role
from beistand.domain.value import Value

KEY_FORM = re.compile(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){3}")


class LicenceKind(StrEnum):
    SERVER = "server"
    USER = "user"
    MODULE = "module"
    REDUNDANCY_SERVER = "redundancy-server"
    REDUNDANCY_USER = "redundancy-user"
    REDUNDANCY_MODULE = "redundancy-module"


class Licence(Value, frozen=True, kw_only=True):
    key: Word
    kind: LicenceKind
    module: Word = ""
    counterpart: Word = ""
    """Redundancy licences only: the key on the active that this one stands in for."""
    is_self_issued: bool = True
    holder: Word = ""
    """Who it was issued to."""
    count: Count = 0
    """How many it grants, of user licences; 0: no limit."""
    expires: date | None = None
    """The last day that it holds for; None: for good."""
    seller: Word = ""
    """Who signed it; empty: self-issued."""

    @property
    def is_redundancy(self) -> bool:
        return self.kind in _KINDS[Role.STANDBY]

    def has_expired(self, today: date) -> bool:
        return self.expires is not None and today > self.expires


class LicenceSet(Value, frozen=True, kw_only=True):
    """The licences of one appliance; identity: they never travel."""

    licences: Annotated[tuple[Licence, ...], MANY] = ()

    @property
    def server_key(self) -> str:
        """The key that names this appliance; empty where none is installed."""
        kinds = (LicenceKind.SERVER, LicenceKind.REDUNDANCY_SERVER)
        return next((each.key for each in self.licences if each.kind in kinds), "")

    def with_key(self, key: str) -> Licence | None:
        return next((each for each in self.licences if each.key == key), None)


def is_key(text: str) -> bool:
    """Tell whether the text has the form XXXXX-XXXXX-XXXXX-XXXXX."""
    return KEY_FORM.fullmatch(text) is not None


ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that nobody confuses when a key is read off a page; a byte's low five bits choose evenly."""

REDUNDANCY_MODULE = "redundancy"

_KINDS = {
    Role.ACTIVE: (LicenceKind.SERVER, LicenceKind.USER, LicenceKind.MODULE),
    Role.STANDBY: (
        LicenceKind.REDUNDANCY_SERVER,
        LicenceKind.REDUNDANCY_USER,
        LicenceKind.REDUNDANCY_MODULE,
    ),
}


def issue_set(role: Role, random: Callable[[int], bytes]) -> LicenceSet:
    """Return the self-issued set of a fresh installation (S7); `random(n)` returns n random bytes."""
    return LicenceSet(
        licences=tuple(
            Licence(
                key=new_key(random),
                kind=kind,
                module=REDUNDANCY_MODULE
                if kind in (LicenceKind.MODULE, LicenceKind.REDUNDANCY_MODULE)
                else "",
            )
            for kind in _KINDS[role]
        )
    )


def new_key(random: Callable[[int], bytes]) -> str:
    signs = "".join(ALPHABET[byte & 31] for byte in random(20))
    return "-".join(signs[at : at + 5] for at in range(0, 20, 5))


def stand_in_for(own: LicenceSet, active: LicenceSet) -> LicenceSet:
    """Return the standby's set after pairing: each self-issued one names the one that it stands in for.

    What was sold says itself whom it stands in for.
    Licences of the active that have none yet get no invented one: a missing counterpart is a finding (S5).
    """
    partners = {f"redundancy-{each.kind}": each.key for each in reversed(active.licences)}
    return LicenceSet(
        licences=tuple(
            msgspec.structs.replace(each, counterpart=partners.get(each.kind.value, each.counterpart))
            if each.is_self_issued
            else each
            for each in own.licences
        )
    )
