"""The messages between agent, command line, pages and peer: typed, versioned JSON, one frame each.

A frame is four bytes of length (big endian, 1 MiB at most) and a JSON object. Every connection begins
with `Hello`; then each request gets one answer, in order. Long acts are jobs: the request returns the
job, `WatchJob` waits for its next change. docs/protocol.md describes it for people.
"""

import struct
from collections.abc import Callable
from typing import TypeVar

import msgspec

from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Refused
from beistand.domain.facts import Facts, Finding, Verdict
from beistand.domain.generation import Copy, Generation
from beistand.domain.job import Job
from beistand.domain.licence import LicenceSet
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION, Appliance, Greeting
from beistand.domain.role import Grant, Role, Side
from beistand.domain.value import Value

LARGEST_FRAME = 1 << 20
T = TypeVar("T")

# --- requests of people: command line and pages -------------------------------------------------


class Hello(Value, frozen=True, kw_only=True, tag="hello", tag_field="verb"):
    """First on every connection. `release` and `status` never change meaning over versions (F15)."""

    protocol: int = PROTOCOL_VERSION
    version: str
    """Of the program that asks."""
    pair: str = ""
    """Pair id; the peer's channel only."""


class GetStatus(Value, frozen=True, kw_only=True, tag="status", tag_field="verb"):
    pass


class Init(Value, frozen=True, kw_only=True, tag="init", tag_field="verb"):
    """Make this machine an appliance: identity, licence, and on the active the first grant."""

    role: Role
    interface: str
    own_address: str
    service_address: str
    profile: str
    strict_boot: bool = False


class FetchHostKey(Value, frozen=True, kw_only=True, tag="fetch-host-key", tag_field="verb"):
    """Fetch the standby's SSH host key; nothing secret is sent."""

    server: str


class StartPair(Value, frozen=True, kw_only=True, tag="pair", tag_field="verb"):
    """Pair with the standby. The password is used once, in memory, and not kept."""

    server: str
    user: str
    password: str
    host_key: str
    """The line that FetchHostKey returned and a person confirmed."""
    replace: bool = False
    """Also if that machine is the standby of another active: it becomes ours, with our data."""

    def __repr__(self) -> str:  # a password never reaches a log
        return f"StartPair(server={self.server!r}, user={self.user!r})"


class AcceptPair(Value, frozen=True, kw_only=True, tag="accept-pair", tag_field="verb"):
    """Run on the standby by the active, over the first connection: become its partner."""

    pair: str
    side: Side
    """The side that the standby shall be."""
    active: Appliance
    active_host_key: str
    public_key: str
    """The active's key for the account beistand-peer here."""
    grant: Grant
    config: ModuleConfig
    replace: bool = False
    """Pair anew although a pair is known."""
    licences: LicenceSet = LicenceSet()
    """The active's, so that each redundancy licence can name the one that it stands in for (S5)."""


class StartCycle(Value, frozen=True, kw_only=True, tag="cycle", tag_field="verb"):
    pass


class PlanTakeover(Value, frozen=True, kw_only=True, tag="takeover-plan", tag_field="verb"):
    restore_point: str = ""
    """Id of an older generation; empty: the newest imported one."""


class StartTakeover(Value, frozen=True, kw_only=True, tag="takeover", tag_field="verb"):
    digest: str
    """Of the plan that was shown: what was confirmed is what runs."""
    accept: tuple[str, ...] = ()
    """Codes of findings that a person accepted by name."""
    operator: str
    restore_point: str = ""


class WatchJob(Value, frozen=True, kw_only=True, tag="watch-job", tag_field="verb"):
    """Return the job as soon as its revision is above `seen`, or after `seconds`."""

    id: str
    seen: int = -1
    seconds: float = 10.0


class CancelJob(Value, frozen=True, kw_only=True, tag="cancel-job", tag_field="verb"):
    id: str


class GetConfig(Value, frozen=True, kw_only=True, tag="config-get", tag_field="verb"):
    pass


class SetConfig(Value, frozen=True, kw_only=True, tag="config-set", tag_field="verb"):
    config: ModuleConfig


class ListGenerations(Value, frozen=True, kw_only=True, tag="generations", tag_field="verb"):
    pass


class RetryService(Value, frozen=True, kw_only=True, tag="retry", tag_field="verb"):
    """Serve now: start the PBX that failed, take back a release, wait for a silent peer no longer (I7)."""


# --- requests of the peer -----------------------------------------------------------------------


class Greet(Value, frozen=True, kw_only=True, tag="greet", tag_field="verb"):
    greeting: Greeting


class PushConfig(Value, frozen=True, kw_only=True, tag="push-config", tag_field="verb"):
    config: ModuleConfig


class Offer(Value, frozen=True, kw_only=True, tag="offer", tag_field="verb"):
    """Announce a generation before anything travels: space and order are checked."""

    generation: Generation


class Receive(Value, frozen=True, kw_only=True, tag="receive", tag_field="verb"):
    """Everything is in the inbox: verify and import it."""

    generation: Generation
    base: str
    """Digest of the manifest that the sent delta refers to; empty: the sent manifest is whole."""


