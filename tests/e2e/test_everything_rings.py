"""A house of two hundred phones after a takeover: lamps, a queue, trunks, and what its active tells beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from beistand_lab import ringing
from beistand_lab.house import House
from beistand_lab.lab import Lab, wait_for
from beistand_lab.ringing import Rings
from e2e import switching
from e2e.conftest import furnished

pytestmark = pytest.mark.lab

HOUSE = House()
LATE_HOUSE = dataclasses.replace(HOUSE, phones=110, trunks_register_at_once=False)
EARLY_SECONDS = 5.0
"""Far below the minute that Asterisk takes by itself, and enough for a machine with other things to do."""
RANDOM_SECONDS = 12.0
"""Asterisk's own delay of a registration is 10 s at most."""
OWN_QUESTIONS = 14
"""The PBX's own begin at random within a minute, 3.3 a second: more than 14 come in one second of 300,000."""
MOST_PACKETS = 2 * (HOUSE.phones + OWN_QUESTIONS)
"""In any second: each question and its answer."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taken:
    lab: Lab
    grant: float
    sip: float
    """When SIP was answered first, seen from the mail host."""
    rings: Rings


@pytest.fixture(scope="module")
def taken(lab_place: tuple[str, str]) -> Iterator[Taken]:
    """The active of a house dies; its standby takes over."""
    with furnished(lab_place, HOUSE) as lab:
        yield _take_over(lab)


def _take_over(lab: Lab) -> Taken:
    administrator = switching.pair_up(lab)
    ringing.prepare(lab, HOUSE, switching.SOON_SECONDS)
    switching.cycle(administrator)
    lab.off("a")
    with lab.sip_probe(lab.settings.service_address) as probe:
        shown = switching.plan_with_verdict(administrator, "peer-gone")
        answer = switching.confirm(administrator, shown)
        assert answer.get("state") == "done", answer
        grant = float(answer["result"]["granted_at"])
        sip = probe.first_answer(grant, switching.SOON_SECONDS)
    return Taken(lab=lab, grant=grant, sip=sip, rings=ringing.watch(lab, HOUSE, grant, 60))


@pytest.mark.shows("B14")
def test_every_phone_is_asked_at_once(taken: Taken) -> None:
    """B14: a phone with qualify is unavailable until it has answered its first OPTIONS."""
    assert len(taken.rings.phones) == HOUSE.phones
    assert max(taken.rings.phones.values()) - taken.sip < EARLY_SECONDS


@pytest.mark.shows("B14")
def test_every_lamp_is_right_at_once(taken: Taken) -> None:
    """B14: a lamp shows what its phone is, not that nobody has asked it yet."""
    assert len(taken.rings.lamps) == HOUSE.lamps
    assert max(taken.rings.lamps.values()) - taken.sip < EARLY_SECONDS


@pytest.mark.shows("B14")
def test_the_queue_rings_all_of_its_members(taken: Taken) -> None:
    """B14: a queue leaves out whoever it takes for unavailable."""
    assert {*taken.rings.members} == {str(number) for number in HOUSE.members}
    assert max(taken.rings.members.values()) - taken.rings.called < EARLY_SECONDS


@pytest.mark.shows("B14")
def test_trunks_with_the_option_are_registered_at_once(taken: Taken) -> None:
    """B14: the line that the finding names is what it takes."""
    assert {*taken.rings.trunks} == {*HOUSE.provider_ports}
    assert max(taken.rings.trunks.values()) - taken.sip < EARLY_SECONDS


def test_no_second_has_a_storm_in_it(taken: Taken) -> None:
    """The questions of the PBX and the phones' answers to them, as they pass the switch."""
    packets = [
        each.time
        for each in taken.lab.capture.sip_messages(taken.grant)
        if each.header("CSeq").endswith("OPTIONS")
        and taken.lab.settings.address("t") in (each.source, each.destination)
    ]
    busiest = max(sum(begin <= each < begin + 1 for each in packets) for begin in packets)
    assert HOUSE.phones < busiest <= MOST_PACKETS


@pytest.mark.shows("B14")
def test_a_line_that_failed_is_asked_again(taken: Taken) -> None:
    """B14: a provider that refused during the move is asked again until it takes the line."""
    lab, provider = taken.lab, taken.lab.provider()
    provider.refuse(403)
    asterisk = ["/usr/sbin/asterisk", "-rx"]
    lab.sh("b", [*asterisk, "pjsip send register *all"])

    def refused() -> int:
        return lab.sh("b", [*asterisk, "pjsip show registrations"]).stdout.count("Rejected")

    wait_for(lambda: refused() == HOUSE.trunks, switching.SOON_SECONDS, "three refused lines")
    provider.accept()
    wait_for(lambda: refused() == 0, 2 * switching.SOON_SECONDS, "three lines that are there again")


@pytest.mark.shows("B14")
def test_lines_that_wait_before_they_register_are_told_before_the_day(lab_place: tuple[str, str]) -> None:
    """B14: the finding names them, the time, and the line to write."""
    place = f"{lab_place[0]}-l", lab_place[1].replace("10.1", "10.2", 1)
    with furnished(place, LATE_HOUSE) as lab:
        administrator = switching.pair_up(lab)

        def told() -> dict[str, Any]:
            findings = administrator.status("a")["findings"]
            return next((each for each in findings if each["code"] == "lines-register-late"), {})

        found = wait_for(told, switching.SOON_SECONDS, "the finding")
        assert found["fields"] == {
            "names": "trunk0, trunk1, trunk2",
            "count": 3,
            "seconds": 10.0,
            "line": "max_random_initial_delay=0",
        }
