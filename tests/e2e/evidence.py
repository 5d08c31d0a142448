"""What a standby can see of a broken active, network or itself (DESIGN "Evidence"), each verdict by its real cause.

Every scenario begins with one appliance serving, whichever it is, and ends so: they may run in any order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import forking, switching
from e2e.switching import questions

CLIENTS_FOLLOW_SECONDS = 1.0
"""After the first claim; phones that ignore announcements learn from a request directed to them (F25)."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Who serves and who stands by, at the begin of a scenario."""

    administrator: Administrator
    active: str
    standby: str

    @property
    def lab(self) -> Lab:
        return self.administrator.lab

    def verdict(self, *wanted: str) -> dict[str, Any]:
        return switching.plan_with_verdict(self.administrator, *wanted, host=self.standby)

    def click(self, shown: dict[str, Any], *accepted: str) -> dict[str, Any]:
        """Confirm exactly what was shown; the answer, whether it did or refused."""
        return switching.confirm(self.administrator, shown, *accepted, host=self.standby)

    def take_over(self, shown: dict[str, Any]) -> None:
        """Confirm what was shown, with everything that it asks."""
        answer = self.click(shown, *questions(shown))
        assert answer.get("state") == "done", answer
        switching.assert_call_works(self.lab)
        assert switching.serves(self.lab, self.standby)

    def assert_nothing_moved(self, begin: float) -> None:
        """The active serves and the standby claimed nothing since."""
        assert switching.claims(self.lab, self.standby, begin) == []
        switching.wait_for_state(self.administrator, self.active, "serving")
        assert switching.serves(self.lab, self.active)
        switching.assert_call_works(self.lab)


def pair(administrator: Administrator) -> Pair:
    """See who serves; both talk to each other again."""
    lab = administrator.lab
    found: list[str] = []

    def is_settled() -> bool:
        states = {host: administrator.status(host) for host in ("a", "b")}
        found[:] = [host for host, seen in states.items() if seen.get("state") == "serving"]
        connected = all((seen.get("peer") or {}).get("connected") for seen in states.values())
        return len(found) == 1 and connected and switching.serves(lab, found[0])

    wait_for(is_settled, switching.SOON_SECONDS, "one of the two to serve, heard by the other")
    active = found[0]
    return Pair(administrator=administrator, active=active, standby="b" if active == "a" else "a")


def refused(answer: dict[str, Any], finding: str) -> None:
    assert answer["error"]["code"] == "not-accepted", answer
    assert answer["error"]["fields"]["finding"] == finding


def own_cable_cut(administrator: Administrator) -> None:
    """isolated: with its own cable cut everybody is silent, which says nothing about the active (F24)."""
    both, begin = pair(administrator), time.time()
    both.lab.cut(both.standby)
    try:
        shown = both.verdict("isolated")
        assert not shown["facts"]["carrier"]
        refused(both.click(shown), "isolated")
    finally:
        both.lab.heal(both.standby)
    both.verdict("peer-holds")
    both.assert_nothing_moved(begin)


def dead_switch(administrator: Administrator) -> None:
    """isolated: the light is on and nobody answers. Overridden by name it serves alone; healed, one serves again."""
    both = pair(administrator)
    both.lab.split(both.standby)
    try:
        shown = both.verdict("isolated")
        assert shown["facts"]["carrier"]
        refused(both.click(shown), "isolated")
        answer = both.click(shown, *questions(shown))
        assert answer.get("state") == "done", answer
        for host in (both.active, both.standby):
            assert switching.serves(both.lab, host)
    finally:
        both.lab.join()
    # Nobody clicks again: the first machine that answers is reason enough to look anew who serves.
    switching.wait_for_state(administrator, both.active, "superseded")
    assert switching.serves(both.lab, both.standby)
    both.lab.reunite(both.standby)
    switching.assert_call_works(both.lab)


def silent_phones(administrator: Administrator) -> None:
    """partition: active and phones are silent, the gateway answers: a second confirmation says what may be."""
    both, begin = pair(administrator), time.time()
    both.lab.cut("t")
    both.lab.cut(both.active)
    try:
        shown = both.verdict("partition")
        assert (shown["facts"]["phones_answering"], shown["facts"]["gateway"]) == (0, True)
        refused(both.click(shown), "partition-suspected")
    finally:
        both.lab.heal(both.active)
        both.lab.heal("t")
    both.verdict("peer-holds")
    both.assert_nothing_moved(begin)


