"""A cycle of a pair whose one side is killed at a point of it: the standby ends in the old or the new generation."""

from __future__ import annotations

from beistand.protocol import StartCycle
from beistand_lab.lab import Lab, wait_for
from e2e.asking import IDLE, SERVING, SOON_SECONDS, followed, status, wait_for_state, wait_until_connected
from e2e.killing import Killing
from e2e.outside import View, look
from e2e.trees import differences, run_python

_MARK = "/etc/asterisk/variant.conf"
# Each kind of change between two variants, on three file systems: content, new, gone, file and folder, link, mode.
_WRITE = """
import os, shutil, subprocess
variant = "VARIANT"
conf, spool, lib = "/etc/asterisk", "/var/spool/asterisk/monitor", "/var/lib/asterisk/sounds"
for folder in (spool, lib):
    os.makedirs(folder, exist_ok=True)
def clear(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
def write(path, body, mode=0o644):
    clear(path)
    with open(path, "w") as file:
        file.write(body)
    os.chmod(path, mode)
odd = f"{conf}/becomes"
clear(odd); clear(f"{conf}/link"); clear(f"{conf}/only-A.conf"); clear(f"{conf}/only-B.conf")
if variant == "A":
    write(odd, "a file")
else:
    os.mkdir(odd, 0o750)
    write(f"{odd}/inside", "in a folder")
os.symlink(f"only-{variant}.conf", f"{conf}/link")
write(f"{conf}/only-{variant}.conf", variant)
write(f"{conf}/mode.conf", "the same", 0o600 if variant == "A" else 0o640)
write(f"{conf}/variant.conf", variant * 50)
write(f"{spool}/call.wav", variant * 5000)
write(f"{lib}/greeting.gsm", variant * 1000)
subprocess.run(["asterisk", "-rx", f"database put kill variant {variant}"], check=True, capture_output=True)
"""
_ROW = [
    "sqlite3",
    "-readonly",
    "/var/lib/asterisk/astdb.sqlite3",
    "select value from astdb where key = '/kill/variant'",
]


class _Cycle(Killing):
    """A cycle that brings variant A or B of the active's trees, whichever the standby does not hold."""

    def prepare(self) -> None:
        wait_for_state(self.lab, "a", *SERVING)
        wait_for_state(self.lab, "b", "standing-by")
        wait_until_connected(self.lab)
        if not variant_of(self.lab, "b"):
            # The first of all is no change from one variant to the other.
            self._write("A")
            assert self.act(), "a cycle does not work"
        self.variant = "B" if variant_of(self.lab, "b") == "A" else "A"
        self._old = look(self.lab, "b").trees
        self._write(self.variant)
        active = look(self.lab, "a")
        self._new, self._pbx = active.trees, active.pbx
        assert differences(self._old, self._new) != {}

    def _write(self, variant: str) -> None:
        run_python(self.lab, "a", _WRITE.replace("VARIANT", variant))
        wait_for(lambda: row_of(self.lab, "a") == variant, SOON_SECONDS, "the PBX to write its row")

    def act(self) -> bool:
        return followed(self.lab, "a", StartCycle())

    def wait_until_settled(self) -> None:
        wait_for_state(self.lab, self.victim, *(SERVING if self.victim == "a" else IDLE))
        wait_until_connected(self.lab)
        wait_for(self._is_agreed, SOON_SECONDS, "both to tell the same of the newest generation")

    def _is_agreed(self) -> bool:
        """The whole record, its reason and time too: each may have recorded a failure as it saw it."""
        active, standby = (
            found and found.newest for found in (status(self.lab, host) for host in ("a", "b"))
        )
        return active is not None and active == standby

    def check(self, view: View) -> None:
        standby = view if self.victim == "b" else look(self.lab, "b")
        active = look(self.lab, "a") if self.victim == "b" else view
        whole = [self._old, self._new]
        assert any(differences(standby.trees, each) == {} for each in whole), {
            "to the old": differences(standby.trees, self._old),
            "to the new": differences(standby.trees, self._new),
        }
        assert variant_of(self.lab, "b") == row_of(self.lab, "b"), "files and database are of two generations"
        assert standby.is_quiet, "the standby serves"
        assert active.serves, "the active gave up"
        if self.victim == "b" or not self.was_off:
            assert active.pbx == self._pbx, "the PBX was started anew"


class Import(_Cycle):
    """The standby's side of a cycle: verify, stage, import, tidy."""

    name = "import"
    victim = "b"


class Backup(_Cycle):
    """The active's side of a cycle: scan, dump, transfer, record."""

    name = "cycle"
    victim = "a"


def variant_of(lab: Lab, host: str) -> str:
    done = lab.sh(host, ["head", "-c", "1", _MARK], check=False)
    return done.stdout.strip()


def row_of(lab: Lab, host: str) -> str:
    return lab.sh(host, _ROW, check=False).stdout.strip()
