"""The scanner, on real trees."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from beistand.adapters import scan_cache
from beistand.adapters.durable_stream import DurableStream
from beistand.adapters.folders import Folders
from beistand.adapters.hashing import read_content
from beistand.adapters.scan import TreeScanner
from beistand.domain.errors import Cancelled, Failed
from beistand.domain.manifest import Entry, Kind, encode, read_entries
from beistand.domain.profile import Database, Detect, Engine, Profile, Tree
from beistand.ports.scanner import Scanned
from fakes.progress import FakeProgress


class NothingEarlier:
    unsettled: tuple[str, ...] = ()

    def line(self, path: str) -> bytes | None:
        return None


def profile(*trees: Tree, **more: object) -> Profile:
    detect = Detect(files=(), version_command=())
    return Profile(schema=1, name="x", title="x", detect=detect, trees=trees, services=(), **more)


class Kit:
    """A tree, a scanner, and what the last scan gave."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.tree.mkdir()
        self.state = folder / "state"
        self.profile = profile(Tree(path=str(self.tree)))
        # A clock ahead of the file system's: what was just written counts as long settled.
        self.scanner = TreeScanner(self.state, now=lambda: time.time_ns() + 60 * 10**9)
        self.entries: dict[str, Entry] = {}

    def scan(self, earlier: object = NothingEarlier(), job: FakeProgress | None = None) -> Scanned:
        lines: list[bytes] = []
        scanned = self.scanner.scan(self.profile, lines.append, earlier, job or FakeProgress())
        entries = list(read_entries(b"".join(lines).splitlines(keepends=True)))
        self.entries = {entry.path: entry for entry in entries}
        assert scanned.entries == len(entries)
        assert scanned.size == sum(entry.size for entry in entries)
        return scanned

    def names(self) -> list[str]:
        return [os.path.relpath(path, self.tree) for path in self.entries]

    def write(self, name: str, body: str = "x") -> Path:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
        return path


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def test_every_kind_of_entry_is_described(kit: Kit) -> None:
    file = kit.write("a/b.conf", "hello")
    file.chmod(0o4640)
    (kit.tree / "link").symlink_to("a/b.conf")
    kit.scan()
    assert kit.names() == [".", "a", "a/b.conf", "link"]
    described = kit.entries[str(file)]
    assert (described.kind, described.mode, described.size) == (Kind.FILE, 0o640, 5)
    assert described.digest == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert described.owner == file.owner()
    assert kit.entries[str(kit.tree / "link")].target == "a/b.conf"
    assert kit.entries[str(kit.tree / "a")].mtime_ns == 0


def test_paths_come_in_the_order_of_the_manifest(kit: Kit) -> None:
    for name in ("a/x", "a-b", "a.d/y", "a/é", "B", "a/z/z", "é/1"):
        kit.write(name)
    os.mkdir(os.fsencode(kit.tree) + b"/a\xe9")
    kit.scan()  # read_entries refuses any other order
    assert len(kit.entries) == 13
    assert kit.scan().hashed == 0


def test_only_what_changed_is_read_again(kit: Kit) -> None:
    for number in range(10):
        kit.write(f"{number}")
    assert kit.scan().hashed == 10
    assert kit.scan().hashed == 0
    kit.write("3", "other")
    (kit.tree / "5").unlink()
    assert kit.scan().hashed == 1
    assert str(kit.tree / "5") not in kit.entries


def test_a_byte_changed_with_size_and_time_put_back_is_found(kit: Kit) -> None:
    file = kit.write("a", "one")
    kit.scan()
    before = kit.entries[str(file)]
    status = file.stat()
    file.write_text("two")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert kit.scan().hashed == 1
    assert kit.entries[str(file)].digest != before.digest
    assert kit.entries[str(file)].mtime_ns == before.mtime_ns


def test_an_entry_that_changed_just_before_the_scan_is_distrusted(kit: Kit) -> None:
    kit.write("a")
    kit.scanner = TreeScanner(kit.state)
    assert kit.scan().hashed == 1
    assert kit.scan().hashed == 1
    kit.scanner = TreeScanner(kit.state, now=lambda: time.time_ns() + 3 * 10**9)
    assert kit.scan().hashed == 1  # now it is old enough
    assert kit.scan().hashed == 0