def stranger_comes_later(administrator: Administrator) -> None:
    """F22: a machine that takes the address is answered each time, named with its MAC, and gets no calls."""
    both, begin = pair(administrator), time.time()
    lab, mac, service = both.lab, both.lab.settings.mac("m"), both.lab.settings.service_address
    with _stranger(lab):
        # Its first question carries the address as its own: the phones' host learns the wrong MAC from it.
        lab.sh("m", ["ip", "neighbour", "flush", "dev", "eth0"])
        lab.sh("m", ["ping", "-c1", "-W1", "-I", service, lab.settings.address("t")], check=False)
        wait_for(lambda: switching.claims(lab, "m", begin), 20, "the stranger's claim")

        def is_told() -> bool:
            found = administrator.status(both.active)["findings"]
            return any(
                each["code"] == "rival-holds-address" and each["fields"]["mac"] == mac for each in found
            )

        wait_for(is_told, switching.SOON_SECONDS, "the active to name the stranger")
        assert [each for each in switching.claims(lab, both.active, begin) if each.kind != "request"]
        wait_for(lambda: knows(lab, both.active), 30, "the phones' host to follow")
    switching.assert_call_works(lab)
    assert switching.serves(lab, both.active)


def stranger_was_first(administrator: Administrator) -> None:
    """foreign: the active is off and somebody else answers for the address: refused, whatever is accepted (F22)."""
    both, begin = pair(administrator), time.time()
    lab = both.lab
    lab.off(both.active)
    with _stranger(lab):
        shown = both.verdict("foreign")
        plan = administrator.run(both.standby, "takeover", "--plan").stdout
        assert lab.settings.mac("m") in plan
        refused(both.click(shown, "foreign-holder", "peer-still-serves"), "foreign-holder")
        answer = administrator.ask(both.standby, "takeover", "--yes", "--accept", "foreign-holder")
        assert answer["error"]["code"] == "takeover-not-acceptable", answer
        assert switching.claims(lab, both.standby, begin) == []
        # The holder comes back and is held: it names the stranger, and what to do.
        lab.on(both.active)
        switching.wait_for_state(administrator, both.active, "held")
        status = administrator.status(both.active)
        assert "held-by-stranger" in {each["code"] for each in status["findings"]}
        assert [each["code"] for each in status["choices"]] == ["unplug-stranger", "try-again"]
        switching.assert_quiet(lab, both.active, begin + 1, seconds=1)
    both.assert_nothing_moved(begin)  # it goes on by itself


def forgery_overlooked(administrator: Administrator) -> None:
    """F22, D17: root at the console overlooks the stranger by its MAC; nothing else is overlooked, and it is told."""
    both = pair(administrator)
    lab, mac = both.lab, both.lab.settings.mac("m")
    lab.off(both.active)
    with _stranger(lab):
        shown = both.verdict("foreign")
        assert {"holder-since", "foreign-holder"} <= {each["code"] for each in shown["findings"]}
        accept = [
            word for code in questions(shown) if code != "foreign-holder" for word in ("--accept", code)
        ]
        wrong = administrator.ask(
            both.standby, "takeover", "--yes", "--forged", lab.settings.mac("t"), *accept
        )
        assert wrong["error"]["code"] == "takeover-not-acceptable", wrong
        answer = administrator.ask(both.standby, "takeover", "--yes", "--forged", mac, *accept)
        assert answer.get("state") == "done", answer
        assert switching.serves(lab, both.standby)

        def is_told() -> bool:
            return "rival-holds-address" in {
                each["code"] for each in administrator.status(both.standby)["findings"]
            }

        wait_for(is_told, switching.SOON_SECONDS, "the rival to be told")
    lab.on(both.active)
    switching.wait_for_state(administrator, both.active, "superseded")
    switching.assert_call_works(lab)


def hung_pbx(administrator: Administrator) -> None:
    """Peer holds the address: silent over SIP, and its kernel answers. It releases before the other serves (F23)."""
    both = pair(administrator)
    both.lab.sh(both.active, ["pkill", "-STOP", "-x", "asterisk"])
    wait_for(lambda: not _plan(both)["facts"]["sip"], switching.SOON_SECONDS, "the silence of the PBX")
    shown = both.verdict("peer-holds")
    assert shown["facts"]["holder_mac"] == both.lab.settings.mac(both.active)
    begin = time.time()
    both.take_over(shown)
    taken = switching.first_claim(both.lab, both.standby, begin)
    switching.assert_quiet(both.lab, both.active, taken, seconds=2)


def firewalled_pbx(administrator: Administrator) -> None:
    """Peer holds the address: every layer above ARP is dropped. Nothing moves until it is unplugged by hand."""
    both, begin = pair(administrator), time.time()
    lab = both.lab
    # Not one IP packet leaves the machine any more; ARP asks no route for its answers.
    for words in ("add pref 100 lookup local", "add pref 10 iif lo blackhole", "del pref 0"):
        lab.sh(both.active, ["ip", "rule", *words.split()])

    def only_arp() -> bool:
        peer = _plan(both)["facts"]["peer"]
        return bool(peer["arp"] and not (peer["icmp"] or peer["ssh"] or peer["agent"]))

    wait_for(only_arp, switching.SOON_SECONDS, "silence above ARP")
    shown = both.verdict("peer-holds")
    assert "peer-holds-address" in questions(shown)
    refused(both.click(shown), "peer-holds-address")
    assert switching.claims(lab, both.standby, begin) == []
    _unplug_while_it_waits(both, shown, begin)
    lab.on(both.active)
    switching.wait_for_state(administrator, both.active, "superseded")


