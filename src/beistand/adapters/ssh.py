"""The pair's channel: the agent of the other appliance, over ssh with a forced command."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TypeVar

from beistand import __version__
from beistand.adapters.channel import Channel, Channels
from beistand.adapters.rsync import Rsync
from beistand.adapters.ssh_line import SshLine
from beistand.domain.config import ModuleConfig
from beistand.domain.connections import Connection, packed
from beistand.domain.errors import PeerUnreachable
from beistand.domain.generation import Generation
from beistand.domain.job import Job
from beistand.domain.pair import Greeting
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value
from beistand.ports.peer import Sent
from beistand.protocol import (
    CancelJob,
    Done,
    EndPair,
    Greet,
    Hello,
    MakeRoom,
    Offer,
    OfferAnswer,
    PushConfig,
    PushSettings,
    Receive,
    Release,
    Resume,
    WatchJob,
)

T = TypeVar("T")
ANSWER_SECONDS = 20.0
"""Limit for what the peer answers from what it knows."""
ACT_SECONDS = 60.0
"""Limit for what the peer answers after an act of its own: stopping a PBX, looking at its disks."""
OUTLIVED = ("peer-line-lost", "peer-agent-down")
"""What is seen of a connection that outlived the machine or the agent at its other end, when it is used again."""


class SshPeer:
    """Implements the port Peer.

    Greetings go over a connection of their own, so that no transfer delays them and their deadline
    ends nothing else; work and transfers share one. Waiting for a job blocks no other call.
    """

    def __init__(self, line: SshLine, pair: str) -> None:
        self._line = line
        self._hello = Hello(version=__version__, pair=pair)
        self._greetings = Channels(lambda seconds: self._open(seconds, shared=False))
        self._work = Channels(lambda seconds: self._open(seconds, shared=True))

    def greet(self, greeting: Greeting, seconds: float = 5.0) -> Greeting:
        return self._greetings.ask(Greet(greeting=greeting), Greeting, seconds)

    def push_config(self, config: ModuleConfig) -> None:
        self._ask(PushConfig(config=config), Done)

    def push_settings(self, settings: PairSettings) -> None:
        self._ask(PushSettings(settings=settings), Done)

    def offer(self, generation: Generation) -> OfferAnswer:
        return self._ask(Offer(generation=generation), OfferAnswer, ACT_SECONDS)

    def make_room(self, needed: MakeRoom) -> None:
        self._ask(needed, Done, ACT_SECONDS)

    def receive(self, generation: Generation, base: str, connections: tuple[Connection, ...] = ()) -> Job:
        request = Receive(generation=generation, base=base, connections=packed(connections))
        return self._ask(request, Job, is_repeatable=False)

    def watch(self, job: str, seen: int, seconds: float) -> Job:
        return self._ask(WatchJob(id=job, seen=seen, seconds=seconds), Job, seconds + ANSWER_SECONDS)

    def cancel(self, job: str) -> None:
        self._ask(CancelJob(id=job), Done)

    def release(self, epoch: int) -> None:
        self._ask(Release(epoch=epoch), Done, ACT_SECONDS)

    def resume(self, epoch: int) -> None:
        self._ask(Resume(epoch=epoch), Done, ACT_SECONDS)

    def end_pair(self, pair: str) -> None:
        self._ask(EndPair(pair=pair), Done, ACT_SECONDS)

    def send(
        self,
        source: Path,
        names: Sequence[str],
        folder: str,
        *,
        bandwidth_limit: int,
        cancelled: Event,
        progress: Callable[[int, int], None],
    ) -> Sent:
        return Rsync(self._line).send(
            source,
            names,
            folder,
            bandwidth_limit=bandwidth_limit,
            cancelled=cancelled,
            progress=progress,
        )

    def close(self) -> None:
        """End every conversation and the shared connection; calls under way fail."""
        self._greetings.close()
        self._work.close()
        self._line.hang_up()

    def _open(self, seconds: float, *, shared: bool) -> Channel:
        return Channel(self._line, self._hello, shared=shared, seconds=seconds)

    def _ask(
        self, request: Value, type_: type[T], seconds: float = ANSWER_SECONDS, *, is_repeatable: bool = True
    ) -> T:
        deadline = time.monotonic() + seconds
        try:
            return self._work.ask(request, type_, seconds)
        except PeerUnreachable as error:
            # The shared connection may be half open: a new conversation over it would be silent, too.
            if error.message.code == "peer-silent":
                self._line.hang_up()
            if not is_repeatable or error.message.code not in OUTLIVED:
                raise
        return self._work.ask(request, type_, max(0.0, deadline - time.monotonic()), is_new=True)
