"""Own data that another appliance has taken over from: kept as a generation before anything may overwrite it (I10)."""

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.role import Standing
from beistand.domain.value import Value
from beistand.ports.store import Store

DOCUMENT = "kept-own-data"


class Kept(Value, frozen=True, kw_only=True):
    """What was kept last. Durable."""

    epoch: int = 0
    """Of the grant under which the data was recorded here; 0: nothing was kept yet."""
    backup: str = ""
    """The local backup that holds it; a person may have let it go since."""


def kept(store: Store) -> Kept:
    body = store.get(DOCUMENT)
    return msgspec.json.decode(body, type=Kept) if body else Kept()


def note_kept(store: Store, epoch: int, backup: str) -> None:
    store.put(DOCUMENT, msgspec.json.encode(Kept(epoch=epoch, backup=backup)))


def is_owed(standing: Standing, last: Kept) -> bool:
    """Tell whether this appliance served, serves no more, and what it recorded is neither kept nor handed over."""
    return standing.has_own_data and standing.own_epoch > last.epoch and not standing.is_holder


def refuse_unkept(store: Store) -> None:
    """Raise Refused `own-data-not-kept`: what would be overwritten exists nowhere else."""
    if is_owed(store.standing(), kept(store)):
        raise Refused("own-data-not-kept", epoch=store.standing().own_epoch)
