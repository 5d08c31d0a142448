"""What only a real kernel can show: routes, sources, caches of neighbours, dead TCP connections."""

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread
from time import monotonic

import msgspec
import pytest
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from beistand.adapters.addresses import NetlinkAddresses, vlan_of
from beistand.adapters.network_changes import NetlinkChanges
from beistand.adapters.source_routes import SPARE_METRIC, SPARE_SECONDS
from contracts.segments import GATEWAY, SERVICE, Box, NamespaceWorld, installation, ip, namespace_world, until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NamespaceWorld]:
    with namespace_world(tmp_path, 100) as real:
        yield real


def routes(world: NamespaceWorld, box: Box) -> set[str]:
    lines = ip("-n", f"{world.prefix}-{box.name}", "route", "show").splitlines()
    return {" ".join(each.split()) for each in lines}


BEFORE = {
    f"default via {GATEWAY} dev eth0 proto static metric 1024",
    "10.9.8.0/24 dev eth0 proto kernel scope link src 10.9.8.1",
}
WHILE_HELD = {
    f"default via {GATEWAY} dev eth0 proto static src {SERVICE} metric 1024",
    f"10.9.8.0/24 dev eth0 proto kernel scope link src {SERVICE}",
}


@pytest.mark.parametrize("on_loopback", [False, True], ids=["interface", "loopback"])
def test_only_the_source_of_the_routes_changes_and_comes_back(
    world: NamespaceWorld, on_loopback: bool
) -> None:
    a, wanted = world.a, installation("10.9.8.1", on_loopback=on_loopback)
    assert routes(world, a) == BEFORE
    a.addresses.hold(wanted)
    assert routes(world, a) == WHILE_HELD
    device = "lo" if on_loopback else "eth0"
    assert f"{SERVICE}/32" in ip("-n", f"{world.prefix}-a", "address", "show", "dev", device)
    a.addresses.drop(wanted)
    assert routes(world, a) == BEFORE


STAND_IN = {
    f"default via {GATEWAY} dev eth0 proto static src {SERVICE} metric {SPARE_METRIC} onlink",
    f"10.9.8.0/24 dev eth0 proto kernel scope link src {SERVICE}",
}


def test_a_metric_mtu_and_a_flag_are_kept(world: NamespaceWorld) -> None:
    space = f"{world.prefix}-a"
    route = f"default via {GATEWAY} dev eth0 metric 7 mtu 1400 onlink proto 142"
    ip("-n", space, "route", "add", *route.split())
    before = routes(world, world.a)
    world.a.addresses.hold(world.a.installation)
    held = routes(world, world.a)
    assert all(f"src {SERVICE}" in each for each in held)
    own = {each.replace(" src 10.9.8.1", "") for each in before}
    assert {each.replace(f" src {SERVICE}", "") for each in held} == own
    world.a.addresses.drop(world.a.installation)
    assert routes(world, world.a) == before


def test_a_network_manager_that_takes_everything_gets_it_all_back(world: NamespaceWorld) -> None:
    """F26: with the address the kernel deletes every route that prefers it."""
    world.a.addresses.hold(world.a.installation)
    ip("-n", f"{world.prefix}-a", "address", "del", f"{SERVICE}/32", "dev", "eth0")
    assert routes(world, world.a) == set()
    late = [100.0]
    again = NetlinkAddresses(world.folder / "a-routes.json", lambda: late[0])

    def hold() -> bool:
        return world.a.run(lambda: again.hold(world.a.installation))

    assert hold()
    assert routes(world, world.a) == STAND_IN
    assert not hold()
    late[0] += SPARE_SECONDS
    assert hold()
    assert routes(world, world.a) == WHILE_HELD
    assert not hold()
    world.a.addresses.drop(world.a.installation)
    assert routes(world, world.a) == BEFORE


def test_a_stand_in_goes_with_the_address(world: NamespaceWorld) -> None:
    world.a.addresses.hold(world.a.installation)
    ip("-n", f"{world.prefix}-a", "address", "del", f"{SERVICE}/32", "dev", "eth0")
    world.a.addresses.hold(world.a.installation)
    assert routes(world, world.a) == STAND_IN
    world.a.addresses.drop(world.a.installation)
    assert routes(world, world.a) == BEFORE


