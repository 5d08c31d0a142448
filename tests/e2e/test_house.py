"""The lab's house: what it has works before anything happens to it, so that a scenario may count on it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from beistand_lab import house
from beistand_lab.demo.administrator import Administrator
from beistand_lab.house import House
from beistand_lab.lab import Lab, wait_for
from e2e.conftest import furnished

pytestmark = pytest.mark.lab

SOON_SECONDS = 60.0
"""Limit for what takes a second or a few on a machine that has nothing else to do."""
BY_TCP, BY_TLS, CALLER, OTHER = 1198, 1199, 1150, 1151


@pytest.fixture(scope="module")
def house_lab(lab_place: tuple[str, str]) -> Iterator[Lab]:
    """A house whose PBX serves and whose phones by UDP are registered."""
    with furnished(lab_place, House()) as lab:
        _initialise(lab)
        lab.farm().register(seconds=SOON_SECONDS)
        yield lab


def _initialise(lab: Lab) -> None:
    def runs(host: str) -> bool:
        asked = lab.sh(host, ["systemctl", "is-active", "beistand-agent"], check=False)
        return asked.stdout.strip() == "active"

    wait_for(lambda: runs("a") and runs("b"), SOON_SECONDS, "both agents")
    Administrator(lab).initialise()
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(0, SOON_SECONDS)


def test_every_lamp_is_lit(house_lab: Lab) -> None:
    farm, watched = house_lab.farm(), House().watched
    begin = farm.subscribe(watched, seconds=SOON_SECONDS)

    def are_right() -> bool:
        return {pair for pair, lamp in farm.lamps(begin).items() if lamp["state"] == "Ready"} == {
            (str(watcher), str(number)) for watcher, number in watched
        }

    wait_for(are_right, SOON_SECONDS, "forty lamps")


def test_every_trunk_is_registered(house_lab: Lab) -> None:
    provider = house_lab.provider()
    wait_for(lambda: len(provider.registered()) == 3, SOON_SECONDS, "three trunks")
    assert {*provider.registered()} == {*House().provider_ports}


def test_a_trunk_calls_outside(house_lab: Lab) -> None:
    farm, provider = house_lab.farm(), house_lab.provider()
    begin = farm.call(CALLER, "0123", then="hang-up")
    farm.wait_for_event("response", begin, SOON_SECONDS, method="BYE", code=200)
    asked = {each["what"] for each in provider.requests(begin) if each["port"] == 5071}
    assert {"INVITE", "ACK"} <= asked


def test_the_provider_refuses_while_it_is_told_to(house_lab: Lab) -> None:
    provider = house_lab.provider()
    wait_for(lambda: len(provider.registered()) == 3, SOON_SECONDS, "three trunks")
    provider.refuse(403)
    begin = time.time()
    house_lab.sh("a", ["/usr/sbin/asterisk", "-rx", "pjsip send register *all"])
    provider.wait_for_event("REGISTER", begin, SOON_SECONDS, code=403)
    assert provider.registered(begin) == {}
    provider.accept()
    begin = time.time()
    house_lab.sh("a", ["/usr/sbin/asterisk", "-rx", "pjsip send register *all"])
    wait_for(lambda: len(provider.registered(begin)) == 3, SOON_SECONDS, "three trunks again")


def test_the_queue_rings_all_its_members(house_lab: Lab) -> None:
    farm = house_lab.farm()
    farm.answer(answers=False)
    begin = farm.call(CALLER, house.QUEUE, then="keep")
    members = {str(number) for number in House().members}
    wait_for(lambda: farm.rung(begin, CALLER).keys() == members, SOON_SECONDS, "ten members to ring")
    farm.hang_up([CALLER])
    farm.answer(answers=True)


def test_a_hundred_calls_ring_at_once(house_lab: Lab) -> None:
    farm, called = house_lab.farm(), [str(number) for number in House().numbers[20:120]]
    farm.answer(answers=False)
    begin = time.time()
    for number in called:
        farm.call(OTHER, number, then="cancel")
    wait_for(lambda: farm.rung(begin, OTHER).keys() == {*called}, SOON_SECONDS, "a hundred phones to ring")
    farm.answer(answers=True)


def test_a_phone_that_was_off_registers_from_another_port(house_lab: Lab) -> None:
    farm, number = house_lab.farm(), "1190"
    before = farm.phones()[number]["port"]
    farm.switch_off([number])
    assert not farm.phones()[number]["registered"]
    begin = farm.switch_on([number])
    farm.wait_for_event("response", begin, SOON_SECONDS, number=number, method="REGISTER", code=200)
    assert farm.phones()[number]["port"] != before
    begin = farm.call(CALLER, number, then="hang-up")
    wait_for(lambda: number in farm.rung(begin, CALLER), SOON_SECONDS, "its call")


@pytest.mark.parametrize(("number", "transport"), [(BY_TCP, "tcp"), (BY_TLS, "tls")])
def test_a_phone_over_a_connection_is_called(house_lab: Lab, number: int, transport: str) -> None:
    farm, phone = house_lab.farm(), house_lab.pjsip_phone(number)
    farm.switch_off([number])
    phone.register(transport=transport, seconds=SOON_SECONDS)
    begin = farm.call(CALLER, number, then="hang-up")
    phone.wait_for_event("incoming", begin, SOON_SECONDS)
    phone.wait_for_event("call", begin, SOON_SECONDS, state="DISCONNECTED")
    phone.kill()
    phone.register(transport=transport, seconds=SOON_SECONDS)
