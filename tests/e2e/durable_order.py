"""The order of durable writes in a trace of system calls: write, fsync, rename, fsync of the folder (F1).

A kill keeps the page cache, a power cut does not: what a record on disk relies on must be on disk before
it. The rules are those of fsync(2) and rename(2) alone, not of one file system that is kinder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

TRACED = (
    "write,pwrite64,writev,pwritev,ftruncate,fallocate,sendto,sendmsg,fsync,fdatasync,syncfs,sync,rename,"
    "renameat,renameat2,mkdir,mkdirat,open,openat,creat,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,"
    "fchmod,fchown,copy_file_range,sendfile"
)
"""What strace(1) has to follow for this, with -f -y."""
SQLITES_OWN = (
    (r".*-journal", "gone on disk with the name of the first log, which is synced before its first commit"),
    (r".*-wal", "what it held is in the database, on disk"),
)
"""What SQLite removes without a sync of the folder, each with the reason why it may come back."""
_LINE = re.compile(r"(\d+) +(?:\d+\.\d+ +)?(.*)")
_BEGUN = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)(.*)")
_ARGUMENT = re.compile(r"""(?:"(?:[^"\\]|\\.)*"\.*|<(?:[^<>]|<[^<>]*>)*>|[^,"<])+""")
_DESCRIPTOR = re.compile(r"(?:-?\d+|AT_FDCWD)<(.*)>$")
_CREATED = ("open", "openat", "creat")
_WRITTEN = (
    *("write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate"),
    *("fchmod", "fchown", "copy_file_range", "sendfile"),
)
_IDLE = ("ftruncate", "fchown", "fchmod")
"""On SQLite's journal: the end of a checkpoint, whose pages are copied again where it is lost, and its owner at
each start (sqlite.org/wal.html)."""
_ANSWERED = ("sendto", "sendmsg")
_SOCKETS = ("UNIX", "TCP", "socket:")
_HANDED_OVER = "cmsg_type=SCM_RIGHTS"
"""Open files for the agent's own reader: it is asked something, and told nothing that anybody relies on."""


@dataclass(frozen=True)
class Call:
    """A system call that succeeded."""

    thread: int
    name: str
    paths: tuple[str, ...]
    """What it acts on: whole paths, or what strace calls a descriptor that has none."""
    flags: str = ""


@dataclass(frozen=True)
class Violation:
    """What a power cut at this place could turn into something else than was promised."""

    what: str
    path: str
    before: str
    """The call that relied on it."""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}, before {self.before}"


@dataclass(frozen=True)
class Places:
    """What has to be durable on an appliance, and on which file system it lies."""

    durable: tuple[str, ...]
    """Folders; everything below them."""
    passing: tuple[tuple[str, str], ...]
    """Patterns of paths in these that are not durable on purpose, each with the reason."""
    swept: tuple[tuple[str, str], ...] = ()
    """Patterns of paths whose removal need not be on disk: what comes back is removed again, each with the reason."""
    mounts: tuple[str, ...] = ("/",)

    def is_durable(self, path: str) -> bool:
        below = any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in self.durable)
        return below and not any(re.fullmatch(pattern, path) for pattern, _ in self.passing)

    def may_come_back(self, path: str) -> bool:
        return any(re.fullmatch(pattern, path) for pattern, _ in self.swept)

    def mount_of(self, path: str) -> str:
        within = (each for each in self.mounts if f"{path}/".startswith(each.rstrip("/") + "/"))
        return max(within, key=len, default="/")


# --- reading a trace --------------------------------------------------------------------------------


def parsed(lines: Iterable[str]) -> Iterator[Call]:
    """Yield the calls that succeeded, in the order in which they ended."""
    begun: dict[int, str] = {}
    for line in lines:
        match = _LINE.match(line.rstrip("\n"))
        if match is None:
            continue
        thread, text = int(match[1]), match[2]
        if text.endswith(_BEGUN):
            begun[thread] = text.removesuffix(_BEGUN)
            continue
        if (resumed := _RESUMED.match(text)) is not None:
            text = begun.pop(thread, "") + resumed[1]
        if _HANDED_OVER in text:
            continue
        if (call := _CALL.match(text)) is not None and not call[3].startswith(("-", "?")):
            yield Call(thread, call[1], _paths(call[1], call[2], call[4]), _flags(call[1], call[2]))


def _paths(name: str, arguments: str, after: str) -> tuple[str, ...]:
    if name in _CREATED and (opened := re.match(r"<(.*)>", after)) is not None:
        return (opened[1],)
    found, folder = [], ""
    for each in (part.strip() for part in _ARGUMENT.findall(arguments)):
        if (descriptor := _DESCRIPTOR.match(each)) is not None:
            if folder:
                found.append(folder)
            folder = descriptor[1]
        elif each.startswith('"') and not each.endswith("..."):
            found.append(os.path.normpath(os.path.join(folder, each[1:-1])))
            folder = ""
    return tuple([*found, folder] if folder else found)


def _flags(name: str, arguments: str) -> str:
    return arguments if name in _CREATED else ""


# --- the rules --------------------------------------------------------------------------------------


def violations(
    calls: Iterable[Call], places: Places, existing: Collection[str] = frozenset()
) -> list[Violation]:
    """Return what was relied on before it was on disk, in the order of the trace.

    `existing` are the paths that were there before: O_CREAT does not say whether it created.
    """
    check = Order(places, settled={*existing})
    for call in calls:
        check.take(call)
    check.end()
    return check.found


