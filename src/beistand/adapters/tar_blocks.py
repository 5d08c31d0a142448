"""The blocks of a tar file, as one writer makes them and as the only reader takes them.

Python 3.11.2's tarfile trusts what it reads. This reader knows which member must come next and compares
its header with the one that the writer would have made: links, devices, modes, other names and doubled
members differ from that by their first byte that is not as it must be.
"""

import io
from typing import Protocol

from beistand.domain.export import damaged

BLOCK = 512
END = bytes(2 * BLOCK)
LARGEST_OCTAL = 8**11 - 1
PIECE = 1 << 18


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def member_block(name: str, size: int) -> bytes:
    """Return the header of a regular file (POSIX.1-1988 ustar; above 8 GiB with GNU's base-256 size)."""
    octal = b"%011o\0" % size if size <= LARGEST_OCTAL else b"\x80" + size.to_bytes(11, "big")
    head = b"".join(
        (
            name.encode().ljust(100, b"\0"),
            b"0000600\0",  # mode
            b"0000000\0" * 2,  # owner and group
            octal,
            b"00000000000\0",  # time
            b" " * 8,  # checksum, as it counts itself
            b"0",  # a regular file
            bytes(100),
            b"ustar\x0000",
        )
    ).ljust(BLOCK, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


class TarReader:
    """Members of an archive in the order that the caller knows. Raises BadGeneration `export-damaged`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._member: Member | None = None

    def member(self, name: str, size: int | None, longest: int) -> "Member":
        self._finish()
        block = self.exactly(BLOCK, name)
        found = _size(block) if size is None else size
        if found is None or block != member_block(name, found):
            raise damaged(name, "not the expected member")
        if found > longest:
            raise damaged(name, "too long")
        self._member = Member(self, name, found)
        return self._member

    def end(self) -> None:
        self._finish()
        if self.exactly(len(END), "end") != END or self.some(1):
            raise damaged("end", "more than expected")

    def some(self, size: int) -> bytes:
        return self._source.read(size)

    def exactly(self, size: int, name: str) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.some(size - len(data))
            if not piece:
                raise damaged(name, "the file ends here")
            data += piece
        return data

    def _finish(self) -> None:
        if self._member is not None:
            self._member.skip()
            if any(self.exactly(-self._member.size % BLOCK, self._member.name)):
                raise damaged(self._member.name, "padding")
            self._member = None


class Member(io.RawIOBase):
    """The content of one member; ends where the member ends."""

    def __init__(self, reader: TarReader, name: str, size: int) -> None:
        super().__init__()
        self.name, self.size = name, size
        self._reader = reader
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left)
        if not wanted:
            return 0
        piece = self._reader.some(wanted)
        if not piece:
            raise damaged(self.name, "the file ends here")
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def skip(self) -> None:
        while self._left:
            self._left -= len(self._reader.exactly(min(PIECE, self._left), self.name))


def _size(block: bytes) -> int | None:
    """Return the size that a header claims; what else stands in it is compared afterwards."""
    field = block[124:136]
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field[:11]
    return int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else None
