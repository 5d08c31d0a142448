"""The durable state of this appliance, in SQLite (port `Store`)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import msgspec

from beistand.adapters.reserve import HALF
from beistand.adapters.state_file import StateFile
from beistand.domain.attempts import Attempts
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed, NoSpace, Refused
from beistand.domain.generation import Copy, CopyState
from beistand.domain.licence import LicenceSet
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.pair import Pair
from beistand.domain.role import Grant, Side, Standing, after_forgetting
from beistand.domain.settings import PairSettings
from beistand.domain.stored import read
from beistand.domain.words import LARGEST
from beistand.ports.store import Event, Room

T = TypeVar("T")
COPIES_KEPT = 500
"""Newest copies of any state; a standby that is away for months fails often."""
GOOD_COPIES_KEPT = 200
"""Newest imported copies, kept beside: failures never push out what a takeover would serve."""
EVENTS_KEPT = 5000
KEPT = {Room.TOLD: EVENTS_KEPT, Room.DONE: EVENTS_KEPT, Room.REFUSED: 2000}
"""Events of each room."""
MAILS_KEPT = 10_000
"""Newest ended mails: more than any installation has users, so that none is told twice of one occasion."""


class SqliteStore:
    """Many threads may use it. Raises what StateFile raises."""

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path)
        self._path = path
        self.reserve = self._file.reserve

    def close(self) -> None:
        self._file.close()

    def gather(self) -> None:
        """Bring everything into the one file; the agent does at its end."""
        self._file.gather()

    # identity

    def is_initialised(self) -> bool:
        return bool(self._file.rows("SELECT 1 FROM standing"))

    def initialise(self, me: str, side: Side, licences: LicenceSet, first: Grant | None) -> None:
        with self._file.change() as db:
            if db.execute("SELECT 1 FROM standing").fetchone():
                raise Refused("already-initialised")
            db.execute("INSERT INTO standing (only, me, side) VALUES (1, ?, ?)", (me, side.value))
            _put_setting(db, "licences", licences)
            if first is not None:
                self._hold(db, first)

    def forget_identity(self, keep: Collection[str]) -> None:
        def forget() -> None:
            with self._file.change() as db:
                for table in ("standing", "journal", "sequence", "copy"):
                    db.execute(f"DELETE FROM {table}")  # noqa: S608  no value is put into the text
                db.execute("DELETE FROM setting WHERE name NOT IN ('settings', 'config')")
                for (name,) in db.execute("SELECT name FROM document").fetchall():
                    if name not in keep:
                        db.execute("DELETE FROM document WHERE name = ?", (name,))

        self._with_reserve(forget)

    # who serves

    def standing(self) -> Standing:
        rows = self._file.rows("SELECT me, side, current_grant, own_epoch, settled_epoch FROM standing")
        if not rows:
            raise Refused("not-initialised")
        me, side, grant, own_epoch, settled_epoch = rows[0]
        return Standing(
            me=me,
            side=Side(side),
            grant=self._decoded(grant, Grant) if grant is not None else None,
            own_epoch=own_epoch,
            settled_epoch=settled_epoch,
        )

    def adopt(self, grant: Grant) -> bool:
        def remember() -> bool:
            with self._file.change() as db:
                return self._hold(db, grant)

        return self._with_reserve(remember)

    def begin_anew(self, grant: Grant) -> None:
        with self._file.change() as db:
            sql = "UPDATE standing SET current_grant = ?, own_epoch = 0, settled_epoch = 0"
            _one(db.execute(sql, (msgspec.json.encode(grant),)).rowcount)

    def forget_epoch(self, instead: Grant) -> None:
        with self._file.change() as db:
            rows = db.execute("SELECT own_epoch, settled_epoch FROM standing").fetchall()
            _one(len(rows))
            own, settled = after_forgetting(int(rows[0][0]), int(rows[0][1]), instead.epoch)
            sql = "UPDATE standing SET current_grant = ?, own_epoch = ?, settled_epoch = ?"
            db.execute(sql, (msgspec.json.encode(instead), own, settled))

    def set_side(self, side: Side) -> None:
        with self._file.change() as db:
            _one(db.execute("UPDATE standing SET side = ?", (side.value,)).rowcount)

    def settle(self, epoch: int) -> None:
        with self._file.change() as db:
            sql = "UPDATE standing SET settled_epoch = max(settled_epoch, ?)"
            _one(db.execute(sql, (epoch,)).rowcount)

    # the plan in the journal

    def plan(self) -> bytes | None:
        rows = self._file.rows("SELECT plan FROM journal")
        return rows[0][0] if rows else None

    def save_plan(self, plan: bytes) -> None:
        def save() -> None:
            with self._file.change() as db:
                db.execute("INSERT OR REPLACE INTO journal (only, plan) VALUES (1, ?)", (plan,))

        self._with_reserve(save)

    def close_plan(self, grant: Grant | None) -> None:
        """Raise Refused `grant-overtaken` when a grant at least as high became known meanwhile."""

        def close() -> None:
            with self._file.change() as db:
                db.execute("DELETE FROM journal")
                if grant is not None and not self._hold(db, grant):
                    raise Refused("grant-overtaken", epoch=grant.epoch)

        self._with_reserve(close)

    # the pair

    def pair(self) -> Pair | None:
        return self._setting("pair", Pair)

    def set_pair(self, pair: Pair) -> None:
        self._set("pair", pair)

    def forget_pair(self) -> None:
        with self._file.change() as db:
            db.execute("DELETE FROM setting WHERE name = 'pair'")

    def config(self) -> ModuleConfig:
        return self._setting("config", ModuleConfig) or ModuleConfig()

    def set_config(self, config: ModuleConfig) -> None:
        self._set("config", config)

    def settings(self) -> PairSettings:
        return self._setting("settings", PairSettings) or PairSettings()

    def set_settings(self, settings: PairSettings) -> None:
        self._set("settings", settings)

    def licences(self) -> LicenceSet:
        return self._setting("licences", LicenceSet) or LicenceSet()

    def set_licences(self, licences: LicenceSet) -> None:
        self._set("licences", licences)

    # cycles

    def attempts(self) -> Attempts:
        return self._setting("attempts", Attempts) or Attempts()

    def set_attempts(self, attempts: Attempts) -> None:
        self._set("attempts", attempts)

    def next_sequence(self, epoch: int) -> int:
        with self._file.change() as db:
            # Durable before it is returned: a number that was lost with a crash is never given twice.
            (number,) = db.execute(
                "INSERT INTO sequence (epoch, last) VALUES (?, 1) "
                "ON CONFLICT (epoch) DO UPDATE SET last = last + 1 RETURNING last",
                (epoch,),
            ).fetchone()
        return int(number)

    def record(self, copy: Copy) -> None:
        generation = copy.generation
        values = (generation.id, *generation.order, copy.state.value, msgspec.json.encode(copy))
        with self._file.change() as db:
            db.execute("INSERT OR REPLACE INTO copy VALUES (?, ?, ?, ?, ?)", values)
            _forget_old_copies(db)

    def copies(self, limit: int = 30) -> tuple[Copy, ...]:
        rows = self._file.rows("SELECT body FROM copy ORDER BY epoch DESC, sequence DESC LIMIT ?", (limit,))
        return tuple(self._decoded(body, Copy) for (body,) in rows)

    # mails

    def enqueue(self, mails: Sequence[OutboxEntry], document: tuple[str, bytes] | None = None) -> int:
        sql = "INSERT OR IGNORE INTO outbox (occasion, recipient, state, body) VALUES (?, ?, ?, ?)"

        def put() -> int:
            new = 0
            with self._file.change() as db:
                for each in mails:
                    values = (each.occasion, each.recipient, each.state.value, msgspec.json.encode(each))
                    new += db.execute(sql, values).rowcount
                if document is not None:
                    db.execute("INSERT OR REPLACE INTO document VALUES (?, ?)", document)
                _forget_old_mails(db)
            return new

        # The alarm that a disk is full must get out of it.
        return self._with_reserve(put, keep=HALF)

    def outbox(self, limit: int = 100, state: MailState | None = None) -> tuple[OutboxEntry, ...]:
        rows = self._file.rows(
            "SELECT body FROM outbox WHERE ?1 IS NULL OR state = ?1 ORDER BY number DESC LIMIT ?2",
            (state.value if state else None, limit),
        )
        return tuple(self._decoded(body, OutboxEntry) for (body,) in rows)

    def mails_about(self, occasion: str) -> dict[MailState, int]:
        rows = self._file.rows(
            "SELECT state, count(*) FROM outbox WHERE occasion = ? GROUP BY state", (occasion,)
        )
        return {MailState(state): count for state, count in rows}

    def put_mails(self, mails: Sequence[OutboxEntry]) -> None:
        sql = "UPDATE outbox SET state = ?, body = ? WHERE occasion = ? AND recipient = ?"

        def put() -> None:
            with self._file.change() as db:
                for each in mails:
                    values = (each.state.value, msgspec.json.encode(each), each.occasion, each.recipient)
                    db.execute(sql, values)

        self._with_reserve(put, keep=HALF)

    # history

    def tell(self, event: Event, room: Room = Room.TOLD) -> int:
        shrink = """DELETE FROM event WHERE room = ?1 AND number <=
            (SELECT number FROM event WHERE room = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"""
        with self._file.change() as db:
            added = db.execute(
                "INSERT INTO event (body, room) VALUES (?, ?)", (msgspec.json.encode(event), room.value)
            )
            db.execute(shrink, (room.value, KEPT[room]))
        return added.lastrowid or 0

    def retell(self, number: int, event: Event) -> None:
        with self._file.change() as db:
            db.execute("UPDATE event SET body = ? WHERE number = ?", (msgspec.json.encode(event), number))

    def events(self, limit: int = 100) -> tuple[Event, ...]:
        """Newest first."""
        rows = self._file.rows("SELECT body FROM event ORDER BY number DESC LIMIT ?", (limit,))
        return tuple(self._decoded(body, Event) for (body,) in rows)

    def history(self) -> tuple[tuple[int, Event], ...]:
        rows = self._file.rows("SELECT number, body FROM event ORDER BY number DESC")
        return tuple((number, self._decoded(body, Event)) for number, body in rows)

    def refill(self) -> bool:
        return self.reserve.refill()

    # small documents

    def get(self, name: str) -> bytes | None:
        rows = self._file.rows("SELECT body FROM document WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def put(self, name: str, body: bytes, *, vital: bool = False) -> None:
        def put() -> None:
            with self._file.change() as db:
                db.execute("INSERT OR REPLACE INTO document VALUES (?, ?)", (name, body))

        if vital:
            self._with_reserve(put)
        else:
            put()

    def _hold(self, db: Connection, grant: Grant) -> bool:
        """Remember the grant if it is the highest known; a holder's own epoch changes in the same row."""
        if grant.epoch > LARGEST:
            # A grant is kept as text, which takes any number: it could never be read again.
            raise Refused("state-value", why=f"epoch {grant.epoch}")
        row = db.execute("SELECT me, current_grant FROM standing").fetchone()
        if row is None:
            raise Refused("not-initialised")
        me, known = row
        if known is not None and self._decoded(known, Grant).epoch >= grant.epoch:
            return False
        db.execute("UPDATE standing SET current_grant = ?", (msgspec.json.encode(grant),))
        if grant.holder == me:
            db.execute("UPDATE standing SET own_epoch = max(own_epoch, ?)", (grant.epoch,))
        return True

    def _setting(self, name: str, type_: type[T]) -> T | None:
        rows = self._file.rows("SELECT body FROM setting WHERE name = ?", (name,))
        return self._decoded(rows[0][0], type_) if rows else None

    def _set(self, name: str, value: msgspec.Struct) -> None:
        with self._file.change() as db:
            _put_setting(db, name, value)

    def _decoded(self, body: bytes, type_: type[T]) -> T:
        try:
            return read(body, type_)
        except msgspec.MsgspecError as error:
            raise Failed("state-damaged", path=str(self._path), why=str(error)) from error

    def _with_reserve(self, act: Callable[[], T], *, keep: int = 0) -> T:
        """Act; on a full disk again, at last with the room that was kept for exactly this."""
        with suppress(NoSpace):
            return act()
        # The failed try gathered the log into the file: often there is room in it now.
        return self.reserve.with_room(act, keep=keep)


def _put_setting(db: Connection, name: str, value: msgspec.Struct) -> None:
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, msgspec.json.encode(value)))


def _one(changed: int) -> None:
    if changed == 0:
        raise Refused("not-initialised")


def _forget_old_copies(db: Connection) -> None:
    newest = "SELECT generation FROM copy {} ORDER BY epoch DESC, sequence DESC LIMIT ?"
    good = newest.format("WHERE state IN (?, ?)")
    db.execute(
        f"DELETE FROM copy WHERE generation NOT IN ({newest.format('')}) AND generation NOT IN ({good})",  # noqa: S608 - no value is put into the text
        (COPIES_KEPT, CopyState.IMPORTED.value, CopyState.PROVEN.value, GOOD_COPIES_KEPT),
    )


def _forget_old_mails(db: Connection) -> None:
    db.execute(
        "DELETE FROM outbox WHERE state != ? AND number <= (SELECT max(number) FROM outbox) - ?",
        (MailState.WAITING.value, MAILS_KEPT),
    )
