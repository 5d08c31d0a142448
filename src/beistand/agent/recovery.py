"""What was cut short is brought to an end, at the start and as soon as it can be: none of it needs a click."""

from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from beistand.agent.agent import Agent
from beistand.agent.worker import Progress, Result
from beistand.domain.errors import BeistandError, Cancelled, Refused
from beistand.domain.job import JobKind
from beistand.domain.message import message
from beistand.domain.setup import Stage
from beistand.operations.importing import recover_import
from beistand.operations.leftovers import clear_leftovers, has_leftovers
from beistand.operations.runner import recover_plan
from beistand.operations.tries import close_interrupted

AGAIN_SECONDS = 10.0
CLEAR_SECONDS = 30.0
"""On a disk that is still full it fails again, and each time it stands in the list of jobs."""


class Recovery:
    """Runs in the agent's loop. What it could not do stands in `agent.troubles` and is tried again."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._next_clearing = 0.0

    def begin(self) -> None:
        """Do all that a start does."""
        self.look()
        self.mend()

    def look(self) -> None:
        """Take back a setup and read the settings: what this machine is."""
        agent = self._agent
        # First, as it may end with a machine that is no appliance.
        self._tried("setup-journal", agent.network_setup.begin)
        self._next = agent.clock.monotonic() + AGAIN_SECONDS
        with suppress(BeistandError):  # a journal that nobody can read was told just now
            if agent.network_setup.stage() is Stage.UNDOING:
                return  # it is to be no appliance any more: the settings are gone already
        agent.is_recovering = self._tried("settings", agent.reload) and agent.is_initialised

    def mend(self) -> None:
        """Bring an import to one of its two ends, undo a plan, count a try; as a job, which a takeover may end."""
        agent = self._agent
        if not agent.is_recovering:
            return
        try:
            with suppress(Refused):  # a click was faster, and brings to an end what it needs
                agent.worker.run(JobKind.RECOVER, self._mended)
        finally:
            agent.is_recovering = False
        Thread(target=self._try_rsync, name="check-rsync", daemon=True).start()

    def _mended(self, progress: Progress) -> Result:
        agent = self._agent
        progress.stage("take-back")
        self._tried("import", lambda: recover_import(agent.node, progress))
        progress.check()
        # No trouble of its own: as long as the journal holds the plan, status says so.
        with agent.complaints.about("plan", "error"):
            if agent.store.plan() is not None:
                progress.enter("undo")
                recover_plan(agent.node)
        progress.check()
        self._tried("cycle", lambda: close_interrupted(agent.node))
        return {}

    def tick(self) -> None:
        agent = self._agent
        if agent.clock.monotonic() < self._next or agent.worker.running() is not None:
            return
        self._next = agent.clock.monotonic() + AGAIN_SECONDS
        if "settings" in agent.troubles:
            self.begin()
        elif agent.is_initialised and agent.store.plan() is not None and self._may_be_asked():
            # As a job: no takeover can begin meanwhile. The peer that released waits for our word.
            agent.worker.start(JobKind.UNDO, self._undo)
        elif agent.is_initialised and agent.clock.monotonic() >= self._next_clearing:
            self._clear()

    def _may_be_asked(self) -> bool:
        """Tell whether the peer will hear an undo; one of another version understands that and greets nobody (F15)."""
        return self._agent.link.is_connected() or self._agent.link.speaks_otherwise()

    def _clear(self) -> None:
        """Do for a job that failed with its disk what a restart would do; as a job, so that none begins meanwhile."""
        agent = self._agent
        if has_leftovers(agent.node):
            self._next_clearing = agent.clock.monotonic() + CLEAR_SECONDS
            with suppress(Refused):  # another job was faster
                agent.worker.start(JobKind.RECOVER, self._cleared)

    def _cleared(self, progress: Progress) -> Result:
        clear_leftovers(self._agent.node, progress)
        self._agent.troubles.pop("import", None)
        self._agent.troubles.pop("cycle", None)
        return {}

    def _try_rsync(self) -> None:
        # Beside everything else: it takes a second, and nothing that must not wait needs it.
        try:
            self._tried("rsync", self._agent.wiring.check_transfer)
        except OSError as error:
            self._agent.complaints.tell("rsync", message("disk-failed", path="", why=str(error)))

    def _undo(self, progress: Progress) -> Result:
        progress.stage("undo")
        recover_plan(self._agent.node)
        return {}

    def _tried(self, what: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except Cancelled:
            raise
        except BeistandError as error:
            self._agent.troubles[what] = error.message
            self._agent.complaints.tell(what, error.message, "error")
            return False
        self._agent.troubles.pop(what, None)
        return True