def test_a_network_manager_can_add_its_route_where_ours_stands_in(world: NamespaceWorld) -> None:
    """F26: `ip route add`, as ifupdown does it, fails where such a route is there already."""
    space = f"{world.prefix}-a"
    world.a.addresses.hold(world.a.installation)
    ip("-n", space, "route", "del", "default")
    world.a.addresses.hold(world.a.installation)
    assert routes(world, world.a) == STAND_IN
    ip("-n", space, "route", "add", "default", "via", GATEWAY, "proto", "static", "metric", "1024")
    assert world.a.addresses.hold(world.a.installation)
    assert routes(world, world.a) == WHILE_HELD
    assert not world.a.addresses.hold(world.a.installation)


def test_an_interface_that_lost_all_its_addresses_is_not_the_place_for_ours(world: NamespaceWorld) -> None:
    """F26: NetworkManager would take it for configured by somebody else, and leave it so for good."""
    space, a = f"{world.prefix}-a", world.a
    a.addresses.hold(a.installation)
    ip("-n", space, "address", "flush", "dev", "eth0")
    assert a.addresses.hold(a.installation)
    assert a.addresses.held(a.installation) == (SERVICE,)
    assert f"{SERVICE}/32" in ip("-n", space, "address", "show", "dev", "lo")
    assert routes(world, a) == STAND_IN
    ip("-n", space, "address", "add", "10.9.8.1/24", "dev", "eth0")
    assert a.addresses.hold(a.installation)
    assert f"{SERVICE}/32" in ip("-n", space, "address", "show", "dev", "eth0")
    assert f"{SERVICE}/32" not in ip("-n", space, "address", "show", "dev", "lo")
    assert routes(world, a) == STAND_IN
    assert not a.addresses.hold(a.installation)
    a.addresses.drop(a.installation)
    assert a.addresses.held(a.installation) == ()
    assert routes(world, a) == BEFORE


def test_an_address_that_stayed_alone_on_its_interface_moves_away_from_there(world: NamespaceWorld) -> None:
    """F26: NetworkManager takes first ours and then its own; whoever is quick puts ours back in between."""
    space, a = f"{world.prefix}-a", world.a
    a.addresses.hold(a.installation)
    ip("-n", space, "address", "del", "10.9.8.1/24", "dev", "eth0")
    assert a.addresses.hold(a.installation)
    assert f"{SERVICE}/32" in ip("-n", space, "address", "show", "dev", "lo")
    assert f"{SERVICE}/32" not in ip("-n", space, "address", "show", "dev", "eth0")
    assert routes(world, a) == STAND_IN  # the kernel takes the routes of an address that leaves an interface
    assert not a.addresses.hold(a.installation)


def test_an_address_is_given_up_while_the_interface_is_down(world: NamespaceWorld) -> None:
    """Its routes are gone then and cannot be put back: no reason to keep the address."""
    space, a = f"{world.prefix}-a", world.a
    a.addresses.hold(a.installation)
    ip("-n", space, "link", "set", "eth0", "down")
    a.addresses.hold(a.installation)  # nothing to do about it, and nothing to complain of
    assert a.addresses.drop(a.installation)
    assert a.addresses.held(a.installation) == ()


def test_an_address_is_given_up_where_the_own_one_is_gone(world: NamespaceWorld) -> None:
    """I6: no route can prefer an own address that somebody took away; ours goes all the same."""
    space = f"{world.prefix}-a"
    world.a.addresses.hold(world.a.installation)
    ip("-n", space, "address", "del", "10.9.8.1/24", "dev", "eth0")
    assert world.a.addresses.held(world.a.installation) == (SERVICE,)
    world.a.addresses.drop(world.a.installation)
    assert world.a.addresses.held(world.a.installation) == ()


def test_a_gateway_that_was_changed_meanwhile_stays_changed(world: NamespaceWorld) -> None:
    space = f"{world.prefix}-a"
    world.a.addresses.hold(world.a.installation)
    ip("-n", space, "route", "del", "default")
    ip("-n", space, "route", "add", "default", "via", "10.9.8.253", "proto", "static")
    assert world.a.addresses.hold(world.a.installation)
    assert f"default via 10.9.8.253 dev eth0 proto static src {SERVICE}" in routes(world, world.a)
    world.a.addresses.drop(world.a.installation)
    assert "default via 10.9.8.253 dev eth0 proto static" in routes(world, world.a)
    assert not [each for each in routes(world, world.a) if GATEWAY in each]


