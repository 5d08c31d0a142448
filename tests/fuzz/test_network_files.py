"""Network files made up at random: there and back is byte-identical, and nothing ends in a crash."""

from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from beistand.domain.network_file import Manager, NamesAddress, NetworkFile, NotUnderstood
from beistand.domain.network_file_edit import (
    added,
    configured,
    leases,
    mentions,
    named,
    replaced,
    taken_out,
    without,
)
from domain.network_file_texts import TEXTS
from fuzz import network_file_grammar as grammar

ADDRESSES = st.integers(min_value=1, max_value=253).map(lambda last: f"192.0.2.{last}")
LENGTHS = st.integers(min_value=8, max_value=30)
ENDS = st.sampled_from(["\n", "\r\n"])
NOISE = st.sampled_from(["", "# note", "  # 192.0.2.10 was here", "#", "   "])


@st.composite
def files(draw: st.DrawFn) -> NetworkFile:
    """A file with one to four addresses of one prefix length, comments between, any layout that its format has."""
    manager = draw(st.sampled_from(list(Manager)))
    ips = draw(st.lists(ADDRESSES, min_size=1, max_size=4, unique=True))
    length = draw(LENGTHS)
    said = [f"{ip}/{length}" for ip in ips]
    match manager:
        case Manager.NETWORKD:
            gap, lead = draw(st.sampled_from(["=", " = ", "= "])), draw(st.sampled_from(["", "  ", "\t"]))
            lines = ["[Match]", "Name=eth0", "[Network]", f"{lead}Address{gap}{said[0]}"]
            lines += [f"[Address]\n{lead}Address{gap}{each}" for each in said[1:]]
        case Manager.IFUPDOWN:
            lines = ["auto lo eth0", "iface lo inet loopback"]
            for each in said:
                lines += ["iface eth0 inet static", f"\taddress  {each}", "iface eth0 inet6 auto"]
        case Manager.NETWORK_MANAGER:
            lines = ["[connection]", "interface-name=eth0", "[ipv4]", "method=manual"]
            lines += [f"address{at}={each},192.0.2.254" for at, each in enumerate(said, start=1)]
        case Manager.NETPLAN:
            lines = ["network:", "  version: 2", "  ethernets:", "    eth0:"]
            quote = draw(st.sampled_from(["", '"', "'"]))
            items = [f"{quote}{each}{quote}" for each in said]
            if draw(st.booleans()):
                lines.append(f"      addresses: [{' , '.join(items)}]")
            else:
                lines += ["      addresses:", *(f"      - {each}" for each in items)]
    lines = [part for line in lines for part in (*line.split("\n"), *draw(st.lists(NOISE, max_size=1)))]
    end = draw(ENDS)
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    return NetworkFile(path="/etc/there", manager=manager, body=text.encode())


@given(file=files(), new=ADDRESSES)
@settings(max_examples=200, deadline=None)
def test_an_address_goes_and_comes_back(file: NetworkFile, new: str) -> None:
    first = configured(file)[0]
    assume(not mentions(file, new))
    length = first.address.partition("/")[2]
    after = replaced(file, first.ip, f"{new}/{length}")
    assert [each.ip for each in configured(after)] == [new, *(each.ip for each in configured(file)[1:])]
    assert replaced(after, new, first.address).body == file.body


@given(file=files(), data=st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_taken_out_is_out_and_the_rest_is_there(file: NetworkFile, data: st.DataObject) -> None:
    before = [each.address for each in configured(file)]
    gone = data.draw(st.sampled_from(before))
    after = without(file, gone.partition("/")[0])
    assert sorted(each.address for each in configured(after)) == sorted(
        each for each in before if each != gone
    )
    assert without(after, gone.partition("/")[0]) == after


@given(
    body=st.binary(max_size=300),
    at=st.integers(min_value=0, max_value=2000),
    which=st.sampled_from(list(TEXTS)),
)
@settings(max_examples=400, deadline=None)
def test_a_damaged_file_is_understood_or_refused(body: bytes, at: int, which: str) -> None:
    manager, text = TEXTS[which]
    whole = text.encode()
    file = NetworkFile(path="/etc/there", manager=manager, body=whole[:at] + body + whole[at + len(body) :])
    named(file, ["192.0.2.10"])
    for act in (
        lambda: configured(file),
        lambda: leases(file),
        lambda: replaced(file, "192.0.2.10", "192.0.2.3/24"),
        lambda: without(file, "192.0.2.10"),
        lambda: added(file, "eth0", "192.0.2.99/24"),
    ):
        with suppress(NotUnderstood, NamesAddress):
            act()


MADE = {
    Manager.IFUPDOWN: grammar.interfaces(),
    Manager.NETWORKD: grammar.network(),
    Manager.NETWORK_MANAGER: grammar.profile(),
    Manager.NETPLAN: grammar.plan(),
}


@given(data=st.data(), manager=st.sampled_from(list(Manager)))
@settings(max_examples=400, deadline=None)
def test_what_is_understood_goes_and_what_is_not_stays_told(data: st.DataObject, manager: Manager) -> None:
    for text in data.draw(MADE[manager]).values():
        file = NetworkFile(path="/etc/there", manager=manager, body=text.encode())
        before = named(file, [grammar.SERVICE])
        with suppress(NotUnderstood):
            after, left = taken_out(file, grammar.SERVICE)
            stays = named(after, [grammar.SERVICE])
            assert sum(each.is_understood for each in stays) == len(left)
            unclear = [each.what for each in before if not each.is_understood]
            assert len([each for each in stays if not each.is_understood]) <= len(unclear)
            others = [each.address for each in configured(file) if each.ip != grammar.SERVICE]
            assert sorted(each.address for each in configured(after) if each.ip != grammar.SERVICE) == sorted(
                others
            )
