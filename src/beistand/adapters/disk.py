"""The file system, by descriptors (port `Disk`)."""

import ctypes
import errno
import grp
import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from heapq import merge
from pathlib import Path
from typing import BinaryIO

from beistand.adapters.durable_file import make_folders, opened_durably, write_durably
from beistand.adapters.folders import Folders, empty, mount_points, remove_tree
from beistand.adapters.readers import SHARED, Readers
from beistand.adapters.reserve import Reserve
from beistand.adapters.sqlite_check import sqlite_problem
from beistand.domain.errors import BadGeneration, Failed
from beistand.domain.imports import ODD, Shape, Slot, SlotSide
from beistand.domain.manifest import Kind, shown
from beistand.ports.places import STAGING

CHUNK = 1 << 20
FOLDERS_KNOWN = 1000
CONTENT = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK: opening a FIFO that somebody planted must not wait for its writer."""
HIGHEST_ID = (1 << 32) - 2
"""The one above means "leave as it is" (chown(2))."""
NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.FOLDER, stat.S_IFLNK: Kind.LINK}


class LocalDisk:
    """This machine's file systems. `mounts` overrides the kernel's table of them.

    `reserve` is room on that of the own documents.
    """

    def __init__(
        self,
        trusted: Iterable[str],
        mounts: tuple[str, ...] | None = None,
        reserve: Reserve | None = None,
        readers: Readers = SHARED,
    ) -> None:
        self._reserve = reserve
        self._readers = readers
        self._folders = Folders(trusted)
        self._inbox = Folders(())
        self._inbox_paths: dict[Path, str] = {}
        self._given_mounts = mounts
        self._mount_points: tuple[str, ...] = ()
        self._mount_of: dict[str, str] = {}
        self._owners: dict[tuple[str, str], tuple[int, int]] = {}
        self._syncfs = ctypes.CDLL(None, use_errno=True).syncfs

    # looking

    def mount_of(self, path: str) -> str:
        folder = os.path.dirname(path)
        if folder not in self._mount_of:
            if len(self._mount_of) >= FOLDERS_KNOWN:
                self._mount_of.clear()
            self._mount_of[folder] = self._look_up_mount(self._folders.real(folder))
        return self._mount_of[folder]

    def _look_up_mount(self, folder: str) -> str:
        if not self._mount_points:
            self._mount_points = self._given_mounts or mount_points()
        within = (each for each in self._mount_points if f"{folder}/".startswith(each.rstrip("/") + "/"))
        return next(within, "/")

    def _forget(self) -> None:
        """What was looked up may have changed since: folders, mounts and accounts."""
        self._folders.forget()
        self._mount_of.clear()
        self._inbox_paths.clear()
        self._mount_points = ()
        self._owners.clear()

    def free(self, mount: str) -> int:
        figures = os.statvfs(mount)
        return figures.f_bavail * figures.f_frsize

    def look(self, path: str) -> Shape | None:
        try:
            with self._folders.opened(os.path.dirname(path)) as folder:
                return _shape(os.path.basename(path), folder)
        except OSError as error:
            if error.errno in NOTHING_THERE:
                return None
            raise

    def walk(self, tree: str, keeps: Callable[[str], bool]) -> Iterator[tuple[str, Shape]]:
        shape = None if keeps(tree) else self.look(tree)
        if shape is not None and shape.size != ODD:
            yield tree, shape
            if shape.is_folder:
                yield from self._below(tree, keeps)

    def _below(self, folder: str, keeps: Callable[[str], bool]) -> Iterator[tuple[str, Shape]]:
        with self._folders.opened(folder) as handle:
            names = [name for name in os.listdir(handle) if not keeps(f"{folder}/{name}")]
            shapes = {name: _shape(name, handle) for name in names}
        found = {name: shape for name, shape in shapes.items() if shape.size != ODD}
        # Sorted as whole paths are: what is below `a` comes after `a.b`, because `/` is above `.`.
        own = ((name, name) for name in sorted(found))
        deeper = ((name, name[:-1]) for name in sorted(f"{name}/" for name in found if found[name].is_folder))
        for key, name in merge(own, deeper):
            if key.endswith("/"):
                yield from self._below(f"{folder}/{name}", keeps)
            else:
                yield f"{folder}/{name}", found[name]

    def owner(self, owner: str, group: str) -> tuple[int, int]:
        key = (owner, group)
        if key not in self._owners:
            self._owners[key] = _numbers(owner, group)
        return self._owners[key]

    def open_live(self, path: str) -> BinaryIO:
        with self._folders.opened(os.path.dirname(path)) as folder:
            return _opened(path, os.path.basename(path), folder)

    def open_inbox(self, inbox: Path, name: str) -> BinaryIO:
        path = os.path.join(self._inbox_path(inbox), name)
        try:
            with self._inbox.opened(os.path.dirname(path)) as folder:
                return _opened(name, os.path.basename(path), folder)
        except (OSError, Failed) as error:
            if isinstance(error, OSError) and error.errno not in (*NOTHING_THERE, errno.ENXIO):
                raise
            raise BadGeneration("content-missing", path=shown(name)) from error

    def _inbox_path(self, inbox: Path) -> str:
        if inbox not in self._inbox_paths:
            # Its last two folders belong to the peer's account: only what is above them is believed.
            above = os.path.realpath(inbox.parent.parent)
            self._inbox_paths[inbox] = os.path.join(above, inbox.parent.name, inbox.name)
        return self._inbox_paths[inbox]

    # own documents

    def read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def names(self, folder: Path) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(folder)))
        except FileNotFoundError:
            return ()

    def open(self, path: Path) -> BinaryIO:
        return path.open("rb")

    def write(self, path: Path, body: bytes) -> None:
        def write() -> None:
            write_durably(path, body, mode=0o600)

        if self._reserve is None:
            write()
        else:
            self._reserve.with_room(write)

    @contextmanager
    def create(self, path: Path) -> Iterator[BinaryIO]:
        make_folders(path.parent, mode=0o700)
        with opened_durably(path) as file:
            yield file

    def remove(self, path: Path) -> None:
        self._forget()
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    # staging and undo

    def prepare(self, mount: str, undo: str) -> None:
        path = mount
        for name in (STAGING, undo):
            path = os.path.join(path, name)
            self._make_own(path)
        for side in SlotSide:
            self._make_own(os.path.join(path, side.value))

    def _make_own(self, path: str) -> None:
        with self._folders.opened(os.path.dirname(path)) as above:
            try:
                os.mkdir(os.path.basename(path), 0o700, dir_fd=above)
            except FileExistsError:
                found = os.stat(os.path.basename(path), dir_fd=above, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                    raise Failed("staging-not-ours", path=path) from None

    def stage_file(self, slot: Slot, read: Callable[[int], bytes], shape: Shape) -> str:
        digest, left = hashlib.sha256(), shape.size + 1
        handle = self._new_content(slot)
        try:
            while left and (chunk := read(min(CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
                _write_all(handle, chunk)
            os.fchown(handle, shape.uid, shape.gid)
            os.fchmod(handle, shape.mode & 0o1777)
            os.utime(handle, ns=(shape.mtime_ns, shape.mtime_ns))
        finally:
            os.close(handle)
        return digest.hexdigest()

    @contextmanager
    def _side(self, slot: Slot) -> Iterator[int]:
        """Open the folder of a slot. Raises Failed `staging-not-ours`: where a file system's root belongs to the
        PBX's account, that one may have put another folder in its place.
        """
        path = os.path.join(slot.mount, STAGING, slot.undo, slot.side.value)
        with self._folders.opened(path) as folder:
            if os.fstat(folder).st_uid != os.geteuid():
                raise Failed("staging-not-ours", path=path)
            yield folder

    def _new_content(self, slot: Slot) -> int:
        with self._side(slot) as folder:
            _remove_if_there(str(slot.number), folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.open(str(slot.number), flags, 0o600, dir_fd=folder)

    def stage_link(self, slot: Slot, shape: Shape) -> None:
        name = str(slot.number)
        with self._side(slot) as folder:
            _remove_if_there(name, folder)
            os.symlink(shape.target, name, dir_fd=folder)
            os.chown(name, shape.uid, shape.gid, dir_fd=folder, follow_symlinks=False)

    def database_problem(self, slot: Slot, check: Callable[[], None]) -> str:
        with self._side(slot) as folder:
            handle = os.dup(folder)
        try:
            return sqlite_problem(self._readers, str(slot.number), handle, check)
        finally:
            os.close(handle)

    def discard(self, mount: str, undo: str, check: Callable[[], None]) -> None:
        self._folders.forget()
        try:
            for side in SlotSide:
                path = os.path.join(mount, STAGING, undo, side.value)
                with suppress(FileNotFoundError), self._folders.opened(path) as slots:
                    empty(slots, check)
            self._folders.forget()
            with self._folders.opened(os.path.join(mount, STAGING)) as folder:
                remove_tree(undo, folder)
        except OSError as error:
            if error.errno not in NOTHING_THERE:  # it was discarded before, or never made
                raise

    def clear(self, inbox: Path, folder: str) -> None:
        self._inbox.forget()
        try:
            with self._inbox.opened(os.path.join(self._inbox_path(inbox), folder)) as handle:
                for name in os.listdir(handle):
                    remove_tree(name, handle)
        except OSError as error:
            if error.errno not in NOTHING_THERE:  # the peer makes it when it sends
                raise

    # the live trees

    def holds(self, slot: Slot) -> bool:
        with self._side(slot) as side:
            return _is_there(str(slot.number), side)

    def take(self, path: str, slot: Slot) -> None:
        source, target = os.path.basename(path), str(slot.number)
        with self._side(slot) as side:
            if _is_there(target, side):
                return
            with suppress(FileNotFoundError), self._folders.opened(os.path.dirname(path)) as folder:
                os.rename(source, target, src_dir_fd=folder, dst_dir_fd=side)

    def place(self, slot: Slot, path: str) -> None:
        source, target = str(slot.number), os.path.basename(path)
        with self._side(slot) as side:
            if not _is_there(source, side):
                return
            with self._folders.opened(os.path.dirname(path)) as folder:
                os.rename(source, target, src_dir_fd=side, dst_dir_fd=folder)

    def make_folder(self, path: str) -> None:
        name = os.path.basename(path)
        with self._folders.opened(os.path.dirname(path)) as above:
            try:
                os.mkdir(name, 0o700, dir_fd=above)
            except FileExistsError:
                if not stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
                    raise

    def remove_folder(self, path: str) -> bool:
        self._folders.forget()
        try:
            with self._folders.opened(os.path.dirname(path)) as above:
                os.rmdir(os.path.basename(path), dir_fd=above)
        except OSError as error:
            # EBUSY: a file system is mounted there.
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
                return False
            if error.errno not in NOTHING_THERE:
                raise
        return True

    def set_folder(self, path: str, shape: Shape) -> None:
        with self._folders.opened(path) as folder:
            os.fchown(folder, shape.uid, shape.gid)
            os.fchmod(folder, shape.mode)

    def settle(self, mounts: Iterable[str]) -> None:
        for mount in sorted(set(mounts)):
            handle = os.open(mount, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if self._syncfs(handle) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number), mount)
            finally:
                os.close(handle)
        self._forget()


def _shape(name: str, folder: int) -> Shape:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    kind = KINDS.get(stat.S_IFMT(found.st_mode))
    return Shape(
        kind=kind or Kind.FILE,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        size=ODD if kind is None else found.st_size if kind is Kind.FILE else 0,
        mtime_ns=found.st_mtime_ns,
        target=os.readlink(name, dir_fd=folder) if kind is Kind.LINK else "",
    )


def _opened(path: str, name: str, folder: int) -> BinaryIO:
    handle = os.open(name, CONTENT, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Failed("odd-file", path=shown(path))
    return os.fdopen(handle, "rb")


def _numbers(owner: str, group: str) -> tuple[int, int]:
    try:
        return (
            _id(owner) if _is_number(owner) else pwd.getpwnam(owner).pw_uid,
            _id(group) if _is_number(group) else grp.getgrnam(group).gr_gid,
        )
    except (KeyError, ValueError):
        raise Failed("owner-unknown", owner=shown(owner), group=shown(group)) from None


def _is_number(name: str) -> bool:
    # An id that had no name on the active stands as its number.
    return name.isascii() and name.isdigit()


def _id(name: str) -> int:
    if int(name) > HIGHEST_ID:
        raise ValueError(name)
    return int(name)


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _remove_if_there(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _write_all(handle: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]