class Release(Value, frozen=True, kw_only=True, tag="release", tag_field="verb"):
    """Stop the PBX and give up the service address, because the other side claims this epoch."""

    epoch: int


class Resume(Value, frozen=True, kw_only=True, tag="resume", tag_field="verb"):
    """Take back a release of this epoch; do nothing if there was none."""

    epoch: int


# --- answers ------------------------------------------------------------------------------------


class Welcome(Value, frozen=True, kw_only=True):
    protocol: int
    version: str


class Done(Value, frozen=True, kw_only=True):
    pass


class HostKey(Value, frozen=True, kw_only=True):
    line: str
    fingerprint: str
    """`SHA256:…`, as ssh-keygen -l prints it."""


class Accepted(Value, frozen=True, kw_only=True):
    """The standby's side of a pairing."""

    appliance: Appliance
    public_key: str


class OfferAnswer(Value, frozen=True, kw_only=True):
    base: str
    """Digest of the manifest that is live here; empty: nothing was imported yet."""


class GenerationList(Value, frozen=True, kw_only=True):
    """Answer to ListGenerations."""

    copies: tuple[Copy, ...]
    """The last cycles, newest first."""
    live: str = ""
    """Id of the generation whose data is in place here; empty: none was imported."""
    restore_points: tuple[Generation, ...] = ()
    """What a takeover can serve, newest first (B7)."""


class PeerView(Value, frozen=True, kw_only=True):
    """What this side knows of the other one."""

    host: str
    own_address: str
    connected: bool
    silent_seconds: float
    role: Role | None
    serving: bool


class TakeoverPlanAnswer(Value, frozen=True, kw_only=True):
    digest: str
    verdict: Verdict
    facts: Facts
    findings: tuple[Finding, ...]
    steps: tuple[Message, ...]
    """The plan in words."""
    generation: Generation | None
    age_seconds: float
    phones: tuple[str, ...]
    """Contacts that calls will reach at once."""


class Status(Value, frozen=True, kw_only=True):
    """What an administrator asks first."""

    initialised: bool
    role: Role | None = None
    state: str = ""
    """`serving`, `unverified`, `standing-by`, `checking`, `held`, `active-failed`, `superseded`, `forked`."""
    host: str = ""
    own_address: str = ""
    service_address: str = ""
    epoch: int = 0
    version: str = ""
    licence_key: str = ""
    pair: str = ""
    peer: PeerView | None = None
    newest: Copy | None = None
    """The newest generation and how far it came."""
    usable: Copy | None = None
    """The newest imported one: what a takeover would serve."""
    usable_age_seconds: float = 0.0
    next_cycle: str = ""
    """Local time, ISO 8601; empty: none is planned."""
    attempt: int = 0
    """Which try comes next; 0: none is waiting."""
    attempts: int = 0
    job: Job | None = None
    findings: tuple[Finding, ...] = ()


class Answer(Value, frozen=True, kw_only=True):
    """The frame of every answer: a body, or an error with its message."""

    body: msgspec.Raw = msgspec.Raw(b"null")
    error: Message | None = None


PersonRequest = (
    Hello
    | GetStatus
    | Init
    | FetchHostKey
    | StartPair
    | AcceptPair
    | StartCycle
    | PlanTakeover
    | StartTakeover
    | WatchJob
    | CancelJob
    | GetConfig
    | SetConfig
    | ListGenerations
    | RetryService
)
PeerRequest = Hello | Greet | PushConfig | Offer | Receive | WatchJob | CancelJob | Release | Resume
Request = PersonRequest | PeerRequest

TIMELESS = (GetStatus, Release, Resume)
"""Understood over every difference of protocol: they never change their meaning (F15)."""

_LENGTH = struct.Struct("!I")


def frame(value: Value) -> bytes:
    """Return the value as one frame.

    Raises Refused `frame-too-large` above 1 MiB.
    """
    body = msgspec.json.encode(value)
    if len(body) > LARGEST_FRAME:
        raise Refused("frame-too-large", bytes=len(body))
    return _LENGTH.pack(len(body)) + body


def read_frame(read_exactly: Callable[[int], bytes]) -> bytes:
    """Return the body of the next frame, b"" at a clean end.

    `read_exactly(n)` returns n bytes, or b"" at the end. Raises Refused `frame-too-large`.
    """
    head = read_exactly(_LENGTH.size)
    if not head:
        return b""
    (length,) = _LENGTH.unpack(head)
    if length > LARGEST_FRAME:
        raise Refused("frame-too-large", bytes=length)
    return read_exactly(length)


def open_answer(body: bytes, type_: type[T]) -> tuple[T | None, Message | None]:
    """Return (body, None) or (None, error). Raises msgspec.ValidationError for what is neither."""
    answer = msgspec.json.decode(body, type=Answer)
    if answer.error is not None:
        return None, answer.error
    return msgspec.json.decode(answer.body, type=type_), None
