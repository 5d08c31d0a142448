"""Phones that lose their power right after a takeover come back from another port, and are let in (B8)."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator

import pytest

from beistand_lab import house
from beistand_lab.demo.administrator import Administrator
from beistand_lab.house import House
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.conftest import furnished

pytestmark = pytest.mark.lab

REGISTERED_SECONDS = 5.0
"""B8: so long after it has power again."""
CALLED_SECONDS = 10.0
"""So long the PBX may take to see that nobody answers at the old place."""
INTERVAL = 120
"""Seconds between registrations: no phone registers by itself while this is looked at."""
HOUSE = House(phones=70, queue_members=0, lamps=0, mailboxes=0, trunks=0, all_modules=False)
CALLER, KILLED, STRANGE, WRONG, CUT_SHORT, OTHER_MAKE = range(1020, 1026)
FLOOR = tuple(range(1030, 1070))
"""Phones that all come back at the same time; like those above, with one contact each and no replacing."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of phone, as the PBX is configured for it."""

    number: int
    transport: str
    max_contacts: int
    remove_existing: bool

    def __str__(self) -> str:
        return f"{self.transport}-{self.max_contacts}-{'replacing' if self.remove_existing else 'keeping'}"


KINDS = tuple(
    Kind(1000 + place, *each)
    for place, each in enumerate(itertools.product(("udp", "tcp", "tls"), (1, 5), (False, True)))
)
BY_UDP = tuple(each for each in KINDS if each.transport == "udp")
BY_CONNECTION = tuple(each for each in KINDS if each.transport != "udp")

_REGISTER = """
import socket, sys
number, target, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.connect((target, 5060))
host, port = line.getsockname()
line.settimeout(1.0)
answers = []
for sequence in range(times):
    line.send((
        f"REGISTER sip:{target} SIP/2.0\\r\\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{port}{sequence};rport\\r\\n"
        f"Max-Forwards: 70\\r\\nFrom: <sip:{number}@{target}>;tag=x\\r\\nTo: <sip:{number}@{target}>\\r\\n"
        f"Call-ID: {port}@{host}\\r\\nCSeq: {sequence + 1} REGISTER\\r\\nContact: <sip:{number}@{host}:{port}>\\r\\n"
        "Content-Length: 0\\r\\n\\r\\n"
    ).encode())
    try:
        answers.append(line.recv(4096).split()[1].decode())
    except TimeoutError:
        answers.append("none")
print(*answers)
"""


@dataclasses.dataclass(frozen=True)
class Seconds:
    """What became of each phone."""

    lab: Lab
    rung: dict[int, bool]
    """Whether a call reached it before its power was cut."""
    registered: dict[int, float]
    """Seconds from the power to the registration."""


@pytest.fixture(scope="module")
def seconds(lab_place: tuple[str, str]) -> Iterator[Seconds]:
    with furnished(lab_place, HOUSE) as lab:
        _configure(lab)
        yield _taken_over_and_restarted(lab)


def _configure(lab: Lab) -> None:
    text = house.files(HOUSE, lab.settings.address("m"))["/etc/asterisk/pjsip.conf"]
    kinds = {each.number: (each.max_contacts, each.remove_existing) for each in KINDS}
    for number in HOUSE.numbers:
        most, replaces = kinds.get(number, (1, False))
        section = f"[{number}](house-contacts)\n"
        own = f"max_contacts = {most}\nremove_existing = {'yes' if replaces else 'no'}\n"
        text = text.replace(section, section + own)
    lab.copy_in("a", "/etc/asterisk/pjsip.conf", text)
    lab.sh("a", ["chown", "asterisk:asterisk", "/etc/asterisk/pjsip.conf"])


def _taken_over_and_restarted(lab: Lab) -> Seconds:
    administrator = switching.prepare_pair(lab)
    farm, limit = lab.farm(), switching.SOON_SECONDS
    elsewhere = {OTHER_MAKE, *(each.number for each in BY_CONNECTION)}
    by_farm = [number for number in HOUSE.numbers if number not in elsewhere]
    farm.register(by_farm, expires=INTERVAL, seconds=limit)
    phones = {each: lab.pjsip_phone(each.number) for each in BY_CONNECTION}
    for kind, phone in phones.items():
        phone.register(transport=kind.transport, interval=INTERVAL, seconds=limit)
    lab.pjsip_phone(OTHER_MAKE).register(interval=INTERVAL, seconds=limit)
    switching.cycle(administrator)
    _take_over(administrator)
    rung = {each.number: _rings(lab, each.number) for each in BY_UDP}
    registered: dict[int, float] = {}
    for phone in phones.values():
        phone.kill()
    for kind, phone in phones.items():
        begin = time.time()
        phone.start(transport=kind.transport, interval=INTERVAL)
        told = phone.wait_for_event("register", begin, limit, code=200, active=True)
        registered[kind.number] = float(told["time"]) - begin
    return Seconds(lab, rung, registered | _restarted(lab, [each.number for each in BY_UDP]))


