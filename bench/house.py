"""A real house: when everything rings after a takeover, and what a cycle misses of a PBX that never rests."""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from beistand_lab import ringing
from beistand_lab.commands import wait_for
from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import ConditionNotMet
from beistand_lab.house import House
from beistand_lab.lab import Lab
from beistand_lab.pjsip_phone import PjsipPhone
from bench.figures import Report
from bench.noise import Noise
from bench.pair import Where, confirmed, cycle, paired

SECONDS = 90.0
MOST_TO_PHONES, MOST_TO_QUEUE, MOST_TO_TRUNKS, MOST_TO_RANDOM_TRUNKS, MOST_TO_TLS = 0.15, 0.6, 1.1, 10.0, 15.0
MOST_CPU, MOST_PACKETS = 0.5, 400
BY_TLS = (1198, 1199)
CALLER = 1151
RING_SECONDS = 2.0
TICKS = 100
"""Of /proc/PID/stat in a second."""
# A change each 50 ms, and when the PBX had acknowledged it: what comes in a row is what Asterisk commits late.
WRITER = """
import socket, time
line = socket.socket(socket.AF_UNIX); line.connect("/run/asterisk/asterisk.ctl"); line.recv(4096)
number = 0
while True:
    number += 1
    line.sendall(f"database put BENCH number {number}\\0".encode())
    while b"Updated" not in line.recv(4096): pass
    print(number, time.time(), flush=True)
    time.sleep(0.05)
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    takeovers: int
    cycles: int
    many: int


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One takeover, in seconds after the first SIP answer; the queue after its call."""

    phones: float
    lamps: float
    queue: float
    trunks: float
    tls: float


def measure(where: Where, size: Size, report: Report, noise: Noise, say: Callable[[str], None]) -> None:
    """So many takeovers with and without the option of the trunks, a restless PBX, and a thousand phones."""
    house = House()
    seen = [_one(where, house, noise, say) for _ in range(size.takeovers)]
    late = replace(house, trunks_register_at_once=False)
    random = [_one(where, late, noise, say).trunks for _ in range(size.takeovers)]
    report.hold("house: phones available after SIP", "s", [each.phones for each in seen], MOST_TO_PHONES)
    report.hold("house: lamps right after SIP", "s", [each.lamps for each in seen], MOST_TO_PHONES)
    report.hold("house: ten members ring after the call", "s", [each.queue for each in seen], MOST_TO_QUEUE)
    report.hold(
        "house: trunks with the option after SIP", "s", [each.trunks for each in seen], MOST_TO_TRUNKS
    )
    report.hold("house: trunks without it after SIP", "s", random, MOST_TO_RANDOM_TRUNKS)
    report.hold("house: phones by TLS called after SIP", "s", [each.tls for each in seen], MOST_TO_TLS)
    _restless(where, size.cycles, report, say)
    _many(where, size.many, report, say)


def _one(where: Where, house: House, noise: Noise, say: Callable[[str], None]) -> Taken:
    with paired(where, house=house) as administrator:
        lab = administrator.lab
        ringing.prepare(lab, house, SECONDS)
        phones = [_by_tls(lab, number) for number in BY_TLS]
        cycle(administrator)
        noise.sample()
        grant, sip = take_over(administrator)
        rings = ringing.watch(lab, house, grant, SECONDS)
        tls = max(_called(lab, phone) for phone in phones) - sip
        taken = Taken(
            phones=_last(rings.phones, house.phones - len(BY_TLS)) - sip,
            lamps=_last(rings.lamps, house.lamps) - sip,
            queue=_last(rings.members, house.queue_members) - rings.called,
            trunks=_last(rings.trunks, house.trunks) - sip,
            tls=tls,
        )
    say(f"house: {taken}")
    return taken


def take_over(administrator: Administrator) -> tuple[float, float]:
    """Pull the cord and take over; return when it was granted, and when SIP was answered first."""
    lab = administrator.lab
    lab.off("a")
    with lab.sip_probe(lab.settings.service_address) as probe:
        grant = float(confirmed(administrator)["granted_at"])
        return grant, probe.first_answer(grant, SECONDS)


