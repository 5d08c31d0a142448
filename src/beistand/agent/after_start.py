"""Asks the PBX after each start to look at its phones and lines at once, so that everything rings (B14).

In a thread of its own: a takeover is over with the first SIP answer, and none of this delays it.
"""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.agent.make_way import MakeWay
from beistand.domain.after_start import (
    FIRST_WAIT,
    LONGEST_WAIT,
    PAUSE_SECONDS,
    bursts,
    delay_seconds,
    failed_lines,
    late_lines_finding,
    line_command,
    line_names,
    phone_commands,
)
from beistand.domain.errors import Failed
from beistand.operations.converge import Around
from beistand.operations.dead_connections import end_dead_connections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding
    from beistand.domain.phones import Contact, Dated
    from beistand.domain.profile import AfterStart as Asked

ANSWER_SECONDS = 5.0
READY_SECONDS = 20.0
"""A PBX whose unit is active before it takes commands is asked again for so long."""
AGAIN_SECONDS = 0.05
FEW = 50
"""Phones that may be asked in the second in which connections are ended: 400 packets in all."""
LOOK_SECONDS = 15.0
"""Between two looks at the lines. The first one comes after Asterisk's own delay of 10 s."""
SETTINGS_SECONDS = 600.0
"""Between two looks at how the lines are configured."""


class AfterStart:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.make_way = MakeWay(agent)
        self._stopping = Event()
        self._now = Event()
        self._lock = Lock()
        self._phones: tuple[Contact, ...] | None = None
        self._dated: Dated | None = None
        self._busy_until = 0.0
        """The network has had its packets of this second (monotonic)."""
        self._is_answering = False
        self.known: tuple[Contact, ...] = ()
        """The contacts from before the last start of the PBX: it forgets some of them."""
        self._next_settings = 0.0
        self._waits: dict[str, tuple[float, float]] = {}
        """Of each line that failed: when it is asked again (monotonic), and the wait after that."""
        self._late: dict[str, int] = {}

    def start(self) -> None:
        self.make_way.start()
        Thread(target=self._run, name="after-start", daemon=True).start()

    def stop(self) -> None:
        self.make_way.stop()
        self._stopping.set()
        self._now.set()

    def woken(self, contacts: tuple[Contact, ...]) -> None:
        """The PBX was started a moment ago; these phones were registered before. Returns at once."""
        with self._lock:
            self._phones = self.known = contacts
            self._is_answering = False
            self._dated = None  # from here on they are those of the PBX that runs here
        self._now.set()

    def answers(self) -> None:
        """The PBX answers SIP. Returns at once."""
        if not self._is_answering:
            self._is_answering = True
            self._now.set()

    def taken_over(self) -> None:
        """The contacts that lie here came with a copy, until the PBX was started with them."""
        self.known, self._is_answering = (), False
        self._dated = self._agent.dated()

    def around(self, announce: Callable[[], None]) -> Around:
        """Return what the taking up of service is told and tells."""
        return Around(
            announce=announce,
            waking=self._waking,
            woken=self.woken,
            answers=self.answers,
            dated=self._dated,
        )

    def _waking(self, contacts: tuple[Contact, ...]) -> None:
        # A start on the same machine changes nothing for a phone: its contact lives as long as before.
        if self._dated is not None:
            self.make_way.waking(contacts)

    def findings(self) -> tuple[Finding, ...]:
        """Return what would make lines come late after a takeover, where this appliance serves."""
        asked = self._asked()
        found = late_lines_finding(asked.line_delay, self._late) if asked and self._late else None
        return (found,) if found else ()

    def turn(self) -> None:
        """Do what is due after a start, and ask for the lines as long as this appliance serves."""
        try:
            self._ask_what_is_due()
        finally:
            if self._is_answering and self._agent.is_initialised and self._agent.keeper.is_serving:
                self._end_connections()

    def _ask_what_is_due(self) -> None:
        with self._lock:
            phones, self._phones = self._phones, None
        asked = self._asked()
        if asked is None:
            self._late = {}
            return
        if phones is not None:
            self._waits = {}
            self._next_settings = 0.0
            self._ask_phones(phone_commands(asked, phones))
        elif asked.lines:
            self._look_at_lines(asked)

    def _asked(self) -> Asked | None:
        """Return what the PBX of this appliance can be asked, while it serves."""
        agent = self._agent
        if not agent.is_initialised or not agent.keeper.is_serving or agent.node.profile.console is None:
            return None
        return agent.node.profile.after_start

    def _ask_phones(self, commands: tuple[str, ...]) -> None:
        for number, burst in enumerate(bursts(commands)):
            if number:
                self._agent.clock.wait(self._stopping, PAUSE_SECONDS)
            if self._stopping.is_set() or not self._agent.keeper.is_serving:
                return
            self._ask_until_ready(burst)
            if len(burst) > FEW:
                self._busy_until = self._agent.clock.monotonic() + PAUSE_SECONDS
        if commands:
            log("phones-looked-at", phones=len(commands))

    def _end_connections(self) -> None:
        self._agent.clock.wait(self._stopping, max(0.0, self._busy_until - self._agent.clock.monotonic()))
        ended = end_dead_connections(self._agent.node, self.known, self._may_go_on)
        if ended:
            log("connections-ended", count=ended)

    def _may_go_on(self) -> bool:
        self._agent.clock.wait(self._stopping, PAUSE_SECONDS)
        return not self._stopping.is_set() and self._agent.keeper.is_serving

    def _ask_until_ready(self, commands: Sequence[str]) -> None:
        end = self._agent.clock.monotonic() + READY_SECONDS
        while True:
            try:
                self._ask(commands)
            except Failed:
                if self._stopping.is_set() or self._agent.clock.monotonic() >= end:
                    raise
                self._agent.clock.wait(self._stopping, AGAIN_SECONDS)
            else:
                return

    def _look_at_lines(self, asked: Asked) -> None:
        now = self._agent.clock.monotonic()
        answer = self._ask([asked.lines])
        failed = failed_lines(asked, answer)
        self._waits = {name: wait for name, wait in self._waits.items() if name in failed}
        for name in failed:
            due, wait = self._waits.get(name, (now, FIRST_WAIT))
            if now >= due:
                self._waits[name] = (now + wait, min(2 * wait, LONGEST_WAIT))
                self._ask([line_command(asked.line_again, name)])
                log("line-asked-again", level="warning", line=name)
        if asked.line and asked.line_delay and now >= self._next_settings:
            self._next_settings = now + SETTINGS_SECONDS
            delays = {
                name: delay_seconds(asked, self._ask([line_command(asked.line, name)]))
                for name in line_names(answer)
            }
            self._late = {name: seconds for name, seconds in delays.items() if seconds}

    def _ask(self, commands: Sequence[str]) -> str:
        node = self._agent.node
        assert node.profile.console is not None
        return node.console.ask(node.profile.console.socket, commands, ANSWER_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._agent.complaints.about("after-start"):
                self.turn()
            self._agent.clock.wait(self._now, LOOK_SECONDS)
            self._now.clear()