def test_links_are_never_followed(kit: Kit, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    (kit.tree / "folder").symlink_to(outside)
    (kit.tree / "key").symlink_to("/etc/ssh/ssh_host_ed25519_key")
    (kit.tree / "name").symlink_to("../../../../../../../../etc/hostname")
    scanned = kit.scan()
    assert kit.names() == [".", "folder"]  # links to identity would be refused by the other side
    assert scanned.left_behind == (f"{kit.tree}/key", f"{kit.tree}/name")


def test_what_is_no_data_stays_behind(kit: Kit) -> None:
    os.mkfifo(kit.tree / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(kit.tree / "socket"))
    listener.close()
    for name in (".beistand/undo/x", "licenses/key", "cache/x", "keep/a.tmp", "keep/b", "db", "db-wal"):
        kit.write(name)
    root = str(kit.tree)
    kit.profile = profile(
        Tree(path=root, exclude=(f"{root}/cache", f"{root}/*.tmp")),
        identity=(f"{root}/licenses",),
        databases=(Database(engine=Engine.SQLITE, name=f"{root}/db"),),
    )
    kit.scan()
    assert kit.names() == [".", "keep", "keep/b"]


def test_what_travels_is_what_the_profile_lets_an_import_write(kit: Kit) -> None:
    for name in ("a/b/c", "a/bb/c", "a/b2", "x/keep/1", "x/drop/2", "x/drop/in/3", "y.bak/1"):
        kit.write(name)
    root = str(kit.tree)
    kit.profile = profile(
        Tree(path=root, exclude=(f"{root}/a/b", f"{root}/x/drop", "*.bak")),
        Tree(path=f"{root}/x/drop/in"),
        identity=(f"{root}/a/bb",),
    )
    kit.scan()
    everything = [root, *(os.path.join(top, each) for top, down, up in os.walk(root) for each in down + up)]
    assert set(kit.entries) == {path for path in everything if kit.profile.may_write(path)}
    assert "x/drop/in/3" in kit.names()


def test_new_rules_and_new_names_read_nothing_again(kit: Kit) -> None:
    kit.write("a")
    kit.write("b.tmp")
    kit.scan()
    kit.profile = profile(Tree(path=str(kit.tree), exclude=("*.tmp",)))
    assert kit.scan().hashed == 0
    assert kit.names() == [".", "a"]


@pytest.mark.parametrize("optional", [True, False])
def test_a_missing_tree_fails_unless_it_is_optional(kit: Kit, optional: bool) -> None:
    kit.profile = profile(Tree(path=str(kit.tree)), Tree(path=f"{kit.tree}-2", optional=optional))
    if optional:
        assert kit.scan().entries == 1
        return
    with pytest.raises(Failed, match="tree-missing"):
        kit.scan()


def test_a_tree_that_is_a_link_is_told_instead_of_carried_empty(kit: Kit) -> None:
    (kit.tree / "spool").symlink_to("/srv/spool")
    kit.profile = profile(Tree(path=f"{kit.tree}/spool"))
    with pytest.raises(Failed, match="tree-is-link"):
        kit.scan()


class Writer:
    """Changes a file at every check, as a recording in progress does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> None:
        with self._path.open("a") as file:
            file.write("more")


class RestlessProgress(FakeProgress):
    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def check(self) -> None:
        super().check()
        self._act()


def test_a_file_that_grows_keeps_its_earlier_line(kit: Kit) -> None:
    kit.write("calm")
    file = kit.write("recording.wav", "begin")
    kit.scan()
    line = encode(kit.entries[str(file)])

    class Earlier(NothingEarlier):
        def line(self, path: str) -> bytes | None:
            return line

    Writer(file)()
    scanned = kit.scan(Earlier(), RestlessProgress(Writer(file)))
    assert scanned.growing == (str(file),)
    assert encode(kit.entries[str(file)]) == line
    kit.scan(job=RestlessProgress(Writer(file)))
    assert str(file) not in kit.entries  # nothing earlier: left for the next cycle
    assert kit.scan().growing == ()
    assert str(file) in kit.entries


def test_a_file_known_to_be_restless_is_not_read(kit: Kit) -> None:
    file = kit.write("recording.wav")

    class Earlier(NothingEarlier):
        unsettled = (str(file),)

    assert kit.scan(Earlier()).growing == (str(file),)


def test_a_file_that_vanishes_is_gone(kit: Kit) -> None:
    folders = Folders((str(kit.tree.parent),))
    assert read_content(str(kit.tree / "gone"), FakeProgress(), folders) is None
    os.mkfifo(kit.tree / "fifo")
    assert read_content(str(kit.tree / "fifo"), FakeProgress(), folders) is None
    (kit.tree / "link").symlink_to("/etc/hostname")
    assert read_content(str(kit.tree / "link"), FakeProgress(), folders) is None


class Exchanging(FakeProgress):
    """Whoever owns the tree puts a link in the place of a folder while a file before it is read."""

    def __init__(self, folder: Path, target: Path) -> None:
        super().__init__()
        self._folder, self._target = folder, target

    def check(self) -> None:
        super().check()
        if not self._folder.is_symlink():
            self._folder.rename(self._folder.with_name("zz-moved"))
            self._folder.symlink_to(self._target)


@pytest.mark.parametrize("depth", ["b", "b/c", "b/c/d"])
@pytest.mark.parametrize("exchanged", ["b", "b/c", "b/c/d"])
def test_a_folder_that_becomes_a_link_leads_nowhere(
    kit: Kit, tmp_path: Path, depth: str, exchanged: str
) -> None:
    secret = tmp_path / "root"
    (secret / "b/c/d").mkdir(parents=True)
    kit.write("a", "read first")
    (kit.tree / "b/c/d").mkdir(parents=True)
    for folder in ("b", "b/c", "b/c/d"):
        # Of one length and of other names, so that nothing looks the same.
        (secret / folder / "hidden-name").write_text("secret")
    kit.write(f"{depth}/file", "of the tree")
    kit.scan(job=Exchanging(kit.tree / exchanged, secret / exchanged))
    told = repr(kit.entries)
    assert "hidden-name" not in told
    assert hashlib.sha256(b"secret").hexdigest() not in told


def test_a_file_that_becomes_a_link_on_its_way_is_not_read(kit: Kit, tmp_path: Path) -> None:
    """The path is the same before and behind the exchange: only a descriptor tells them apart."""
    secret = tmp_path / "root"
    secret.mkdir()
    (secret / "file").write_text("secret")
    kit.write("a", "read first")
    (kit.tree / "b").mkdir()
    kit.write("b/file", "public")
    kit.scan(job=Exchanging(kit.tree / "b", secret))
    assert hashlib.sha256(b"secret").hexdigest() not in repr(kit.entries)


def test_folders_that_come_and_go_do_not_end_a_scan(kit: Kit) -> None:
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            kit.write("busy/a/b").unlink()
            (kit.tree / "busy/a").rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(50):
            kit.scan()
    finally:
        stop.set()
        thread.join()


def test_content_that_rotted_is_found_in_turn(kit: Kit) -> None:
    """The cache says what the content was; that the disk now gives another is seen by reading it."""
    names = [str(kit.write(f"{number:03}")) for number in range(250)]
    kit.scan()
    cache = kit.state / "scan/cache-1"
    key, seen = scan_cache.read_cache(cache)
    records = list(seen)
    with DurableStream(kit.state / "scan/.draft") as stream:
        writer = scan_cache.CacheWriter(stream, key)
        for path, ctime, mtime, inode, size, line in records:
            entry = msgspec.json.decode(line, type=Entry)
            if path == names[200]:
                entry = msgspec.structs.replace(entry, digest="0" * 64)
            writer.add((path, ctime, mtime, inode, size, encode(entry)))
        writer.keep(cache)
    found = [kit.scan().surprises for _ in range(3)]
    assert found == [(), (), (names[200],)]
    assert kit.entries[names[200]].digest != "0" * 64
    assert [kit.scan().surprises for _ in range(3)] == [(), (), ()]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "noise"])
def test_a_damaged_cache_costs_reading_only(kit: Kit, damage: str) -> None:
    for number in range(20):
        kit.write(f"{number}")
    kit.scan()
    entries = dict(kit.entries)
    cache = kit.state / "scan/cache-1"
    body = cache.read_bytes()
    half = len(body) // 2
    bad = {
        "cut": body[:half],
        "flip": body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :],
        "empty": b"",
        "noise": os.urandom(5000),
    }
    cache.write_bytes(bad[damage])
    assert kit.scan().hashed == 20
    assert kit.entries == entries
    assert kit.scan().hashed == 0


def test_a_cancelled_scan_leaves_the_cache_as_it_was(kit: Kit) -> None:
    for number in range(600):
        kit.write(f"{number}")
    with pytest.raises(Cancelled):
        kit.scan(job=FakeProgress(cancel_at=300))
    assert not list((kit.state / "scan").iterdir())
    assert kit.scan().hashed == 600


def test_files_that_changed_since_are_told(kit: Kit) -> None:
    same, longer, gone = kit.write("same"), kit.write("longer"), kit.write("gone")
    kit.scan()
    Writer(longer)()
    gone.unlink()
    entries = [kit.entries[str(path)] for path in (gone, longer, same)]
    assert kit.scanner.changed_since(entries) == (str(gone), str(longer))