@dataclass
class Order:
    """What is on disk for sure, and what is not, call by call."""

    places: Places
    found: list[Violation] = field(default_factory=list)
    contents: dict[str, int] = field(default_factory=dict)
    """Files whose content is not on disk yet, each with the thread that wrote last."""
    names: dict[str, int] = field(default_factory=dict)
    """Paths whose entry in their folder is not on disk yet, each with the thread that made it."""
    gone: dict[str, int] = field(default_factory=dict)
    """Paths whose entry was on disk, and may be there still, each with the thread that removed it."""
    drafts: set[str] = field(default_factory=set)
    """Files that were created under a name with a dot, and not renamed yet."""
    settled: set[str] = field(default_factory=set)
    """Paths whose entry is on disk."""

    def take(self, call: Call) -> None:
        if rule := _RULES.get(call.name):
            rule(self, call)

    def end(self) -> None:
        for thread in {*self.contents.values(), *self.names.values(), *self.gone.values()}:
            self._rely(thread, "the end")

    def created(self, call: Call) -> None:
        (path,) = call.paths[-1:] or ("",)
        if ("O_CREAT" in call.flags or call.name == "creat") and path not in self.settled:
            self._made(path, call.thread)
            if os.path.basename(path).startswith("."):
                self.drafts.add(path)
        if "O_TRUNC" in call.flags:
            self._wrote(path, call.thread)

    def written(self, call: Call) -> None:
        path = call.paths[0] if call.paths else ""
        if path.startswith(_SOCKETS):
            self.answered(call)
            return
        if call.name in _IDLE and path.endswith("-wal"):
            return
        journal = f"{path}-wal"
        if journal in self.contents:
            self._violated("the journal is not on disk", journal, f"{call.name} {path}")
        self._wrote(path, call.thread)

    def answered(self, call: Call) -> None:
        if call.paths and call.paths[0].startswith(_SOCKETS):
            self._rely(call.thread, "an answer")

    def synced(self, call: Call) -> None:
        path = call.paths[0]
        self.contents.pop(path, None)
        for each in [each for each in self.names if os.path.dirname(each) == path]:
            self.settled.add(each)
            del self.names[each]
        for each in [each for each in self.gone if os.path.dirname(each) == path]:
            del self.gone[each]
        if path.endswith(("-wal", "-journal")):
            # Its own name follows at once where it is new (SQLite's UNIXFILE_DIRSYNC).
            self._rely(call.thread, f"a commit in {path}", but=path)

    def synced_whole(self, call: Call) -> None:
        mount = self.places.mount_of(call.paths[0]) if call.paths else None
        for known in (self.contents, self.names):
            for each in [each for each in known if mount is None or self.places.mount_of(each) == mount]:
                self.settled.add(each)
                del known[each]
        for each in [each for each in self.gone if mount is None or self.places.mount_of(each) == mount]:
            del self.gone[each]

    def renamed(self, call: Call) -> None:
        source, target = call.paths
        if source in self.contents and self.places.is_durable(target):
            self._violated("its content is not on disk", target, "its rename")
        self.gone.pop(target, None)
        # Every other name that this thread made stands on disk before a record can speak of it.
        if self._is_record(target):
            self._rely(call.thread, f"the rename to {target}", but=source)
        for known in (self.contents, self.names):
            for each in [each for each in known if each == source or each.startswith(f"{source}/")]:
                known[target + each.removeprefix(source)] = known.pop(each)
        self._vanished(source, call.thread)
        self._made(target, call.thread)

    def made(self, call: Call) -> None:
        self._made(call.paths[-1], call.thread)

    def removed(self, call: Call) -> None:
        path = call.paths[-1]
        self._vanished(path, call.thread)
        for known in (self.contents, self.names):
            for each in [each for each in known if each == path or each.startswith(f"{path}/")]:
                del known[each]

    def _is_record(self, path: str) -> bool:
        return self.places.is_durable(path) and path.endswith((".json", ".toml"))

    def _made(self, path: str, thread: int) -> None:
        self.gone.pop(path, None)
        if self.places.is_durable(path):
            self.names.setdefault(path, thread)

    def _vanished(self, path: str, thread: int) -> None:
        """Note that a power cut may bring this entry back: alone, or with the folder that it was in."""
        if path in self.settled and self.places.is_durable(path):
            for each in [each for each in self.gone if each.startswith(f"{path}/")]:
                del self.gone[each]
            self.gone[path] = thread
        self.settled.discard(path)

    def _wrote(self, path: str, thread: int) -> None:
        if self.places.is_durable(path):
            self.contents[path] = thread

    def _rely(self, thread: int, before: str, but: str = "") -> None:
        """Everything of this thread has to be on disk by now; what is not is told once."""
        for path in [path for path, whose in self.gone.items() if whose == thread]:
            if not self.places.may_come_back(path):
                self._violated("its removal is not on disk", path, before)
                del self.gone[path]
        for known, what in ((self.contents, "its content"), (self.names, "its name")):
            for path in [path for path, whose in known.items() if whose == thread and path != but]:
                # A draft has no name yet that counts: what a power cut leaves of it is overwritten or removed.
                if path in self.drafts:
                    continue
                self._violated(f"{what} is not on disk", path, before)
                del known[path]

    def _violated(self, what: str, path: str, before: str) -> None:
        self.found.append(Violation(what, path, before))


_RULES: dict[str, Callable[[Order, Call], None]] = {
    **dict.fromkeys(_CREATED, Order.created),
    **dict.fromkeys(_WRITTEN, Order.written),
    **dict.fromkeys(_ANSWERED, Order.answered),
    **dict.fromkeys(("fsync", "fdatasync"), Order.synced),
    **dict.fromkeys(("syncfs", "sync"), Order.synced_whole),
    **dict.fromkeys(("rename", "renameat", "renameat2"), Order.renamed),
    **dict.fromkeys(("mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat"), Order.made),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), Order.removed),
}
