"""A busy Asterisk that writes fifty call records a second through backup after backup, and loses none."""

from __future__ import annotations

import json

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.trees import rows
from torture.labs import lab
from torture.run import Run

RECORDS_A_SECOND = 50
SECONDS = 30
RECORDS = "/var/log/asterisk/master.db"
CALLED = "*73"
"""A code that hangs up at once: a call record, and a write into astdb."""
QUERY = "select channel from cdr where dst = '*73'"
MANAGER = """[general]
enabled = yes
bindaddr = 127.0.0.1
[busy]
secret = busy
write = all
"""
CALLER = """
import json, socket, time
asterisk = socket.create_connection(("127.0.0.1", 5038), timeout=30)
def say(**words):
    asterisk.sendall("".join(f"{name}: {value}\\r\\n" for name, value in words.items()).encode() + b"\\r\\n")
say(Action="Login", Username="busy", Secret="busy", Events="off")
begin, calls = time.monotonic(), 0
while (passed := time.monotonic() - begin) < SECONDS:
    while calls < passed * RATE:
        say(Action="Originate", Channel="Local/CALLED@inside/n", Application="Wait", Data="0", Async="true")
        calls += 1
    time.sleep(0.01)
asterisk.settimeout(1)
print(json.dumps({"calls": calls, "seconds": time.monotonic() - begin}))
"""


def campaign(run: Run) -> None:
    """Calls at one appliance, cycles in a row meanwhile; afterwards the records are counted on both."""
    with lab("busy") as booted:
        administrator = switching.prepare_pair(booted)
        with run.case(f"{RECORDS_A_SECOND} call records a second during cycles"):
            _call(run, administrator)


def _call(run: Run, administrator: Administrator) -> None:
    booted = administrator.lab
    booted.copy_in("a", "/etc/asterisk/manager.conf", MANAGER)
    booted.sh("a", ["asterisk", "-rx", "manager reload"])
    before = _records(booted, "a")
    script = CALLER.replace("SECONDS", str(SECONDS)).replace("RATE", str(RECORDS_A_SECOND))
    caller = booted.popen("a", ["/usr/bin/python3", "-c", script.replace("CALLED", CALLED)])
    cycles = 0
    while caller.poll() is None:
        switching.cycle(administrator)
        cycles += 1
        run.injected()
    out, err = caller.communicate(timeout=60)
    assert caller.returncode == 0, err
    told = json.loads(out)
    assert told["calls"] >= RECORDS_A_SECOND * SECONDS * 0.9
    wanted = before + told["calls"]
    wait_for(lambda: _records(booted, "a") >= wanted, 60, f"{wanted} call records")
    assert _records(booted, "a") == wanted
    switching.cycle(administrator)
    assert _records(booted, "b") == wanted
    run.recovered(cycles)
    run.say(f"  {told['calls']} calls in {told['seconds']:.0f} s, {cycles} cycles meanwhile, no record lost")


def _records(booted: Lab, host: str) -> int:
    """Count the calls that have a record: each has one for either half of its channel."""
    return len({str(channel).partition(";")[0] for (channel,) in rows(booted, host, RECORDS, QUERY)})
