"""The contract of the port LiveAddresses: an address changes its keeper without a gap."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from beistand.adapters.addresses import NetlinkAddresses
from beistand.adapters.live_addresses import NetlinkLiveAddresses
from beistand.domain.errors import Failed
from beistand.domain.installation import Installation, ServiceAddress
from contracts.segments import GATEWAY, InNamespace, NamespaceWorld, ip, namespace_world
from fakes.live_addresses import FakeLiveAddresses

PRESENT, OWN = "10.9.8.1", "10.9.8.7"
AS_APPLIANCE = Installation(
    interface="eth0",
    own_address=f"{OWN}/24",
    service_addresses=(ServiceAddress(address=PRESENT, interface="eth0"),),
    profile="asterisk",
)
ROUTES = {
    f"default via {GATEWAY} dev eth0 proto static metric 1024",
    f"10.9.8.0/24 dev eth0 proto kernel scope link src {PRESENT}",
}


@dataclass
class Real:
    """A machine with its present address, and what holds addresses on it."""

    live: Any
    keeper: Any
    space: str

    def routes(self) -> set[str]:
        return {" ".join(each.split()) for each in ip("-n", self.space, "route", "show").splitlines()}

    def is_local(self, address: str) -> bool:
        return f"local {address} " in ip("-n", self.space, "route", "show", "table", "local")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamespaceWorld]:
    with namespace_world(tmp_path_factory.mktemp("live"), 140) as real:
        yield real


@pytest.fixture
def real(world: NamespaceWorld, tmp_path: Path) -> Iterator[Real]:
    """The machine as it was before anything was set up, and so again afterwards."""
    held = NetlinkAddresses(tmp_path / "routes.json")
    space = f"{world.prefix}-a"
    run = world.a.run
    yield Real(InNamespace(run, NetlinkLiveAddresses(held)), InNamespace(run, held), space)
    ip("-n", space, "address", "flush", "dev", "eth0")
    ip("-n", space, "address", "add", f"{PRESENT}/24", "dev", "eth0")
    ip(
        "-n",
        space,
        "route",
        "add",
        *["default", "dev", "eth0", "proto", "static", "metric", "1024", "via"],
        GATEWAY,
    )


@pytest.fixture(params=["fake", "real"])
def live(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        return FakeLiveAddresses(there=[f"{PRESENT}/24"])
    return request.getfixturevalue("real").live


def there(live: Any) -> list[str]:
    return [each.address for each in live.on("eth0")]


def test_what_is_added_twice_stands_there_once(live: Any) -> None:
    for _ in range(2):
        live.add("eth0", f"{OWN}/24")
    assert there(live) == [f"{PRESENT}/24", f"{OWN}/24"]
    assert all(each.is_static for each in live.on("eth0"))


@pytest.mark.parametrize("has_route", [True, False])
def test_who_makes_the_route_to_the_network_is_as_it_was_asked_for(live: Any, has_route: bool) -> None:
    live.add("eth0", "10.9.9.1/24", has_route=has_route)
    (added,) = [each for each in live.on("eth0") if each.address == "10.9.9.1/24"]
    assert added.has_route is has_route


def test_one_ip_may_stand_there_with_two_lengths(live: Any) -> None:
    live.add("eth0", f"{PRESENT}/32")
    live.remove("eth0", f"{PRESENT}/24")
    assert there(live) == [f"{PRESENT}/32"]


def test_removing_the_first_of_a_subnet_leaves_the_others(live: Any) -> None:
    live.add("eth0", f"{OWN}/24")
    for _ in range(2):
        live.remove("eth0", f"{PRESENT}/24")
    assert there(live) == [f"{OWN}/24"]


def test_only_the_32_is_given_back(live: Any) -> None:
    live.add("eth0", f"{OWN}/24")
    live.add("eth0", f"{PRESENT}/32")
    for _ in range(2):
        live.give_back(AS_APPLIANCE)
    assert there(live) == [f"{PRESENT}/24", f"{OWN}/24"]


def test_a_missing_interface_is_told(live: Any) -> None:
    for act in (
        lambda: live.on("eth7"),
        lambda: live.add("eth7", f"{OWN}/24"),
        lambda: live.remove("eth7", f"{OWN}/24"),
    ):
        with pytest.raises(Failed) as told:
            act()
        assert told.value.message.code == "interface-missing"


def test_the_present_address_becomes_the_agents_and_comes_back(real: Real) -> None:
    """As under a manager that does nothing by itself: it is local at every moment, and the routes stay whole."""
    live, keeper = real.live, real.keeper
    assert real.routes() == ROUTES
    held = {each.replace("proto static", f"proto static src {PRESENT}") for each in ROUTES}
    for act in (
        lambda: live.add("eth0", f"{OWN}/24"),
        lambda: keeper.hold(AS_APPLIANCE),
        lambda: live.add("eth0", f"{PRESENT}/32"),
        lambda: live.remove("eth0", f"{PRESENT}/24"),
        lambda: keeper.hold(AS_APPLIANCE),
    ):
        act()
        assert real.is_local(PRESENT)
    assert set(there(live)) == {f"{OWN}/24", f"{PRESENT}/32"}
    assert real.routes() == held
    for act in (
        lambda: live.add("eth0", f"{PRESENT}/24"),
        lambda: live.give_back(AS_APPLIANCE),
        lambda: live.remove("eth0", f"{OWN}/24"),
    ):
        act()
        assert real.is_local(PRESENT)
    assert there(live) == [f"{PRESENT}/24"]
    assert "brd 10.9.8.255" in ip("-n", real.space, "-o", "address", "show", "dev", "eth0")
    assert real.routes() == ROUTES
