"""From where each account has logged in: nobody keeps its owner out there by guessing from elsewhere (F17)."""

from threading import Lock

import msgspec

from beistand.agent.log import log_message
from beistand.domain.errors import BeistandError
from beistand.ports.store import Store

MOST_OF_ONE = 3
"""Newest addresses of one account: each has tries of its own, and a broken-in web process can name any address."""
MOST_ACCOUNTS = 200
DOCUMENT = "known-places"


class KnownPlaces:
    """Of this appliance. Durable: the day on which it counts may be months after the last log-in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._places: dict[str, list[str]] | None = None

    def knows(self, account: str, address: str) -> bool:
        with self._lock:
            return address != "" and address in self._read().get(account, ())

    def learn(self, account: str, address: str) -> None:
        """Note that the right password came from there."""
        with self._lock:
            places = self._read()
            if not address or places.get(account, [])[-1:] == [address]:
                return
            others = [each for each in places.pop(account, []) if each != address]
            places[account] = [*others, address][-MOST_OF_ONE:]
            while len(places) > MOST_ACCOUNTS:
                places.pop(next(iter(places)))
            try:
                self._store.put(DOCUMENT, msgspec.json.encode(places))
            except BeistandError as error:
                log_message(error.message, "warning")  # known until the agent ends

    def _read(self) -> dict[str, list[str]]:
        if self._places is None:
            body = self._store.get(DOCUMENT)
            try:
                self._places = msgspec.json.decode(body, type=dict[str, list[str]]) if body else {}
            except msgspec.MsgspecError:
                self._places = {}
        return self._places
