"""Remembers from where each account has logged in: guessing from elsewhere keeps its owner out of nothing (F17)."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log_message
from beistand.agent.pair_settings import change_settings
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.places import KnownPlaces as Places
from beistand.domain.places import is_known, with_place

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.settings import PairSettings

DOCUMENT = "known-places"
"""What this appliance has seen itself; of the standby that is all of which it can tell the active nothing."""


class KnownPlaces:
    """Durable, and on both appliances: an administrator may never have logged in on the standby before the day."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._seen: dict[str, list[str]] | None = None

    def knows(self, account: str, address: str) -> bool:
        with self._lock:
            is_seen = address != "" and address in self._read().get(account, ())
        return is_seen or is_known(self._agent.store.settings().known_places, account, address)

    def learn(self, account: str, address: str) -> None:
        """Note that the right password came from there."""
        if not address:
            return
        try:
            self._learn_here(account, address)
            if not is_known(self._agent.store.settings().known_places, account, address):
                change_settings(self._agent, lambda settings: _with(settings, account, address))
        except Refused:
            pass  # the standby's settings are the active's; it is known here
        except BeistandError as error:
            log_message(error.message, "warning")  # known until the agent ends

    def _learn_here(self, account: str, address: str) -> None:
        with self._lock:
            seen = self._read()
            if seen.get(account, [])[-1:] == [address]:
                return
            known = tuple(Places(account=name, addresses=tuple(each)) for name, each in seen.items())
            self._seen = {each.account: list(each.addresses) for each in with_place(known, account, address)}
            self._agent.store.put(DOCUMENT, msgspec.json.encode(self._seen))

    def _read(self) -> dict[str, list[str]]:
        if self._seen is None:
            body = self._agent.store.get(DOCUMENT)
            try:
                self._seen = msgspec.json.decode(body, type=dict[str, list[str]]) if body else {}
            except msgspec.MsgspecError:
                self._seen = {}
        return self._seen


def _with(settings: PairSettings, account: str, address: str) -> PairSettings:
    return msgspec.structs.replace(settings, known_places=with_place(settings.known_places, account, address))
