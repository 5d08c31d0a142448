"""Scan the trees of the active (port `Scanner`): one lstat an entry, and only what changed is read.

What an entry is stands in the cache beside its manifest line; an unchanged entry costs a comparison and
the copy of its line.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from beistand.adapters.durable_stream import DurableStream
from beistand.adapters.folders import Folders, trusted_folders
from beistand.adapters.hashing import Growing, read_content, stamp
from beistand.adapters.owners import Owners
from beistand.adapters.scan_cache import CHUNK, DISTRUSTED, CacheWriter, Seen, read_cache
from beistand.adapters.tree_walk import Found, Trees, walk
from beistand.domain.manifest import Entry, Kind, decode, encode
from beistand.domain.profile import Profile
from beistand.ports.progress import Progress
from beistand.ports.scanner import Earlier, Scanned

CLOCK_TICK_NS = 2_000_000_000
"""A change this close before the scan may be followed by another one with the same ctime."""
REREAD_BYTES = 64 << 20
REREAD_PART = 50
"""Each scan reads again, in turn, this part of the files, at most REREAD_BYTES and one file."""
REREAD_LEAST = 100
_TYPE = 0o170000
"""S_IFMT (inode(7)): masked here, because a call for each entry shows."""


class TreeScanner:
    def __init__(self, state: Path, now: Callable[[], int] = time.time_ns) -> None:
        """`now`: wall time in nanoseconds, of the clock that the file systems use."""
        self._folder = state / "scan"
        self._now = now

    def scan(
        self, profile: Profile, lines: Callable[[bytes], None], earlier: Earlier, job: Progress
    ) -> Scanned:
        trees = Trees(profile)
        folders = Folders(trusted_folders(profile))
        roots = list(trees.present_roots(folders))
        owners = Owners()
        key = msgspec.json.encode((profile.trees, profile.identity, profile.databases)) + owners.key
        cache = self._folder / "cache-1"
        with DurableStream(self._folder / ".draft") as stream:
            scan = _Scan(trees, owners, earlier, job)
            scan.folders = folders
            scan.lines, scan.cache = lines, CacheWriter(stream, key)
            scan.trusted_before = self._now() - CLOCK_TICK_NS
            old_key, seen = read_cache(cache)
            scan.is_doubtful = old_key != key
            scan.reread = _Turn.load(self._folder / "turn")
            scan.run(walk(roots, scan.refused, folders), seen)
            if scan.has_changed or scan.is_doubtful:
                scan.cache.keep(cache)
        scan.reread.save(self._folder / "turn", scan.entries)
        return Scanned(
            entries=scan.entries,
            size=scan.size,
            hashed=scan.hashed,
            growing=tuple(scan.growing),
            surprises=tuple(scan.surprises),
            left_behind=tuple(scan.left_behind),
        )

    def changed_since(self, entries: Iterable[Entry]) -> tuple[str, ...]:
        changed = []
        for entry in entries:
            try:
                status = os.lstat(entry.path)
            except (FileNotFoundError, NotADirectoryError):
                changed.append(entry.path)
            else:
                if (status.st_size, status.st_mtime_ns) != (entry.size, entry.mtime_ns):
                    changed.append(entry.path)
        return tuple(changed)


class _Scan:
    """One scan under way."""

    lines: Callable[[bytes], None]
    folders: Folders
    cache: CacheWriter
    reread: "_Turn"
    trusted_before: int
    is_doubtful = False
    """The rules or the names are not those of the cache: each entry is described anew, none is read."""

    def __init__(self, trees: Trees, owners: Owners, earlier: Earlier, job: Progress) -> None:
        self._trees, self._owners, self._earlier, self._job = trees, owners, earlier, job
        self._batch: list[bytes] = []
        self.refused: set[str] = set()
        self.has_changed = False
        self.entries = self.size = self.hashed = 0
        self.growing: list[str] = []
        self.surprises: list[str] = []
        self.left_behind: list[str] = []

    def run(self, found: Iterable[Found], seen: Iterable[Seen]) -> None:
        records = iter(seen)
        known = next(records, None)
        for path, status in found:
            while known is not None and known[0] < path:
                known, self.has_changed = next(records, None), True
            record: Seen | None
            if known is None or known[0] != path:
                record = self._described(path, status, "")
                self.has_changed |= record is not None
            else:
                record = self._compared(known, path, status)
                self.has_changed |= record is not known
                known = next(records, None)
            if record is not None:
                self._add(record, status)
        self.has_changed |= known is not None
        self._flush()

    def _compared(self, known: Seen, path: str, status: os.stat_result) -> Seen | None:
        _, ctime, mtime, inode, size, line = known
        if (
            ctime != status.st_ctime_ns
            or mtime != status.st_mtime_ns
            or inode != status.st_ino
            or size != status.st_size
        ):
            return self._described(path, status, "")
        if self.is_doubtful:
            return self._described(path, status, decode(line).digest)
        if self.reread.has_time and path > self.reread.after and stat.S_ISREG(status.st_mode):
            return self._read_again(known, status)
        return known

    def _add(self, record: Seen, status: os.stat_result) -> None:
        self.cache.add(record)
        self._batch.append(record[5])
        if status.st_mode & _TYPE == stat.S_IFREG:
            self.size += record[4]
        if len(self._batch) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        self.lines(b"".join(self._batch))
        self.entries += len(self._batch)
        self._batch.clear()
        self.cache.flush()
        self._job.check()
        self._job.advance(self.entries, max(self.entries, self.reread.entries))

    def _described(self, path: str, status: os.stat_result, digest: str) -> Seen | None:
        """Return the record of an entry that the cache does not describe, None for what stays behind."""
        mode = status.st_mode
        if not self._trees.carries(path):
            if stat.S_ISDIR(mode) and not self._trees.leads_to_tree(path):
                self.refused.add(path + "/")
            return None
        if stat.S_ISREG(mode):
            return self._file(path, status, digest)
        if stat.S_ISDIR(mode):
            return self._record(status, self._entry(path, Kind.FOLDER, status))
        if stat.S_ISLNK(mode):
            return self._link(path, status)
        return None  # sockets, FIFOs and devices are made by who needs them

    def _file(self, path: str, status: os.stat_result, digest: str) -> Seen | None:
        try:
            if not digest:
                if path in self._earlier.unsettled:
                    raise Growing(path)
                content = read_content(path, self._job, self.folders)
                if content is None:
                    return None
                self.hashed += 1
                status, digest = content.status, content.digest
        except Growing:
            self._leave(path)
            return None
        entry = msgspec.structs.replace(
            self._entry(path, Kind.FILE, status),
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            digest=digest,
        )
        return self._record(status, entry)

    def _link(self, path: str, status: os.stat_result) -> Seen | None:
        try:
            with self.folders.opened(os.path.dirname(path)) as folder:
                target = os.readlink(os.path.basename(path), dir_fd=folder)
        except OSError:
            return None  # replaced since it was seen
        entry = msgspec.structs.replace(self._entry(path, Kind.LINK, status), mode=0, target=target)
        if self._trees.boundary.why_not_link(entry) == "link-to-identity":
            # The other side would refuse the whole generation for it, and rightly.
            self.left_behind.append(path)
            return None
        return self._record(status, entry)

    def _leave(self, path: str) -> None:
        """Let the earlier content of a growing file stand, where there is one."""
        self.growing.append(path)
        line = self._earlier.line(path)
        if line is not None:
            self._batch.append(line)
            self.size += decode(line).size

    def _read_again(self, known: Seen, status: os.stat_result) -> Seen:
        path, line = known[0], known[5]
        self.reread.took(path, status.st_size)
        with suppress(Growing):
            content = read_content(path, self._job, self.folders)
            if content is None or stamp(content.status) != stamp(status):
                return known  # changed by its owner meanwhile: the next scan sees it
            entry = decode(line)
            if content.digest != entry.digest:
                self.surprises.append(path)
                return self._record(status, msgspec.structs.replace(entry, digest=content.digest))
        return known

    def _entry(self, path: str, kind: Kind, status: os.stat_result) -> Entry:
        return Entry(
            path=path,
            kind=kind,
            mode=status.st_mode & 0o1777,
            owner=self._owners.user(status.st_uid),
            group=self._owners.group(status.st_gid),
        )

    def _record(self, status: os.stat_result, entry: Entry) -> Seen:
        ctime, mtime, inode, size = stamp(status)
        trusted = ctime if ctime < self.trusted_before else DISTRUSTED
        return (entry.path, trusted, mtime, inode, size, encode(entry))


class _Turn:
    """Which files are read again although nothing says that they changed: all of them, in turn."""

    def __init__(self, after: str, entries: int) -> None:
        self.after = after
        """The last path of the turn before."""
        self.entries = entries
        """Of the scan before."""
        self._last = ""
        self._files = max(REREAD_LEAST, entries // REREAD_PART)
        self._bytes = REREAD_BYTES
        self.has_time = True

    def took(self, path: str, size: int) -> None:
        self._last = path
        self._files -= 1
        self._bytes -= size
        self.has_time = self._files > 0 and self._bytes > 0

    @classmethod
    def load(cls, path: Path) -> "_Turn":
        try:
            after, entries = msgspec.msgpack.decode(path.read_bytes(), type=tuple[bytes, int])
        except (FileNotFoundError, msgspec.MsgspecError):
            return cls("", 0)
        return cls(os.fsdecode(after), entries)

    def save(self, path: Path, entries: int) -> None:
        # Not made durable: losing it costs nothing but reading the same files once more.
        after = "" if self.has_time else self._last
        path.write_bytes(msgspec.msgpack.encode((os.fsencode(after), entries)))
