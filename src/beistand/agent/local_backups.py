"""Local backups, as the agent makes, lists and reads them, and when the schedule asks for one (S12, S14)."""

import socket
from datetime import datetime

import msgspec

from beistand import __version__
from beistand.agent.acts import Acts
from beistand.agent.agent import Agent
from beistand.agent.caller import Caller
from beistand.agent.worker import Progress, Result
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.export import ID_FORM, BackupRecord
from beistand.domain.job import Job, JobKind
from beistand.domain.message import Message, message
from beistand.domain.role import Role
from beistand.domain.schedule import is_due, next_run
from beistand.domain.value import Value
from beistand.operations.exporting import LocalBackups, Order, make_backup
from beistand.ports.store import Event
from beistand.protocol import (
    CHUNK_BYTES,
    Backup,
    BackupDetails,
    BackupList,
    Chunk,
    CreateBackup,
    DeleteBackup,
    GetBackup,
    ListBackups,
    ReadBackup,
)

UNASKED_SECONDS = 30.0
"""Between two scheduled backups at least: on a full disk nothing durable says that one was begun."""
TROUBLE = "local-backup"
DOCUMENT = "scheduled-backups"
LONGEST_PASSPHRASE = 512
FEWEST_SIGNS = 5
SHORTEST_PASSPHRASE = 12
"""Characters; whoever has the file can try all shorter ones."""
GROWING_SHOWN = 3
"""In a list: a hundred names in each of hundreds of backups would fill no frame."""
MOST_LISTED = 500


class LastRun(Value, frozen=True, kw_only=True):
    """What became of the newest scheduled backup. Durable."""

    at: datetime | None = None
    is_running: bool = False
    trouble: Message | None = None


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""

    def create(request: CreateBackup, _caller: Caller) -> Job:
        refuse_odd_passphrase(request.passphrase)
        return _start(agent, Order(asked=True, passphrase=request.passphrase))

    def listed(_request: ListBackups, _caller: Caller) -> BackupList:
        return _list(agent)

    def details(request: GetBackup, _caller: Caller) -> BackupDetails:
        record = _record(agent, request.id)
        view = msgspec.structs.replace(_view(record), generation=record.header.generation)
        return BackupDetails(backup=view, parts=record.header.parts, host=record.header.host)

    def delete(request: DeleteBackup, _caller: Caller) -> BackupList:
        agent.wiring.backups.remove(_record(agent, request.id).id)
        return _list(agent)

    def read(request: ReadBackup, _caller: Caller) -> Chunk:
        record = _record(agent, request.id)
        if not 0 <= request.offset <= record.file_size:
            raise Refused("backup-offset", backup=record.id, offset=request.offset)
        data = agent.wiring.backups.read(record.id, request.offset, CHUNK_BYTES)
        return Chunk(data=data, is_last=request.offset + len(data) >= record.file_size)

    return {
        CreateBackup: create,
        ListBackups: listed,
        GetBackup: details,
        DeleteBackup: delete,
        ReadBackup: read,
    }


def refuse_odd_passphrase(passphrase: str) -> None:
    """Raise Refused `passphrase-unusable` for what nobody could type again, `passphrase-short`; empty is none."""
    if len(passphrase) > LONGEST_PASSPHRASE or not passphrase.isprintable():
        raise Refused("passphrase-unusable", longest=LONGEST_PASSPHRASE)
    if passphrase and (len(passphrase) < SHORTEST_PASSPHRASE or len(set(passphrase)) < FEWEST_SIGNS):
        raise Refused("passphrase-short", shortest=SHORTEST_PASSPHRASE, different=FEWEST_SIGNS)


