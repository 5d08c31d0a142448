"""The checker of the order of durable writes: real traces of what is right, and each planted fault is found."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.durable_order import SQLITES_OWN, TRACED, Places, Violation, parsed, violations
from e2e.power_cut import TAKE_AWAY, loss

STATE = "/var/lib/beistand"
PLACES = Places(
    durable=(STATE, "/etc/asterisk", "/etc/.beistand"),
    passing=((r".*\.db-shm", "SQLite makes it anew"), (r".*/scan-cache", "is compared with the trees")),
    swept=((r".*/old\.jsonl", "removed again"),),
    mounts=("/", "/etc"),
)
DRAFT, FILE = f"{STATE}/.draft", f"{STATE}/live.json"
CREATED = f'1 openat(AT_FDCWD</>, "{DRAFT}", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 4<{DRAFT}>'
WRITTEN = f'1 write(4<{DRAFT}>, ""..., 10) = 10'
SYNCED = f"1 fsync(4<{DRAFT}>) = 0"
RENAMED = f'1 rename("{DRAFT}", "{FILE}") = 0'
SETTLED = f"1 fsync(5<{STATE}>) = 0"
ANSWERED = (
    '1 sendto(7<UNIX-STREAM:[4692906->4694068,"/run/beistand/agent.sock"]>, ""..., 58, 0, NULL, 0) = 58'
)
STAGED = '1 openat(6</etc/.beistand/new>, "1", O_WRONLY|O_CREAT|O_EXCL, 0600) = 9</etc/.beistand/new/1>'
FILLED = '1 write(9</etc/.beistand/new/1>, ""..., 10) = 10'
MOVED = '1 renameat(6</etc/.beistand/new>, "1", 8</etc/asterisk>, "sip.conf") = 0'
SYNCED_WHOLE = "1 syncfs(3</etc>) = 0"
WAL = f'1 pwrite64(4<{STATE}/state.db-wal>, ""..., 4096, 0) = 4096'
WAL_SYNCED = f"1 fdatasync(4<{STATE}/state.db-wal>) = 0"
DB = f'1 pwrite64(3<{STATE}/state.db>, ""..., 4096, 0) = 4096'
DB_SYNCED = f"1 fdatasync(3<{STATE}/state.db>) = 0"
GONE = f'1 unlink("{FILE}") = 0'
DURABLE = [CREATED, WRITTEN, SYNCED, RENAMED, SETTLED]
IMPORTED = [STAGED, FILLED, SYNCED_WHOLE, MOVED, SYNCED_WHOLE]

RIGHT = {
    "a document": [*DURABLE, ANSWERED],
    "an import and its record": [*IMPORTED, *DURABLE],
    "SQLite's journal": [WAL, WAL, WAL_SYNCED, ANSWERED],
    "SQLite's journal and then the database": [WAL, WAL_SYNCED, DB, DB_SYNCED],
    "an answer while a draft is written": [CREATED, WRITTEN, ANSWERED, *DURABLE[2:], ANSWERED],
    "a draft that was given up": [CREATED, WRITTEN, f'1 unlink("{DRAFT}") = 0', ANSWERED],
    "a removal that is on disk before anybody hears of it": [*DURABLE, GONE, SETTLED, ANSWERED],
    "a removal of what nobody relies on": [*DURABLE, ANSWERED, GONE, *DURABLE],
    "a removal on another file system that was synced whole": [
        *[*IMPORTED, '1 unlink("/etc/asterisk/sip.conf") = 0', SYNCED_WHOLE, ANSWERED]
    ],
    "a folder with all that is in it": [
        *[f'1 mkdir("{STATE}/undo", 0700) = 0', SETTLED, CREATED.replace(STATE, f"{STATE}/undo")],
        *[f"1 fsync(5<{STATE}/undo>) = 0", f'1 unlink("{STATE}/undo/.draft") = 0'],
        *[f'1 rmdir("{STATE}/undo") = 0', SETTLED, ANSWERED],
    ],
    "what is swept again": [
        *[CREATED.replace(".draft", "old.jsonl"), SETTLED, f'1 unlink("{STATE}/old.jsonl") = 0', ANSWERED]
    ],
    "what is not durable on purpose": [f'1 write(4<{STATE}/scan-cache>, ""..., 10) = 10', ANSWERED],
    "another place": ['1 write(4</run/beistand/note>, ""..., 10) = 10', ANSWERED],
    "what failed": [f'1 mkdir("{STATE}/undo", 0700) = -1 EEXIST (File exists)', ANSWERED],
    "another thread that is not done": [CREATED, WRITTEN, ANSWERED.replace("1 ", "2 ", 1), *DURABLE[2:]],
    "a call in two parts": [
        *[CREATED, WRITTEN, f"1 fsync(4<{DRAFT}> <unfinished ...>", "2 getpid() = 5"],
        *["1 <... fsync resumed>) = 0", RENAMED, SETTLED],
    ],
}
WRONG = {
    "no fsync": ([CREATED, WRITTEN, RENAMED, SETTLED], FILE, "its content"),
    "the rename before the fsync": ([CREATED, WRITTEN, RENAMED, SYNCED, SETTLED], FILE, "its content"),
    "a write after the fsync": ([CREATED, WRITTEN, SYNCED, WRITTEN, RENAMED, SETTLED], FILE, "its content"),
    "the fsync of another file": (
        [CREATED, WRITTEN, SYNCED.replace(DRAFT, f"{STATE}/other"), RENAMED, SETTLED],
        *(FILE, "its content"),
    ),
    "no fsync of the folder": ([*DURABLE[:-1], ANSWERED], FILE, "its name"),
    "the fsync of another folder": (
        [*DURABLE[:-1], SETTLED.replace(STATE, "/var/lib"), ANSWERED],
        *(FILE, "its name"),
    ),
    "the fsync of the folder before the rename": (
        [CREATED, WRITTEN, SYNCED, SETTLED, RENAMED, ANSWERED],
        *(FILE, "its name"),
    ),
    "a file that is written in place": (
        [line.replace(DRAFT, FILE) for line in (CREATED, WRITTEN, SETTLED, ANSWERED)],
        *(FILE, "its content"),
    ),
    "a folder whose name is nowhere": (
        [f'1 mkdir("{STATE}/undo", 0700) = 0', *DURABLE],
        *(f"{STATE}/undo", "its name"),
    ),
    "the record before what it speaks of": (
        [STAGED, FILLED, SYNCED_WHOLE, MOVED, *DURABLE, SYNCED_WHOLE],
        *("/etc/asterisk/sip.conf", "its name"),
    ),
    "content that was staged and not synced": (
        [STAGED, FILLED, MOVED],
        "/etc/asterisk/sip.conf",
        "its content",
    ),
    "another file system synced": (
        [STAGED, FILLED, "1 syncfs(3</var>) = 0", MOVED],
        *("/etc/asterisk/sip.conf", "its content"),
    ),
    "the database before its journal": (
        [WAL, DB, WAL_SYNCED, DB_SYNCED],
        f"{STATE}/state.db-wal",
        "the journal",
    ),
    "a removal before its answer": ([*DURABLE, GONE, ANSWERED], FILE, "its removal"),
    "a removal before a commit": ([*DURABLE, GONE, WAL, WAL_SYNCED, SETTLED], FILE, "its removal"),
    "a removal at the end": ([*DURABLE, GONE], FILE, "its removal"),
    "the removal in another folder synced": (
        [*DURABLE, GONE, SETTLED.replace(STATE, "/etc/.beistand"), ANSWERED],
        *(FILE, "its removal"),
    ),
    "what was moved away, its old folder not synced": (
        [
            *DURABLE,
            f'1 rename("{FILE}", "/etc/asterisk/live") = 0',
            "1 fsync(5</etc/asterisk>) = 0",
            ANSWERED,
        ],
        *(FILE, "its removal"),
    ),
    "a commit that is not synced": ([WAL, ANSWERED], f"{STATE}/state.db-wal", "its content"),
    "a commit before what it speaks of": (
        [*DURABLE[:-1], WAL, WAL_SYNCED, SETTLED],
        *(FILE, "its name"),
    ),
}


def found(lines: list[str]) -> list[Violation]:
    return violations(parsed(lines), PLACES)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_durable_is_not_complained_of(name: str) -> None:
    assert found(RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_fault_is_found(name: str) -> None:
    lines, path, what = WRONG[name]
    assert any(each.path == path and each.what.startswith(what) for each in found(lines)), found(lines)


# --- the durable places of the product, each under strace(1) ------------------------------------------

PROGRAMS = {
    "a file": "write_durably(folder / 'new' / 'deeper' / 'live.json', b'x' * 9000)",
    "a document": """
