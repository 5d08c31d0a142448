"""What phones of every kind live through when their PBX dies and another one takes its address."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import pytest

from beistand.domain.phones import LEAST_SECONDS, MOST_SECONDS
from beistand_lab import calls
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from beistand_lab.pjsip_phone import PjsipPhone
from e2e import switching

pytestmark = pytest.mark.lab

PATIENT_PHONE, TCP_PHONE, UDP_PHONE = 101, 102, 103
"""By TCP, until its next registration; by TCP, of a make that looks after its connection; by UDP."""
INTERVAL = 120
"""Seconds between registrations: nothing that is seen earlier comes from the phones themselves."""
EARLY_SECONDS = 45.0
"""Far below the interval, and enough for a machine with other things to do."""
SYN, RST, ACK = 0x02, 0x04, 0x10

_CONTACTS = """
import json, sqlite3
db = sqlite3.connect("file:/var/lib/asterisk/astdb.sqlite3?mode=ro", uri=True)
rows = db.execute("select value from astdb where key like '/registrar/contact/%'")
contacts = [json.loads(value) for value, in rows]
print(json.dumps({each["endpoint"]: [each["uri"], float(each["expiration_time"])] for each in contacts}))
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taken:
    """The takeover that the tests of this module look at."""

    administrator: Administrator
    plan: dict[str, Any]
    expiry_before: float
    cycle: float
    """When the last cycle was asked for."""
    cord: float
    click: float
    phone: PjsipPhone
    """The phone that looks after its connection."""

    @property
    def lab(self) -> Lab:
        return self.administrator.lab


@pytest.fixture(scope="module")
def taken(lab: Lab) -> Taken:
    """Two phones by TCP, one by UDP, all on a host that is deaf to gratuitous ARP; a dies, b takes over."""
    administrator = switching.prepare_pair(lab)
    lab.set_gratuitous_arp("t", heard=False)
    assert calls.leave_message(lab, PATIENT_PHONE, UDP_PHONE)
    calls.dial_and_wait_for_the_end(lab, TCP_PHONE, f"*61{UDP_PHONE}")
    lab.phone(TCP_PHONE).stop()
    phone = PjsipPhone(lab.settings, TCP_PHONE)
    phone.register(transport="tcp", interval=INTERVAL, port=5060, seconds=switching.SOON_SECONDS)
    lab.phone(PATIENT_PHONE).register(transport="tcp", interval=INTERVAL, seconds=60)
    lab.phone(UDP_PHONE).register(interval=INTERVAL, seconds=60)
    wait_for(lambda: _are_written(lab), switching.SOON_SECONDS, "the contacts in the PBX's database")
    expiry = _contacts(lab, "a")[UDP_PHONE][1]
    cycle = time.time()
    switching.cycle(administrator)
    lab.off("a")
    cord = time.time()
    shown = switching.plan_with_verdict(administrator, "peer-gone")
    click = time.time()
    answer = switching.confirm(administrator, shown)
    assert answer.get("state") == "done", answer
    return Taken(
        administrator=administrator,
        plan=shown,
        expiry_before=expiry,
        cycle=cycle,
        cord=cord,
        click=click,
        phone=phone,
    )


def _contacts(lab: Lab, host: str) -> dict[int, tuple[str, float]]:
    """For each phone its contact and when that ends, as the PBX's own database has it."""
    done = lab.sh(host, ["python3", "-c", _CONTACTS], check=False)
    return {int(name): (uri, expiry) for name, (uri, expiry) in json.loads(done.stdout or "{}").items()}


def _are_written(lab: Lab) -> bool:
    """Asterisk commits about once a second: a cycle just before that carries the contacts from before."""
    by_tcp = {number for number, (uri, _) in _contacts(lab, "a").items() if "transport=tcp" in uri.lower()}
    return by_tcp == {PATIENT_PHONE, TCP_PHONE}


