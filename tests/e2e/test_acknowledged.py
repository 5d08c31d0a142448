"""What the PBX has acknowledged when a cycle begins is in its generation: the race held open on purpose."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from beistand_lab import contacts
from beistand_lab.demo.administrator import Administrator
from beistand_lab.demo.registrations import newest_begin
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import PHONES
from e2e.pairing_up import cycle, seeded

pytestmark = pytest.mark.lab

CYCLES = 8
LOOK_BACK_SECONDS = 3.0
"""Before a cycle's begin: the PBX commits more often than that, whatever happens."""
LAST_SECONDS = 0.05
"""Before a cycle's begin: somebody has registered in this time, or the race was not open."""
HELD_UP_SECONDS = 2.5
"""The two seconds of the promise, and what a busy machine adds to any cycle."""

# Each phone registers anew all the time, each time with another contact, as one that was switched off and on does;
# REGISTRAR, then for each phone NUMBER=ADDRESS. Asterisk allows one contact: each takes the place of the one before.
REGISTRAR = r"""
import hashlib, re, select, socket, sys, time
server, phones = sys.argv[1], dict(word.split("=") for word in sys.argv[2:])
lines = {}
for number, address in phones.items():
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind((address, 5098))
    lines[number] = line
def md5(text):
    return hashlib.md5(text.encode()).hexdigest()
def register(number, serial, sequence, more=""):
    address = phones[number]
    lines[number].sendto((
        f"REGISTER sip:{server} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {address}:5098;branch=z9hG4bK{number}x{serial}x{sequence};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{number}@{server}>;tag=t{serial}\r\nTo: <sip:{number}@{server}>\r\n"
        f"Call-ID: race-{number}-{serial}\r\nCSeq: {sequence} REGISTER\r\n"
        f"Contact: <sip:{number}-{serial}@{address}:5098>\r\n"
        f"Expires: 120\r\n{more}Content-Length: 0\r\n\r\n").encode(), (server, 5060))
def digest(number, text):
    field = dict(re.findall(r'(\w+)="?([^",\r]+)"?', text.split("WWW-Authenticate:")[1].split("\n")[0]))
    ha1, ha2 = md5(f"{number}:{field['realm']}:secret{number}"), md5(f"REGISTER:sip:{server}")
    opaque = f', opaque="{field["opaque"]}"' if "opaque" in field else ""
    answer = md5(f"{ha1}:{field['nonce']}:00000001:race:auth:{ha2}")
    return (f'Authorization: Digest username="{number}", realm="{field["realm"]}", nonce="{field["nonce"]}", '
            f'uri="sip:{server}", response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="race"{opaque}\r\n')
serials = dict.fromkeys(lines, 0)
due = time.monotonic()
while True:
    due += 0.03
    for number in lines:
        serials[number] += 1
        register(number, serials[number], 1)
    while (left := due - time.monotonic()) > 0:
        for line in select.select(list(lines.values()), [], [], left)[0]:
            text = line.recv(65536).decode()
            number = next(each for each, its in lines.items() if its is line)
            if text.startswith("SIP/2.0 401") and "CSeq: 1 " in text:
                register(number, re.search(r"Call-ID: race-\d+-(\d+)", text)[1], 2, digest(number, text))
            elif text.startswith("OPTIONS"):
                kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*$", text.replace("\r", ""), re.M)
                answer = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""])
                line.sendto(answer.encode(), (server, 5060))
    due = max(due, time.monotonic() - 0.1)
"""

# Changes in a row are what lets Asterisk commit late: a lone one is in the file at once.
WRITER = r"""
import select, socket
door = socket.socket(socket.AF_UNIX)
door.connect("/var/run/asterisk/asterisk.ctl")
door.recv(4096)
number = 0
while True:
    number += 1
    door.sendall(f"database put race number {number}\0".encode())
    while b"Updated" not in door.recv(4096):
        pass
    select.select([], [], [], 0.05)
"""


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    return seeded(lab)


@contextmanager
def running(lab: Lab, host: str, script: str, *words: str) -> Iterator[None]:
    with lab.popen(host, ["python3", "-c", script, *words]) as process:
        try:
            yield
            assert process.poll() is None, f"it ended on {host}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.shows("B15")
def test_what_was_acknowledged_before_a_cycle_began_is_on_the_standby(lab: Lab, pair: Administrator) -> None:
    """B15: three phones register thirty times a second; none acknowledged before `begin` is missing afterwards."""
    phones = [f"{number}={lab.settings.phone_address(number)}" for number in PHONES]
    numbers = {str(number) for number in PHONES}
    missing: list[str] = []
    with running(lab, "a", WRITER), running(lab, "t", REGISTRAR, lab.settings.service_address, *phones):
        wait_for(lambda: contacts.acknowledged(lab).keys() >= numbers, 20, "the first registrations")
        for _ in range(CYCLES):
            cycle(pair)
            begin = newest_begin(pair)
            there = contacts.on_the_disk(lab, "b")
            answers = contacts.from_phones(lab, begin - LOOK_BACK_SECONDS, begin)
            assert answers[-1].time > begin - LAST_SECONDS, "nobody registered in the last moment"
            missing += [
                f"{each.to_user}: acknowledged {begin - each.time:.3f} s before a cycle began"
                for each in answers
                if serial(contacts.uri_in(each.header("Contact"))) > serial(there.get(each.to_user, ""))
            ]
    assert not missing


@pytest.mark.shows("B15")
def test_a_pbx_that_hangs_does_not_hold_up_a_cycle_and_is_told(lab: Lab, pair: Administrator) -> None:
    """B15: whoever cannot be asked is waited for two seconds at most; the log says so, once."""
    stop = ["sh", "-c", "kill -$0 $(cat /run/asterisk/asterisk.pid)"]
    seconds = [_seconds_of(lambda: cycle(pair)) for _ in range(3)]
    lab.sh("a", [*stop, "STOP"])
    try:
        hung = [_seconds_of(lambda: cycle(pair)) for _ in range(2)]
    finally:
        lab.sh("a", [*stop, "CONT"])
    assert min(hung) - min(seconds) < HELD_UP_SECONDS
    told = [each["message"]["code"] for each in pair.ask("a", "log")["lines"]]
    assert told.count("pbx-not-asked") == 1


def _seconds_of(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def serial(contact: str) -> int:
    """The number of a registration, as its contact has it; 0 where there is none."""
    return int(contact.partition("@")[0].rpartition("-")[2] or 0)
