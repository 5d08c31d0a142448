"""An appliance's disk as an observer reads it, with nothing of Beistand: every entry of the PBX's trees."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from pathlib import Path

from beistand_lab.lab import Lab

# Runs inside an appliance. What never travels is left out by the words of the profile, written down anew here.
_LISTING = r"""
import fnmatch, grp, hashlib, json, os, pwd, stat, sys
TREES = ("/etc/asterisk", "/var/lib/asterisk", "/var/spool/asterisk", "/usr/share/asterisk/moh")
STAYS = ("/var/lib/asterisk/licenses", "/var/lib/asterisk/astdb*", "/var/lib/asterisk/documentation",
    "/var/lib/asterisk/rest-api", "/var/lib/asterisk/static-http", "/var/spool/asterisk/outgoing*",
    "/var/spool/asterisk/system", "/var/spool/asterisk/tmp", "/var/spool/asterisk/voicemail/*/tmp",
    "/var/spool/asterisk/.beistand", "/var/spool/asterisk/lab-ballast", "/etc/asterisk/.beistand",
    "/etc/asterisk/asterisk.conf", "/etc/asterisk/startup.d")
def described(path):
    seen = os.lstat(path)
    owner = pwd.getpwuid(seen.st_uid).pw_name + ":" + grp.getgrgid(seen.st_gid).gr_name
    if stat.S_ISLNK(seen.st_mode):
        return ["link", owner, os.readlink(path)]
    mode = oct(stat.S_IMODE(seen.st_mode))
    if stat.S_ISDIR(seen.st_mode):
        return ["folder", owner, mode]
    if not stat.S_ISREG(seen.st_mode):
        return ["other", owner, mode]
    with open(path, "rb") as file:
        return ["file", owner, mode, seen.st_size, seen.st_mtime_ns, hashlib.sha256(file.read()).hexdigest()]
def walk(path):
    if any(fnmatch.fnmatchcase(path, each) for each in STAYS):
        return
    found[ascii(path)] = described(path)
    if os.path.isdir(path) and not os.path.islink(path):
        for name in os.listdir(path):
            walk(path + "/" + name)
found = {}
for tree in TREES:
    if os.path.lexists(tree):
        walk(tree)
json.dump(found, sys.stdout)
"""

Listing = dict[str, list[object]]


def listing(lab: Lab, host: str) -> Listing:
    """For each path (as `ascii()` shows it): kind, owner by name, and all that belongs to its kind."""
    found: Listing = json.loads(lab.sh(host, ["/usr/bin/python3", "-c", _LISTING]).stdout)
    return found


def differences(one: Listing, other: Listing) -> dict[str, tuple[object, object]]:
    """What is not the same in both, for a person who reads a failed test."""
    paths = sorted(one.keys() | other.keys())
    return {path: (one.get(path), other.get(path)) for path in paths if one.get(path) != other.get(path)}


def run_python(lab: Lab, host: str, script: str) -> str:
    """Run a program inside an appliance as root, by the distribution's own Python; what it printed."""
    return lab.sh(host, ["/usr/bin/python3", "-c", script]).stdout


def rows(lab: Lab, host: str, database: str, query: str) -> list[tuple[object, ...]]:
    """Ask a copy of a SQLite file that was read from the appliance's disk."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "copy.db"
        file.write_bytes(lab.read(host, database))
        connection = sqlite3.connect(file)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
