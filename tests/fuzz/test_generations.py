"""Whatever a peer sends: our own things stay byte for byte, and the trees are one whole generation (F4, F5, F6)."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beistand.domain.errors import BadGeneration, BeistandError
from beistand.domain.manifest import encode
from beistand.operations.importing import live_generation
from beistand.operations.receiving import check_offer, receive_generation
from fakes.progress import FakeProgress
from fakes.standby import File, Folder, Link, Rows, Sandbox, Trees, lay_out, sandbox, snapshot
from fuzz.extent import attacks, examples

OWN: Trees = {
    "etc": Folder(),
    "etc/host.key": File(b"mine", 0o600),
    "etc/planted": Link("../identity"),
    "identity": Folder(0o700),
    "identity/secret": File(b"mine", 0o600),
    "lib/pbx": Folder(),
    "lib/pbx/licences": Folder(0o700),
    "lib/pbx/licences/key": File(b"mine", 0o600),
    "lib/pbx/cache": Folder(),
    "lib/pbx/cache/x": File(b"local"),
    "outside": Folder(),
    "outside/file": File(b"mine"),
}
GOOD: Trees = {
    "etc": Folder(),
    "etc/sip.conf": File(b"good"),
    "etc/users": Folder(),
    "etc/users/102": File(b"good"),
    "lib/pbx": Folder(),
    "lib/pbx/astdb.sqlite3": Rows(("good",)),
}
UNTOUCHABLE = ("etc/host.key", "identity", "lib/pbx/licences", "lib/pbx/cache", "outside")

ROOTS = st.sampled_from(
    ["{live}/etc", "{live}/lib/pbx", "{live}/default", "{live}", "{live}/identity", "", "/etc/ssh"]
)
PARTS = st.sampled_from(
    [
        *("sip.conf", "users", "102", "planted", "host.key", "licences", "key", "cache", "x", "new"),
        *("..", ".", "", "a\0b", "\udcff", "n" * 256, "{live}", "database:", ".beistand", "secret"),
        *("astdb.sqlite3", "astdb.sqlite3-wal"),
    ]
)
PATHS = st.builds(lambda root, parts: "/".join([root, *parts]), ROOTS, st.lists(PARTS, max_size=4))
GOOD_DIGEST = sha256(b"good").hexdigest()
DIGESTS = st.sampled_from([GOOD_DIGEST, sha256(b"").hexdigest(), "0" * 64, "", "x", "A" * 64])
FIELDS = {
    "path": PATHS,
    "kind": st.sampled_from(["f", "d", "l", "b", "c", "p"]),
    "mode": st.sampled_from([0o644, 0o755, 0o4755, 0o2755, 0o6777, -1, 0o1777, 1 << 40]),
    "owner": st.sampled_from(["root", "daemon", "", "no-such", "0", "-1", "4294967295", "../x"]),
    "group": st.sampled_from(["root", "daemon", "0"]),
    "size": st.sampled_from([0, 4, 5, -1, 1 << 62]),
    "mtime_ns": st.sampled_from([0, -1, 1 << 70, 1_700_000_000_000_000_000]),
    "digest": DIGESTS,
    "target": st.one_of(PATHS, st.sampled_from(["../identity", "users/../../identity/secret", "/", "."])),
    "surprise": st.just(1),
}
REQUIRED = {"path", "kind"}
ENTRIES = st.fixed_dictionaries(
    {name: each for name, each in FIELDS.items() if name in REQUIRED},
    optional={name: each for name, each in FIELDS.items() if name not in REQUIRED},
)
FILES = st.builds(
    lambda path, mode: {
        "path": path,
        "kind": "f",
        "mode": mode,
        "owner": "root",
        "group": "root",
        "size": 4,
        "digest": GOOD_DIGEST,
    },
    st.builds(
        "{{live}}/etc/{}".format, st.sampled_from(["a", "b", "users/103", "planted", "host.key", "x/y"])
    ),
    st.sampled_from([0o600, 0o755]),
)
CHANGED = st.lists(
    st.one_of(st.tuples(st.integers(0, 9), st.just(name), each) for name, each in FIELDS.items()), max_size=2
)
PLANTS = st.lists(
    st.tuples(st.sampled_from(["link", "fifo", "device", "folder", "file", "huge"]), PATHS), max_size=4
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    rmtree(path)


def imported_standby(root: Path) -> Sandbox:
    if root.exists():
        rmtree(root)
    root.mkdir()
    box = sandbox(root)
    lay_out(box.live, OWN)
    box.cycle(GOOD)
    return box


def own(seen: dict[str, object]) -> dict[str, object]:
    return {
        name: each
        for name, each in seen.items()
        if f"{name}/".startswith(tuple(f"{it}/" for it in UNTOUCHABLE))
    }


def attack(
    box: Sandbox, lines: list[bytes], plants: list[tuple[str, str]], base: bool, **announced: Any
) -> str:
    """Send it, and check what must hold whatever comes; return the code of the refusal, empty if it was taken."""
    attacks["generation"] += 1
    before, live = box.standing_trees(), live_generation(box.node)
    outside = snapshot(box.root / "beside")
    body = b"".join(lines)
    generation = box.announce(GOOD, **{"manifest": sha256(body).hexdigest(), **announced})
    box.send(GOOD, "")
    box.put("manifest/current.jsonl", body)
    for kind, path in plants:
        plant(box, kind, path)
    try:
        answer = check_offer(box.node, generation)
        receive_generation(box.node, generation, answer.base if base else "", FakeProgress())
        code = ""
    except BeistandError as error:
        code = error.message.code
        assert box.standing_trees() == before
        assert live_generation(box.node) == live
    assert own(box.standing_trees()) == own(before)
    assert snapshot(box.root / "beside") == outside
    check_nothing_odd(box.live)
    return code


def plant(box: Sandbox, kind: str, path: str) -> None:
    place = box.inbox / "files" / path.format(live=str(box.live)).lstrip("/")
    with suppress(OSError, ValueError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        match kind:
            case "link":
                place.symlink_to(box.live / "identity/secret")
            case "fifo":
                os.mkfifo(place)
            case "device":
                os.mknod(place, 0o20666, os.makedev(1, 5))
            case "folder":
                place.mkdir()
            case "file":
                place.write_bytes(b"good")
            case "huge":
                with place.open("wb") as file:
                    file.truncate(1 << 40)


def check_nothing_odd(live: Path) -> None:
    for above, folders, files in os.walk(live):
        for name in (*folders, *files):
            found = os.lstat(os.path.join(above, name))
            assert found.st_mode & 0o6000 == 0, name
            assert found.st_mode >> 12 in (0o4, 0o10, 0o12), name


def line(box: Sandbox, entry: dict[str, Any]) -> bytes:
    live = str(box.live)
    filled = {key: each.format(live=live) if isinstance(each, str) else each for key, each in entry.items()}
    return json.dumps(filled).encode() + b"\n"


def good_entries(box: Sandbox) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(each) for each in box.entries(GOOD)]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[Counter[str]]:
    """Counts what became of the attacks: one that is never taken, or always fails early, tests nothing."""
    seen: Counter[str] = Counter()
    yield seen
    assert seen[""] > 5
    assert len(seen) > 7


@pytest.mark.shows("F5")
@examples(150)
@given(
    extra=st.lists(st.one_of(ENTRIES, FILES), max_size=3),
    changed=CHANGED,
    plants=PLANTS,
    lies=st.sampled_from(["", "", "", "", "order", "entries", "size"]),
)
def test_no_manifest_and_no_inbox_reaches_our_own_things(
    folder: Path,
    outcomes: Counter[str],
    extra: list[dict[str, Any]],
    changed: list[tuple[int, str, Any]],
    plants: list[tuple[str, str]],
    lies: str,
) -> None:
    box = imported_standby(folder / "box")
    lay_out(box.root / "beside", OWN)
    entries = [*good_entries(box), *extra]
    for at, name, value in changed:
        entries[at % len(entries)][name] = value
    lines = [line(box, each) for each in entries]
    if lies != "order":
        lines.sort(key=lambda each: json.loads(each)["path"])
    size = sum(each.get("size", 0) for each in entries if each["kind"] in "fb")
    announced = {"entries": len(lines) + (lies == "entries"), "size": max(0, size + (lies == "size"))}
    plants += [("file", each["path"]) for each in extra]
    outcomes[attack(box, lines, plants, base=False, **announced)] += 1


@examples(15)
@given(data=st.data())
def test_a_flipped_or_cut_manifest_is_never_taken(folder: Path, data: st.DataObject) -> None:
    box = imported_standby(folder / "box")
    lay_out(box.root / "beside", OWN)
    whole = b"".join(map(encode, box.entries({**GOOD, "etc/sip.conf": File(b"newer")})))
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    damaged = data.draw(st.sampled_from([whole[:at], flipped, whole + whole[at:]]))
    assert attack(box, [damaged], [], base=False, manifest=sha256(whole).hexdigest())


@examples(15)
@given(st.binary(min_size=1, max_size=300), st.booleans())
def test_garbage_is_no_manifest(folder: Path, garbage: bytes, base: bool) -> None:
    box = imported_standby(folder / "box")
    assert attack(box, [garbage], [], base=base, entries=1, size=0)


def test_a_line_without_end_is_stopped_while_it_streams(folder: Path) -> None:
    box = imported_standby(folder / "box")
    generation = box.announce(GOOD)
    endless = box.inbox / "manifest/current.jsonl"
    endless.parent.mkdir(parents=True, exist_ok=True)
    with endless.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BadGeneration, match="manifest-damaged"):
        receive_generation(box.node, generation, "", FakeProgress())


def test_more_entries_than_announced_are_not_read(folder: Path) -> None:
    box = imported_standby(folder / "box")
    template = box.entries({"etc/x": File(b"")})[0]
    names = (f"{template.path}{count:07}" for count in range(200_000))
    head = [each for each in box.entries(GOOD) if each.path.endswith("/etc")]
    lines = [*map(encode, head), *(encode(msgspec.structs.replace(template, path=name)) for name in names)]
    generation = box.announce(GOOD, entries=1000, manifest=sha256(b"".join(lines)).hexdigest())
    box.put("manifest/current.jsonl", b"".join(lines))
    with pytest.raises(BadGeneration, match="counts-differ"):
        receive_generation(box.node, generation, "", FakeProgress())
    drafts = [each for each in (box.state / "manifests").iterdir() if each.stat().st_size > 1_000_000]
    assert drafts == []
