"""Lets a phone in that was switched off and on right after a takeover: its old contact makes way for it (B8).

In a thread of its own, and only in the minutes in which contacts live that came with the copy. The PBX has them all
the time until the phone itself asks: calls reach it until then.
"""

from __future__ import annotations

from functools import partial
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log
from beistand.domain.errors import BeistandError, Failed
from beistand.domain.make_way import (
    BACK_SECONDS,
    MOST_TIMES,
    WATCH_SECONDS,
    Aside,
    Watched,
    commands,
    hosts,
    in_the_way,
    question,
    register,
    room,
    watched,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beistand.agent.agent import Agent
    from beistand.domain.phones import Contact
    from beistand.domain.profile import MakeWay as Told
    from beistand.ports.registers import Ear

DOCUMENT = "make-way"
LISTEN_SECONDS = 0.5
STOP_SECONDS = 2.0
IDLE_SECONDS = 15.0
ANSWER_SECONDS = 2.0
AGAIN_SECONDS = 0.05
READY_SECONDS = 30.0
"""A PBX that takes no commands yet is asked again for so long."""


class MakeWay:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = Event()
        self._woken = Event()
        self._lock = Lock()
        self._new: tuple[Contact, ...] | None = None
        self._watched = Watched(until=0.0)
        self._back_at: dict[str, float] = {}
        """For each contact that made way, by its key: when it is put back (monotonic)."""
        self._wanted: dict[str, tuple[Contact, float]] = {}
        """Contacts that are to make way as soon as the PBX takes commands, and until when (monotonic)."""
        self._times: dict[str, int] = {}
        """How often the PBX was told of each one."""
        self._is_held_up = False
        self._thread: Thread | None = None

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="make-way", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def waking(self, contacts: tuple[Contact, ...]) -> None:
        """The PBX is about to start with these contacts, which came with a copy. Returns at once."""
        with self._lock:
            self._new = watched(contacts)
        self._woken.set()

    @property
    def is_due(self) -> bool:
        """Tell whether contacts are there that nobody watches yet."""
        return self._new is not None

    def resume(self) -> None:
        """Go on where an agent that was killed in these minutes left off."""
        if not self._agent.is_initialised:
            return
        kept = self._agent.store.get(DOCUMENT)
        self._watched = msgspec.json.decode(kept, type=Watched) if kept else self._watched
        now = self._agent.clock.monotonic()
        self._back_at = {each.contact.key: now for each in self._watched.aside}

    def turn(self) -> None:
        """Watch for as long as contacts live that came with a copy; what is left of earlier minutes is cleared."""
        self._woken.clear()
        with self._lock:
            new, self._new = self._new, None
        if new is not None:
            self._begin(new)
        if not self._watched.until:
            return
        # At once what an agent before this one had taken away.
        self._is_done("contact-back", lambda: self._put_back(self._agent.clock.monotonic()))
        if self._is_on():
            installation, port = self._agent.node.installation, self._agent.node.profile.sip.udp_port
            addresses = [each.address for each in installation.service_addresses]
            with self._agent.wiring.registers.listen(installation.interface, addresses, port) as ear:
                self._hold_up(addresses, port)
                while self._is_on() and not self._woken.is_set():
                    self.listen(ear)
        if self._stopping.is_set():
            self._let_pass()  # the next agent goes on
        elif not self._is_on():
            self._end()

    def listen(self, ear: Ear) -> None:
        """Take one REGISTER, and do what is due."""
        seen = ear.next(AGAIN_SECONDS if self._wanted else LISTEN_SECONDS)
        asked = register(seen.datagram, seen.source, seen.port) if seen else None
        now = self._agent.clock.monotonic()
        for each in in_the_way(asked, self._watched.contacts) if asked else ():
            if each.key not in self._back_at and self._times.get(each.key, 0) < MOST_TIMES:
                self._wanted.setdefault(each.key, (each, now + READY_SECONDS))
        for contact, until in list(self._wanted.values()):
            # While the PBX starts it is asked again; the phone repeats its REGISTER meanwhile.
            if self._is_done("contact-aside", partial(self._put_aside, contact)) or now >= until:
                self._wanted.pop(contact.key)
        self._is_done("contact-back", lambda: self._put_back(now))

    def _begin(self, contacts: tuple[Contact, ...]) -> None:
        self._back_at, self._wanted, self._times = {}, {}, {}
        until = self._agent.clock.now().timestamp() + WATCH_SECONDS
        self._watched = Watched(until=until if contacts else 0.0, contacts=contacts)
        self._is_held_up = False
        if contacts:
            self._keep()

    def _hold_up(self, addresses: Sequence[str], port: int) -> None:
        """Once: anew it would hold up again who is on the way. Without it a phone and the console race for a ms."""
        if self._is_held_up:
            return
        self._is_held_up = True
        registers, seconds = self._agent.wiring.registers, max(1, int(self._left()))
        self._is_done(
            "registers-held-up",
            lambda: registers.hold_up(hosts(self._watched.contacts), addresses, port, seconds),
        )

    def _let_pass(self) -> None:
        self._is_done("registers-held-up", self._agent.wiring.registers.let_pass)

    def _is_done(self, what: str, act: Callable[[], object]) -> bool:
        """Do it; a failure is told once, and the rest goes on."""
        try:
            act()
        except BeistandError as error:
            self._agent.complaints.tell(what, error.message)
            return False
        return True

    def _end(self) -> None:
        """Let everything pass again, and put back whatever still is aside."""
        self._is_done("contact-back", lambda: self._put_back(float("inf")))
        self._let_pass()
        self._watched, self._wanted = Watched(until=0.0), {}
        self._keep()

    def _put_aside(self, contact: Contact) -> None:
        """Have the PBX make room, if it has none. Raises Failed `pbx-not-asked`."""
        told = self._told
        most = room(told, self._ask([question(told, contact)]))
        if most is None:
            raise Failed("pbx-not-asked", path=contact.aor, why="no such settings yet")
        aside = Aside(contact=contact, most=most)
        answer = self._ask(commands((*(told.aside if most else ()), *told.look), aside))
        self._times[contact.key] = self._times.get(contact.key, 0) + 1
        if not told.is_aside or told.is_aside not in answer:
            return
        self._back_at[contact.key] = self._agent.clock.monotonic() + BACK_SECONDS
        self._watched = msgspec.structs.replace(self._watched, aside=(*self._watched.aside, aside))
        self._keep()
        log("contact-made-way", phone=contact.aor)

    def _put_back(self, now: float) -> None:
        """Put back what made way for a phone that has not registered."""
        due = [each for each in self._watched.aside if self._back_at.get(each.contact.key, 0.0) <= now]
        for each in due:
            self._ask(commands(self._told.back, each))
            self._back_at.pop(each.contact.key, None)
            rest = tuple(other for other in self._watched.aside if other is not each)
            self._watched = msgspec.structs.replace(self._watched, aside=rest)
        if due:
            self._keep()

    @property
    def _told(self) -> Told:
        return self._agent.node.profile.make_way

    def _left(self) -> float:
        return min(WATCH_SECONDS, self._watched.until - self._agent.clock.now().timestamp())

    def _is_on(self) -> bool:
        """Tell whether somebody has to watch: this appliance serves, and such contacts may still live."""
        agent = self._agent
        if self._stopping.is_set() or not agent.is_initialised or self._left() <= 0:
            return False
        node = agent.node
        is_asked = node.profile.console is not None and bool(self._told.room)
        return is_asked and bool(node.addresses.held(node.installation))

    def _keep(self) -> None:
        self._agent.store.put(DOCUMENT, msgspec.json.encode(self._watched))

    def _ask(self, asked: Sequence[str]) -> str:
        node = self._agent.node
        assert node.profile.console is not None
        return node.console.ask(node.profile.console.socket, asked, ANSWER_SECONDS)

    def _run(self) -> None:
        with self._agent.complaints.about("make-way"):
            self.resume()
        while not self._stopping.is_set():
            with self._agent.complaints.about("make-way"):
                self.turn()
            self._agent.clock.wait(self._woken, 1.0 if self._watched.until else IDLE_SECONDS)
