"""The PBX's own account is broken into, on the active and by a cycle on the standby: Beistand lives and says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.pairing_up import refused_cycle, restarts

pytestmark = pytest.mark.lab

VICTIM = "/var/lib/beistand/keep-me"
ASTDB, CALL_RECORDS = "/var/lib/asterisk/astdb.sqlite3", "/var/log/asterisk/master.db"
SAVED = "/var/spool/asterisk/tmp/astdb"
PLACE = "/var/spool/asterisk/recordings"
HOSTILE_FILES = Path(__file__).parents[1] / "fakes/hostile_files.py"

TEXTS = r"""
with open("/etc/asterisk/voicemail.conf", "a") as file:
    file.write("\n[default]\n4711 => 1,Somebody,somebody@example.org\n")
    file.write("#include" + " " * 4000 + '"x"y\n')
    file.write("[one]\n1 => 1,x\n[two]\n" + "[one](two)\n[two](one)\n" * 20)
with open("/etc/asterisk/sip_hostile.conf", "w") as file:
    file.write("[general]\nregister => " + ":" * 100_000 + "\n")
os.mkfifo("/etc/asterisk/pjsip_fifo.conf")
os.symlink("voicemail.conf", "/etc/asterisk/pjsip_link.conf")
"""
"""What stands in configuration files; the FIFO stays behind, as FIFOs do."""
LINK = "/etc/asterisk/pjsip_zero.conf"
EXCHANGE = f"""
import os, select
os.makedirs("{PLACE}/a", exist_ok=True)
for number in range(400):
    open(f"{PLACE}/a/%03d" % number, "w").close()
print("going", flush=True)
while not select.select([0], [], [], 0)[0]:
    os.rename("{PLACE}/a", "{PLACE}/z")
    os.symlink("/var/lib/beistand", "{PLACE}/a")
    os.unlink("{PLACE}/a")
    os.rename("{PLACE}/z", "{PLACE}/a")
"""
"""A folder that is a link to root's own every other moment, until the standard input ends."""


def as_asterisk(lab: Lab, host: str, script: str) -> None:
    """Run a script as the account of the PBX, with the makers of hostile files at hand."""
    makers = HOSTILE_FILES.read_text()
    lab.sh(host, ["runuser", "-u", "asterisk", "--", "/usr/bin/python3", "-"], input=makers + script)


def replaced(database: str, make: str) -> str:
    """A script that puts a database in the place of the PBX's, which goes on writing to the old one."""
    return f"""
new = Path("{database}.new")
new.unlink(missing_ok=True)
{make}(new)
for ending in ("-journal", "-wal", "-shm"):
    Path("{database}" + ending).unlink(missing_ok=True)
new.rename("{database}")
"""


@contextmanager
def folders_exchanged(lab: Lab) -> Iterator[None]:
    with lab.popen("a", ["runuser", "-u", "asterisk", "--", "/usr/bin/python3", "-c", EXCHANGE]) as process:
        assert process.stdout
        assert "going" in process.stdout.readline()
        try:
            yield
        finally:
            process.communicate()


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    administrator = switching.prepare_pair(lab)
    # The phones that are registered stay the witnesses of the takeover.
    as_asterisk(lab, "a", f'sqlite3.connect("{ASTDB}").backup(sqlite3.connect("{SAVED}"))\n')
    lab.sh("a", ["sh", "-c", f"echo of root > {VICTIM}"])
    lab.sh("b", ["sh", "-c", f"echo of root > {VICTIM}"])
    return administrator


def told(administrator: Administrator, host: str) -> dict[str, dict[str, Any]]:
    """The findings of `beistand status`, by the path that they name."""
    found = administrator.status(host)["findings"]
    return {each["fields"]["path"]: each for each in found if "path" in each["fields"]}


def wait_until_told(administrator: Administrator, host: str, path: str, code: str) -> None:
    def is_told() -> bool:
        switching.plan(administrator, host)
        return told(administrator, host).get(path, {}).get("code") == code

    wait_for(is_told, switching.SOON_SECONDS, f"{host} to say {code} of {path}")


def test_a_planted_journal_fails_the_cycle_by_name_and_deletes_nothing(administrator: Administrator) -> None:
    lab = administrator.lab
    script = (
        replaced(CALL_RECORDS, "plain") + f'plant_super_journal(Path("{CALL_RECORDS}"), Path("{VICTIM}"))\n'
    )
    as_asterisk(lab, "a", script)
    error = refused_cycle(administrator)
    assert (error["code"], error["fields"]["path"]) == ("reading-journal", CALL_RECORDS)
    assert lab.sh("a", ["cat", VICTIM]).stdout == "of root\n"
    as_asterisk(lab, "a", replaced(CALL_RECORDS, "plain"))
    switching.cycle(administrator)


def test_a_link_to_an_endless_device_is_named_on_both_sides(administrator: Administrator) -> None:
    lab = administrator.lab
    as_asterisk(lab, "a", f'os.symlink("/dev/zero", "{LINK}")\n')
    error = refused_cycle(administrator)
    assert (error["code"], error["fields"]["path"]) == ("link-leaves-trees", LINK)
    as_asterisk(lab, "a", f'os.unlink("{LINK}")\n')
    switching.cycle(administrator)


def test_texts_keep_neither_side_from_answering(administrator: Administrator) -> None:
    lab = administrator.lab
    before = [restarts(lab, host) for host in ("a", "b")]
    as_asterisk(lab, "a", TEXTS)
    with folders_exchanged(lab):
        for _ in range(3):
            answer = administrator.ask("a", "cycle")
            # A folder may have gone while it was looked at; what matters is what gets in.
            assert answer.get("state") == "done" or "error" in answer, answer
    switching.cycle(administrator)
    manifests = lab.sh("a", ["sh", "-c", "cat /var/lib/beistand/manifests/*.jsonl"]).stdout
    assert f'"{PLACE}/a/000"' in manifests
    assert "keep-me" not in manifests
    assert "state.db" not in manifests
    for host in ("a", "b"):
        wait_until_told(administrator, host, "/etc/asterisk/voicemail.conf", "reading-too-much")
    wait_until_told(administrator, "b", "/etc/asterisk/pjsip_link.conf", "file-is-link")
    assert [restarts(lab, host) for host in ("a", "b")] == before


def test_a_view_without_end_is_told_and_the_plan_comes(administrator: Administrator) -> None:
    lab = administrator.lab
    as_asterisk(lab, "a", replaced(ASTDB, 'SCHEMAS["view"]'))
    switching.cycle(administrator)
    began = time.monotonic()
    shown = switching.plan(administrator, "b")
    assert shown["steps"]
    assert time.monotonic() - began < switching.SOON_SECONDS
    wait_until_told(administrator, "b", ASTDB, "reading-not-plain")


def test_a_trigger_without_end_keeps_no_takeover_waiting(administrator: Administrator) -> None:
    lab = administrator.lab
    maker = f'import shutil\ndef make(path):\n    shutil.copy("{SAVED}", path)\n    add_trigger(path)\n'
    as_asterisk(lab, "a", maker + replaced(ASTDB, "make"))
    switching.cycle(administrator)
    result = switching.take_over_from_dead(administrator)
    assert result
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), switching.SOON_SECONDS)
    assert lab.sh("b", ["cat", VICTIM]).stdout == "of root\n"
    found = told(administrator, "b")
    assert ASTDB in found, found
