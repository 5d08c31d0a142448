"""What the agent of a standby may answer about a takeover: one scene for each situation a person can meet."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from beistand.domain.facts import Facts, PeerSigns
from beistand.domain.generation import Copy, Generation
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.job import Job, JobKind
from beistand.domain.message import message
from beistand.domain.role import Role, Side, Standing
from beistand.domain.safety import OLDEST, findings, verdict
from beistand.operations.takeover import describe, plan_digest, takeover_plan
from beistand.protocol import GenerationList, PeerView, Status, TakeoverPlanAnswer
from fakes.pair_of_appliances import PROFILE
from fakes.situations import A_MAC, HUNG, RUNNING, STRANGER_MAC, A, B, facts, generation, grant, imported

SERVICE = "192.0.2.10"
INSTALLATION = Installation(
    interface="eth0",
    own_address="192.0.2.2/24",
    service_addresses=(ServiceAddress(address=SERVICE, interface="eth0"),),
    profile="asterisk",
)
STANDBY = Status(
    initialised=True,
    role=Role.STANDBY,
    state="standing-by",
    host="pbx-b",
    own_address="192.0.2.2/24",
    service_address=SERVICE,
    epoch=2,
    version="0.1.0",
    licence_key="K2M4N-P6Q8R-S3T5V-W7X9Y",
    pair="0" * 32,
    peer=PeerView(
        host="pbx-a",
        own_address="192.0.2.1/24",
        connected=False,
        silent_seconds=42.0,
        role=Role.ACTIVE,
        serving=False,
    ),
)
ACTIVE = msgspec.structs.replace(
    STANDBY,
    role=Role.ACTIVE,
    state="serving",
    host="pbx-a",
    own_address="192.0.2.1/24",
    peer=PeerView(
        host="pbx-b",
        own_address="192.0.2.2/24",
        connected=True,
        silent_seconds=0.0,
        role=Role.STANDBY,
        serving=False,
    ),
)
PHONES = ("192.0.2.101:5060", "192.0.2.102:5060", "192.0.2.103:5060")
PHONES_LATER = ("192.0.2.104:49152", "192.0.2.105:5061")
NETWORK = (
    message("will-take-address", address=SERVICE, prefix=32, interface="eth0"),
    message("will-use-gateway", gateway="192.0.2.254"),
)


def made(hours: float = 0.05, **changes: Any) -> Generation:
    """A generation that began so many hours ago."""
    begin = datetime.now(UTC) - timedelta(hours=hours)
    name = f"{begin:%Y%m%dT%H%M%SZ}-7"
    return generation(**{"id": name, "begin": begin, "end": begin + timedelta(seconds=4), **changes})


def copied(hours: float = 0.05) -> Copy:
    return msgspec.structs.replace(imported(), generation=made(hours))


def plan(seen: Facts, replug: tuple[str, ...] = ()) -> TakeoverPlanAnswer:
    """The answer that the agent makes of these facts."""
    seen = msgspec.structs.replace(seen, at=datetime.now(UTC))
    standing = Standing(me=B, side=Side.ODD, grant=grant(2, A))
    steps, found = takeover_plan(seen, standing, INSTALLATION), findings(seen, OLDEST, replug)
    age = (seen.at - seen.copy.generation.begin).total_seconds() if seen.copy else 0.0
    return TakeoverPlanAnswer(
        digest=plan_digest(steps, seen, found, standing),
        verdict=verdict(seen),
        facts=seen,
        findings=found,
        steps=describe(steps, 3, INSTALLATION, PROFILE),
        generation=seen.copy.generation if seen.copy else None,
        age_seconds=age,
        phones=PHONES,
        phones_later=PHONES_LATER,
        lines=("trunk-provider",),
        replug=replug,
        network=NETWORK,
    )


def gone(**changes: Any) -> TakeoverPlanAnswer:
    """The active is dead, everything else is well."""
    replug = changes.pop("replug", ())
    return plan(facts(**{"copy": copied(), **changes}), replug)


def works(**changes: Any) -> TakeoverPlanAnswer:
    return gone(peer=RUNNING, holder_mac=A_MAC, sip=True, peer_epoch=2, **changes)


def hung(**changes: Any) -> TakeoverPlanAnswer:
    return gone(peer=HUNG, holder_mac=A_MAC, **changes)


def alive() -> TakeoverPlanAnswer:
    return gone(peer=RUNNING)


def falling_silent() -> TakeoverPlanAnswer:
    """The cord was pulled just now: the connection is not yet known to be dead."""
    return gone(peer=PeerSigns(arp=False, icmp=False, ssh=False, agent=True))


def foreign() -> TakeoverPlanAnswer:
    return gone(holder_mac=STRANGER_MAC)


def isolated() -> TakeoverPlanAnswer:
    return gone(gateway=False, phones_answering=0)


def unplugged() -> TakeoverPlanAnswer:
    return gone(carrier=False, gateway=False, phones_answering=0)


def partition() -> TakeoverPlanAnswer:
    return gone(phones_answering=3)


def no_witness() -> TakeoverPlanAnswer:
    return gone(phones_answering=0, phones_known=0)


def old() -> TakeoverPlanAnswer:
    return gone(copy=copied(75))


def empty() -> TakeoverPlanAnswer:
    return gone(copy=None)


def own() -> TakeoverPlanAnswer:
    return gone(copy=None, own_data=True)


SCENES = {
    "gone": gone,
    "works": works,
    "hung": hung,
    "alive": alive,
    "falling-silent": falling_silent,
    "foreign": foreign,
    "isolated": isolated,
    "unplugged": unplugged,
    "partition": partition,
    "no-witness": no_witness,
    "old": old,
    "empty": empty,
    "own": own,
}


def points(shown: TakeoverPlanAnswer) -> GenerationList:
    """What can be served: what is shown, and something older."""
    first = (shown.generation,) if shown.generation else ()
    return GenerationList(
        copies=(), live=first[0].id if first else "", restore_points=(*first, made(3), made(30))
    )


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "0123456789abcdef",
        "kind": JobKind.TAKEOVER,
        "stage": "make-data-ready",
        "stages": ("make-data-ready", "fast-probe", "serve"),
        "begin": datetime.now(UTC),
    }
    return Job(**{**values, **changes})


def with_generation_of(shown: TakeoverPlanAnswer, other: TakeoverPlanAnswer) -> TakeoverPlanAnswer:
    """The same plan about the other one's data."""
    return msgspec.structs.replace(shown, generation=other.generation)
