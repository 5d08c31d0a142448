"""A cycle brings everything that makes the active what it is, and nothing comes to life on the standby."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.demo.before import change_a_byte
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from e2e.outside import pbx_processes
from e2e.pairing_up import GENEROUS_SECONDS, cycle, newest, pbx_state, seeded, wait_until_connected
from e2e.trees import differences, listing, rows, run_python

pytestmark = pytest.mark.lab

MAILBOX = "/var/spool/asterisk/voicemail/default/101"
MESSAGE_BYTES = 2_000_000
GROWING = "/var/spool/asterisk/monitor/running.wav"
ASTDB, CALL_RECORDS = "/var/lib/asterisk/astdb.sqlite3", "/var/log/asterisk/master.db"

# Noise, so that no compression hides what travels; the owners are names that have other numbers on b.
PLANT = f"""
import os, shutil
def put(path, content, mode, owner="asterisk"):
    path = os.fsencode(path) if isinstance(path, str) else path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    shutil.chown(path, owner, owner)
put("{MAILBOX}/INBOX/msg0000.wav", os.urandom({MESSAGE_BYTES}), 0o640)
put("{MAILBOX}/INBOX/msg0000.txt", b"[message]\\n", 0o640)
put("/etc/asterisk/keys/secret.pem", b"secret", 0o400, "root")
put("/etc/asterisk/late.conf", b"will go", 0o644, "mail")
put(b"/etc/asterisk/odd \\xff\\xfe\\nname; #.conf", b"odd", 0o644)
put("/etc/asterisk/empty.conf", b"", 0o600)
put("/var/lib/asterisk/sounds/custom/greeting.wav", os.urandom(50_000), 0o644)
os.makedirs("/var/spool/asterisk/recordings/empty", exist_ok=True)
os.chmod("/var/spool/asterisk/recordings", 0o1770)
os.symlink("greeting.wav", "/var/lib/asterisk/sounds/custom/alias.wav")
"""
CHANGE = f"""
import os, shutil
os.makedirs("{MAILBOX}/Old", exist_ok=True)
for name in ("msg0000.wav", "msg0000.txt"):
    os.rename("{MAILBOX}/INBOX/" + name, "{MAILBOX}/Old/" + name)
os.unlink("/etc/asterisk/late.conf")
os.rmdir("/var/spool/asterisk/recordings/empty")
with open("/var/spool/asterisk/recordings/empty", "w") as file:
    file.write("a file where a folder was")
os.unlink("/var/lib/asterisk/sounds/custom/alias.wav")
os.symlink("missing.wav", "/var/lib/asterisk/sounds/custom/alias.wav")
os.chmod("/etc/asterisk/keys/secret.pem", 0o640)
shutil.chown("/etc/asterisk/keys/secret.pem", "asterisk", "mail")
with open(b"/etc/asterisk/new \\x80.conf", "w") as file:
    file.write("new")
"""
GROW = f"""
import os, select
os.makedirs(os.path.dirname("{GROWING}"), exist_ok=True)
while True:
    with open("{GROWING}", "ab", buffering=0) as file:
        file.write(os.urandom(2000))
    select.select([], [], [], 0.002)
"""


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    return seeded(lab)


def assert_equal_trees(lab: Lab) -> None:
    there = listing(lab, "b")
    assert differences(listing(lab, "a"), there) == {}
    assert len(there) > 10


@pytest.mark.shows("S2")
def test_owners_modes_links_and_odd_names_arrive(lab: Lab, pair: Administrator) -> None:
    """S2: names of owners count, not their numbers; names of files are bytes."""
    assert lab.sh("a", ["id", "-u", "asterisk"]).stdout != lab.sh("b", ["id", "-u", "asterisk"]).stdout
    run_python(lab, "a", PLANT)
    cycle(pair)
    assert_equal_trees(lab)
    there = listing(lab, "b")
    assert there[ascii("/etc/asterisk/odd \udcff\udcfe\nname; #.conf")][:3] == [
        "file",
        "asterisk:asterisk",
        "0o644",
    ]
    assert there[ascii("/etc/asterisk/keys/secret.pem")][:3] == ["file", "root:root", "0o400"]


@pytest.mark.shows("S2")
def test_a_byte_changed_in_secret_travels(lab: Lab, pair: Administrator) -> None:
    """S2: size and modification time are what they were, the byte is not."""
    path = "/etc/asterisk/extensions.conf"
    before = lab.read("b", path)
    change_a_byte(lab, "a", path)
    assert lab.read("a", path) != before
    cycle(pair)
    assert lab.read("b", path) == lab.read("a", path)
    assert_equal_trees(lab)


@pytest.mark.shows("S2")
def test_what_was_deleted_moved_and_changed_its_kind_is_so_there(lab: Lab, pair: Administrator) -> None:
    """S2: a heard message costs nothing to move; at the switch hardly more passes than for no change."""
    run_python(lab, "a", CHANGE)
    begin = time.time()
    cycle(pair)
    on_wire = lab.capture.bytes_between(lab.settings.mac("a"), lab.settings.mac("b"), begin, time.time())
    assert_equal_trees(lab)
    assert len(lab.read("b", f"{MAILBOX}/Old/msg0000.wav")) == MESSAGE_BYTES
    assert on_wire < MESSAGE_BYTES / 10


@pytest.mark.shows("S2")
def test_call_records_and_forwards_arrive(lab: Lab, pair: Administrator) -> None:
    """S2: what a phone does is in the standby's databases after the next cycle."""
    phone = lab.phone(101)
    phone.register(seconds=GENEROUS_SECONDS)
    begin = phone.dial("*72103")
    phone.wait_for_event("CALL_ESTABLISHED", begin, GENEROUS_SECONDS)
    phone.hangup()
    forward = "select value from astdb where key = '/CF/101'"

    def is_written() -> bool:
        try:
            records = rows(lab, "a", CALL_RECORDS, "select 1 from cdr")
        except (LabError, sqlite3.OperationalError):
            return False  # not made yet
        return len(records) == 1 and rows(lab, "a", ASTDB, forward) == [("103",)]

    # Asterisk itself writes about once a second.
    wait_for(is_written, GENEROUS_SECONDS, "the records on the active")
    cycle(pair)
    records = "select * from cdr order by 1"
    assert rows(lab, "b", CALL_RECORDS, records) == rows(lab, "a", CALL_RECORDS, records)
    assert rows(lab, "b", ASTDB, forward) == [("103",)]
    contacts = "select key from astdb where key like '/registrar/contact/%'"
    assert len(rows(lab, "b", ASTDB, contacts)) == 1
    owner = ["stat", "-c", "%U:%G %a", ASTDB, CALL_RECORDS]
    assert lab.sh("b", owner).stdout == lab.sh("a", owner).stdout
    phone.kill()


