"""The export file: a tar of members that we name ourselves, in one zstd stream, perhaps encrypted (port `Exports`)."""

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from beistand.adapters.age import MAGIC, AgeReader, AgeWriter
from beistand.adapters.durable_file import sync_folder
from beistand.adapters.durable_stream import told_as_failure
from beistand.adapters.export_signatures import ExportSignatures
from beistand.adapters.tar_blocks import BLOCK, END, PIECE, Source, TarReader, member_block, padding
from beistand.domain.errors import Refused
from beistand.domain.export import damaged
from beistand.ports.exports import Written

DRAFT = ".draft-"
LEVEL = 3
LARGEST_WINDOW = 1 << 23
"""Bytes of memory that a file may ask for while it is read; level 3 asks for 2 MiB (zstd_compression_format.md)."""


class ExportFiles:
    """Writes and reads files of the export format."""

    def __init__(self, signatures: ExportSignatures) -> None:
        self.sign = signatures.sign
        self.is_by_peer = signatures.is_by_peer

    @contextmanager
    def draft(self, beside: Path, passphrase: str = "") -> Iterator["Draft"]:
        with told_as_failure(beside):
            handle, name = tempfile.mkstemp(prefix=DRAFT, dir=beside.parent)
        draft = Draft(Path(name), os.fdopen(handle, "wb"), passphrase)
        try:
            yield draft
        finally:
            draft.drop()

    @contextmanager
    def open(self, path: Path, passphrase: str = "") -> Iterator["Opened"]:
        with path.open("rb") as file:
            is_encrypted = _is_encrypted(file)
            if is_encrypted and not passphrase:
                raise Refused("passphrase-missing")
            inner = AgeReader(file, passphrase) if is_encrypted else file
            yield Opened(_Unpacked(cast("BinaryIO", inner)))

    def is_encrypted(self, path: Path) -> bool:
        with path.open("rb") as file:
            return _is_encrypted(file)


class Draft:
    """Implements ExportDraft."""

    def __init__(self, path: Path, file: BinaryIO, passphrase: str) -> None:
        self._path = path
        self._file = _Hashed(file)
        self._age = AgeWriter(cast("BinaryIO", self._file), passphrase) if passphrase else None
        inner = cast("BinaryIO", self._age or self._file)
        # No checksum of its own: every content has a signed digest, and the last bytes are part of the end.
        packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)
        self._packed = packer.stream_writer(inner, closefd=False)

    def add(self, name: str, size: int, read: Callable[[int], bytes]) -> str:
        digest, left = hashlib.sha256(), size
        self._write(member_block(name, size))
        while left and (piece := read(min(PIECE, left))):
            digest.update(piece)
            left -= len(piece)
            self._write(piece)
        self._write(padding(size))
        return "" if left else digest.hexdigest()

    def keep(self) -> Written:
        self._write(END)
        with told_as_failure(self._path):
            self._packed.flush(zstandard.FLUSH_FRAME)
            if self._age is not None:
                self._age.close()
            return self._file.keep()

    def publish(self, path: Path) -> None:
        with told_as_failure(path):
            os.rename(self._path, path)
            sync_folder(path.parent)

    def drop(self) -> None:
        # What is left in a buffer on a full disk belongs to a file that is gone.
        with suppress(OSError):
            self._file.file.close()
        self._path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        with told_as_failure(self._path):
            self._packed.write(data)


class Opened:
    """Implements OpenExport."""

    def __init__(self, source: Source) -> None:
        self._tar = TarReader(source)
        self.end = self._tar.end

    def small(self, name: str, longest: int) -> bytes:
        member = self._tar.member(name, None, longest)
        return self._exactly(member, member.size)

    def content(self, name: str, size: int | None = None) -> BinaryIO:
        return io.BufferedReader(self._tar.member(name, size, 1 << 62), PIECE)

    def _exactly(self, member: io.RawIOBase, size: int) -> bytes:
        return io.BufferedReader(member, BLOCK).read(size)


class _Hashed:
    """A file that knows what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self._size += len(data)
        return self.file.write(data)

    def flush(self) -> None:
        """Nothing: what is not kept need not reach the disk."""

    def keep(self) -> Written:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        return Written(size=self._size, digest=self._digest.hexdigest())


class _Unpacked:
    """What a zstd stream holds, a bounded piece at a time."""

    def __init__(self, file: BinaryIO) -> None:
        unpacker = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        self._stream = unpacker.stream_reader(file, read_size=1 << 16, read_across_frames=True)

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except zstandard.ZstdError as error:
            raise damaged("compression", str(error)) from None


def _is_encrypted(file: BinaryIO) -> bool:
    begin = file.read(len(MAGIC))
    file.seek(0)
    return begin == MAGIC
