"""What the last scan saw, so that unchanged files are neither read nor described again.

One record an entry, in the order of the manifest, in checked chunks: it is read and written as a stream
beside the walk. It is a cache: whatever is wrong with it only costs reading the files once more.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from beistand.adapters.durable_stream import DurableStream

DISTRUSTED = -1
"""In place of a ctime: the entry changed so shortly before it was seen that it may have changed again
within the same tick of the file system's clock."""

Record = tuple[str | bytes, int, int, int, int, bytes]
"""Path (bytes where it is not UTF-8), ctime_ns, mtime_ns, inode, size, manifest line."""
Seen = tuple[str, int, int, int, int, bytes]
"""The same with the path as text."""

CHUNK = 512
LARGEST_CHUNK = 1 << 26
_HEAD = struct.Struct("!II")
_encode = msgspec.msgpack.Encoder().encode
# Any: msgspec decodes no union of text and bytes; the path is either.
_decode = msgspec.msgpack.Decoder(list[tuple[Any, int, int, int, int, bytes]]).decode


def read_cache(path: Path) -> tuple[bytes, Iterator[Seen]]:
    """Return what the cache was written under, and its records, which end early where it is damaged."""
    records = _read(path)
    try:
        return next(records), records  # type: ignore[return-value]  # the first one is the key
    except StopIteration:
        return b"", iter(())


def _read(path: Path) -> Iterator[bytes | Seen]:
    try:
        with path.open("rb") as file:
            yield _chunk(file.read(_HEAD.size), file.read)
            while body := _chunk(file.read(_HEAD.size), file.read):
                for each in _decode(body):
                    # Text nearly always: only what is not UTF-8 was stored as bytes.
                    yield (os.fsdecode(each[0]), *each[1:]) if type(each[0]) is bytes else each
    except (FileNotFoundError, msgspec.MsgspecError):
        return


class CacheWriter:
    """Writes the next cache beside the present one; `keep` puts it into place."""

    def __init__(self, stream: DurableStream, key: bytes) -> None:
        self._stream = stream
        self._records: list[Record | Seen] = []
        self.add = self._records.append
        self._write(key)

    def flush(self) -> None:
        """Write what was added; to be called every CHUNK records or so."""
        if self._records:
            self._write(_encode([each if each[0].isascii() else _storable(each) for each in self._records]))
            self._records.clear()

    def keep(self, path: Path) -> None:
        self.flush()
        self._stream.keep(path)

    def _write(self, body: bytes) -> None:
        self._stream.write(_HEAD.pack(len(body), zlib.crc32(body)) + body)


def _storable(record: Record | Seen) -> Record | Seen:
    path = record[0]
    if isinstance(path, bytes):
        return record
    try:
        path.encode()
    except UnicodeEncodeError:
        return (os.fsencode(path), *record[1:])
    return record


def _chunk(head: bytes, read: Callable[[int], bytes]) -> bytes:
    """Return the next chunk, b"" at the end or where it is damaged."""
    if len(head) != _HEAD.size:
        return b""
    size, check = _HEAD.unpack(head)
    body = read(size) if size <= LARGEST_CHUNK else b""
    return body if zlib.crc32(body) == check else b""
