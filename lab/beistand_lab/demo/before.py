"""The demo while all is well: telephones in use, cycles, and an attack on the standby's identity."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

from beistand_lab import calls
from beistand_lab.demo import registrations
from beistand_lab.demo.administrator import Administrator
from beistand_lab.demo.everything_rings import WATCHED, WATCHING, House
from beistand_lab.demo.teller import Teller
from beistand_lab.errors import ConditionNotMet
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import APPLIANCES, PHONES

TOUCHED = "/etc/asterisk/extensions.conf"
"""One byte of its first line, a comment, is changed behind everybody's back."""
MOST_CYCLES = 10
"""Tries for one in which really nothing changed; the last one counts."""
MOST_ROUNDS = 5
"""Tries to have every phone registered and imported at the same time."""
YOUNG_SECONDS = 60
"""A registration of this age is not due to be renewed before the first call after the takeover."""
MESSAGE = "/var/spool/asterisk/voicemail/default/102/INBOX/msg0000.txt"
MEANWHILE = ("job-running", "generation-not-newer", "manifest-differs")
"""Where a cycle of the schedule came between: it runs, or brought something newer, or another manifest."""
FIRST_CYCLE_SECONDS = 120
TCP, SYN, ACK = 6, 0x02, 0x10
INTERVAL = 120
"""Seconds between registrations: as long as the lab's PBX lets them last, so that none falls into the takeover."""


def register_the_phones(lab: Lab) -> None:
    """Switch the phones on, off before; 102 and 103 ring until somebody answers, 101 answers by itself."""
    for number in PHONES:
        answer = "auto" if number == 101 else "manual"
        lab.phone(number).register(answer=answer, interval=INTERVAL, seconds=40)


def connect(house: House, teller: Teller) -> None:
    """A trunk and a lamp, as a PBX in use has them."""
    house.connect_trunk()
    house.light_lamp()
    teller.act(f"a trunk is registered at its provider; {WATCHING} has a lamp that shows {WATCHED}")


def use_the_telephones(lab: Lab, teller: Teller) -> None:
    """101 leaves 102 a message; 102 has its calls forwarded to 103 when it does not answer."""
    heard = calls.leave_message(lab, 101, 102)
    # Asterisk puts it into the mailbox after the caller has hung up.
    wait_for(lambda: _exists(lab, "a", MESSAGE), 20, "the message in the mailbox")
    teller.claim("voicemail_left", heard, "101 leaves voicemail for 102")
    calls.dial_and_wait_for_the_end(lab, 102, "*61103")
    teller.act("102 forwards its calls to 103 when nobody answers (*61103)")


def first_cycle(administrator: Administrator, teller: Teller) -> bool:
    """A cycle by hand fills the empty standby."""
    answer, seconds, on_wire = cycle(administrator)
    teller.figures["cycle_bytes_on_wire"] = on_wire
    done = answer.get("state") == "done"
    teller.measure("cycle_seconds", seconds if done else None, "beistand cycle, the first: seconds")
    if not done:
        teller.act(f"  {answer}")
    return done


def cycle(administrator: Administrator) -> tuple[dict[str, Any], float, int]:
    """A cycle by hand: its answer, its seconds, and the bytes between the appliances meanwhile."""
    lab = administrator.lab
    while True:
        begin = time.time()
        answer = administrator.ask("a", "cycle", timeout=FIRST_CYCLE_SECONDS)
        end = time.time()
        if (answer.get("error") or {}).get("code") != "job-running":
            break
        # The schedule was faster: its cycle ends first, ours is the one that is measured.
        wait_for(lambda: administrator.status("a")["job"] is None, FIRST_CYCLE_SECONDS, "the running job")
    settings = lab.settings
    on_wire = lab.capture.bytes_between(settings.mac("a"), settings.mac("b"), begin, end)
    return answer, end - begin, on_wire


def attack_the_identity(lab: Lab, teller: Teller) -> None:
    """Manifests that are sent correctly and name what must never be written."""
    lab.copy_in("a", "/root/liar.py", (Path(__file__).parent / "liar.py").read_text())
    lies = (
        (["/etc/ssh/ssh_host_ed25519_key"], "names-identity"),
        (["/etc/machine-id"], "names-identity"),
        (["/var/lib/asterisk/licenses/codec.lic"], "names-identity"),
        (["/etc/asterisk/innocent.conf", "/etc/ssh/ssh_host_ed25519_key"], "link-to-identity"),
    )
    for lie, why in lies:
        told = _lied(lab, lie)
        text = f"a manifest that names {' -> '.join(lie)} is refused: {told}"
        name = "lie_refused_" + lie[0].rsplit("/", 1)[1].replace(".", "_").replace("-", "_")
        teller.claim(name, told == why, text)