@contextmanager
def growing_file(lab: Lab) -> Iterator[None]:
    """A recording that is being written all the time."""
    writer = lab.popen("a", ["/usr/bin/python3", "-c", GROW])
    try:
        size = ["stat", "-c", "%s", GROWING]
        is_there = lambda: lab.sh("a", size, check=False).returncode == 0  # noqa: E731
        wait_for(is_there, GENEROUS_SECONDS, "the first bytes of the recording")
        yield
    finally:
        # Inside the appliance: what was started here only entered it.
        lab.sh("a", ["pkill", "-f", "running.wav"], check=False)
        writer.communicate(timeout=10)


@pytest.mark.shows("S2")
def test_a_growing_file_is_told_and_left_for_the_next_cycle(lab: Lab, pair: Administrator) -> None:
    """S2: a recording in progress is no failure, and everything else travels."""
    with growing_file(lab):
        lab.copy_in("a", "/etc/asterisk/meanwhile.conf", "beside it")
        cycle(pair)
    assert newest(pair, "a")["generation"]["growing"] == [GROWING]
    assert lab.read("b", "/etc/asterisk/meanwhile.conf") == b"beside it"
    cycle(pair)
    assert newest(pair, "a")["generation"]["growing"] == []
    assert_equal_trees(lab)


@pytest.mark.shows("S9")
def test_a_changed_configuration_is_on_both_at_once(lab: Lab, pair: Administrator) -> None:
    """S9, S17: pair settings travel without a cycle; on the standby they are read only."""
    count = len(pair.copies("a"))
    pair.run("a", "config", "set", "attempts=7", "keep_generations=9")

    def is_there() -> bool:
        config = pair.ask("b", "config", "show")
        return (config["attempts"], config["keep_generations"]) == (7, 9)

    wait_for(is_there, GENEROUS_SECONDS, "the configuration on the standby")
    assert pair.ask("b", "config", "show") == pair.ask("a", "config", "show")
    assert len(pair.copies("a")) == count
    refused = pair.ask("b", "config", "set", "attempts=3")
    assert refused["error"]["code"] == "configure-on-the-active"
    assert pair.ask("b", "config", "show")["attempts"] == 7


@pytest.mark.shows("B1")
def test_both_sides_say_the_same_of_every_generation(pair: Administrator) -> None:
    """B1: state, reason and origin; nothing claims more than imported."""

    def said(host: str) -> list[tuple[object, ...]]:
        return [
            (each["generation"]["id"], each["state"], each["why"], each["failed_stage"], each["asked"])
            for each in pair.copies(host)
        ]

    wait_for(lambda: said("a") == said("b"), GENEROUS_SECONDS, "both to say the same")
    assert {state for _, state, *_ in said("a")} == {"imported"}
    assert len(said("a")) >= 6


@pytest.mark.shows("S17")
def test_the_pbx_of_the_standby_never_runs(lab: Lab, pair: Administrator) -> None:
    """S17: not after imports, not by hand, not after a power cut, not after the first cycle since."""
    assert (pbx_state(lab, "b"), pbx_processes(lab, "b")) == ("inactive", [])
    lab.sh("b", ["systemctl", "start", "asterisk"], check=False)
    assert pbx_processes(lab, "b") == []
    lab.off("b")
    begin = time.time()
    lab.on("b")
    wait_until_connected(pair)
    booted = ["systemctl", "is-system-running", "--wait"]
    lab.sh("b", booted, check=False, timeout=GENEROUS_SECONDS)
    assert pbx_processes(lab, "b") == []
    cycle(pair)
    assert pbx_processes(lab, "b") == []
    assert pair.status("b")["state"] == "standing-by"
    assert_equal_trees(lab)
    own = lab.settings.mac("b")
    claims = lab.capture.arp_claims(lab.settings.service_address, begin)
    assert not [each for each in claims if own in {each.mac, each.ethernet_source}]
