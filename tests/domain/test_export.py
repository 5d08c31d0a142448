"""S14, S16: what a header says, what stays, and how much may be uploaded."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from beistand.domain.errors import BeistandError
from beistand.domain.export import (
    FORMAT,
    LARGEST_UPLOAD,
    RESERVE_BYTES,
    BackupRecord,
    ExportHeader,
    Part,
    Seed,
    decode_header,
    encode_header,
    free_id,
    parts_of,
    surplus,
    upload_quota,
    with_seed,
)
from beistand.domain.manifest import Entry, Kind
from beistand.domain.profile import Detect, Profile, Tree
from fakes.clock import A_SUNDAY_NOON
from fakes.situations import imported

HEADER = ExportHeader(
    format=FORMAT,
    generation=imported().generation,
    signer="a" * 16,
    host="pbx-a",
    version="0.1.0",
    made=A_SUNDAY_NOON,
    asked=True,
    parts=(),
)


def record(number: int, *, asked: bool) -> BackupRecord:
    made = A_SUNDAY_NOON + timedelta(hours=number)
    header = msgspec.structs.replace(HEADER, made=made, asked=asked)
    return BackupRecord(id=str(number), header=header, file_size=1, digest="", is_encrypted=False)


def test_a_header_comes_back_as_it_was() -> None:
    assert decode_header(encode_header(HEADER)) == HEADER


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "export-damaged"),
        (b"\xff", "export-damaged"),
        (b"[" * 100_000, "export-damaged"),
        (b"{}", "export-damaged"),
        (b'{"format":1}', "export-damaged"),
        (b'{"format":2,"something":"new"}', "export-format-newer"),
        (encode_header(HEADER).replace(b'"host"', b'"hose"'), "export-damaged"),
    ],
)
def test_what_is_no_header_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(BeistandError) as refused:
        decode_header(body)
    assert refused.value.message.code == code


def test_each_tree_and_database_is_counted_once() -> None:
    profile = Profile(
        schema=1,
        name="x",
        title="x",
        detect=Detect(files=(), version_command=()),
        trees=(Tree(path="/a"), Tree(path="/a/inner"), Tree(path="/none")),
        services=(),
    )
    entries = [
        Entry(path="/a", kind=Kind.FOLDER),
        Entry(path="/a/inner/x", kind=Kind.FILE, size=10),
        Entry(path="/a/x", kind=Kind.FILE, size=1),
        Entry(path="/a/y", kind=Kind.LINK, target="x"),
        Entry(path="/a/z", kind=Kind.FILE, size=2),
        Entry(path="database:/db", kind=Kind.DATABASE, size=7),
    ]
    assert parts_of(entries, profile) == (
        Part(path="/a", is_database=False, files=2, bytes=3),
        Part(path="/a/inner", is_database=False, files=1, bytes=10),
        Part(path="/none", is_database=False, files=0, bytes=0),
        Part(path="/db", is_database=True, files=1, bytes=7),
    )


@pytest.mark.parametrize(
    ("free", "quota"),
    [
        (0, 0),
        (RESERVE_BYTES, 0),
        (RESERVE_BYTES + 5, 5),
        (LARGEST_UPLOAD * 2, LARGEST_UPLOAD),
    ],
)
def test_the_quota_leaves_room_for_the_state(free: int, quota: int) -> None:
    assert upload_quota(free) == quota


@pytest.mark.parametrize(("keep", "gone"), [(1, ("3", "0")), (2, ("0",)), (3, ()), (9, ())])
def test_retention_counts_those_of_the_schedule(keep: int, gone: tuple[str, ...]) -> None:
    records = [record(number, asked=number in (1, 2)) for number in range(5)]
    assert surplus(records, keep) == gone


def test_a_clock_that_ran_ahead_removes_no_new_backup() -> None:
    """F9: two backups were made a year ahead; those made since the clock was right again are the newer ones."""

    def numbered(number: int, made: datetime) -> BackupRecord:
        generation = msgspec.structs.replace(HEADER.generation, sequence=number)
        header = msgspec.structs.replace(HEADER, made=made, asked=False, generation=generation)
        return BackupRecord(id=str(number), header=header, file_size=1, digest="", is_encrypted=False)

    ahead, long_ago = A_SUNDAY_NOON + timedelta(days=365), datetime(1970, 1, 1, tzinfo=UTC)
    made = [A_SUNDAY_NOON, ahead, ahead, A_SUNDAY_NOON, long_ago]
    records = [numbered(number, each) for number, each in enumerate(made, start=1)]
    assert surplus(records, 2) == ("3", "2", "1")


def test_the_newest_seeds_stay_and_the_schedule_pushes_none_out() -> None:
    seeds: tuple[Seed, ...] = ()
    for number in range(6):
        seeds = with_seed(seeds, Seed(manifest=f"hand {number}", asked=True))
    for number in range(6):
        seeds = with_seed(seeds, Seed(manifest=f"schedule {number}", asked=False))
    assert [each.manifest for each in seeds] == ["schedule 5", "hand 5", "hand 4", "hand 3"]
    again = with_seed(seeds, Seed(manifest="hand 3", asked=True))
    assert [each.manifest for each in again] == ["hand 3", "schedule 5", "hand 5", "hand 4"]


@pytest.mark.parametrize(("taken", "free"), [((), "x"), (("x",), "x.2"), (("x", "x.2", "y"), "x.3")])
def test_a_name_is_given_once(taken: tuple[str, ...], free: str) -> None:
    assert free_id("x", taken) == free
