"""Phones by TCP and TLS when their PBX dies: their connections are ended, on whatever port, and they come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from beistand_lab.errors import ConditionNotMet
from beistand_lab.house import House
from beistand_lab.lab import Lab, wait_for
from beistand_lab.pjsip_phone import PjsipPhone
from beistand_lab.settings import PHONES
from e2e import switching
from e2e.conftest import furnished

pytestmark = pytest.mark.lab

BY_TLS, BY_TCP, CALLER = 1000, 1001, 103
INTERVAL = 300
"""Seconds between registrations: nothing that is seen earlier comes from the phones themselves."""
CALLED_SECONDS = 15.0
"""From the first SIP answer to a call that rings (SPEC B14)."""
TLS_PORT = 5061
SYN, RST = 0x02, 0x04
SMALL = House(
    phones=2, queue_members=2, lamps=0, mailboxes=0, trunks=0, all_modules=False, maximum_expiration=INTERVAL
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taken:
    lab: Lab
    plan: dict[str, Any]
    result: dict[str, Any]
    rang: dict[int, float]
    """Of each phone: seconds from the first SIP answer to the first call that reached it."""


@pytest.fixture(scope="module")
def taken(lab_place: tuple[str, str]) -> Iterator[Taken]:
    """A phone by TLS and one by TCP besides three by UDP; a dies, b takes over, and all are called."""
    with furnished(lab_place, SMALL) as lab:
        yield _taken(lab)


def _taken(lab: Lab) -> Taken:
    administrator = switching.prepare_pair(lab)
    phones = {number: lab.pjsip_phone(number) for number in (BY_TLS, BY_TCP)}
    for number, transport in ((BY_TLS, "tls"), (BY_TCP, "tcp")):
        phones[number].register(transport=transport, interval=INTERVAL, seconds=switching.SOON_SECONDS)
    switching.cycle(administrator)
    lab.off("a")
    shown = switching.plan_with_verdict(administrator, "peer-gone")
    answer = switching.confirm(administrator, shown)
    assert answer.get("state") == "done", answer
    result: dict[str, Any] = answer["result"]
    rang = {number: _rings(lab, phone, float(result["answered_at"])) for number, phone in phones.items()}
    return Taken(lab=lab, plan=shown, result=result, rang=rang)


def _rings(lab: Lab, phone: PjsipPhone, since: float) -> float:
    """Call the phone again and again until it rings; return how many seconds after `since` that was."""
    caller = lab.phone(CALLER)

    def rings() -> float:
        begin = caller.dial(phone.number)
        try:
            wait_for(lambda: phone.events(begin, "incoming"), 1.0, f"a call at {phone.number}")
        except ConditionNotMet:  # the next one may reach it
            return 0.0
        finally:
            caller.hangup()
        return float(phone.events(begin, "incoming")[0]["time"])

    return wait_for(rings, switching.SOON_SECONDS, f"{phone.number} to ring") - since


@pytest.mark.shows("B8", "B14")
def test_phones_by_tls_and_tcp_are_called_soon_after_the_takeover(taken: Taken) -> None:
    """B14: long before their registration ends, and before they would have noticed by themselves."""
    assert all(seconds <= CALLED_SECONDS for seconds in taken.rang.values()), taken.rang


@pytest.mark.shows("B8")
def test_their_connections_are_ended_on_the_ports_that_they_had(taken: Taken) -> None:
    """B8: from the connections that the dead one told, so that no port has to be known."""
    service = taken.lab.settings.service_address
    packets = [
        each
        for each in taken.lab.capture.ip_packets(float(taken.result["granted_at"]))
        if each.protocol == 6 and each.source == service
    ]
    for port in (TLS_PORT, TLS_PORT - 1):
        kicked = {each.destination_port for each in packets if each.source_port == port and each.flags == SYN}
        reset = {each.destination_port for each in packets if each.source_port == port and each.flags & RST}
        assert kicked & reset, (port, kicked, reset)


@pytest.mark.shows("B14")
def test_only_phones_that_are_called_at_once_are_counted_as_such(taken: Taken) -> None:
    """B14: what the PBX forgets at its start is promised for later, before the click and after it."""
    assert len(taken.plan["phones"]) == len(PHONES)
    assert len(taken.plan["phones_later"]) == 2
    assert (taken.result["phones_at_once"], taken.result["phones_later"]) == (len(PHONES), 2)
