"""A stranger at the service address that root at the console took for a forgery, kept for the grant of that takeover.

Else every boot under that grant would be held by it again.
"""

import msgspec

from beistand.domain.value import Value
from beistand.ports.store import Store

DOCUMENT = "overlooked-holder"


class Overlooked(Value, frozen=True, kw_only=True):
    epoch: int
    mac: str


def overlook(store: Store, epoch: int, mac: str) -> None:
    """Note it before the grant is: a kill right after the grant must not leave an appliance that is held."""
    store.put(DOCUMENT, msgspec.json.encode(Overlooked(epoch=epoch, mac=mac.lower())), vital=True)


def overlooked(store: Store) -> str:
    """Return the MAC that does not count under the present grant, in small letters; empty: none."""
    body = store.get(DOCUMENT)
    try:
        known = msgspec.json.decode(body, type=Overlooked) if body else None
    except msgspec.MsgspecError:
        known = None
    standing = store.standing()
    return known.mac if known is not None and standing.is_holder and known.epoch == standing.epoch else ""
