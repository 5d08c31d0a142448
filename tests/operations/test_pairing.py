"""Pairing: what is checked before, what both sides know after, and that a failure leaves nothing half-made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from beistand.adapters.store import SqliteStore
from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.errors import BeistandError, PeerUnreachable, Refused
from beistand.domain.generation import CopyState
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.licence import LicenceSet, issue_set
from beistand.domain.pair import Appliance, Greeting, Pair
from beistand.domain.role import Grant, Role, Side
from beistand.operations.keeping import note_kept
from beistand.operations.pairing import Outreach, OwnSide, accept_pair, pair_with_standby
from beistand.protocol import Accepted, AcceptPair, HostKey, StartPair
from fakes.clock import FakeClock
from fakes.network import FakeArp, Machine, Segment
from fakes.progress import FakeProgress
from fakes.situations import imported

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOST_KEY = "ssh-ed25519 " + "H" * 68
NODES = {"a": "aa" * 8, "b": "bb" * 8}


@dataclass
class MemoryKeys:
    """Keys as values: who is let in from where, and whose host key is pinned."""

    name: str
    authorised: tuple[str, str] | None = None
    pinned: tuple[str, str] | None = None
    own: str = ""

    def public_key(self) -> str:
        return f"key of {self.name}"

    def own_host_key(self) -> str:
        return self.own or f"ssh-ed25519 host-key-of-{self.name}"

    def authorise(self, public_key: str, from_address: str) -> None:
        self.authorised = (public_key, from_address)

    def trust(self, address: str, host_key: str) -> None:
        self.pinned = (address, host_key)

    def undo_point(self) -> Callable[[], None]:
        before = (self.authorised, self.pinned)

        def put_back() -> None:
            self.authorised, self.pinned = before

        return put_back


class OneSide:
    """One appliance, with a real store."""

    def __init__(self, name: str, own_address: str, mac: str, folder: Path, grant: Grant | None) -> None:
        self.store = SqliteStore(folder / f"{name}.db")
        self.store.initialise(NODES[name], Side.EVEN, LicenceSet(), grant)
        self.keys = MemoryKeys(name)
        self.appliance = Appliance(
            node=NODES[name],
            host=f"pbx-{name}",
            own_address=own_address,
            service_addresses=("192.0.2.10",),
            mac=mac,
            beistand_version="1",
            pbx_version="22",
            profile="asterisk",
            licence_key=name.upper() * 5,
            gateway="",
            dns=(),
            is_static=True,
            now=NOW,
        )
        self.installation = Installation(
            interface="eth0",
            own_address=own_address,
            service_addresses=(ServiceAddress(address="192.0.2.10", interface="eth0"),),
            profile="asterisk",
        )

    machine_id = ""

    def says(self, **changes: object) -> None:
        self.appliance = msgspec.structs.replace(self.appliance, **changes)

    @property
    def own(self) -> OwnSide:
        return OwnSide(
            installation=self.installation,
            appliance=lambda: self.appliance,
            store=self.store,
            keys=self.keys,
            clock=FakeClock(),
            machine_id=lambda: self.machine_id,
        )

    def known(self) -> tuple[object, ...]:
        """All that pairing may change."""
        store = self.store
        return (store.pair(), store.config(), store.standing().side, self.keys.authorised, self.keys.pinned)


@dataclass
class TwoSides:
    a: OneSide
    b: OneSide
    arp: FakeArp
    hears_back: bool = True
    reaches: bool = True
    closed: int = 0
    asked: list[AcceptPair] = field(default_factory=list)

    def host_key(self, own_ip: str, server: str) -> HostKey:
        return HostKey(line=HOST_KEY, fingerprint="SHA256:x")

    def accept_pair(
        self, server: str, user: str, password: str, host_key: str, request: AcceptPair
    ) -> Accepted:
        assert (user, password, host_key) == ("admin", "secret", HOST_KEY)
        self.asked.append(request)
        return accept_pair(self.b.own, request)

    def connect(self, pair: Pair) -> "TwoSides":
        return self

    def greet(self, greeting: Greeting, seconds: float) -> Greeting:
        if not self.reaches:
            raise PeerUnreachable("peer-port-closed", server="192.0.2.2")
        return greeting

    def close(self) -> None:
        self.closed += 1

    def greeting(self) -> Greeting:
        return Greeting(
            appliance=self.a.appliance,
            grant=None,
            own_epoch=0,
            serving=True,
            verified=True,
            served_unverified_seconds=0,
            config_revision=0,
            newest=None,
        )

    def pair(self, server: str = "192.0.2.2", user: str = "admin") -> Pair:
        outreach = Outreach(
            introduction=self,
            arp=self.arp,
            connect=self.connect,  # type: ignore[arg-type]  # only what pairing uses of a Peer
            greeting=self.greeting,
            heard=lambda seconds: self.hears_back,
        )
        request = StartPair(server=server, user=user, password="secret", host_key=HOST_KEY)
        return pair_with_standby(self.a.own, outreach, request, FakeProgress())


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoSides]:
    first = Grant(epoch=2, holder=NODES["a"], parent=0, operator="x", at=NOW, evidence="")
    a = OneSide("a", "192.0.2.1/24", "02:00:00:00:00:0A", tmp_path, first)
    b = OneSide("b", "192.0.2.2/24", "02:00:00:00:00:0b", tmp_path, None)
    machines = [Machine(mac="02:00:00:00:00:0a", own_ip="192.0.2.1")]
    machines.append(Machine(mac="02:00:00:00:00:0b", own_ip="192.0.2.2"))
    yield TwoSides(a, b, FakeArp(Segment(machines), machines[0]))
    a.store.close()
    b.store.close()


def test_both_sides_know_the_same_pair_and_let_each_other_in(two: TwoSides) -> None:
    """S13, S15"""
    pair = two.pair()
    there = two.b.store.pair()
    assert there is not None
    assert (pair.id, len(pair.id)) == (there.id, 32)
    assert two.a.store.pair() == pair
    assert (pair.side, there.side) == (Side.EVEN, Side.ODD)
    assert two.b.store.standing().side is Side.ODD
    assert (pair.peer.host, there.peer.host) == ("pbx-b", "pbx-a")
    assert two.a.keys.authorised == ("key of b", "192.0.2.2")
    assert two.b.keys.authorised == ("key of a", "192.0.2.1")
    assert two.a.keys.pinned == ("192.0.2.2", HOST_KEY)
    assert two.b.keys.pinned == ("192.0.2.1", "ssh-ed25519 host-key-of-a")
    assert two.closed == 1


@pytest.mark.parametrize(
    ("twin", "code"),
    [
        ({"host": "PBX-A"}, "same-host-name"),
        ({"machine_id": "1" * 32}, "same-machine-id"),
        ({"key": "b"}, "same-host-key"),
        ({"key": "a"}, "same-host-key"),
    ],
)
def test_machines_made_from_one_disk_are_refused_by_name(
    two: TwoSides, twin: dict[str, str], code: str
) -> None:
    before = two.a.known(), two.b.known()
    if host := twin.get("host"):
        two.b.says(host=host)
    if machine_id := twin.get("machine_id"):
        two.a.machine_id = two.b.machine_id = machine_id
    if key := twin.get("key"):
        # The standby's as the active fetched it; or the active's own, as the standby hears of it.
        if key == "b":
            two.a.keys.own = HOST_KEY + " root@image"
        else:
            two.a.keys.own = two.b.keys.own = "ssh-ed25519 AAAA"
    with pytest.raises(Refused, match=code):
        two.pair()
    assert (two.a.known(), two.b.known()) == before


def test_machines_without_a_machine_id_are_no_twins(two: TwoSides) -> None:
    assert two.pair()


def test_the_standby_learns_who_serves_and_the_pair_settings(two: TwoSides) -> None:
    two.pair()
    assert two.b.store.standing().role is Role.STANDBY
    assert two.b.store.standing().epoch == 2
    config = two.a.store.config()
    assert config == two.b.store.config()
    assert config.standby == Standby(user="admin", server="192.0.2.2")
    assert (config.licence_key, config.revision) == ("AAAAA", 1)


def test_no_password_is_in_anything_that_is_kept_or_sent(two: TwoSides) -> None:
    two.pair()
    kept = [*two.asked, two.a.store.config(), two.b.store.config(), two.a.store.pair(), two.b.store.pair()]
    assert b"secret" not in msgspec.json.encode(kept)


@pytest.mark.parametrize(
    ("server", "code"),
    [
        ("192.0.2.1", "pair-with-itself"),
        ("192.0.2.10", "pair-with-itself"),
        ("192.0.3.2", "subnet-differs"),
        ("192.0.2.99", "no-layer-2"),
        ("pbx-b", "not-an-address"),
    ],
)
def test_a_server_that_cannot_be_the_standby_is_refused_before_anybody_is_asked(
    two: TwoSides, server: str, code: str
) -> None:
    """S1"""
    before = (two.a.known(), two.b.known())
    with pytest.raises(Refused, match=code):
        two.pair(server)
    assert two.asked == []
    assert (two.a.known(), two.b.known()) == before


@pytest.mark.parametrize("user", ["", "-l", "-oProxyCommand=x", "a b", "a\n", "a\0", "ä", "a" * 33])
def test_what_is_no_user_name_reaches_no_ssh(two: TwoSides, user: str) -> None:
    with pytest.raises(Refused, match="standby-user-form"):
        two.pair(user=user)
    assert two.asked == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"beistand_version": "2"}, "beistand-version-differs"),
        ({"profile": "kamailio"}, "profile-differs"),
        ({"service_addresses": ("192.0.2.11",)}, "service-address-differs"),
        ({"own_address": "192.0.2.2/16"}, "subnet-differs"),
        ({"node": NODES["a"]}, "pair-with-itself"),
    ],
)
def test_a_standby_that_does_not_fit_is_refused_and_nothing_is_kept(
    two: TwoSides, changes: dict[str, object], code: str
) -> None:
    """S4"""
    two.b.says(**changes)
    before = (two.a.known(), two.b.known())
    with pytest.raises(Refused, match=code):
        two.pair()
    assert (two.a.known(), two.b.known()) == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mac": "02:00:00:00:00:99"}, "not-one-segment"),
        ({"own_address": "192.0.2.3/24"}, "own-address-differs"),
    ],
)
def test_a_standby_that_is_not_who_answers_on_the_network_is_refused(
    two: TwoSides, changes: dict[str, object], code: str
) -> None:
    two.b.says(**changes)
    before = two.a.known()
    with pytest.raises(Refused, match=code):
        two.pair()
    assert two.a.known() == before


def test_another_pbx_version_does_not_stop_a_pairing(two: TwoSides) -> None:
    """S4: it is a finding, and stops imports."""
    two.b.says(pbx_version="21")
    two.pair()


def fails_out(two: TwoSides) -> None:
    two.reaches = False


def fails_back(two: TwoSides) -> None:
    two.hears_back = False


@pytest.mark.parametrize("fails", [fails_out, fails_back])
@pytest.mark.parametrize("was_paired", [False, True])
def test_a_direction_that_does_not_work_undoes_the_pairing_here_and_the_next_try_works(
    two: TwoSides, fails: Callable[[TwoSides], None], was_paired: bool
) -> None:
    if was_paired:
        two.pair()
    before = two.a.known()
    fails(two)
    with pytest.raises(BeistandError):
        two.pair()
    assert two.a.known() == before
    if was_paired:
        here, there = two.a.store.pair(), two.b.store.pair()
        assert here is not None
        assert there is not None
        assert here.id == there.id
    two.reaches = two.hears_back = True
    pair = two.pair()
    there = two.b.store.pair()
    assert there is not None
    assert there.id == pair.id


def test_only_the_active_begins(two: TwoSides) -> None:
    grant = Grant(epoch=4, holder=NODES["b"], parent=2, operator="x", at=NOW, evidence="")
    two.a.store.adopt(grant)
    with pytest.raises(Refused, match="only-the-active-pairs"):
        two.pair()


def test_an_active_is_never_made_a_standby(two: TwoSides) -> None:
    two.b.store.adopt(Grant(epoch=2, holder=NODES["b"], parent=0, operator="x", at=NOW, evidence=""))
    before = two.b.known()
    with pytest.raises(Refused, match="standby-is-active"):
        two.pair()
    assert two.b.known() == before


def test_a_superseded_one_says_that_pairing_anew_makes_no_standby_of_it(two: TwoSides) -> None:
    """It was the active, the other took over, and its data is its own until somebody decides."""
    two.pair()
    two.b.store.adopt(Grant(epoch=3, holder=NODES["b"], parent=2, operator="x", at=NOW, evidence=""))
    for each in (two.a, two.b):
        each.store.adopt(Grant(epoch=4, holder=NODES["a"], parent=3, operator="x", at=NOW, evidence=""))
    before = two.b.known()
    with pytest.raises(Refused, match="standby-is-superseded"):
        two.pair()
    assert two.b.known() == before


def test_nobody_makes_a_standby_of_data_that_is_nowhere_else(two: TwoSides) -> None:
    """I10: also where a person lets another active replace the one that is known."""
    two.pair()
    two.b.store.adopt(Grant(epoch=3, holder=NODES["b"], parent=2, operator="x", at=NOW, evidence=""))
    two.b.store.adopt(Grant(epoch=4, holder=NODES["a"], parent=3, operator="x", at=NOW, evidence=""))
    other = msgspec.structs.replace(two.asked[0].active, node="cc" * 8)
    request = msgspec.structs.replace(two.asked[0], active=other, config=ModuleConfig(), replace=True)
    with pytest.raises(Refused, match="own-data-not-kept"):
        accept_pair(two.b.own, request)
    note_kept(two.b.store, 3, "20260101T000000Z-1")
    accept_pair(two.b.own, request)


def test_a_standby_of_another_active_is_not_taken_over_by_mistake(two: TwoSides) -> None:
    two.pair()
    other = msgspec.structs.replace(two.asked[0].active, node="cc" * 8)
    request = msgspec.structs.replace(two.asked[0], active=other, config=ModuleConfig())
    with pytest.raises(Refused, match="already-paired"):
        accept_pair(two.b.own, request)
    accept_pair(two.b.own, msgspec.structs.replace(request, replace=True))


def test_the_numbers_of_an_earlier_pair_mean_nothing_to_the_next_one(two: TwoSides) -> None:
    """Else its high number would end the new active's service, and refuse every generation of it."""
    high = Grant(epoch=50, holder="cc" * 8, parent=48, operator="x", at=NOW, evidence="")
    two.b.store.adopt(high)
    two.pair()
    standing = two.b.store.standing()
    assert standing.epoch == two.a.store.standing().epoch == 2
    assert standing.role is Role.STANDBY