def _lied(lab: Lab, lie: list[str]) -> str:
    """What the standby says to a lie, once no cycle of the schedule is in its way."""
    python = ["/opt/beistand/bin/python", "/root/liar.py", *lie]

    def told() -> str:
        said = lab.sh("a", python, timeout=60).stdout.strip().splitlines()[-1]
        return "" if said in MEANWHILE else said

    return wait_for(told, 60, f"an answer to {' -> '.join(lie)}")


def set_the_schedule(administrator: Administrator, teller: Teller) -> float:
    """Once an hour from this minute on: the first cycle comes at once, none into what follows. Returns when."""
    start = dt.datetime.now()  # noqa: DTZ005  # local time is what is typed
    settings = {
        "schedule.interval": "hour",
        "schedule.every": "1",
        "schedule.start": start.strftime("%Y-%m-%d"),
        "schedule.at": start.strftime("%H:%M"),
    }
    now = time.time()
    administrator.run("a", "config", "set", *(f"{name}={value}" for name, value in settings.items()))
    teller.act(f"beistand config set: a cycle every hour from {settings['schedule.at']} on")
    return now


def wait_for_the_schedule(administrator: Administrator, teller: Teller) -> None:
    """A generation that nobody asked for."""

    def unasked() -> bool:
        imported = {
            each["generation"]["id"] for each in administrator.copies("b") if each["state"] == "imported"
        }
        return any(
            not each["asked"] and each["generation"]["id"] in imported for each in administrator.copies("a")
        )

    try:
        wait_for(unasked, 130, "a cycle of the schedule")
    except ConditionNotMet:
        teller.claim("scheduled_cycle_seen", False, "no cycle came from the schedule")
        return
    teller.claim("scheduled_cycle_seen", True, "a cycle came from the schedule, unasked")


def last_cycles(administrator: Administrator, teller: Teller) -> None:
    """A byte changed in secret travels; then nothing changes, and nearly nothing travels."""
    lab = administrator.lab
    change_a_byte(lab, "a", TOUCHED)
    answer, _, _ = cycle(administrator)
    same = lab.read("a", TOUCHED) == lab.read("b", TOUCHED)
    teller.claim(
        "secret_byte_travelled", same, f"a byte changed with size and time put back travels {_short(answer)}"
    )
    missing = registrations.missing(administrator)
    answer, seconds, on_wire = unchanged_cycle(administrator)
    done = answer.get("state") == "done"
    teller.measure("nochange_cycle_seconds", seconds if done else None, "a cycle without changes: seconds")
    teller.measure(
        "nochange_bytes_on_wire", on_wire if done else None, "  bytes between the appliances", most=20_000
    )
    missing += registrations.missing(administrator)
    text = ", ".join(missing) or "none"
    teller.claim(
        "acknowledged_is_there", not missing, f"registered before a cycle began and not in it: {text}"
    )


def be_ready_for_the_cord(administrator: Administrator) -> None:
    """Go on until every phone is registered, for a while to come, and the standby has exactly that.

    Almost always that is so at once; not where this machine was so slow that a phone renewed meanwhile.
    """
    for _ in range(MOST_ROUNDS):
        if registrations.are_all_there(administrator, YOUNG_SECONDS):
            return
        begin = time.time()
        register_the_phones(administrator.lab)
        registrations.wait_until_acknowledged(administrator, begin)
        cycle(administrator)
    raise ConditionNotMet(f"after {MOST_ROUNDS} cycles pbx-b still lacks a registration")


def unchanged_cycle(administrator: Administrator) -> tuple[dict[str, Any], float, int]:
    """A cycle whose generation is the one before, to the byte, over a line that was up before it.

    A phone that registers meanwhile is a change; a connection that the two make anew is no part of a cycle.
    """
    for _ in range(MOST_CYCLES):
        before, begin = administrator.copies("a")[0]["generation"]["manifest"], time.time()
        measured = cycle(administrator)
        is_same = administrator.copies("a")[0]["generation"]["manifest"] == before
        if is_same and not _connected_anew(administrator.lab, begin):
            break
    return measured


def _connected_anew(lab: Lab, after: float) -> bool:
    """Whether one appliance opened a connection to the other since a time."""
    own = {lab.settings.address(host) for host in APPLIANCES}
    packets = lab.capture.ip_packets(after)
    return any(
        each.protocol == TCP and each.flags & (SYN | ACK) == SYN and {each.source, each.destination} == own
        for each in packets
    )


def change_a_byte(lab: Lab, host: str, path: str) -> None:
    """Change one byte and put the modification time back: size and time are what they were."""
    script = (
        f"cp -p {path} /root/before && printf X | dd of={path} bs=1 seek=3 conv=notrunc status=none "
        f"&& touch -r /root/before {path}"
    )
    lab.sh(host, ["sh", "-c", script])


def _exists(lab: Lab, host: str, path: str) -> bool:
    return lab.sh(host, ["test", "-e", path], check=False).returncode == 0


def _short(answer: dict[str, Any]) -> str:
    return "" if answer.get("state") == "done" else f"({answer})"
