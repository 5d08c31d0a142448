"""The first import by a file: made on the active, carried by hand, shown, confirmed, and never sent again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import zstandard

from beistand.adapters.export_signatures import ExportSignatures
from beistand.adapters.keys import SshKeys
from beistand.adapters.tar_blocks import END, member_block, padding
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e.outside import pbx_processes
from e2e.pairing_up import (
    GENEROUS_SECONDS,
    cycle,
    initialised,
    kill_agent,
    newest,
    wait_for_agent,
    wait_until_connected,
)
from e2e.trees import differences, listing, run_python

pytestmark = pytest.mark.lab

NOISE_BYTES = 3_000_000
PLANT = f"""
import os
os.makedirs("/var/spool/asterisk/monitor", exist_ok=True)
with open("/var/spool/asterisk/monitor/call.wav", "wb") as file:
    file.write(os.urandom({NOISE_BYTES}))
"""
HALF = """
import sys
sys.path.insert(0, next(iter(__import__("glob").glob("/opt/beistand/lib/python3*/site-packages"))))
from beistand.client import Client
from beistand.protocol import BeginUpload, Done, SendUpload, UploadView
with Client() as client:
    begun = client.call(BeginUpload(name="x.beistand", size=1000000), UploadView)
    client.call(SendUpload(id=begun.id, offset=0, data=bytes(400000)), Done)
"""
UPLOAD, CARRIED = "/var/lib/beistand/upload", "/root/carried.beistand"
PASSPHRASE = "correct horse"


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    """Paired, after a backup of the unpaired active; nothing is imported yet."""
    administrator = initialised(lab)
    run_python(lab, "a", PLANT)
    assert administrator.ask("a", "backup", "create")["backup"]["id"]
    done = administrator.pair()
    assert done.returncode == 0, done.stderr
    return administrator


@pytest.fixture(scope="module")
def carried(lab: Lab, pair: Administrator) -> bytes:
    """A backup of the active in a file on the standby's disk, as a person brings it there."""
    made = pair.ask("a", "backup", "create")["backup"]
    pair.run("a", "backup", "get", made["id"], "-o", CARRIED)
    lab.copy_in("b", CARRIED, body := lab.read("a", CARRIED))
    assert len(body) == made["file_size"]
    return body


def refused(pair: Administrator, *words: str) -> str:
    answer = pair.ask("b", "backup", *words)
    return str((answer.get("error") or answer)["code"])


def nothing_left(lab: Lab) -> bool:
    return lab.sh("b", ["test", "-e", UPLOAD], check=False).returncode != 0


def members(body: bytes) -> list[tuple[str, bytes]]:
    """The members of an export, read by hand."""
    plain = zstandard.ZstdDecompressor().stream_reader(body).read()
    found, at = [], 0
    while any(plain[at : at + 512]):
        name, size = plain[at : at + 100].rstrip(b"\0").decode(), int(plain[at + 124 : at + 135], 8)
        found.append((name, plain[at + 512 : at + 512 + size]))
        at += 512 + size + len(padding(size))
    return found


def forged(body: bytes, folder: Path, **changes: Any) -> bytes:
    """The same backup as another pair's active would have made it."""
    (name, header), (signature, _), *rest = members(body)
    said = json.loads(header)
    said["generation"].update(changes)
    header = json.dumps(said).encode()
    signed = ExportSignatures(keys=SshKeys(folder=folder)).sign(header)
    them = [(name, header), (signature, signed), *rest]
    blocks = [member_block(name, len(body)) + body + padding(len(body)) for name, body in them]
    return zstandard.ZstdCompressor().compress(b"".join(blocks) + END)


