"""An appliance that another one took over from keeps its own data as a local backup, by itself (R3, I10)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from beistand import __version__
from beistand.agent.log import log
from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import JobKind
from beistand.domain.message import Field, Message, message
from beistand.operations.exporting import LocalBackups, Order, make_backup
from beistand.operations.keeping import is_owed, kept, note_kept
from beistand.ports.store import Event

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.agent.worker import Progress, Result
    from beistand.domain.export import BackupRecord

AGAIN_SECONDS = 30.0
"""After one that failed: for want of room, above all, which somebody may make meanwhile."""


class OwnData:
    """Runs in the agent's loop. Nothing is imported here before it is kept."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._why: Message | None = None

    def tick(self) -> None:
        """Begin to keep what is owed, once nothing writes to it any more and no other job runs."""
        agent = self._agent
        if not agent.is_initialised:
            return
        if not is_owed(agent.store.standing(), kept(agent.store)):
            self._why, self._next = None, 0.0
            return
        now = agent.clock.monotonic()
        if now < self._next or agent.worker.running() is not None or not self._is_quiet():
            return
        self._next = now + AGAIN_SECONDS
        if (record := self._made_already()) is not None:
            self._note(record)  # the power went between the two
        else:
            agent.worker.start(JobKind.LOCAL_BACKUP, self._keep)

    def findings(self) -> tuple[Finding, ...]:
        """Say where the data is, while this appliance is superseded, or why it could not be kept yet."""
        agent = self._agent
        standing = agent.store.standing()
        if not standing.has_own_data or standing.is_holder:
            return ()
        last = kept(agent.store)
        if is_owed(standing, last):
            if self._why is None:
                return (Finding(code="own-data-being-kept", severity=Severity.WARN),)
            fields: dict[str, Field] = {"why": str(self._why), "seconds": AGAIN_SECONDS}
            return (Finding(code="own-data-not-yet-kept", severity=Severity.BLOCK, fields=fields),)
        return (Finding(code="own-data-kept", severity=Severity.WARN, fields={"backup": last.backup}),)

    def _is_quiet(self) -> bool:
        node = self._agent.node
        is_running = any(node.services.is_running(each.unit) for each in node.profile.services)
        return not is_running and not node.addresses.held(node.installation)

    def _made_already(self) -> BackupRecord | None:
        epoch = self._agent.store.standing().own_epoch
        found = (each for each in self._agent.wiring.backups.records() if each.superseded_by)
        return next((each for each in found if each.header.generation.epoch == epoch), None)

    def _keep(self, progress: Progress) -> Result:
        agent = self._agent
        local = LocalBackups(
            exports=agent.wiring.exports,
            folder=agent.wiring.backups,
            host=socket.gethostname(),
            version=__version__,
        )
        order = Order(asked=False, superseded_by=agent.store.standing().epoch)
        try:
            record = make_backup(agent.node, local, order, progress)
        except BeistandError as error:
            if self._why is None or self._why.code != error.message.code:
                log("own-data-not-yet-kept", level="error", why=str(error.message), seconds=AGAIN_SECONDS)
            self._why = error.message
            raise
        self._note(record)
        return {"backup": record.id, "bytes": record.file_size, "digest": record.digest}

    def _note(self, record: BackupRecord) -> None:
        agent = self._agent
        note_kept(agent.store, record.header.generation.epoch, record.id)
        self._why = None
        agent.store.tell(Event(at=agent.clock.now(), message=message("own-data-kept", backup=record.id)))
        log("own-data-kept", level="warning", backup=record.id, size=record.file_size)
