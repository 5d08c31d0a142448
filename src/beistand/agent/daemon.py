"""`beistand agent`: starts every part, keeps the machine as the standing says, ends cleanly."""

import signal
from collections.abc import Iterable
from threading import Event, Thread
from types import FrameType
from typing import Protocol

from beistand import __version__
from beistand.adapters.service_manager import notify
from beistand.agent.agent import Agent
from beistand.agent.changes import Changes
from beistand.agent.cycles import start_due_cycle, tell_commit
from beistand.agent.local_backups import ScheduledBackups
from beistand.agent.log import keep_lines, less_of, log, log_message, set_level
from beistand.agent.out_of_order import wired
from beistand.agent.recovery import Recovery
from beistand.agent.server import Server
from beistand.agent.verbs import Verbs
from beistand.domain.errors import BeistandError
from beistand.domain.job import JobKind, JobState
from beistand.operations.tries import note_interrupted
from beistand.ports.places import Places

TICK_SECONDS = 1.0
PULSE_SECONDS = 5.0
"""The watchdog is fed so often (a sixth of WatchdogSec) while the loop turns."""
SHORT_SECONDS = 2.0
TURN_SECONDS = 120.0
"""A turn may be so long, and wait for a PBX that stops and starts slowly: only one that is longer hangs."""


def main(places: Places | None = None) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    places = places or Places()
    stopping = Event()
    _end_on_signal(stopping)
    wiring = wired(places, stopping)
    if wiring is None:
        return 0
    agent = Agent(wiring)
    server = Server(places.socket, Verbs(agent).handle)
    loop = Loop(agent, stopping)
    loop.recovery.look()
    wiring.upload.clear()
    # Whoever asks meanwhile hears what is brought to an end, and that may be the way back of a million files.
    server.open()
    changes = Changes(agent, wiring.network_changes())
    loop.start(
        (
            agent.link,
            agent.healing,
            agent.watch,
            agent.lookout,
            agent.postman,
            agent.keeper.after_start,
            agent.strays,
            changes,
            agent.keeper.gate_watch.listen(wiring.rule_changes()),
        )
    )
    # Whoever restarts the agent and then asks for something meets no job of a recovery that is short.
    loop.has_begun.wait(SHORT_SECONDS)
    log("agent-ready", version=__version__)
    notify("READY=1")
    while not stopping.wait(PULSE_SECONDS):
        if not loop.hangs():
            notify(f"WATCHDOG=1\nSTATUS={agent.state}")
    changes.stop()
    _stop(agent, server)
    return 0


class Part(Protocol):
    """What works beside the loop, in a thread of its own."""

    def start(self) -> None: ...


class Loop:
    """The turns, in a thread of their own: a stop need not wait for a PBX that takes a minute to start."""

    def __init__(self, agent: Agent, stopping: Event) -> None:
        self._agent = agent
        self._stopping = stopping
        self._turned = agent.clock.monotonic()
        self.has_begun = Event()
        """Set when what was cut short has come to its end, and every part works."""
        self.recovery = Recovery(agent)
        self.backups = ScheduledBackups(agent)

    def start(self, parts: Iterable[Part] = ()) -> None:
        """Bring to an end what was cut short, start these parts, and take turns; all in the thread of the loop."""
        Thread(target=self._run, args=(tuple(parts),), name="loop", daemon=True).start()

    def hangs(self) -> bool:
        """Tell whether the present turn has been under way for longer than everything in it may take.

        A recovery takes as long as there is data; it tells how far it is.
        """
        if self._agent.is_recovering:
            return False
        services = self._agent.node.profile.services if self._agent.is_initialised else ()
        longest = TURN_SECONDS + 2 * sum(each.start_seconds + each.stop_seconds for each in services)
        return self._agent.clock.monotonic() - self._turned > longest

    def turn(self) -> None:
        """Do what is due, whatever fails."""
        agent = self._agent
        self._turned = agent.clock.monotonic()
        for name, act in (
            ("log", self._set_level),
            ("recovery", self.recovery.tick),
            ("setup", agent.network_setup.tick),
            ("keeper", agent.keeper.tick),
            ("machine", agent.own_machine.tick),
            ("own-data", agent.own_data.tick),
            ("forks", agent.forks.tick),
            ("cycle", lambda: start_due_cycle(agent)),
            ("commit", lambda: tell_commit(agent)),
            ("backup", self.backups.tick),
            ("upload", agent.uploads.tick),
            ("room", agent.room.tick),
            ("coverage", agent.coverage.tick),
            ("network-files", agent.network_file_look.tick),
            ("aftermath", agent.aftermath.tick),
            ("alarms", agent.alarms.tick),
            ("notices", agent.notices.tick),
        ):
            with agent.complaints.about(f"turn-{name}"):
                act()

    def _set_level(self) -> None:
        config = self._agent.store.config()
        # Switched off, the journal still tells what somebody has to see.
        set_level(config.log_level if config.log else less_of(config.log_level, "warning"))
        keep_lines(self._agent.wiring.module_log.keep if config.log else None)

    def _run(self, parts: tuple[Part, ...]) -> None:
        agent = self._agent
        self.recovery.mend()
        with agent.complaints.about("gate-at-start"):
            if agent.is_initialised:
                # An upgrade may know better what the PBX must not touch; it holds from the PBX's next start.
                agent.node.services.install_gate(agent.node.profile)
        self._turned = agent.clock.monotonic()
        for each in parts:
            each.start()
        self.has_begun.set()
        while not self._stopping.is_set():
            self.turn()
            agent.clock.wait(agent.wake, TICK_SECONDS)
            agent.wake.clear()


def _stop(agent: Agent, server: Server) -> None:
    """End what runs. The service address and the PBX stay: only a release touches calls."""
    log("agent-stops")
    notify("STOPPING=1")
    agent.watch.stop()
    agent.lookout.stop()
    agent.healing.stop()
    agent.keeper.gate_watch.stop()
    agent.postman.stop()
    agent.keeper.after_start.stop()
    agent.strays.stop()
    agent.link.stop()
    running = agent.worker.running()
    agent.worker.stop(seconds=10)
    if running is not None and running.kind is JobKind.CYCLE:
        ended = agent.worker.watch(running.id, running.revision, 0.0)
        if ended.state is JobState.CANCELLED:
            note_interrupted(agent.node)
    agent.keeper.stop()
    server.close()
    try:
        agent.wiring.store.gather()
    except BeistandError as error:
        log_message(error.message, "warning")


def _end_on_signal(stopping: Event) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