def test_pairing_anew_with_the_same_active_forgets_no_higher_grant(two: TwoSides) -> None:
    two.pair()
    higher = Grant(epoch=4, holder=NODES["a"], parent=2, operator="x", at=NOW, evidence="")
    two.b.store.adopt(higher)
    two.pair()
    assert two.b.store.standing().epoch == 4


def test_a_new_machine_in_the_place_of_the_standby_has_nothing_imported(two: TwoSides) -> None:
    """B1: what the machine before had is no copy any more, whoever has its address now."""
    pair = two.pair()
    two.a.store.record(imported(pair=pair.id))
    two.pair()
    assert two.a.store.copies()[0].state is CopyState.IMPORTED
    two.b.says(node="ee" * 8)
    two.pair()
    copy = two.a.store.copies()[0]
    assert copy.state is CopyState.FAILED
    assert copy.why is not None
    assert copy.why.code == "standby-replaced"


def test_each_redundancy_licence_names_the_one_it_stands_in_for(two: TwoSides) -> None:
    """S5: the sets stay apart; the standby's own keys never change."""
    random = iter(range(10_000))
    sets = [
        issue_set(role, lambda count: bytes(next(random) % 256 for _ in range(count)))
        for role in (Role.ACTIVE, Role.STANDBY)
    ]
    for side, licences in zip((two.a, two.b), sets, strict=True):
        side.store.set_licences(licences)
    two.pair()
    assert two.a.store.licences() == sets[0]
    after = two.b.store.licences().licences
    assert [each.key for each in after] == [each.key for each in sets[1].licences]
    assert [each.counterpart for each in after] == [each.key for each in sets[0].licences]
