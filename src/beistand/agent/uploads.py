"""The seed by upload, as the agent receives, checks and imports it (S16).

One upload at a time, in a file that only root reads. It is gone when it was imported, dropped or left alone,
and at every start of the agent: nothing of it is known beyond this process, the passphrase least of all.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.errors import BeistandError, Cancelled, Failed, NoSpace, Refused
from beistand.domain.export import ExportHeader, upload_quota
from beistand.domain.job import Job, JobKind
from beistand.domain.role import Role
from beistand.operations.seeding import check_export, import_export
from beistand.protocol import (
    CHUNK_BYTES,
    BeginUpload,
    CheckUpload,
    Done,
    DropUpload,
    GetUpload,
    ImportUpload,
    SendUpload,
    UploadView,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.agent.worker import Progress, Result
    from beistand.domain.message import Message

IDLE_SECONDS = 600.0
LONGEST_NAME = 200


@dataclass
class _Current:
    """The upload that is here."""

    id: str
    name: str
    size: int
    quota: int
    since: datetime
    used_at: float
    """Monotonic seconds of the last request for it."""
    received: int = 0
    is_busy: bool = False
    """A job reads the file."""
    header: ExportHeader | None = None
    """Of the export, once all of it was checked."""
    passphrase: str = ""
    problem: Message | None = None


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""
    uploads = agent.uploads
    return {
        BeginUpload: uploads.begin,
        SendUpload: uploads.send,
        CheckUpload: uploads.check,
        GetUpload: uploads.get,
        DropUpload: uploads.drop,
        ImportUpload: uploads.import_,
    }


class Uploads:
    """Holds the one upload."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._current: _Current | None = None

    def begin(self, request: BeginUpload, _caller: Caller) -> UploadView:
        agent = self._agent
        _may_seed(agent)
        with self._lock:
            self._forget()
            quota = upload_quota(agent.wiring.upload.free())
            if not 0 <= request.size <= quota:
                raise Refused("upload-too-large", size=request.size, quota=quota)
            agent.wiring.upload.begin()
            self._current = _Current(
                id=secrets.token_hex(8),
                name=os.path.basename(request.name)[:LONGEST_NAME],
                size=request.size,
                quota=quota,
                since=agent.clock.now(),
                used_at=agent.clock.monotonic(),
            )
            log("upload-begins", upload=self._current.id, size=request.size)
            return self._view()

    def send(self, request: SendUpload, _caller: Caller) -> Done:
        with self._lock:
            current = self._idle(request.id)
            if request.offset != current.received or len(request.data) > CHUNK_BYTES:
                raise Refused("upload-offset", offset=request.offset, expected=current.received)
            received = current.received + len(request.data)
            if received > (current.size or current.quota):
                self._forget()
                raise Refused("upload-too-large", size=received, quota=current.size or current.quota)
            try:
                self._agent.wiring.upload.add(request.offset, request.data)
            except (NoSpace, Failed):
                self._forget()
                raise
            # Another content: what was known of it is not known any more.
            current.received, current.header, current.problem = received, None, None
            return Done()

    def check(self, request: CheckUpload, _caller: Caller) -> Job:
        agent = self._agent
        _may_seed(agent)
        with self._lock:
            current = self._idle(request.id)
            if current.size and current.received != current.size:
                raise Refused("upload-incomplete", received=current.received, size=current.size)

            def work(progress: Progress) -> Result:
                wiring, path = agent.wiring, agent.wiring.upload.path()
                header = check_export(agent.node, wiring.exports, path, request.passphrase, progress)
                current.header, current.passphrase = header, request.passphrase
                return {"generation": header.generation.id, "host": header.host}

            current.header, current.problem = None, None
            return self._start(JobKind.CHECK, current, work)

    def get(self, _request: GetUpload, _caller: Caller) -> UploadView:
        with self._lock:
            if self._current is not None:
                self._current.used_at = self._agent.clock.monotonic()
            return self._view()

    def drop(self, request: DropUpload, _caller: Caller) -> Done:
        with self._lock:
            self._idle(request.id)
            self._forget()
        return Done()

    def import_(self, request: ImportUpload, _caller: Caller) -> Job:
        agent = self._agent
        _may_seed(agent)
        with self._lock:
            current = self._idle(request.id)
            header = current.header
            if header is None:
                raise Refused("upload-not-checked")
            if header.generation.id != request.generation:
                raise Refused(
                    "upload-other-generation", shown=header.generation.id, asked=request.generation[:100]
                )

            def work(progress: Progress) -> Result:
                wiring, path = agent.wiring, agent.wiring.upload.path()
                copy = import_export(agent.node, wiring.exports, path, current.passphrase, header, progress)
                log("seeded", generation=copy.generation.id, host=header.host)
                self._imported(current)
                return {
                    "generation": copy.generation.id,
                    "state": copy.state,
                    "seconds": round(copy.seconds, 3),
                }

            return self._start(JobKind.SEED, current, work)

    def tick(self) -> None:
        """Remove an upload that nobody asked for for a while: the browser was closed, the line broke."""
        # The main loop waits for no disk: whoever holds this is about the upload just now.
        if not self._lock.acquire(blocking=False):
            return
        try:
            current = self._current
            if current is None or current.is_busy:
                return
            if self._agent.clock.monotonic() - current.used_at > IDLE_SECONDS:
                log("upload-left-alone", level="warning", upload=current.id, received=current.received)
                self._forget()
        finally:
            self._lock.release()

    def _start(self, kind: JobKind, current: _Current, act: Callable[[Progress], Result]) -> Job:
        def work(progress: Progress) -> Result:
            try:
                return act(progress)
            except Cancelled:
                raise
            except BeistandError as error:
                current.header, current.problem = None, error.message
                raise
            finally:
                current.is_busy = False
                current.used_at = self._agent.clock.monotonic()

        current.is_busy = True  # first: the job may have ended before `start` returns
        try:
            return self._agent.worker.start(kind, work)
        except Refused:
            current.is_busy = False
            raise

    def _imported(self, current: _Current) -> None:
        with self._lock:
            if self._current is current:
                current.is_busy = False
                self._forget()
        if self._agent.link.is_connected():
            self._agent.link.ask()

    def _idle(self, upload: str) -> _Current:
        """Return the upload that is meant, unless a job reads it."""
        current = self._current
        if current is None or current.id != upload:
            raise Refused("upload-unknown")
        if current.is_busy:
            raise Refused("upload-in-use")
        current.used_at = self._agent.clock.monotonic()
        return current

    def _forget(self) -> None:
        if self._current is not None and self._current.is_busy:
            raise Refused("upload-in-use")
        self._current = None
        self._agent.wiring.upload.clear()

    def _view(self) -> UploadView:
        current = self._current
        if current is None:
            return UploadView(id="", quota_bytes=upload_quota(self._agent.wiring.upload.free()))
        header, wiring = current.header, self._agent.wiring
        return UploadView(
            id=current.id,
            name=current.name,
            size=current.size,
            received=current.received,
            quota_bytes=current.quota,
            since=current.since,
            generation=header.generation if header else None,
            parts=header.parts if header else (),
            host=header.host if header else "",
            problem=current.problem,
            needs_passphrase=current.received > 0 and wiring.exports.is_encrypted(wiring.upload.path()),
        )


def _may_seed(agent: Agent) -> None:
    """Refuse where no seed belongs (S16): on the active, and before there is a pair that could have made it."""
    standing = agent.node.store.standing()
    if standing.role is Role.ACTIVE:
        raise Refused("seed-on-the-active")
    if agent.store.pair() is None:
        raise Refused("not-paired")
    if standing.role is not Role.STANDBY:
        raise Refused("not-standby", role=standing.role)