def _by_tls(lab: Lab, number: int) -> PjsipPhone:
    lab.farm().switch_off([number])
    phone = lab.pjsip_phone(number)
    phone.register(transport="tls", interval=300, seconds=SECONDS)
    return phone


def _called(lab: Lab, phone: PjsipPhone) -> float:
    """Call it again and again; return when the first call reached it."""

    def rings() -> float:
        begin = lab.farm().call(CALLER, phone.number, then="cancel")
        try:
            return float(phone.wait_for_event("incoming", begin, RING_SECONDS)["time"])
        except ConditionNotMet:
            return 0.0

    return wait_for(rings, SECONDS, f"a call to reach {phone.number}")


def _last(times: dict[Any, float], count: int) -> float:
    """When the last of so many happened; infinitely late where some did not."""
    return max(times.values()) if len(times) == count else float("inf")


def _restless(where: Where, cycles: int, report: Report, say: Callable[[str], None]) -> None:
    """Cycles beside a change each 50 ms: what had been acknowledged before `begin`, and is missing."""
    with paired(where) as administrator:
        lab = administrator.lab
        cycle(administrator)
        writer = lab.popen("a", ["python3", "-uc", WRITER])
        seconds, begun = [], []
        for _ in range(cycles):
            began = time.perf_counter()
            cycle(administrator)
            seconds.append(time.perf_counter() - began)
            begin = datetime.fromisoformat(administrator.copies("a")[0]["generation"]["begin"])
            begun.append((begin.timestamp(), _newest_there(lab)))
        os.killpg(writer.pid, signal.SIGKILL)  # the writer, too, not only what entered the appliance
        said, _ = writer.communicate()
    puts = [(int(number), float(at)) for number, at in (line.split() for line in said.splitlines()[:-1])]
    missing = [
        max([begin - at for number, at in puts if at < begin and number > newest], default=0.0)
        for begin, newest in begun
    ]
    report.add("cycle beside a change each 50 ms", "s", seconds)
    report.hold("acknowledged before begin and missing: age of the oldest", "s", [max(missing)], 0.0)
    say(f"restless: {statistics.median(seconds):.2f} s a cycle, missing {missing}")


def _newest_there(lab: Lab) -> int:
    with tempfile.NamedTemporaryFile() as copy:
        copy.write(lab.read("b", "/var/lib/asterisk/astdb.sqlite3"))
        copy.flush()
        row = (
            sqlite3.connect(copy.name)
            .execute("select value from astdb where key = '/BENCH/number'")
            .fetchone()
        )
    return int(row[0]) if row else 0


def _many(where: Where, count: int, report: Report, say: Callable[[str], None]) -> None:
    """What asking so many phones costs, and how many packets of it pass the switch in its busiest second."""
    house = House(phones=count, maximum_expiration=3600, lamps=0)
    with paired(where, house=house) as administrator:
        lab = administrator.lab
        lab.farm().register(seconds=SECONDS)
        cycle(administrator)
        grant, _ = take_over(administrator)
        before = _cpu(lab)
        wait_for(
            lambda: len({e["number"] for e in lab.farm().events(grant, "OPTIONS")}) == count,
            SECONDS,
            "all phones",
        )
        cpu = _cpu(lab) - before
        asked = [
            each.time
            for each in lab.capture.sip_messages(grant)
            if each.header("CSeq").endswith("OPTIONS")
            and lab.settings.address("t") in (each.source, each.destination)
        ]
    busiest = max(sum(begin <= each < begin + 1 for each in asked) for begin in asked)
    report.hold(f"asking {count} phones: seconds of a core, agent", "s", [cpu], MOST_CPU)
    report.hold(f"asking {count} phones: packets in the busiest second", "", [busiest], MOST_PACKETS)
    say(f"{count} phones: {cpu:.2f} s, {busiest} packets")


def _cpu(lab: Lab) -> float:
    """Seconds of a core that the agent of b has used."""
    script = "cat /proc/$(systemctl show -p MainPID --value beistand-agent)/stat"
    fields = lab.sh("b", ["sh", "-c", script]).stdout.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