@pytest.mark.shows("F25")
def test_phones_that_ignore_announcements_are_told_directly(taken: Taken) -> None:
    """F25: an ordinary ARP request to each of them puts the new MAC into their tables."""
    lab, service = taken.lab, taken.lab.settings.service_address

    def knows() -> bool:
        return lab.settings.mac("b") in lab.sh("t", ["ip", "neighbour", "show", service]).stdout

    wait_for(knows, max(1.0, taken.click + EARLY_SECONDS - time.time()), "the phone host to know b's MAC")
    asked = [each for each in switching.claims(lab, "b", taken.click) if each.kind == "request"]
    assert asked
    begin = lab.phone(UDP_PHONE).dial(600)
    assert calls.hears(lab, UDP_PHONE, UDP_PHONE, begin, EARLY_SECONDS)
    lab.phone(UDP_PHONE).hangup()
    assert time.time() - taken.cord < INTERVAL
    assert UDP_PHONE not in _registered(taken)


@pytest.mark.shows("B8")
def test_contacts_are_renewed_before_the_pbx_starts(taken: Taken) -> None:
    """B8: registrations outlive any time that the active was dead before the click, by minutes and not by hours."""
    renewed = _contacts(taken.lab, "b")[UDP_PHONE][1]
    assert taken.expiry_before < taken.cord + INTERVAL + 5
    assert taken.click + LEAST_SECONDS <= renewed <= taken.click + MOST_SECONDS + EARLY_SECONDS
    assert UDP_PHONE not in _registered(taken)


@pytest.mark.shows("B8")
def test_dead_connections_of_phones_by_tcp_are_ended(taken: Taken) -> None:
    """B8: one SYN into each draws a challenge ACK, and the kernel of the new active answers it with RST."""
    lab, service = taken.lab, taken.lab.settings.service_address
    packets = [
        each for each in lab.capture.ip_packets(taken.click) if service in {each.source, each.destination}
    ]
    sent = [each for each in packets if each.source == service and each.source_port == 5060]
    kicked = {each.destination_port for each in sent if each.flags == SYN}
    assert len(kicked) == 2
    for port in kicked:
        assert [each for each in packets if each.source_port == port and each.flags == ACK]
        assert [each for each in sent if each.destination_port == port and each.flags & RST]


@pytest.mark.shows("B8")
def test_a_phone_by_tcp_registers_again_at_once_and_is_called(taken: Taken) -> None:
    """B8: its half-dead connection is ended for it, long before it would have noticed."""
    limit = max(1.0, taken.click + EARLY_SECONDS - time.time())
    wait_for(lambda: TCP_PHONE in _registered(taken), limit, "the phone by TCP to register")
    lab, caller = taken.lab, taken.lab.phone(UDP_PHONE)
    begin = caller.dial(TCP_PHONE)
    assert calls.hears(lab, UDP_PHONE, TCP_PHONE, begin, EARLY_SECONDS)
    assert calls.hears(lab, TCP_PHONE, UDP_PHONE, begin, EARLY_SECONDS)
    assert [each for each in taken.phone.events(begin, "call") if each["state"] == "CONFIRMED"]
    caller.hangup()


@pytest.mark.shows("S2", "S20")
def test_the_age_of_the_data_was_told(taken: Taken) -> None:
    """S20: the plan names the generation and how old it is: what came later is not here."""
    assert abs(taken.plan["age_seconds"] - (taken.click - taken.cycle)) < 20
    newest = taken.administrator.copies("b")[0]["generation"]
    assert taken.plan["generation"]["id"] == newest["id"]


@pytest.mark.shows("S2")
def test_a_message_and_a_forward_came_along(taken: Taken) -> None:
    """S2: 103 hears what 101 left on the old active; 102 is off, so 103 rings."""
    lab = taken.lab
    listener = lab.phone(UDP_PHONE)
    begin = listener.dial("*98")
    assert calls.hears(lab, UDP_PHONE, PATIENT_PHONE, begin, 30)
    listener.hangup()
    taken.phone.kill()
    caller = lab.phone(PATIENT_PHONE)
    begin = caller.dial(TCP_PHONE)
    listener.wait_for_event("CALL_ESTABLISHED", begin, 40)
    assert calls.hears(lab, UDP_PHONE, PATIENT_PHONE, begin, 30)
    caller.hangup()


def _registered(taken: Taken) -> set[int]:
    """Phones that registered since the click."""
    return {int(each.to_user) for each in taken.lab.capture.registers_answered(taken.click)}
