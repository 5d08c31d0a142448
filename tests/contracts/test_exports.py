"""The contract of the ports Exports, Backups and Upload (there is no fake: the real ones are quick)."""

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from beistand.adapters.age import CHUNK, AgeReader, AgeWriter
from beistand.adapters.backup_folder import BackupFolder, UploadFolder
from beistand.adapters.export_file import ExportFiles
from beistand.adapters.export_signatures import ExportSignatures
from beistand.adapters.keys import SshKeys
from beistand.adapters.tar_blocks import LARGEST_OCTAL, TarReader, member_block
from beistand.domain.errors import BadGeneration, Failed, NoSpace, Refused


def keys(folder: Path, peer: str = "") -> SshKeys:
    authorised = folder / "authorized_keys"
    if peer:
        folder.mkdir(exist_ok=True)
        authorised.write_text(f'restrict,from="192.0.2.1",command="/usr/bin/beistand peer" {peer}\n')
    return SshKeys(folder=folder / "keys", authorised=authorised)


@pytest.fixture
def files(tmp_path: Path) -> ExportFiles:
    return ExportFiles(ExportSignatures(keys=keys(tmp_path / "own")))


def written(files: ExportFiles, path: Path, content: bytes, passphrase: str = "") -> None:
    with files.draft(path, passphrase) as draft:
        draft.add("one", len(content), io.BytesIO(content).read)
        draft.keep()
        draft.publish(path)


def test_only_the_peers_signature_for_this_purpose_is_believed(tmp_path: Path) -> None:
    active, stranger = keys(tmp_path / "a"), keys(tmp_path / "x")
    standby = ExportSignatures(keys=keys(tmp_path / "b", active.public_key()))
    body, signed = b'{"a":1}', ExportSignatures(keys=active).sign(b'{"a":1}')
    assert standby.is_by_peer(body, signed)
    assert not standby.is_by_peer(b'{"a":2}', signed)
    assert not standby.is_by_peer(body, ExportSignatures(keys=stranger).sign(body))
    for odd in (b"", b"\0\xff", signed[:-40], signed.replace(b"SSH", b"PGP")):
        assert not standby.is_by_peer(body, odd)
    assert not standby.is_by_peer(b"\xff", signed)
    assert not ExportSignatures(keys=keys(tmp_path / "unpaired")).is_by_peer(body, signed)


def test_a_signature_for_another_purpose_counts_for_nothing(tmp_path: Path) -> None:
    from beistand.adapters.commands import run

    active = keys(tmp_path / "a")
    line = active.public_key()
    words = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(active.private_key), "-n", "file"]
    other = run(words, seconds=20, stdin="x").stdout.encode()
    assert not ExportSignatures(keys=keys(tmp_path / "b", line)).is_by_peer(b"x", other)


@pytest.mark.parametrize("size", [0, CHUNK, 2 * CHUNK + 1])
def test_another_program_opens_what_is_encrypted(size: int) -> None:
    plain, file = bytes(size), io.BytesIO()
    writer = AgeWriter(file, "correct horse")
    writer.write(plain[:10])
    writer.write(plain[10:])
    writer.close()
    assert pyrage.passphrase.decrypt(file.getvalue(), "correct horse") == plain
    file.seek(0)
    reader, found = AgeReader(file, "correct horse"), b""
    while piece := reader.read(1000):
        found += piece
    assert found == plain


def test_a_file_that_asks_for_much_memory_is_refused() -> None:
    file = io.BytesIO()
    AgeWriter(file, "x").close()
    greedy = file.getvalue().replace(b" 16\n", b" 30\n", 1)
    with pytest.raises(BadGeneration, match="export-damaged"):
        AgeReader(io.BytesIO(greedy), "x")


def test_a_file_for_a_key_instead_of_a_passphrase_is_refused() -> None:
    key = pyrage.x25519.Identity.generate().to_public()
    with pytest.raises(BadGeneration, match="export-damaged"):
        AgeReader(io.BytesIO(pyrage.encrypt(b"x", [key])), "x")


