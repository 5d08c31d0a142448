"""The manifest: every name comes back, comparison agrees on both sides, nothing odd is read."""

import contextlib
import json
import os
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beistand.domain.errors import BadGeneration
from beistand.domain.manifest import (
    Entry,
    Kind,
    apply_delta,
    changed_lines,
    changes,
    contents_to_send,
    decode,
    delta,
    dump_name,
    encode,
    portions,
    read_entries,
    shown,
)

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def file(path: str, digest: str = A, mode: int = 0o640) -> Entry:
    return Entry(path=path, kind=Kind.FILE, mode=mode, owner="asterisk", group="asterisk", digest=digest)


# What a file system can hold: any bytes but / and NUL.
names = (
    st.binary(min_size=1, max_size=12)
    .map(lambda raw: os.fsdecode(raw.replace(b"/", b"-").replace(b"\0", b"-")))
    .filter(lambda name: name not in (".", ".."))
)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
digests = st.sampled_from([A, B, C])
entries = st.one_of(
    st.builds(file, paths, digests, st.sampled_from([0o600, 0o640])),
    st.builds(lambda path: Entry(path=path, kind=Kind.FOLDER, mode=0o750), paths),
    st.builds(lambda path, target: Entry(path=path, kind=Kind.LINK, target=target), paths, names),
    st.builds(
        lambda name, digest: Entry(path=f"database:{name}", kind=Kind.DATABASE, digest=digest), paths, digests
    ),
)
manifests = st.lists(entries, max_size=12, unique_by=lambda entry: entry.path).map(
    lambda some: tuple(sorted(some, key=lambda entry: entry.path))
)


def lines(manifest: Iterable[Entry]) -> list[bytes]:
    return [encode(entry) for entry in manifest]


@given(manifests)
def test_every_name_a_file_system_allows_comes_back(manifest: tuple[Entry, ...]) -> None:
    assert tuple(read_entries(lines(manifest))) == manifest


@given(manifests, manifests)
def test_a_delta_turns_the_old_manifest_into_the_new_one(
    old: tuple[Entry, ...], new: tuple[Entry, ...]
) -> None:
    assert tuple(apply_delta(old, delta(old, new))) == new


