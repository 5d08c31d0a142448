"""Whatever is uploaded: our own things stay byte for byte, and the trees are one whole generation (F4, F5, F6)."""

import hashlib
import io
import json
import resource
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from beistand.adapters.age import AgeWriter
from beistand.adapters.tar_blocks import END, member_block, padding
from beistand.domain.errors import BadGeneration, BeistandError
from beistand.domain.export import HEADER, MANIFEST, SIGNATURE
from beistand.domain.manifest import encode
from fakes.exporting import Active, FakeSignatures, Seeding
from fakes.standby import File, Folder, Rows, Sandbox, Trees, lay_out, sandbox, snapshot
from fuzz.extent import attacks, examples

GOOD: Trees = {
    "etc": Folder(),
    "etc/sip.conf": File(b"good"),
    "etc/users": Folder(),
    "etc/users/102": File(b"also good"),
    "lib/pbx": Folder(),
    "lib/pbx/recording": File(hashlib.shake_256(b"noise").digest(300_000)),
    "lib/pbx/astdb.sqlite3": Rows(("good",)),
}
OWN: Trees = {
    "etc": Folder(),
    "etc/host.key": File(b"mine", 0o600),
    "identity": Folder(0o700),
    "identity/secret": File(b"mine", 0o600),
    "lib/pbx": Folder(),
    "lib/pbx/licences": Folder(0o700),
    "lib/pbx/licences/key": File(b"mine", 0o600),
}
KEY = "the active's"
MEMORY = 64 << 20


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    rmtree(path)


class Attacked:
    """A standby, and the good file that attacks are made of. Nothing that is refused may change it."""

    def __init__(self, root: Path) -> None:
        rmtree(root, ignore_errors=True)
        root.mkdir()
        self.box: Sandbox = sandbox(root)
        self.good = Active(self.box).saved(GOOD).read_bytes()
        lay_out(self.box.live, OWN)
        lay_out(root / "beside", OWN)
        self.file = root / "upload"
        self.standby = Seeding(self.box)
        self.before = self.seen()

    def seen(self) -> tuple[object, ...]:
        return (
            self.box.standing_trees(),
            snapshot(self.box.root / "beside"),
            snapshot(self.box.state, without="undo"),
            self.box.staging(),
        )

    def refused(self, body: bytes, passphrase: str = "") -> str:
        """Try to check it and to import it unseen; return the code."""
        attacks["export"] += 1
        self.file.write_bytes(body)
        with pytest.raises(BeistandError) as refusal:
            self.standby.check(self.file, passphrase)
        assert self.seen()[0] == self.before[0]
        assert self.seen()[1] == self.before[1]
        assert self.seen()[3] == self.before[3]
        return str(refusal.value.message.code)

    def members(self) -> list[tuple[str, bytes]]:
        plain = zstandard.ZstdDecompressor().stream_reader(self.good).read()
        with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
            return [(each.name, _content(archive, each)) for each in archive]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def packed(members: list[tuple[str, bytes]], end: bytes = END) -> bytes:
    blocks = [member_block(name, len(body)) + body + padding(len(body)) for name, body in members]
    return compressed(b"".join(blocks) + end)


def compressed(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=False).compress(plain)


@pytest.fixture(scope="module")
def attacked(folder: Path) -> Attacked:
    return Attacked(folder / "box")


def test_any_tar_and_zstd_opens_the_file(attacked: Attacked) -> None:
    """A backup can be opened without Beistand; packing it again gives what is taken."""
    names = [name for name, _ in attacked.members()]
    assert names == [HEADER, SIGNATURE, MANIFEST, "files/2", "files/4", "files/6", "databases/7"]
    attacked.file.write_bytes(packed(attacked.members()))
    assert attacked.standby.check(attacked.file).host == "pbx-a"


@pytest.mark.shows("F4")
def test_cut_anywhere_it_is_refused(attacked: Attacked) -> None:
    """F4: at every 64 KiB, and around the ends."""
    size = len(attacked.good)
    for at in {*range(0, size, 1 << 16), 1, 3, 5, 17, 600, 2000, size - 500, size - 2, size - 1}:
        assert attacked.refused(attacked.good[:at])


@examples(60)
@given(data=st.data())
def test_a_flipped_byte_is_refused_or_changes_nothing(attacked: Attacked, data: st.DataObject) -> None:
    """F4: of the packed file, and of what is packed in it."""
    if data.draw(st.booleans()):
        body = bytearray(attacked.good)
    else:
        body = bytearray(zstandard.ZstdDecompressor().stream_reader(attacked.good).read())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= 1 << data.draw(st.integers(0, 7))
    flipped = bytes(body) if len(body) == len(attacked.good) else compressed(bytes(body))
    try:
        attacked.file.write_bytes(flipped)
        header = attacked.standby.check(attacked.file)
    except BeistandError:
        pass
    else:  # a bit of the packing that means nothing: every content was still the signed one
        attacked.file.write_bytes(attacked.good)
        assert header == attacked.standby.check(attacked.file)
    assert attacked.seen()[0] == attacked.before[0]