with LocalDisk(()).create(folder / "undo" / "x" / "operations.json") as file:
    file.write(b"x")
""",
    "a big file": """
with DurableStream(folder / "new" / ".draft") as file:
    file.write(b"x")
    file.keep(folder / "new" / "big.json")
""",
    "the state": """
store = SqliteStore(folder / "state" / "state.db")
store.put("a", b"b")
store.gather()
store.close()
""",
    "a key": "SshKeys(folder=folder / 'state' / 'keys').public_key()",
    "what is gone": """
write_durably(folder / "gone.toml", b"x")
remove_durably(folder / "gone.toml")
remove_durably(folder / "never" / "there.toml")
""",
    "settings that are forgotten": """
write_durably(settings_file(folder), b"x")
forget_installation(folder)
""",
    "a network file that is put aside": """
file = NetworkFile(path="/etc/network/interfaces", manager=Manager.IFUPDOWN, body=b"x")
GuardNotes(folder / "note", folder / "held").keep(file)
""",
    "a gate that is removed": """
services = SystemdServices(gate=folder / "may-serve", units=folder)
for act in (services.install_gate, services.remove_gate):
    with suppress(CommandFailed):  # where no systemd runs
        act(PROFILE)
""",
    "a backup that is deleted": """
backups = BackupFolder(folder)
write_durably(backups.path("20260301T120000Z-1"), b"x")
write_durably(folder / "20260301T120000Z-1.json", b"{}")
backups.remove("20260301T120000Z-1")
""",
    "keys that are taken back": """