@given(manifests, manifests)
def test_lines_compare_as_their_entries_do(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> None:
    assert list(changed_lines(lines(old), lines(new))) == list(changes(old, new))


@given(manifests, manifests)
def test_every_changed_file_travels_or_is_found(old: tuple[Entry, ...], new: tuple[Entry, ...]) -> None:
    contents = contents_to_send(lambda: old, lambda: new)
    before = {entry.path: entry for entry in old}
    files = {entry.path: entry for entry in new if entry.kind is Kind.FILE}
    for path, entry in files.items():
        if before.get(path) == entry:
            continue
        if path in contents.reuse:
            found = before[contents.reuse[path]]
            assert (found.kind, found.digest) == (Kind.FILE, entry.digest)
            assert path not in contents.send
        else:
            assert path in contents.send
    known = {entry.digest for entry in old if entry.kind is Kind.FILE}
    assert not [path for path in contents.send if files[path].digest in known]
    assert list(contents.send) == sorted(contents.send)


@given(manifests, manifests, st.integers(1, 5))
def test_in_portions_the_same_is_decided(old: tuple[Entry, ...], new: tuple[Entry, ...], most: int) -> None:
    """F14: however many changes there are, only so many are in memory."""
    whole = contents_to_send(lambda: old, lambda: new)
    found = list(portions(changes(old, new), lambda: old, most))
    assert [change for each in found for change in each.changes] == list(changes(old, new))
    assert tuple(path for each in found for path in each.contents.send) == whole.send
    assert {path: there for each in found for path, there in each.contents.reuse.items()} == whole.reuse
    assert all(len(each.changes) <= most for each in found)
    assert tuple(entry.path for each in found for entry in each.to_send) == whole.send


def test_a_rename_costs_no_bytes() -> None:
    old = (file("/voicemail/INBOX/msg0000.wav", A), file("/voicemail/INBOX/msg0001.wav", B))
    new = (file("/voicemail/INBOX/msg0000.wav", B), file("/voicemail/Old/msg0000.wav", A))
    contents = contents_to_send(lambda: old, lambda: new)
    assert contents.send == ()
    assert contents.reuse == {
        "/voicemail/INBOX/msg0000.wav": "/voicemail/INBOX/msg0001.wav",
        "/voicemail/Old/msg0000.wav": "/voicemail/INBOX/msg0000.wav",
    }


def test_a_change_of_owner_costs_no_bytes() -> None:
    contents = contents_to_send(
        lambda: (file("/a", A), file("/b", A)), lambda: (file("/a", A), file("/b", A, 0))
    )
    assert contents.send == ()
    assert contents.reuse == {"/b": "/b"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("etc/asterisk", "path-not-allowed"),
        ("/etc/../root", "path-not-allowed"),
        ("/etc/..", "path-not-allowed"),
        ("/etc/./a", "path-not-allowed"),
        ("/etc//a", "path-not-allowed"),
        ("/etc/a/", "path-not-allowed"),
        ("/", "path-not-allowed"),
        ("/etc/a\0b", "path-not-allowed"),
        ("/" + "n" * 256, "path-not-allowed"),
        ("/" + "ü" * 128, "path-not-allowed"),
        ("/n" * 2100, "path-not-allowed"),
        ("/\ud800", "path-not-allowed"),
        ("/\udcc3\udca9", "path-not-allowed"),  # two escaped bytes that are é: a second spelling of /é
        ("", "manifest-unsorted"),
    ],
)
def test_a_path_that_is_not_plain_is_refused(path: str, code: str) -> None:
    line = json.dumps({"path": path, "kind": "f", "digest": A}).encode()
    with pytest.raises(BadGeneration) as refused:
        list(read_entries([line]))
    assert refused.value.message.code == code
    msgspec.json.encode(refused.value.message)  # can be told to the peer


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"path":"/a"}',
        b'{"path":"/a","kind":"p"}',
        b'{"path":"/a","kind":"f"}',
        b'{"path":"/a","kind":"d","mode":2541}',
        b'{"path":"/a","kind":"d","mode":-1}',
        b'{"path":"/a","kind":"d","digest":"%s"}' % A.encode(),
        b'{"path":"/a","kind":"l"}',
        b'{"path":"/a","kind":"l","target":"x\\u0000y"}',
        b'{"path":"/a","kind":"d","target":"x"}',
        b'{"path":"/a","kind":"d","size":-1}',
        b'{"path":"/a","kind":"d","unknown":1}',
        b'{"path":"/a\\udc80","kind":"d","mode":[]}',
        b'{"path":"/a","kind":"d","owner":"\\ud800"}',
        b"\\ud" + b"[" * 60_000,
        b'{"path":"/\xeb","kind":"d"}',
        b'{"path":"/' + b"a" * 70_000 + b'","kind":"d"}',
    ],
)
def test_a_line_that_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(BadGeneration) as refused:
        list(read_entries([line]))
    assert refused.value.message.code == "manifest-damaged"


@pytest.mark.parametrize("second", ["/b", "/a"])
def test_a_path_twice_or_out_of_order_is_refused(second: str) -> None:
    with pytest.raises(BadGeneration, match="manifest-unsorted"):
        list(read_entries(lines([file("/b"), file(second)])))


@pytest.mark.parametrize(
    "wrong",
    [
        [b'{"gone":"/nothing"}\n'],
        [encode(file("/b")), encode(file("/a"))],
        [encode(file("/b")), encode(file("/b"))],
        [b'{"gone":"/a","x":1}\n'],
        [b'{"gone":1}\n'],
    ],
)
def test_a_delta_that_does_not_fit_is_refused(wrong: list[bytes]) -> None:
    with pytest.raises(BadGeneration, match="delta-damaged"):
        list(apply_delta([file("/a")], wrong))


@given(st.binary(max_size=80))
@settings(max_examples=300)
def test_any_bytes_are_an_entry_or_refused(line: bytes) -> None:
    with contextlib.suppress(BadGeneration):
        decode(line)


@given(paths, paths)
def test_dumps_of_two_databases_never_share_a_file(one: str, other: str) -> None:
    assert "/" not in dump_name(one)
    assert (dump_name(one) == dump_name(other)) == (one == other)


def test_what_is_not_utf8_is_shown_escaped() -> None:
    assert shown("/fr\udce9d\udce9ric") == "/fr\\udce9d\\udce9ric"
