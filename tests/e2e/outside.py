"""An appliance as it stands after a recovery, seen without Beistand: its disk, its kernel, its processes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from beistand_lab.lab import Lab
from e2e.trees import Listing, differences, listing

# Runs inside an appliance, by the distribution's own Python.
_LOOK = r"""
import json, os, sqlite3, subprocess, sys
STATE = "/var/lib/beistand"
# Told from the sequence of events, not from the state: what happened is longer after a second start.
TABLES = ("standing", "journal", "setting", "document", "sequence", "copy", "outbox")
CLOCKS = ("alive",)  # documents that hold nothing but a time
db = sqlite3.connect(f"file:{STATE}/state.db?mode=ro", uri=True)
found = {"problem": "", "tables": {}}
(verdict,) = db.execute("PRAGMA integrity_check").fetchone()
found["problem"] = "" if verdict == "ok" else verdict
for table in TABLES:
    rows = [[each.decode() if isinstance(each, bytes) else each for each in row]
            for row in db.execute(f"SELECT * FROM {table} ORDER BY 1") if row[0] not in CLOCKS]
    found["tables"][table] = rows
db.close()
def names(folder):
    below = []
    for top, folders, files in os.walk(folder):
        below += [os.path.relpath(os.path.join(top, each), folder) for each in (*folders, *files)]
    return sorted(below)
live = f"{STATE}/live.json"
found["live"] = json.load(open(live)) if os.path.exists(live) else {}
found["files"] = [each for each in names(STATE) if not each.startswith(("state.db-", "scan"))]
found["undos"] = sorted(os.listdir(f"{STATE}/undo")) if os.path.isdir(f"{STATE}/undo") else []
mounts = sorted({line.split()[1] for line in open("/proc/self/mounts")})
staging = [mount.rstrip("/") + "/.beistand" for mount in mounts]
found["staging"] = {each: names(each) for each in staging if os.path.isdir(each)}
found["gate"] = os.path.exists("/run/beistand/may-serve")
found["addresses"] = json.loads(subprocess.run(["ip", "-j", "-4", "address"], capture_output=True).stdout)
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True)
class View:
    """What an observer finds on an appliance."""

    trees: Listing
    tables: dict[str, list[list[Any]]]
    live: dict[str, Any]
    files: list[str]
    undos: list[str]
    staging: dict[str, list[str]]
    problem: str
    """Of the state's database; empty: it is whole."""
    gate: bool
    """The gate of the PBX is open."""
    pbx: list[str]
    """Processes of the PBX."""
    holds: bool
    """The kernel has the service address."""

    @property
    def grant(self) -> dict[str, Any]:
        """The highest grant that this appliance knows; empty without one."""
        ((_, _, _, grant, *_),) = self.tables["standing"]
        found: dict[str, Any] = json.loads(grant) if grant else {}
        return found

    @property
    def serves(self) -> bool:
        return self.holds and self.gate and bool(self.pbx)

    @property
    def is_quiet(self) -> bool:
        """Neither address nor PBX, and none could start."""
        return not (self.holds or self.gate or self.pbx)

    @property
    def is_holder(self) -> bool:
        ((_, me, *_),) = self.tables["standing"]
        return bool(self.grant) and self.grant["holder"] == me


def look(lab: Lab, host: str) -> View:
    """Look at everything once."""
    found = json.loads(lab.sh(host, ["/usr/bin/python3", "-c", _LOOK]).stdout)
    addresses = {each["local"] for link in found.pop("addresses") for each in link["addr_info"]}
    pbx = pbx_processes(lab, host)
    return View(trees=listing(lab, host), pbx=pbx, holds=lab.settings.service_address in addresses, **found)


def pbx_processes(lab: Lab, host: str) -> list[str]:
    """Process ids of the PBX, whoever started it."""
    # Not those that only ask, as the agent does every few seconds, nor one that has just ended.
    living = ["pgrep", "-a", "-x", "--runstates", "D,R,S,T,t", "asterisk"]
    listed = [line.split() for line in lab.sh(host, living, check=False).stdout.splitlines()]
    return [number for number, *words in listed if not {"-V", "-rx"} & {*words}]


def assert_whole(view: View) -> None:
    """Nothing is left of what was cut short: no journal, no move under way, nothing staged for nobody."""
    assert view.problem == "", view.problem
    assert view.tables["journal"] == [], "a plan is still in the journal"
    assert view.live.get("moving") is None, "an import is still under way"
    known = {each["undo"] for each in view.live.get("points", [])}
    assert set(view.undos) <= known, f"undos that nothing names: {set(view.undos) - known}"
    for folder, names in view.staging.items():
        left = {each.partition("/")[0] for each in names} - known
        assert not left, f"{folder} holds what nothing names: {left}"


def assert_same(one: View, other: View, *, but: tuple[str, ...] = ()) -> None:
    """A second recovery changed nothing, on disk, in the kernel, and of the PBX, but what is named."""
    assert differences(one.trees, other.trees) == {}
    for table, rows in one.tables.items():
        gone, new = (
            [each for each in left if each not in right]
            for left, right in ((rows, other.tables[table]), (other.tables[table], rows))
        )
        assert gone == new == [], f"{table}: {gone} is now {new}"
    for what in {"live", "files", "undos", "staging", "gate", "pbx", "holds"} - {*but}:
        before, after = getattr(one, what), getattr(other, what)
        assert before == after, f"{what}: {before} is now {after}"