@pytest.mark.parametrize("is_put_right", [True, False])
def test_a_double_beside_our_route_is_put_right(world: NamespaceWorld, is_put_right: bool) -> None:
    """Seen with systemd-networkd: after its restart the default route stands there twice."""
    world.a.addresses.hold(world.a.installation)
    route = f"default via {GATEWAY} dev eth0 proto static metric 1024"
    ip("-n", f"{world.prefix}-a", "route", "append", *route.split())
    assert len(routes(world, world.a)) == 3
    if is_put_right:
        assert world.a.addresses.hold(world.a.installation)
        assert routes(world, world.a) == WHILE_HELD
        assert not world.a.addresses.hold(world.a.installation)
    world.a.addresses.drop(world.a.installation)
    assert routes(world, world.a) == BEFORE


def test_what_a_network_manager_takes_is_back_at_once(world: NamespaceWorld) -> None:
    """F26: the kernel tells of the change, and holding again puts everything back."""
    # Whoever waits goes before all others from then on, with all that it starts: not the thread of every other test.
    with ThreadPoolExecutor(max_workers=1) as own:
        own.submit(_take_and_put_back, world).result()


def _take_and_put_back(world: NamespaceWorld) -> None:
    a = world.a
    a.addresses.hold(a.installation)
    changes = a.run(NetlinkChanges)
    with closing(changes):
        until(lambda: not changes.wait(0.05))  # the kernel may still tell of what was done before
        ip("-n", f"{world.prefix}-a", "address", "del", f"{SERVICE}/32", "dev", "eth0")
        assert changes.wait(5)
        begin = monotonic()
        assert a.addresses.hold(a.installation)
        assert monotonic() - begin < 0.5
        assert routes(world, a) == STAND_IN
        assert changes.wait(5)  # our own change is one, too
        until(lambda: not changes.wait(0.05))


def test_another_agent_process_still_knows_the_routes(world: NamespaceWorld) -> None:
    world.a.addresses.hold(world.a.installation)
    again = NetlinkAddresses(world.folder / "a-routes.json")
    assert world.a.run(lambda: again.drop(world.a.installation))
    assert routes(world, world.a) == BEFORE


def test_without_the_notes_the_routes_lose_only_the_source(world: NamespaceWorld) -> None:
    world.a.addresses.hold(world.a.installation)
    (world.folder / "a-routes.json").unlink()
    world.a.addresses.drop(world.a.installation)
    assert routes(world, world.a) == BEFORE


def test_replies_of_a_wildcard_socket_carry_the_service_address(world: NamespaceWorld) -> None:
    world.a.addresses.hold(world.a.installation)

    def source() -> str:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
            udp.connect(("10.9.8.3", 5060))
            return str(udp.getsockname()[0])

    assert world.a.run(source) == SERVICE


def test_the_own_address_survives_losing_the_first_one_of_its_subnet(world: NamespaceWorld) -> None:
    """FIGURES section 5: promote_secondaries."""
    wanted = msgspec.structs.replace(world.a.installation)
    world.a.addresses.hold(wanted)
    path = "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"
    assert world.a.run(lambda: Path(path).read_text().strip()) == "1"


def neighbour(world: NamespaceWorld, box: Box, address: str) -> str:
    line = ip("-n", f"{world.prefix}-{box.name}", "neighbour", "show", address)
    return line.split("lladdr ")[1].split()[0] if "lladdr" in line else ""


def test_clients_follow_an_announcement_at_once(world: NamespaceWorld) -> None:
    a, b, c = world.a, world.b, world.c
    a.addresses.hold(a.installation)
    assert c.signs.icmp(c.own_ip, SERVICE, 2.0)
    assert neighbour(world, c, SERVICE) == a.mac
    a.addresses.drop(a.installation)
    b.addresses.hold(b.installation)

    def follows() -> bool:
        b.arp.announce("eth0", SERVICE)
        return neighbour(world, c, SERVICE) == b.mac

    until(follows)
    assert c.signs.icmp(c.own_ip, SERVICE, 2.0)


def test_a_client_that_ignores_announcements_follows_a_directed_request(world: NamespaceWorld) -> None:
    """F25."""
    a, b, c = world.a, world.b, world.c
    c.run(lambda: Path("/proc/sys/net/ipv4/conf/eth0/drop_gratuitous_arp").write_text("1"))
    a.addresses.hold(a.installation)
    assert c.signs.icmp(c.own_ip, SERVICE, 2.0)
    a.addresses.drop(a.installation)
    b.addresses.hold(b.installation)
    b.arp.announce("eth0", SERVICE)
    assert neighbour(world, c, SERVICE) == a.mac

    def follows() -> bool:
        b.arp.tell("eth0", SERVICE, [c.own_ip])
        return neighbour(world, c, SERVICE) == b.mac

    until(follows)


