"""What a power cut takes from a disk: all that was not synced by then, which the lab's disks in memory would keep.

By the rules of fsync(2) and rename(2): a name that its folder was not synced for is the old one again, bytes
that were not synced are zeros. A file system may keep more than that, in any mixture.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from beistand_lab import appliance
from beistand_lab.commands import run
from beistand_lab.lab import Lab
from e2e.durable_order import Call, Order, Places

Done = dict[str, Any]
_MAKES = ("open", "openat", "creat", "mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat")
_RENAMES = ("rename", "renameat", "renameat2")
_MAKES += _RENAMES
_REMOVES = ("unlink", "unlinkat", "rmdir")


@dataclass
class Loss:
    """What is lost, in the order in which it is to be taken away."""

    zeros: dict[str, list[list[int]]] = field(default_factory=dict)
    """Of these files these bytes (begin and count); no bytes: everything."""
    names: list[Done] = field(default_factory=list)
    """These calls did not happen, the last one first."""

    @property
    def is_empty(self) -> bool:
        return not self.zeros and not self.names


def loss(journal: Sequence[Done], places: Places, existing: Collection[str] = frozenset()) -> Loss:
    """Return what was not on disk at the end of what was done (`beistand_lab.recording`)."""
    order = Order(places, settled={*existing})
    extents: dict[str, list[list[int]]] = {}
    named: dict[str, list[int]] = {}
    for number, done in enumerate(journal):
        paths, name = tuple(done["paths"]), done["name"]
        is_new = done["replaced"] is None
        flags = " ".join(each for each in done["flags"] if each != "O_CREAT" or is_new)
        order.take(Call(done["thread"], name, paths, flags))
        target = paths[-1] if paths else ""
        if name in _RENAMES and paths[0] in extents:
            extents[target] = extents.pop(paths[0])
        elif target in order.contents:
            extents.setdefault(target, []).append(done["extent"])
        is_removed = name in _REMOVES and target in order.gone and done["replaced"] is not None
        if is_removed or (name in _MAKES and target in order.names):
            before = named.pop(paths[0], []) if name in _RENAMES else []
            named[target] = [*named.get(target, []), *before, number]
        extents = {path: which for path, which in extents.items() if path in order.contents}
        named = {path: which for path, which in named.items() if path in order.names or path in order.gone}
    numbers = sorted((each for which in named.values() for each in which), reverse=True)
    zeros = {path: [] if [] in which else which for path, which in extents.items()}
    return Loss(zeros=zeros, names=[journal[each] for each in numbers])


def take_away(lab: Lab, host: str, lost: Loss) -> None:
    """Bring the disk of a host without power to what was on it for sure."""
    argv = appliance.on_the_disk(lab.settings, host, ["/usr/bin/python3", "-c", TAKE_AWAY])
    run(argv, input=json.dumps({"zeros": lost.zeros, "names": lost.names}))


# Runs in the root of the appliance, which is off.
TAKE_AWAY = """
import base64, json, os, shutil, sys
lost = json.load(sys.stdin)
def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
for path, extents in lost["zeros"].items():
    if not os.path.isfile(path) or os.path.islink(path):
        continue
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        for begin, count in extents or [[0, size]]:
            file.seek(begin)
            file.write(bytes(max(0, min(count, size - begin))))
for done in lost["names"]:
    paths, replaced = done["paths"], done["replaced"]
    if done["name"].startswith("rename"):
        if os.path.lexists(paths[1]) and os.path.isdir(os.path.dirname(paths[0])):
            os.rename(paths[1], paths[0])
    else:
        remove(paths[-1])
    if replaced is not None and replaced.get("is_folder"):
        os.mkdir(paths[-1])
    elif replaced is not None:
        with open(paths[-1], "wb") as file:
            file.write(base64.b64decode(replaced["body"]))
        os.chown(paths[-1], *replaced["owner"])
        os.chmod(paths[-1], replaced["mode"])
        os.utime(paths[-1], ns=tuple(replaced["times"]))
"""