@pytest.mark.parametrize("size", [LARGEST_OCTAL, LARGEST_OCTAL + 1, 1 << 40])
def test_members_of_any_size_have_a_header(size: int) -> None:
    import tarfile

    block = member_block("files/1", size)
    info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    assert (info.name, info.size, info.isreg(), info.mode) == ("files/1", size, True, 0o600)
    assert TarReader(io.BytesIO(block)).member("files/1", None, 1 << 41).size == size


def test_a_draft_that_is_not_published_is_gone(files: ExportFiles, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    with files.draft(tmp_path / "x") as draft:
        draft.add("one", 3, io.BytesIO(b"abc").read)
        draft.keep()
    assert set(tmp_path.rglob("*")) == before


def test_a_content_that_ends_too_early_is_told(files: ExportFiles, tmp_path: Path) -> None:
    with files.draft(tmp_path / "x") as draft:
        assert draft.add("one", 4, io.BytesIO(b"abc").read) == ""
        assert draft.add("two", 2, io.BytesIO(b"abc").read) != ""


@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_members_are_read_in_their_order(files: ExportFiles, tmp_path: Path, passphrase: str) -> None:
    path = tmp_path / "x"
    with files.draft(path, passphrase) as draft:
        for name in ("one", "two", "three"):
            draft.add(name, 2000, io.BytesIO(name.encode() * 1000).read)
        written = draft.keep()
        draft.publish(path)
    assert written.size == path.stat().st_size
    assert files.is_encrypted(path) == bool(passphrase)
    with files.open(path, passphrase) as opened:
        assert opened.small("one", 2000) == (b"one" * 1000)[:2000]
        assert opened.content("two", 2000).read(5) == b"twotw"  # the rest of it is skipped
        assert opened.content("three").readline(7) == b"threeth"
        opened.end()
    with files.open(path, passphrase) as opened, pytest.raises(BadGeneration, match="too long"):
        opened.small("one", 1999)
    with files.open(path, passphrase) as opened, pytest.raises(BadGeneration, match="export-damaged"):
        opened.content("two")
    if passphrase:
        with pytest.raises(Refused, match="passphrase-missing"), files.open(path):
            pass


def test_an_upload_grows_at_its_end_only(tmp_path: Path) -> None:
    upload = UploadFolder(tmp_path / "state/upload")
    assert upload.free() > 0
    upload.begin()
    upload.add(0, b"one")
    upload.add(3, b"two")
    for offset in (0, 5, 7):
        with pytest.raises(Failed, match="file-not-written"):
            upload.add(offset, b"x")
    assert upload.path().read_bytes() == b"onetwo"
    upload.begin()
    assert upload.path().read_bytes() == b""
    upload.clear()
    upload.clear()
    assert not (tmp_path / "state/upload").exists()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_on_a_full_disk_nothing_of_a_draft_stays(files: ExportFiles, small: Path, passphrase: str) -> None:
    """F2."""
    content = io.BytesIO(os.urandom(3 << 20))
    with files.draft(small / "x", passphrase) as draft, pytest.raises(NoSpace, match="disk-full"):
        draft.add("one", 3 << 20, content.read)
    assert list(small.iterdir()) == []


def test_on_a_full_disk_an_upload_says_so(small: Path) -> None:
    """F2."""
    upload = UploadFolder(small / "upload")
    upload.begin()
    with pytest.raises(NoSpace, match="disk-full"):
        upload.add(0, bytes(3 << 20))
    upload.clear()
    assert list(small.iterdir()) == []


def test_a_backup_is_read_from_any_place(files: ExportFiles, tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "backups")
    assert folder.records() == ()
    assert folder.free() > 0
    assert folder.folder.stat().st_mode & 0o777 == 0o700
    written(files, folder.path("x"), b"content")
    whole = folder.path("x").read_bytes()
    assert folder.read("x", 3, 5) == whole[3:8]
    assert folder.read("x", 10_000, 5) == b""
    with pytest.raises(FileNotFoundError):
        folder.read("y", 0, 5)
    folder.remove("x")
    folder.remove("x")
    assert not folder.path("x").exists()