def test_the_holder_of_another_address_is_no_answer(world: NamespaceWorld) -> None:
    world.b.addresses.hold(world.b.installation)
    assert world.a.arp.ask("eth0", ["10.9.8.2"], 0.3).macs == {"10.9.8.2": world.b.mac}


def test_tcp_asks_from_the_own_address(world: NamespaceWorld) -> None:
    listener = world.b.run(lambda: socket.create_server(("10.9.8.2", 22)))
    with closing(listener):
        world.a.addresses.hold(world.a.installation)
        assert world.a.signs.tcp("10.9.8.1", "10.9.8.2", 22, 1.0)
        connection, (source, _) = listener.accept()
        connection.close()
        assert source == "10.9.8.1"


@pytest.mark.parametrize("answer", [b"SIP/2.0 200 OK", b"SIP/2.0 401 Unauthorized"])
def test_any_answer_to_options_counts(world: NamespaceWorld, answer: bytes) -> None:
    world.b.addresses.hold(world.b.installation)
    server = world.b.run(lambda: udp_server("0.0.0.0"))

    def serve() -> None:
        request, client = server.recvfrom(4096)
        head, *lines = request.split(b"\r\n")
        assert head == f"OPTIONS sip:{SERVICE}:5060 SIP/2.0".encode()
        call = next(line for line in lines if line.startswith(b"Call-ID"))
        server.sendto(b"\r\n".join([answer, call, b"", b""]), client)

    thread = Thread(target=serve)
    thread.start()
    with closing(server):
        assert world.a.sip.options("10.9.8.1", SERVICE, 5060, 2.0)
        thread.join()


def test_silence_and_answers_to_others_do_not_count(world: NamespaceWorld) -> None:
    server = world.b.run(lambda: udp_server("10.9.8.2"))

    def serve() -> None:
        _, client = server.recvfrom(4096)
        server.sendto(b"SIP/2.0 200 OK\r\nCall-ID: somebody-else\r\n\r\n", client)

    thread = Thread(target=serve)
    thread.start()
    with closing(server):
        assert not world.a.sip.options("10.9.8.1", "10.9.8.2", 5060, 0.3)
        thread.join()
    assert not world.a.sip.options("10.9.8.1", "10.9.8.77", 5060, 0.1)


def udp_server(address: str) -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 5060))
    return server


def test_a_phone_learns_that_its_connection_is_dead(world: NamespaceWorld) -> None:
    """The holder loses power without a word; the new one ends what the phone still believes in."""
    a, b, c = world.a, world.b, world.c
    a.addresses.hold(a.installation)
    with ExitStack() as stack:
        listener = stack.enter_context(a.run(lambda: socket.create_server((SERVICE, 5060))))
        phone = stack.enter_context(c.run(lambda: socket.create_connection((SERVICE, 5060), timeout=5)))
        stack.enter_context(listener.accept()[0])
        world.unplug(a)
        b.addresses.hold(b.installation)
        # The PBX of the new holder already listens on the same port: it must not get in the way.
        stack.enter_context(b.run(lambda: socket.create_server((SERVICE, 5060))))

        def is_over() -> bool:
            b.arp.announce("eth0", SERVICE)
            b.sip.end_dead_connections(SERVICE, 5060, [phone.getsockname()])
            phone.settimeout(0.2)
            try:
                phone.recv(1)
            except TimeoutError:
                return False
            except ConnectionResetError:
                return True
            raise AssertionError("closed, not reset")

        until(is_over)


def test_the_vlan_of_a_tagged_interface_is_read_from_the_kernels_message() -> None:
    """As bytes, as rtnetlink(7) sends them: not every kernel has the module for a real one."""
    tag = {"attrs": [["IFLA_VLAN_ID", 7]]}
    made = ifinfmsg()
    made["attrs"] = [["IFLA_LINKINFO", {"attrs": [["IFLA_INFO_KIND", "vlan"], ["IFLA_INFO_DATA", tag]]}]]
    made.encode()
    read = ifinfmsg(bytes(made.data))
    read.decode()
    assert vlan_of(read) == 7


def test_a_leased_address_is_no_candidate(world: NamespaceWorld) -> None:
    lease = ["dev", "eth0", "valid_lft", "60", "preferred_lft", "60"]
    ip("-n", f"{world.prefix}-a", "address", "add", "192.0.2.77/24", *lease)
    assert world.a.addresses.candidates() == (("10.9.8.1/24", "eth0"),)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with namespace_world(tmp_path, 101) as world:
        prefix = world.prefix
    listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    assert prefix not in listed