def swapped(members: list[tuple[str, bytes]], one: int, other: int) -> list[tuple[str, bytes]]:
    bodies = [body for _, body in members]
    bodies[one], bodies[other] = bodies[other], bodies[one]
    return [(name, body) for (name, _), body in zip(members, bodies, strict=True)]


def with_header(members: list[tuple[str, bytes]], **changes: Any) -> list[tuple[str, bytes]]:
    """Say something else in the header, without the key that could sign it."""
    header = json.loads(members[0][1])
    header["generation"].update(changes)
    return [(HEADER, json.dumps(header).encode()), *members[1:]]


def stale_manifest(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    lines = members[2][1].replace(b'"mode":', b'"mode": ')
    return [*members[:2], (MANIFEST, lines), *members[3:]]


Members = list[tuple[str, bytes]]
ATTACKS: dict[str, Callable[[Members], Members]] = {
    "swapped contents": lambda them: swapped(them, 3, 4),
    "swapped names": lambda them: [*them[:3], them[4], them[3], *them[5:]],
    "a member twice": lambda them: [*them[:4], *them[3:]],
    "a header twice": lambda them: [them[0], *them],
    "a member less": lambda them: [*them[:3], *them[4:]],
    "a member more": lambda them: [*them, ("files/8", b"x")],
    "traversal": lambda them: [*them[:3], ("../../etc/passwd", them[3][1]), *them[4:]],
    "an absolute name": lambda them: [*them[:3], ("/etc/passwd", them[3][1]), *them[4:]],
    "another content": lambda them: [*them[:3], (them[3][0], b"evil"), *them[4:]],
    "a longer content": lambda them: [*them[:3], (them[3][0], them[3][1] + b"x"), *them[4:]],
    "another manifest": stale_manifest,
    "no signature": lambda them: [them[0], (SIGNATURE, b""), *them[2:]],
    "another signature": lambda them: [them[0], (SIGNATURE, b"x" * 64), *them[2:]],
    "a huge signature": lambda them: [them[0], (SIGNATURE, b"x" * 5000), *them[2:]],
    "another pair": lambda them: with_header(them, pair="d" * 32),
    "a newer one than it is": lambda them: with_header(them, sequence=9, id="20260301T120100Z-9"),
    "fewer entries": lambda them: with_header(them, entries=1),
    "an id that is a path": lambda them: with_header(them, id="../../x"),
    "nothing": lambda them: [],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_that_was_tampered_with_is_refused(attacked: Attacked, attack: str) -> None:
    """F4, F5."""
    assert attacked.refused(packed(ATTACKS[attack](attacked.members())))


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"L", b"x", b"g", b"K", b"S"])
def test_a_member_that_is_no_regular_file_is_refused(attacked: Attacked, kind: bytes) -> None:
    """F5: hard and symbolic links, devices, folders, FIFOs, long names, extended headers, sparse files."""
    info = tarfile.TarInfo("files/2")
    info.type, info.linkname, info.size = kind, "/etc/shadow", 4 if kind in b"7" else 0
    info.mode, info.devmajor, info.devminor = 0o4755, 1, 5
    members = attacked.members()
    block = info.tobuf(tarfile.GNU_FORMAT)[:512]
    plain = b"".join(member_block(name, len(body)) + body + padding(len(body)) for name, body in members[:3])
    assert attacked.refused(compressed(plain + block + b"good" + padding(4) + END)) == "export-damaged"


@pytest.mark.parametrize(("mode", "owner"), [(0o4755, 0), (0o600, 1000)])
def test_a_header_that_no_writer_makes_is_refused(attacked: Attacked, mode: int, owner: int) -> None:
    info = tarfile.TarInfo(HEADER)
    name, body = attacked.members()[0]
    info.size, info.mode, info.uid = len(body), mode, owner
    rest = attacked.members()[1:]
    plain = info.tobuf(tarfile.USTAR_FORMAT) + body + padding(len(body))
    plain += b"".join(member_block(each, len(it)) + it + padding(len(it)) for each, it in rest) + END
    assert name == HEADER
    assert attacked.refused(compressed(plain)) == "export-damaged"


def test_nothing_may_follow_the_end(attacked: Attacked) -> None:
    assert attacked.refused(packed(attacked.members(), END + bytes(512))) == "export-damaged"
    assert attacked.refused(attacked.good + compressed(b"x")) == "export-damaged"


@examples(40)
@given(garbage=st.binary(max_size=2000), is_packed=st.booleans())
def test_garbage_is_no_backup(attacked: Attacked, garbage: bytes, is_packed: bool) -> None:
    assert attacked.refused(compressed(garbage) if is_packed else garbage)


def zeros(count: int) -> bytes:
    """So many zeros in about a thirty thousandth of their size."""
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(count >> 20)), packer.flush()])