keys = SshKeys(folder=folder / "keys", authorised=folder / "authorised", account="root")
undo = keys.undo_point()
keys.authorise("ssh-ed25519 " + "A" * 68, "192.0.2.1")
keys.trust("192.0.2.1", "ssh-ed25519 " + "A" * 68)
undo()
""",
}
IMPORTS = """
import sys
from contextlib import suppress
from pathlib import Path
from beistand.adapters.backup_folder import BackupFolder
from beistand.adapters.disk import LocalDisk
from beistand.adapters.durable_file import remove_durably, write_durably
from beistand.adapters.durable_stream import DurableStream
from beistand.adapters.guard_notes import GuardNotes
from beistand.adapters.keys import SshKeys
from beistand.adapters.services import SystemdServices
from beistand.adapters.settings import forget_installation, settings_file
from beistand.adapters.store import SqliteStore
from beistand.domain.errors import CommandFailed
from beistand.domain.network_file import Manager, NetworkFile
from fakes.pair_of_appliances import PROFILE
folder = Path(sys.argv[1])
"""


@pytest.mark.shows("F1")
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_the_product_writes_durably_survives_a_power_cut(name: str, tmp_path: Path) -> None:
    """F1: the real calls, also where the folders above are new."""
    trace, folder = tmp_path / "trace", tmp_path / "data"
    folder.mkdir()
    program = [sys.executable, "-c", IMPORTS + PROGRAMS[name]]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run(
        ["strace", "-f", "-y", "-s", "0", "-o", str(trace), "-e", f"trace={TRACED}", *program, str(folder)],
        check=True,
        env=here,
    )
    places = Places(
        durable=(str(folder),),
        passing=((r".*-shm", "made anew"), (r".*\.reserve.*", "made anew")),
        swept=SQLITES_OWN,
    )
    calls = list(parsed(trace.read_text().splitlines()))
    assert any(str(folder) in each.paths[-1] for each in calls if each.paths), "the trace shows nothing of it"
    assert violations(calls, places) == []


# --- what a power cut takes ---------------------------------------------------------------------------


def done(name: str, *paths: str, **rest: object) -> dict[str, object]:
    return {"thread": 1, "name": name, "paths": [*paths], "flags": [], "extent": [], "replaced": None, **rest}


OLD = {"body": "", "mode": 0o600, "owner": [0, 0], "times": [0, 0]}
DRAFTED = [
    done("openat", DRAFT, flags=["O_CREAT", "O_TRUNC"]),
    done("write", DRAFT),
    done("fsync", DRAFT),
    done("rename", DRAFT, FILE, replaced=OLD),
    done("fsync", STATE),
]


@pytest.mark.parametrize(
    ("until", "zeros", "names"),
    [
        (1, {DRAFT: []}, ["openat"]),
        (2, {DRAFT: []}, ["openat"]),
        (3, {}, ["openat"]),
        (4, {}, ["rename", "openat"]),
        (5, {}, []),
    ],
)
def test_a_power_cut_takes_what_is_not_synced_yet(until: int, zeros: object, names: list[str]) -> None:
    lost = loss(DRAFTED[:until], PLACES)
    assert (lost.zeros, [each["name"] for each in lost.names]) == (zeros, names)


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ([], ["unlink"]),
        ([done("fsync", STATE)], []),
        ([done("fsync", "/etc/asterisk")], ["unlink"]),
        ([done("openat", FILE, flags=["O_CREAT"])], ["openat", "unlink"]),
    ],
)
def test_a_power_cut_brings_back_what_was_removed(more: list[dict[str, object]], names: list[str]) -> None:
    journal = [*DRAFTED, done("unlink", FILE, replaced=OLD), *more]
    assert [each["name"] for each in loss(journal, PLACES).names] == names


def test_a_power_cut_takes_only_the_bytes_since_the_last_sync() -> None:
    wal = f"{STATE}/state.db-wal"
    journal = [
        *[done("pwrite64", wal, extent=[0, 4096]), done("fdatasync", wal)],
        *[done("pwrite64", wal, extent=[4096, 4096]), done("pwrite64", wal, extent=[8192, 24])],
    ]
    assert loss(journal, PLACES, {wal}).zeros == {wal: [[4096, 4096], [8192, 24]]}


def test_what_is_taken_from_a_disk_is_as_it_was_before(tmp_path: Path) -> None:
    """A file that was removed with its folder, and one that a rename had replaced: content, mode, times."""
    folder, draft, file = tmp_path / "folder", tmp_path / ".draft", tmp_path / "file"
    file.write_text("new")
    old = {
        "body": base64.b64encode(b"old").decode(),
        "mode": 0o640,
        "owner": [os.getuid(), os.getgid()],
        "times": [1, 2],
    }
    names = [
        done("rmdir", str(folder), replaced={**old, "is_folder": True}),
        done("unlink", str(folder / "gone"), replaced={**old, "is_folder": False}),
        done("rename", str(draft), str(file), replaced=old),
    ]
    given = json.dumps({"zeros": {}, "names": names})
    subprocess.run([sys.executable, "-c", TAKE_AWAY], input=given, text=True, check=True)
    assert draft.read_text() == "new"
    for each in (file, folder / "gone"):
        found = each.stat()
        assert (each.read_text(), found.st_mode & 0o777, found.st_mtime_ns) == ("old", 0o640, 2)
