"""Joining an existing installation: the address of the PBX becomes the service address, and there is a way back."""

from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Interface

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message, message
from beistand.domain.network_file import Manager
from beistand.domain.role import Standing
from beistand.domain.value import Value

CONFIRM_SECONDS = 120.0
"""So long a person has to come over the new address; then everything goes back by itself."""
CHANGE_SECONDS = 120.0
"""Of a change and of the way back: the network manager has to settle, and the PBX may have to start."""
AGAIN_SECONDS = 10.0
"""A way back that failed is tried again so often."""
PEER_MAY_SERVE = "setup-undo-peer-may-serve"
"""Code of the risk that a person may accept by name."""

BY_PERSON = "setup-undone-by-person"
"""Why a setup went back that nobody has to be told of."""


class Stage(StrEnum):
    """How far a setup has come; each one is durable before its first effect."""

    BEGUN = "begun"
    """The machine is being changed."""
    WAITING = "waiting"
    """Changed; nobody has come over the new address yet."""
    CONFIRMED = "confirmed"
    UNDOING = "undoing"
    """Everything goes back; it can begin anew after any interruption."""
    UNDONE = "undone"


OPEN = (Stage.BEGUN, Stage.WAITING, Stage.UNDOING)


class ChangedFile(Value, frozen=True, kw_only=True):
    """A network file as it was, byte by byte, and as the setup wrote it."""

    path: str
    mode: int
    """Permission bits."""
    uid: int
    gid: int
    before: bytes
    after: bytes


class Setup(Value, frozen=True, kw_only=True):
    """One setup in the journal; it stays there for `beistand setup --undo`."""

    stage: Stage
    boot: str
    """Names the boot in which it began: monotonic seconds mean nothing in another one."""
    deadline: float = 0.0
    """Monotonic seconds; of the stage `waiting`."""
    began: datetime
    interface: str
    manager: Manager
    own_address: str
    """The new one, with its prefix length."""
    service_address: str
    """The one that the PBX had, with its prefix length in the network file."""
    profile: str
    files: tuple[ChangedFile, ...]
    has_route: bool = True
    """The kernel made the route to the address's network, not the network manager."""
    running: tuple[str, ...] = ()
    """Units of the PBX that ran before."""
    why: Message | None = None
    """Why everything went back."""

    @property
    def own_ip(self) -> str:
        return self.own_address.split("/")[0]

    @property
    def service_ip(self) -> str:
        return self.service_address.split("/")[0]


def why_back(setup: Setup, *, boot: str, now: float) -> Message | None:
    """Return why a setup that the agent finds, or watches, has to go back; None: it need not."""
    match setup.stage:
        case Stage.UNDOING:
            return setup.why or message("setup-interrupted")
        case Stage.BEGUN:
            return message("setup-interrupted")
        case Stage.WAITING if setup.boot != boot:
            return message("setup-rebooted")
        case Stage.WAITING if now >= setup.deadline:
            return message("setup-unconfirmed", address=setup.own_ip, seconds=CONFIRM_SECONDS)
        case _:
            return None


def unproven(setup: Setup, reached: str, *, at_console: bool) -> Message | None:
    """Return why this is no proof that the new address works; None: it is one.

    `reached` is the address of this machine that the person's connection came to, empty without one.
    """
    if reached == setup.own_ip or (at_console and not reached):
        return None
    if not reached:
        return message("setup-confirm-from-console", address=setup.own_ip)
    return message("setup-confirm-elsewhere", reached=reached, address=setup.own_ip)


def own_address_problem(own: str, present: str) -> Message | None:
    """Return why this cannot be the own address beside the present one (both with prefix length)."""
    try:
        wanted = IPv4Interface(own)
    except ValueError:
        return message("own-address-wrong", address=own)
    there = IPv4Interface(present)
    network = there.network
    if wanted.ip == there.ip:
        return message("setup-same-address", address=str(there.ip))
    if wanted.network != network or wanted.ip in (network.network_address, network.broadcast_address):
        return message("setup-own-address-outside", address=own, subnet=str(network))
    return None


def with_length(own: str, present: str) -> str:
    """Return the own address with the prefix length of the present one, where it was given without any."""
    return own if "/" in own else f"{own}/{present.partition('/')[2]}"


class UndoFacts(Value, frozen=True, kw_only=True):
    """What decides whether the service address may go back into the network file."""

    standing: Standing | None
    """None: this machine is no appliance (any more)."""
    own_address: str = ""
    """Of the settings as they are now."""
    is_serving: bool = False
    peer: str = ""
    """Host name of the other appliance; empty: not paired."""
    is_peer_connected: bool = False
    job: str = ""
    """Kind of the job that runs; empty: none."""


def undo_refusal(setup: Setup | None, facts: UndoFacts, accepted: tuple[str, ...]) -> Message | None:
    """Return why a confirmed setup is not taken back; None: it may be.

    In a network file the address needs no grant: whoever else might serve it must be out of the way for good.
    """
    if setup is None or setup.stage is Stage.UNDONE:
        return message("setup-not-done")
    if setup.stage is not Stage.CONFIRMED or facts.standing is None:
        return None
    if facts.own_address != setup.own_address:
        return message("setup-undo-other-address", now=facts.own_address, then=setup.own_address)
    if facts.job:
        return message("setup-undo-job", job=facts.job)
    if not facts.standing.is_holder:
        return message("setup-undo-not-active", peer=facts.peer or "-", address=setup.service_ip)
    if not facts.is_serving:
        return message("setup-undo-not-serving", address=setup.service_ip)
    if facts.is_peer_connected:
        return message("setup-undo-peer-lives", peer=facts.peer, address=setup.service_ip)
    if facts.peer and PEER_MAY_SERVE not in accepted:
        return message("setup-undo-peer-may-serve", peer=facts.peer, address=setup.service_ip)
    return None


def setup_finding(setup: Setup | None, *, now: float) -> Finding | None:
    """Return what a person has to know of a setup now."""
    if setup is None or setup.stage is Stage.CONFIRMED:
        return None
    if setup.stage is Stage.WAITING:
        fields: dict[str, str | int | float | bool] = {
            "address": setup.own_ip,
            "seconds": seconds_left(setup, now),
        }
        return Finding(code="setup-waits", severity=Severity.CONFIRM, fields=fields)
    if setup.stage is Stage.UNDONE:
        if setup.why is None or setup.why.code == BY_PERSON:
            return None
        return Finding(code="setup-undone", severity=Severity.WARN, fields={"why": str(setup.why)})
    told = under_way(setup.stage)
    return Finding(code=told.code, severity=Severity.WARN, fields=told.fields) if told else None


def under_way(stage: str) -> Message | None:
    """Return what a setup does by itself now, and when that ends; None where it does nothing or waits for a person."""
    if stage == Stage.BEGUN:
        return message("setup-begun", seconds=CHANGE_SECONDS)
    return message("setup-undoing", seconds=AGAIN_SECONDS) if stage == Stage.UNDOING else None


def in_the_way(setup: Setup | None) -> Message | None:
    """Return why nothing may be built on this machine now: what may be taken back in a minute is no base."""
    if setup is None or setup.stage not in OPEN:
        return None
    return under_way(setup.stage) or message("setup-not-confirmed", address=setup.own_ip)


def seconds_left(setup: Setup, now: float) -> float:
    """Return how long somebody may still come over the new address; 0 in every stage but `waiting`."""
    return max(0.0, round(setup.deadline - now, 1)) if setup.stage is Stage.WAITING else 0.0