class ScheduledBackups:
    """Runs in the agent's loop: a backup that falls due while a job runs begins when that has ended."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._is_begun = False

    def tick(self) -> None:
        agent = self._agent
        if not agent.is_initialised or agent.worker.running() is not None:
            return
        if not self._is_begun:
            self._begin()
        config, now = agent.store.config(), agent.clock.monotonic()
        if not is_scheduled(agent, config):
            agent.troubles.pop(TROUBLE, None)
        elif now >= self._next and self._is_due(config):
            self._next = now + UNASKED_SECONDS
            _start(agent, Order(asked=False))

    def _begin(self) -> None:
        """Remove what a kill left, and remember what went wrong before the agent was started."""
        agent = self._agent
        agent.wiring.backups.sweep()
        last = _last_run(agent)
        if last.is_running:
            _note(agent, last, message("backup-interrupted"))
        elif last.trouble is not None:
            agent.troubles[TROUBLE] = last.trouble
        self._is_begun = True

    def _is_due(self, config: ModuleConfig) -> bool:
        clock = self._agent.clock
        schedule = config.backup_schedule
        return schedule is not None and is_due(schedule, _last_run(self._agent).at, clock.now(), clock.zone())


def is_scheduled(agent: Agent, config: ModuleConfig) -> bool:
    """Tell whether local backups run by the schedule here now: on the one that serves only (S17)."""
    if config.backup_schedule is None or config.is_removed or not config.active:
        return False
    return agent.store.standing().role is Role.ACTIVE and agent.keeper.is_serving


def _start(agent: Agent, order: Order) -> Job:
    node = agent.node
    local = LocalBackups(
        exports=agent.wiring.exports,
        folder=agent.wiring.backups,
        host=socket.gethostname(),
        version=__version__,
    )

    def work(progress: Progress) -> Result:
        record = make_backup(node, local, order, progress)
        return {"backup": record.id, "bytes": record.file_size, "digest": record.digest}

    def scheduled(progress: Progress) -> Result:
        last = LastRun(at=agent.clock.now(), is_running=True)
        why: Message | None = message("backup-interrupted")  # by an error that nobody expected
        try:
            agent.store.put(DOCUMENT, msgspec.json.encode(last))
            result, why = work(progress), None
        except BeistandError as error:
            why = error.message
            raise
        finally:
            _note(agent, last, why)
        return result

    return agent.worker.start(JobKind.LOCAL_BACKUP, work if order.asked else scheduled)


def _note(agent: Agent, last: LastRun, why: Message | None) -> None:
    """Write down how a scheduled backup ended; a failed one is told until the next good one."""
    trouble = message("local-backup-failed", why=str(why)) if why else None
    last = msgspec.structs.replace(last, is_running=False, trouble=trouble)
    if trouble is None:
        agent.troubles.pop(TROUBLE, None)
    else:
        agent.troubles[TROUBLE] = trouble
        agent.store.tell(Event(at=agent.clock.now(), message=trouble))
    agent.store.put(DOCUMENT, msgspec.json.encode(last))


def _last_run(agent: Agent) -> LastRun:
    body = agent.store.get(DOCUMENT)
    return msgspec.json.decode(body, type=LastRun) if body else LastRun()


def _list(agent: Agent) -> BackupList:
    config, next_backup = agent.store.config(), ""
    if config.backup_schedule is not None and is_scheduled(agent, config):
        zone = agent.clock.zone()
        moment = next_run(config.backup_schedule, agent.clock.now(), zone)
        next_backup = moment.astimezone(zone).isoformat(timespec="seconds")
    folder = agent.wiring.backups
    backups = tuple(_view(each) for each in folder.records()[:MOST_LISTED])
    return BackupList(backups=backups, free_bytes=folder.free(), next_backup=next_backup)


def _view(record: BackupRecord) -> Backup:
    generation = record.header.generation
    return Backup(
        id=record.id,
        generation=msgspec.structs.replace(generation, growing=generation.growing[:GROWING_SHOWN]),
        file_size=record.file_size,
        digest=record.digest,
        is_encrypted=record.is_encrypted,
        asked=record.header.asked,
        superseded_by=record.superseded_by,
    )


def _record(agent: Agent, backup: str) -> BackupRecord:
    if ID_FORM.fullmatch(backup):
        for each in agent.wiring.backups.records():
            if each.id == backup:
                return each
    raise Refused("backup-unknown", backup=backup[:100])
