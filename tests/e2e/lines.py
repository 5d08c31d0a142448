"""Lines that fall silent, flap and come back, in the middle of a cycle and of a takeover (F12).

The switch is cut in two: everybody keeps the link's light, and nothing says that a connection has ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from beistand.protocol import GetStatus, Status
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import asking, switching
from e2e.pairing_up import GENEROUS_SECONDS, wait_for_stage, wait_until_connected
from e2e.trees import differences, listing, run_python

SLOW_KIB = 1_000
NEW_BYTES = 12_000_000
"""Twelve seconds of transfer: time enough to lose the line in the middle of it, and far more than buffers hold."""
SHORT_CUT_SECONDS = 6.0
"""TCP lives through it, and so does the cycle."""
MOST_SECONDS = 60.0
"""After the line has gone, a cycle has to have ended, and to have said so."""
ANSWER_SECONDS = 5.0
"""A person's question is answered from this machine's own knowledge, whatever the line does."""
NEWS = "/var/spool/asterisk/monitor/line.wav"
CHANGE = f"""
import os
os.makedirs("/var/spool/asterisk/monitor", exist_ok=True)
with open("{NEWS}", "wb") as file:
    file.write(os.urandom({NEW_BYTES}))
"""


@contextmanager
def slowly(pair: Administrator) -> Iterator[None]:
    pair.run("a", "config", "set", f"bandwidth_limit={SLOW_KIB}")
    try:
        yield
    finally:
        pair.run("a", "config", "set", "bandwidth_limit=0")


def transfer_over(pair: Administrator, disturb: Callable[[], None]) -> tuple[dict[str, Any], float]:
    """Disturb the line in the middle of a cycle's transfer; the cycle's answer, and when it came."""
    lab = pair.lab
    run_python(lab, "a", CHANGE)
    begin = time.time()
    with slowly(pair):
        process = lab.popen("a", ["beistand", "cycle", "--json"])
        try:
            wait_for_stage(pair, "transfer")
            # Half has crossed the switch: whatever starts again from nothing can be seen.
            wait_for(lambda: sent(lab, begin) > NEW_BYTES / 2, GENEROUS_SECONDS, "half of the data")
            disturb()
            out, err = process.communicate(timeout=GENEROUS_SECONDS + MOST_SECONDS)
        finally:
            process.kill()
    answer: dict[str, Any] = json.loads(out or err)
    return answer, time.time()


def sent(lab: Lab, begin: float) -> int:
    """Bytes between the appliances since then, as the switch saw them."""
    settings = lab.settings
    return lab.capture.bytes_between(settings.mac("a"), settings.mac("b"), begin, time.time())


def stall_shortly(pair: Administrator) -> None:
    """The line is silent for some seconds: the cycle goes on, and nothing travels twice."""

    def disturb() -> None:
        pair.lab.split("b")
        _until(time.time() + SHORT_CUT_SECONDS)
        pair.lab.join()

    answer, _ = transfer_over(pair, disturb)
    assert answer.get("state") == "done", answer
    assert answer["result"]["bytes_on_wire"] < 1.1 * NEW_BYTES
    assert differences(listing(pair.lab, "a"), listing(pair.lab, "b")) == {}


def fall_silent(pair: Administrator) -> None:
    """The line stays silent: the cycle ends in time and says why; the next one goes on where it was."""
    lab, silent = pair.lab, 0.0
    before = listing(lab, "b")
    for host in ("a", "b"):
        look_at_page(lab, host)

    def disturb() -> None:
        nonlocal silent
        lab.split("b")
        silent = time.time()
        assert_answers_at_once(lab)

    answer, end = transfer_over(pair, disturb)
    assert answer["error"]["code"].startswith(("peer-", "transfer-interrupted")), answer
    assert answer["error"]["hint"]
    assert end - silent < MOST_SECONDS
    assert listing(lab, "b") == before
    lab.join()
    wait_until_connected(pair)
    again = pair.ask("a", "cycle")
    assert again.get("state") == "done", again
    travelled = again["result"]["bytes_on_wire"]
    assert travelled < 0.8 * NEW_BYTES, f"{travelled} bytes: what had arrived travelled again"
    assert differences(listing(lab, "a"), listing(lab, "b")) == {}


def flap(pair: Administrator) -> None:
    """A loose contact: a fifth of the time nothing gets through. Slower, and still done."""
    stopping = Event()

    def run() -> None:
        while not stopping.wait(0.8):
            pair.lab.split("b")
            stopping.wait(0.2)
            pair.lab.join()

    thread = Thread(target=run, name="flapping", daemon=True)
    try:
        answer, _ = transfer_over(pair, thread.start)
    finally:
        stopping.set()
        thread.join()
    assert answer.get("state") == "done", answer
    assert differences(listing(pair.lab, "a"), listing(pair.lab, "b")) == {}


def lose_the_line_in_a_takeover(pair: Administrator) -> float:
    """The click is made while the active serves, and the line falls silent at once; seconds until it was told.

    Nothing is taken from a side that cannot be asked; afterwards the old active serves, without a click.
    """
    lab = pair.lab
    for host in ("a", "b"):
        look_at_page(lab, host)
    shown = switching.plan(pair)
    assert shown["verdict"] == "peer-holds", shown["verdict"]
    accept = [word for each in switching.codes(shown) for word in ("--accept", each)]
    lab.split("b")
    click = time.time()
    clicked = lab.popen("b", ["beistand", "takeover", "--confirm", shown["digest"], *accept, "--json"])
    assert_answers_at_once(lab)
    out, err = clicked.communicate(timeout=GENEROUS_SECONDS + MOST_SECONDS)
    seconds = time.time() - click
    answer = json.loads(out or err)
    assert answer["error"]["hint"], answer
    assert not switching.has_address(lab, "b")
    lab.join()
    wait_until_connected(pair)
    switching.wait_for_state(pair, "a", "serving")
    assert switching.serves(lab, "a")
    assert not switching.has_address(lab, "b")
    return seconds


def assert_answers_at_once(lab: Lab) -> None:
    """Status and pages of both, while the line is silent."""
    for host in ("a", "b"):
        begin = time.monotonic()
        assert asking.ask(lab, host, GetStatus(), Status).initialised
        assert time.monotonic() - begin < ANSWER_SECONDS
        look_at_page(lab, host, ANSWER_SECONDS)


def look_at_page(lab: Lab, host: str, seconds: float = GENEROUS_SECONDS) -> None:
    """The first page ever of a process takes it far longer than all others."""
    page = f"https://{lab.settings.address(host)}:8443/log-in/"
    asked = ["curl", "--insecure", "--silent", "--max-time", f"{seconds:g}", "-o", "/dev/null"]
    lab.sh(host, [*asked, page], timeout=2 * GENEROUS_SECONDS)


def _until(moment: float) -> None:
    wait_for(lambda: time.time() >= moment, GENEROUS_SECONDS, "the end of the silence")