def dead_agent(administrator: Administrator) -> None:
    """Peer holds the address and cannot be asked: the takeover waits for the plug and goes on by itself."""
    both, begin = pair(administrator), time.time()
    both.lab.sh(both.active, ["systemctl", "stop", "beistand-agent"])

    def holds_without_agent() -> bool:
        return "peer-holds-address" in questions(_plan(both))

    wait_for(holds_without_agent, switching.SOON_SECONDS, "the silence of the agent")
    _unplug_while_it_waits(both, _plan(both), begin)
    both.lab.on(both.active)
    switching.wait_for_state(administrator, both.active, "superseded")


def peer_without_address(administrator: Administrator) -> None:
    """Peer alive without the address: agent and PBX are dead, the machine answers. One click, and it is told later."""
    both = pair(administrator)
    lab, service = both.lab, both.lab.settings.service_address
    lab.sh(both.active, ["systemctl", "stop", "beistand-agent", "asterisk"])
    lab.sh(both.active, ["ip", "address", "del", f"{service}/32", "dev", "eth0"])
    wait_for(
        lambda: "peer-alive-without-agent" in switching.codes(_plan(both)),
        switching.SOON_SECONDS,
        "the silence of the agent",
    )
    both.take_over(both.verdict("peer-alive"))
    lab.sh(both.active, ["systemctl", "start", "beistand-agent"])
    switching.wait_for_state(administrator, both.active, "superseded")


def deaf_phones(administrator: Administrator) -> None:
    """Peer gone: one click. Phones that ignore gratuitous ARP follow within a second of the first claim (F25)."""
    both = pair(administrator)
    lab = both.lab
    lab.set_gratuitous_arp("t", heard=False)
    try:
        switching.assert_call_works(lab)
        lab.off(both.active)
        shown = both.verdict("peer-gone")
        begin = time.time()
        both.take_over(shown)
        claimed = switching.first_claim(lab, both.standby, begin)
        asked = [each for each in switching.claims(lab, both.standby, begin) if each.kind == "request"]
        assert asked
        assert min(each.time for each in asked) - claimed < CLIENTS_FOLLOW_SECONDS
        assert knows(lab, both.standby)
    finally:
        lab.set_gratuitous_arp("t", heard=True)
    lab.on(both.active)
    switching.wait_for_state(administrator, both.active, "superseded")
    assert forking.kept_backup(administrator, both.active)


SCENARIOS: dict[str, Callable[[Administrator], None]] = {
    "own cable cut": own_cable_cut,
    "dead switch, overridden": dead_switch,
    "silent phones": silent_phones,
    "a stranger comes later": stranger_comes_later,
    "a stranger was first": stranger_was_first,
    "a forgery, overlooked": forgery_overlooked,
    "hung PBX": hung_pbx,
    "firewalled PBX": firewalled_pbx,
    "dead agent": dead_agent,
    "peer alive without address": peer_without_address,
    "peer gone, deaf phones": deaf_phones,
}


def knows(lab: Lab, host: str) -> bool:
    """Tell whether the phones' host sends what is for the service address to this one."""
    shown = lab.sh("t", ["ip", "neighbour", "show", lab.settings.service_address]).stdout
    return lab.settings.mac(host) in shown


def _plan(both: Pair) -> dict[str, Any]:
    return switching.plan(both.administrator, both.standby)


def _unplug_while_it_waits(both: Pair, shown: dict[str, Any], begin: float) -> None:
    lab = both.lab
    accept = [word for each in questions(shown) for word in ("--accept", each)]
    line = ["beistand", "takeover", "--confirm", shown["digest"], *accept, "--json"]
    with lab.popen(both.standby, line) as click:
        switching.wait_for_stage(both.administrator, both.standby, "await-silence")
        assert switching.serves(lab, both.active)
        assert switching.claims(lab, both.standby, begin) == []
        lab.off(both.active)
        cord = time.time()
        answer = json.loads(click.communicate(timeout=180)[0])
    assert answer["state"] == "done", answer
    assert switching.first_claim(lab, both.standby, begin) > cord - 1
    switching.assert_call_works(lab)


@contextmanager
def _stranger(lab: Lab) -> Iterator[None]:
    """The mail host has the service address."""
    address = f"{lab.settings.service_address}/32"
    lab.sh("m", ["ip", "address", "add", address, "dev", "eth0"])
    try:
        yield
    finally:
        lab.sh("m", ["ip", "address", "del", address, "dev", "eth0"])
