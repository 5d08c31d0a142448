"""Takeover: the standby becomes the active appliance.

What is here happens before the grant and can be undone. After the grant `converge` does the rest.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Event

import msgspec

from beistand.domain.errors import AddressInUse, Cancelled, Refused
from beistand.domain.facts import Facts, Verdict
from beistand.domain.finding import Finding
from beistand.domain.fork import over
from beistand.domain.installation import Installation
from beistand.domain.message import Message, message
from beistand.domain.plan import Plan
from beistand.domain.profile import Profile
from beistand.domain.role import MOST_EPOCH, Grant, Standing, is_believable, next_epoch
from beistand.domain.safety import blocking, verdict
from beistand.domain.value import Value
from beistand.operations.data_ready import make_ready
from beistand.ports.node import Node

UNPLUG_SECONDS = 120
"""How long a takeover waits for somebody to pull the plug of a peer that cannot be asked."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What the steps of a takeover can reach: this machine, and the data it will serve."""

    node: Node
    make_ready: Callable[[Node, str], None] = make_ready
    cancelled: Event = field(default_factory=Event)
    """Set when a person ended the job."""


class AskPeerToRelease(Value, frozen=True, kw_only=True, tag="ask-peer-to-release"):
    """The peer stops its PBX and gives up the service address for this epoch."""

    epoch: int

    def do(self, reach: Reach) -> None:
        if reach.node.peer is not None:
            reach.node.peer.release(self.epoch)

    def undo(self, reach: Reach) -> None:
        if reach.node.peer is not None:
            reach.node.peer.resume(self.epoch)

    def describe(self) -> Message:
        return message("step.ask-peer-to-release", epoch=self.epoch)


class AwaitSilence(Value, frozen=True, kw_only=True, tag="await-silence"):
    """A peer that cannot be asked still has the address: a person unplugs it while we wait."""

    interface: str
    address: str
    seconds: int

    def do(self, reach: Reach) -> None:
        node, mac = reach.node, ""
        end = node.clock.monotonic() + self.seconds
        while node.clock.monotonic() < end:
            mac = node.arp.ask(self.interface, [self.address], 0.4).macs.get(self.address, "")
            if not mac:
                return
            if node.clock.wait(reach.cancelled, 0.6):
                raise Cancelled
        raise AddressInUse(self.address, mac)

    def undo(self, reach: Reach) -> None:
        """Nothing to undo: waiting changes nothing."""

    def describe(self) -> Message:
        return message("step.await-silence", address=self.address, seconds=self.seconds)


class MakeDataReady(Value, frozen=True, kw_only=True, tag="make-data-ready"):
    """An import that was cut short is ended, and exactly this generation becomes the live one."""

    generation: str
    """Empty: nothing was ever imported; what is there is made whole."""

    def do(self, reach: Reach) -> None:
        reach.make_ready(reach.node, self.generation)

    def undo(self, reach: Reach) -> None:
        """Nothing to undo: the data is whole either way, and the next cycle brings it forward."""

    def describe(self) -> Message:
        return message("step.make-data-ready", generation=self.generation or "-")


class FastProbe(Value, frozen=True, kw_only=True, tag="fast-probe"):
    """Last of all: see that nobody has the address now, or is about to take it."""

    interface: str
    address: str
    overlooked: str = ""
    """MAC of a stranger that root took for a forgery; empty: none. Whoever else there is stops the takeover."""

    def do(self, reach: Reach) -> None:
        if mac := reach.node.arp.fast_probe(self.interface, self.address, self.overlooked):
            raise AddressInUse(self.address, mac)

    def undo(self, reach: Reach) -> None:
        """Nothing to undo: a look changes nothing."""

    def describe(self) -> Message:
        return message("step.fast-probe", address=self.address)


TakeoverStep = AskPeerToRelease | AwaitSilence | MakeDataReady | FastProbe
TakeoverPlan = Plan[TakeoverStep]


def takeover_plan(facts: Facts, standing: Standing, installation: Installation) -> TakeoverPlan:
    """Read top to bottom: this is what happens before the grant, in this order."""
    service = installation.service_addresses
    steps: list[TakeoverStep] = []
    if facts.peer.agent:
        steps.append(AskPeerToRelease(epoch=claimed_epoch(facts, standing)))
    elif verdict(facts) is Verdict.PEER_HOLDS:
        steps += [
            AwaitSilence(interface=each.interface, address=each.address, seconds=UNPLUG_SECONDS)
            for each in service
        ]
    steps.append(MakeDataReady(generation=facts.copy.generation.id if facts.copy else ""))
    # A stranger stops it anyway, unless root takes exactly this one for a forgery.
    stranger = facts.holder_mac if verdict(facts) is Verdict.FOREIGN else ""
    steps += [
        FastProbe(interface=each.interface, address=each.address, overlooked=stranger) for each in service
    ]
    return TakeoverPlan.of(*steps)


def with_claim_of_peer(facts: Facts, released: int) -> Facts:
    """Return the facts with the epoch that the peer claimed here, though it may never have been granted (0: none).

    A number below it would be a grant under which nobody may serve: what was released for a higher one stays so.
    """
    return msgspec.structs.replace(facts, claimed=released)


def claimed_epoch(facts: Facts, standing: Standing) -> int:
    """Return the number that this takeover would mint: above everything known here, and believed of there.

    Raises Refused `epoch-impossible` where no number is left.
    """
    believed = facts.peer_epoch if is_believable(standing.epoch, facts.peer_epoch) else 0
    epoch = next_epoch(max(standing.epoch, believed, facts.claimed), standing.side)
    if epoch > MOST_EPOCH:
        raise Refused("epoch-impossible", epoch=str(standing.epoch))
    return epoch


def takeover_grant(facts: Facts, standing: Standing, operator: str) -> Grant:
    """Return the grant that a person's click on these facts mints (R1)."""
    return Grant(
        epoch=claimed_epoch(facts, standing),
        holder=standing.me,
        parent=standing.epoch,
        operator=operator,
        at=facts.at,
        evidence=sha256(msgspec.json.encode(facts)).hexdigest(),
        over=over(standing, facts.peer_epoch),
    )


def plan_digest(plan: TakeoverPlan, facts: Facts, found: Collection[Finding], standing: Standing) -> str:
    """Return what a confirmation refers to: equal as long as the same would happen for the same reasons.

    No age, clock or count of answers is in it: between showing and confirming they change, and mean nothing.
    """
    parts = (
        msgspec.json.encode(plan),
        verdict(facts).encode(),
        *(code.encode() for code in blocking(found)),
        (facts.copy.generation.id if facts.copy else "").encode(),
        str(claimed_epoch(facts, standing)).encode(),
    )
    return sha256(b"\0".join(parts)).hexdigest()


def describe(
    plan: TakeoverPlan, grant_epoch: int, installation: Installation, profile: Profile
) -> tuple[Message, ...]:
    """Return the plan in words, with what follows the grant."""
    before = [_in_words(item.step) for item in plan.items]
    after = [message("step.grant", epoch=grant_epoch)]
    after += [
        message("step.hold-address", address=each.address, interface=each.interface)
        for each in installation.service_addresses
    ]
    if profile.contacts is not None:
        after.append(message("step.renew-contacts"))
    after += [message("step.start-service", unit=each.unit) for each in profile.services]
    after.append(message("step.verify", address=installation.service_ip))
    return (*before, *after)


def _in_words(step: TakeoverStep) -> Message:
    if isinstance(step, FastProbe) and step.overlooked:
        return message("step.fast-probe-beside", address=step.address, mac=step.overlooked)
    return step.describe()