@pytest.mark.shows("F6")
@pytest.mark.parametrize("begin", [0, 1, 3], ids=["all of it", "as signature", "as a content"])
def test_a_bomb_is_stopped_while_it_streams(attacked: Attacked, begin: int) -> None:
    """F6: 1 GiB of zeros in less than 1 MB; little memory, nothing on disk."""
    members = attacked.members()[:begin]
    plain = b"".join(member_block(name, len(body)) + body + padding(len(body)) for name, body in members)
    if begin:
        plain += member_block(attacked.members()[begin][0], 1 << 30)
    bomb = compressed(plain) + zeros(1 << 30)
    assert len(bomb) < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert attacked.refused(bomb) == "export-damaged"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY


def test_a_window_that_asks_for_a_gigabyte_is_refused(attacked: Attacked) -> None:
    """F6: the memory that a zstd frame may ask for is bounded."""
    settings = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=settings)
    with io.BytesIO() as file:
        with packer.stream_writer(file, closefd=False) as stream:
            stream.write(b"x" * 100)
        body = file.getvalue()
    assert attacked.refused(body) == "export-damaged"


def test_millions_of_entries_end_at_what_was_announced(folder: Path) -> None:
    """F6: even signed by the peer itself: a broken-in active is no reason for a full disk here."""
    attacked = Attacked(folder / "many")
    members = attacked.members()
    header = json.loads(members[0][1])
    template = attacked.box.entries({"etc/x": File(b"")})[0]
    head = [each for each in attacked.box.entries(GOOD) if each.path.endswith("/etc")]
    names = (f"{template.path}{count:07}" for count in range(200_000))
    lines = [*map(encode, head), *(encode(msgspec.structs.replace(template, path=name)) for name in names)]
    manifest = b"".join(lines)
    header["generation"].update(manifest=hashlib.sha256(manifest).hexdigest(), entries=1000)
    body = json.dumps(header).encode()
    signature = FakeSignatures(KEY, "").sign(body)
    attacked.file.write_bytes(packed([(HEADER, body), (SIGNATURE, signature), (MANIFEST, manifest)]))
    with pytest.raises(BadGeneration, match="counts-differ"):
        attacked.standby.check(attacked.file)
    kept = attacked.box.state / "manifests"
    assert [each for each in kept.iterdir() if each.stat().st_size > 1_000_000] == []


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"path": "{live}/etc/host.key"}, "names-identity"),
        ({"path": "{live}/identity/secret"}, "names-identity"),
        ({"path": "/etc/passwd"}, "names-identity"),
        ({"path": "{live}/outside"}, "outside-trees"),
        ({"path": "{live}/etc/../identity/x"}, "path-not-allowed"),
        ({"path": "{live}/etc/zz", "mode": 0o4755}, "manifest-damaged"),
        ({"path": "{live}/etc/zz", "kind": "c"}, "manifest-damaged"),
        (
            {"path": "{live}/etc/zz", "kind": "l", "target": "/identity", "digest": "", "size": 0},
            "link-leaves-trees",
        ),
        ({"path": "{live}/etc/sip.conf"}, "manifest-unsorted"),
    ],
)
def test_what_the_profile_here_keeps_out_stays_out(folder: Path, entry: dict[str, Any], code: str) -> None:
    """F5: though the peer signed it: the receiving side's profile decides what may be written."""
    attacked = Attacked(folder / "signed")
    live = str(attacked.box.live)
    good = [msgspec.to_builtins(each) for each in attacked.box.entries(GOOD)]
    evil = {"kind": "f", "owner": "root", "group": "root", "size": 4, "digest": good[1]["digest"], **entry}
    evil["path"] = evil["path"].format(live=live)
    entries = sorted([*good, evil], key=lambda each: each["path"])
    manifest = b"".join(json.dumps(each).encode() + b"\n" for each in entries)
    members = attacked.members()
    header = json.loads(members[0][1])
    size = sum(each.get("size", 0) for each in entries)
    header["generation"].update(
        manifest=hashlib.sha256(manifest).hexdigest(), entries=len(entries), size=size
    )
    body = json.dumps(header).encode()
    signed = [(HEADER, body), (SIGNATURE, FakeSignatures(KEY, "").sign(body)), (MANIFEST, manifest)]
    assert attacked.refused(packed([*signed, *members[3:]])) == code


@examples(5)
@given(data=st.data())
def test_an_encrypted_file_is_taken_whole_or_not_at_all(attacked: Attacked, data: st.DataObject) -> None:
    """F4: nothing in it can be changed or cut without being seen."""
    sealed = _sealed(attacked.good)
    at = data.draw(st.one_of(st.integers(0, len(sealed) - 1), st.integers(0, 300)))
    flipped = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    damaged = data.draw(st.sampled_from([sealed[:at], flipped]))
    attacked.refused(damaged, "secret")


_SEALED: list[bytes] = []


def _sealed(plain: bytes) -> bytes:
    """Encrypt once: finding the key takes time, as it must."""
    if not _SEALED:
        file = io.BytesIO()
        writer = AgeWriter(file, "secret")
        writer.write(plain)
        writer.close()
        _SEALED.append(file.getvalue())
    return _SEALED[0]