@pytest.mark.shows("S14", "F4")
def test_what_is_damaged_or_not_ours_is_refused(
    lab: Lab, pair: Administrator, carried: bytes, tmp_path: Path
) -> None:
    """S14, F4, F7: another pair's, one from before the pairing, a damaged one; the trees stay as they were."""
    before = listing(lab, "b")
    first = pair.ask("a", "backup", "list")["backups"][-1]["id"]
    pair.run("a", "backup", "get", first, "-o", "/root/first.beistand")
    flipped = bytearray(carried)
    flipped[len(carried) // 2] ^= 1
    tries = {
        "export-before-pairing": lab.read("a", "/root/first.beistand"),
        "generation-other-pair": forged(carried, tmp_path / "keys", pair="d" * 32),
        "export-signature-wrong": forged(carried, tmp_path / "keys"),
        "export-damaged": carried[: len(carried) // 2],
        "content-differs": bytes(flipped),
    }
    found = {}
    for code, body in tries.items():
        lab.copy_in("b", "/root/evil.beistand", body)
        found[code] = refused(pair, "check", "/root/evil.beistand")
        assert nothing_left(lab)
    # Where the flipped bit falls decides which of the two it is.
    assert found.pop("content-differs") in ("content-differs", "export-damaged")
    assert all(code == said for code, said in found.items()), found
    assert differences(before, listing(lab, "b")) == {}


@pytest.mark.shows("S16")
def test_on_the_active_nothing_is_imported(pair: Administrator, carried: bytes) -> None:
    """S16: the active says that nothing has to be done there."""
    answer = pair.ask("a", "backup", "check", CARRIED)
    assert answer["error"]["code"] == "seed-on-the-active"


@pytest.mark.shows("S16")
def test_an_upload_that_breaks_off_leaves_nothing(lab: Lab, pair: Administrator) -> None:
    """S16: the one who sent it is gone, and the agent was killed."""
    lab.sh("b", ["/opt/beistand/bin/python", "-c", HALF])
    assert lab.sh("b", ["stat", "-c", "%s %a %U", f"{UPLOAD}/export"]).stdout == "400000 600 root\n"
    kill_agent(lab, "b")
    wait_for_agent(lab, "b")
    assert nothing_left(lab)


@pytest.mark.shows("F1")
def test_killed_while_it_imports_the_standby_is_whole(lab: Lab, pair: Administrator, carried: bytes) -> None:
    """F1: the old data or the new, and the next try works."""
    before, wanted = listing(lab, "b"), listing(lab, "a")
    generation = pair.ask("b", "backup", "check", CARRIED)["generation"]["id"]
    importing = lab.popen("b", ["beistand", "backup", "import", CARRIED, "--confirm", generation])

    def has_begun() -> bool:
        job = pair.status("b")["job"]
        return importing.poll() is not None or (job is not None and job["kind"] == "seed")

    wait_for(has_begun, GENEROUS_SECONDS, "the import")
    kill_agent(lab, "b")
    importing.communicate(timeout=GENEROUS_SECONDS)
    wait_for_agent(lab, "b")
    assert nothing_left(lab)
    found = listing(lab, "b")
    assert differences(found, before) == {} or differences(found, wanted) == {}
    assert pair.status("b")["role"] == "standby"


@pytest.mark.shows("S14", "S16")
def test_a_confirmed_file_becomes_the_standbys_data(lab: Lab, pair: Administrator, carried: bytes) -> None:
    """S14, S16: looked at, confirmed by name, imported; both sides know it; nothing of the PBX runs."""
    made = pair.ask("a", "backup", "create", timeout=300)["backup"]
    pair.run("a", "backup", "get", made["id"], "-o", CARRIED)
    lab.copy_in("b", CARRIED, lab.read("a", CARRIED))
    shown = pair.ask("b", "backup", "check", CARRIED)
    assert shown["host"] == lab.sh("a", ["hostname"]).stdout.strip()
    assert {each["path"] for each in shown["parts"]} >= {"/etc/asterisk", "/var/lib/asterisk/astdb.sqlite3"}
    assert refused(pair, "import", CARRIED) == "seed-not-confirmed"
    assert refused(pair, "import", CARRIED, "--confirm", "20200101T000000Z-1") == "seed-not-confirmed"
    assert nothing_left(lab)
    generation = shown["generation"]["id"]
    job = pair.ask("b", "backup", "import", CARRIED, "--confirm", generation)
    assert job["result"]["state"] == "imported", job
    assert differences(listing(lab, "a"), listing(lab, "b")) == {}
    assert pbx_processes(lab, "b") == []
    assert nothing_left(lab)
    assert pair.ask("b", "generation", "list")["live"] == generation
    assert newest(pair, "b")["generation"]["id"] == generation

    def active_knows() -> bool:
        usable = pair.status("a")["usable"]
        return usable is not None and usable["generation"]["id"] == generation

    wait_for(active_knows, GENEROUS_SECONDS, "the active to hear of it")


@pytest.mark.shows("S16")
def test_what_was_seeded_does_not_travel_again(lab: Lab, pair: Administrator) -> None:
    """S16: that is what the file is for; measured at the switch."""
    wait_until_connected(pair)
    lab.copy_in("a", "/etc/asterisk/later.conf", "changed since")
    begin = time.time()
    cycle(pair)
    on_wire = lab.capture.bytes_between(lab.settings.mac("a"), lab.settings.mac("b"), begin, time.time())
    assert differences(listing(lab, "a"), listing(lab, "b")) == {}
    assert on_wire < NOISE_BYTES / 20
    assert refused(pair, "check", CARRIED) == "generation-not-newer"


@pytest.mark.shows("S14")
def test_an_encrypted_backup_needs_its_passphrase(lab: Lab, pair: Administrator) -> None:
    """S14: without it the file tells nothing, with it it is checked as any other."""
    made = json.loads(
        pair.run("a", "backup", "create", "--passphrase-stdin", "--json", input=f"{PASSPHRASE}\n").stdout
    )["backup"]
    pair.run("a", "backup", "get", made["id"], "-o", CARRIED)
    body = lab.read("a", CARRIED)
    assert b"header.json" not in body
    lab.copy_in("b", CARRIED, body)
    assert refused(pair, "check", CARRIED) == "passphrase-missing"
    words = ["backup", "check", CARRIED, "--passphrase-stdin", "--json"]
    wrong = pair.run("b", *words, input="wrong\n", check=False)
    assert json.loads(wrong.stdout or wrong.stderr)["error"]["code"] == "passphrase-wrong"
    right = pair.run("b", *words, input=f"{PASSPHRASE}\n")
    assert json.loads(right.stdout)["generation"]["id"] == made["generation"]["id"]


@pytest.mark.shows("S12", "S14")
def test_the_schedule_makes_local_backups_on_the_active_only(lab: Lab, pair: Administrator) -> None:
    """S12, S14, S17: what was missed runs once; retention leaves those by hand; a meeting schedule is refused."""
    by_hand = {each["id"] for each in pair.ask("a", "backup", "list")["backups"]}
    # Every day from today's midnight on: that one was missed.
    pair.run("a", "config", "set", "keep_backups=1", "backup_schedule.interval=day")

    def is_made() -> bool:
        return any(not each["asked"] for each in pair.ask("a", "backup", "list")["backups"])

    wait_for(is_made, GENEROUS_SECONDS, "the scheduled backup")
    found = pair.ask("a", "backup", "list")
    assert {each["id"] for each in found["backups"] if each["asked"]} == by_hand
    assert len(found["backups"]) == len(by_hand) + 1
    assert found["next_backup"]
    meeting = pair.ask("a", "config", "set", "schedule.interval=day")
    assert meeting["error"]["code"] == "schedules-meet"
    there = pair.ask("b", "backup", "list")
    assert (there["backups"], there["next_backup"]) == ([], "")
