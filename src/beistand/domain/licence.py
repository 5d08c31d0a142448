"""Licences (S5 to S7): a key is the name of a licence; each appliance has a set of its own."""

import re
from enum import StrEnum

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
    key: str
    kind: LicenceKind
    module: str = ""
    counterpart: str = ""
    """Redundancy licences only: the key on the active that this one stands in for."""
    is_self_issued: bool = True


class LicenceSet(Value, frozen=True, kw_only=True):
    """The licences of one appliance; identity: they never travel."""

    licences: tuple[Licence, ...] = ()

    @property
    def server_key(self) -> str:
        """The key that names this appliance; empty where none is installed."""
        kinds = (LicenceKind.SERVER, LicenceKind.REDUNDANCY_SERVER)
        return next((each.key for each in self.licences if each.kind in kinds), "")


def is_key(text: str) -> bool:
    """Tell whether the text has the form XXXXX-XXXXX-XXXXX-XXXXX."""
    return KEY_FORM.fullmatch(text) is not None