def _take_over(administrator: Administrator) -> None:
    lab = administrator.lab
    lab.off("a")
    answer = switching.confirm(administrator, switching.plan_with_verdict(administrator, "peer-gone"))
    assert answer.get("state") == "done", answer
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), switching.SOON_SECONDS)


def _restarted(lab: Lab, numbers: list[int]) -> dict[int, float]:
    """Cut the power of these phones of the farm and give it back; for each the seconds until it was registered."""
    farm = lab.farm()
    farm.switch_off(numbers)
    begin = farm.switch_on(numbers)
    wanted = {str(number) for number in numbers}
    what = f"{len(numbers)} phones to be registered"
    wait_for(lambda: farm.registered(begin).keys() >= wanted, switching.SOON_SECONDS, what)
    return {number: farm.registered(begin)[str(number)] - begin for number in numbers}


def _rings(lab: Lab, number: int) -> bool:
    farm = lab.farm()
    begin = farm.call(CALLER, number, then="hang-up")
    wait_for(lambda: str(number) in farm.rung(begin, CALLER), switching.SOON_SECONDS, f"{number} to ring")
    return str(number) not in farm.registered(begin)


def _call_until_it_rings(lab: Lab, number: str) -> None:
    farm, begin, calls = lab.farm(), time.time(), itertools.count()
    due = begin

    def rings() -> bool:
        nonlocal due
        if time.time() >= due:
            farm.call(CALLER, number, then="cancel")
            due = begin + next(calls) + 1
        return number in farm.rung(begin, CALLER)

    wait_for(rings, CALLED_SECONDS, f"{number} to ring")


def _ask(lab: Lab, host: str, number: int, times: int) -> list[str]:
    """REGISTERs without a password, from a host; the answers."""
    asked = ["python3", "-c", _REGISTER, str(number), lab.settings.service_address, str(times)]
    return lab.sh(host, asked).stdout.split()


@pytest.mark.shows("B8")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_phone_that_lost_its_power_after_a_takeover_registers(seconds: Seconds, kind: Kind) -> None:
    """B8: from another port, within five seconds."""
    assert seconds.registered[kind.number] < REGISTERED_SECONDS


@pytest.mark.shows("B8")
@pytest.mark.parametrize("kind", BY_UDP, ids=str)
def test_it_was_called_before_at_its_old_place(seconds: Seconds, kind: Kind) -> None:
    """B8: its contact came with the copy, and only the phone itself ended it."""
    assert seconds.rung[kind.number]


@pytest.mark.shows("B8")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_is_called_at_its_new_place(seconds: Seconds, kind: Kind) -> None:
    """Where there was room for both contacts, as soon as the PBX has seen that nobody answers at the old one."""
    if kind in BY_UDP:
        _call_until_it_rings(seconds.lab, str(kind.number))
        return
    begin = seconds.lab.farm().call(CALLER, kind.number, then="hang-up")
    seconds.lab.pjsip_phone(kind.number).wait_for_event("incoming", begin, switching.SOON_SECONDS)


@pytest.mark.shows("B8")
def test_a_request_from_another_host_takes_nothing_away(seconds: Seconds) -> None:
    lab = seconds.lab
    assert set(_ask(lab, "m", STRANGE, 4)) == {"401"}
    assert _rings(lab, STRANGE)


@pytest.mark.shows("B8")
def test_a_contact_is_back_where_nobody_proved_to_be_its_phone(seconds: Seconds) -> None:
    lab, begin = seconds.lab, time.time()
    assert _ask(lab, "t", WRONG, 2) == ["none", "401"]
    switching.wait_for_log(lab, "b", str(WRONG), begin)
    switching.wait_quietly(begin + REGISTERED_SECONDS + 3)
    assert _rings(lab, WRONG)


@pytest.mark.shows("B8")
def test_a_phone_of_another_make_registers(seconds: Seconds) -> None:
    """PJSIP writes parameters of its own into its contact."""
    phone = seconds.lab.pjsip_phone(OTHER_MAKE)
    phone.kill()
    begin = time.time()
    phone.start(interval=INTERVAL)
    told = phone.wait_for_event("register", begin, switching.SOON_SECONDS, code=200, active=True)
    assert float(told["time"]) - begin < REGISTERED_SECONDS


@pytest.mark.shows("B8")
def test_an_agent_that_was_killed_goes_on(seconds: Seconds) -> None:
    """And puts back what the one before had taken away."""
    lab, begin = seconds.lab, time.time()
    assert _ask(lab, "t", CUT_SHORT, 2) == ["none", "401"]
    lab.sh("b", ["systemctl", "kill", "--signal=KILL", "beistand-agent"])
    switching.wait_for_log(lab, "b", "agent-ready", begin)
    _call_until_it_rings(lab, str(CUT_SHORT))
    assert _restarted(lab, [KILLED])[KILLED] < REGISTERED_SECONDS


@pytest.mark.shows("B8")
def test_a_whole_floor_comes_back_at_once(seconds: Seconds) -> None:
    assert max(_restarted(seconds.lab, [*FLOOR]).values()) < REGISTERED_SECONDS
