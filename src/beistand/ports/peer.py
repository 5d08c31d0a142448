"""The other appliance."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Protocol

from beistand.domain.config import ModuleConfig
from beistand.domain.connections import Connection
from beistand.domain.generation import Generation
from beistand.domain.job import Job
from beistand.domain.pair import Greeting
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value
from beistand.protocol import Accepted, AcceptPair, HostKey, MakeRoom, OfferAnswer


class Sent(Value, frozen=True, kw_only=True):
    """What a transfer moved."""

    files: int
    bytes_on_wire: int


class Peer(Protocol):
    """The pair's channel: SSH with a forced command, one connection kept. Every call has a deadline.

    Every method raises PeerUnreachable when there is no answer in time and PeerRefused with the
    peer's own message when it says no.
    """

    def greet(self, greeting: Greeting, seconds: float = 5.0) -> Greeting: ...
    def push_config(self, config: ModuleConfig) -> None: ...
    def push_settings(self, settings: PairSettings) -> None: ...
    def offer(self, generation: Generation) -> OfferAnswer: ...
    def make_room(self, needed: MakeRoom) -> None:
        """See that there is room for what is about to travel. Raises PeerRefused `no-room-for-generation`."""

    def receive(self, generation: Generation, base: str, connections: tuple[Connection, ...] = ()) -> Job: ...
    def watch(self, job: str, seen: int, seconds: float) -> Job: ...
    def cancel(self, job: str) -> None: ...
    def release(self, epoch: int) -> None: ...
    def resume(self, epoch: int) -> None: ...
    def end_pair(self, pair: str) -> None:
        """Have the peer forget us and our keys."""

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
        """Send these files (relative to source) into a folder of the peer's inbox, by rsync.

        `folder` is one of FOLDERS. progress(done, total) in bytes. Files of the same size and time are
        not believed to be the same. Raises Cancelled, PeerUnreachable, Failed `transfer-failed`,
        NoSpace `peer-disk-full`, Failed `files-vanished` (rsync's exit code 24).
        """

    def close(self) -> None: ...


FOLDERS = ("manifest", "files", "databases")
"""Folders of the inbox. `databases` keeps the last dumps there, so that a delta travels."""


class Introduction(Protocol):
    """The first contact with a machine that is not our peer yet."""

    def host_key(self, own_ip: str, server: str) -> HostKey:
        """Fetch its host key; nothing secret is sent. Raises PeerUnreachable."""

    def accept_pair(
        self, server: str, user: str, password: str, host_key: str, request: AcceptPair
    ) -> Accepted:
        """Log in with the password, once, and hand the request to the agent there.

        Raises Refused `wrong-password`, `host-key-changed`, `beistand-missing-there`; PeerUnreachable; PeerRefused.
        """


class Keys(Protocol):
    """SSH keys of the pair's channel, 0600, identity."""

    def public_key(self) -> str:
        """Return the own public key line; made at the first call."""

    def own_host_key(self) -> str:
        """Return this machine's SSH host key (type and base64)."""

    def authorise(self, public_key: str, from_address: str) -> None:
        """Let this key, from this address only, run `beistand peer` as beistand-peer, and nothing else.

        Replaces what was authorised before.
        """

    def trust(self, address: str, host_key: str) -> None:
        """Pin the peer's host key; a changed one is a hard stop (F11)."""

    def forget(self, *, own: bool) -> None:
        """Let nobody in any more, and believe no machine; with `own` the own key goes, too. Durable."""

    def undo_point(self) -> Callable[[], None]:
        """Return what puts the authorised key and the pinned host key back as they are now."""
