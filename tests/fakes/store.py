"""The durable state of one machine in memory: what a takeover needs of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.pair import Pair
from beistand.domain.role import Grant, Standing
from fakes.network import Effect, at_once


@dataclass
class MemoryStore:
    """Survives a crash of the machine, as long as the test keeps it."""

    now: Standing
    effect: Effect = at_once
    journal: bytes | None = None
    documents: dict[str, bytes] = field(default_factory=dict)
    peer: Pair | None = None
    mails: dict[tuple[str, str], OutboxEntry] = field(default_factory=dict)

    def standing(self) -> Standing:
        return self.now

    def adopt(self, grant: Grant) -> bool:
        if grant.epoch <= self.now.epoch:
            return False
        self.effect(lambda: self._hold(grant))
        return True

    def plan(self) -> bytes | None:
        return self.journal

    def save_plan(self, plan: bytes) -> None:
        self.effect(lambda: setattr(self, "journal", plan))

    def close_plan(self, grant: Grant | None) -> None:
        if grant is not None and grant.epoch <= self.now.epoch:
            raise Refused("grant-overtaken", epoch=grant.epoch)

        def commit() -> None:
            self.journal = None
            if grant is not None:
                self._hold(grant)

        self.effect(commit)

    def pair(self) -> Pair | None:
        return self.peer

    def set_pair(self, pair: Pair) -> None:
        self.effect(lambda: setattr(self, "peer", pair))

    def get(self, name: str) -> bytes | None:
        return self.documents.get(name)

    def put(self, name: str, body: bytes, *, vital: bool = False) -> None:
        self.effect(lambda: self.documents.update({name: body}))

    def enqueue(self, mails: Sequence[OutboxEntry], document: tuple[str, bytes] | None = None) -> int:
        before = len(self.mails)

        def commit() -> None:
            for each in mails:
                self.mails.setdefault((each.occasion, each.recipient), each)
            self.documents.update([document] if document else [])

        self.effect(commit)
        return len(self.mails) - before

    def outbox(self, limit: int = 100, state: MailState | None = None) -> tuple[OutboxEntry, ...]:
        found = [each for each in reversed(self.mails.values()) if state in (None, each.state)]
        return tuple(found[:limit])

    def mails_about(self, occasion: str) -> dict[MailState, int]:
        return dict(Counter(each.state for each in self.mails.values() if each.occasion == occasion))

    def put_mails(self, mails: Sequence[OutboxEntry]) -> None:
        known = {(each.occasion, each.recipient): each for each in mails}
        self.effect(lambda: self.mails.update({key: known[key] for key in known.keys() & self.mails.keys()}))

    def _hold(self, grant: Grant) -> None:
        own = grant.epoch if grant.holder == self.now.me else self.now.own_epoch
        self.now = msgspec.structs.replace(self.now, grant=grant, own_epoch=own)
