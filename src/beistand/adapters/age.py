"""Encryption with a passphrase in the age format, version 1, written and read piece by piece.

The format (age-encryption.org/v1, scrypt recipient) is public, so that a backup can be opened without
Beistand: `age -d`. The primitives are those of `cryptography`; nothing is kept in memory but one chunk.
"""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from beistand.domain.errors import Refused
from beistand.domain.export import damaged

MAGIC = b"age-encryption.org/v1\n"
SALT_LABEL = b"age-encryption.org/v1/scrypt"
CHUNK = 64 << 10
TAG = 16
WORK = 16
"""log2 of scrypt's N: 64 MiB and some tenths of a second; the agent of a small appliance must bear it."""
MOST_WORK = 18
"""What other programs choose; a file that asks for more memory than 256 MiB is refused (F6)."""
LONGEST_HEADER = 512


class AgeWriter:
    """A file whose content is encrypted for whoever knows the passphrase. `close` ends it."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
        wrapped = ChaCha20Poly1305(_wrapping_key(passphrase, salt, WORK)).encrypt(bytes(12), file_key, None)
        header = MAGIC + b"-> scrypt %s %d\n%s\n---" % (_text(salt), WORK, _text(wrapped))
        file.write(header + b" " + _text(_mac(file_key, header)) + b"\n" + nonce)
        self._file = file
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._count = 0
        self._rest = bytearray()

    def write(self, data: bytes) -> int:
        self._rest += data
        while len(self._rest) > CHUNK:  # a full one may be the last: it waits for a byte behind it
            self._chunk(bytes(self._rest[:CHUNK]), is_last=False)
            del self._rest[:CHUNK]
        return len(data)

    def close(self) -> None:
        self._chunk(bytes(self._rest), is_last=True)

    def _chunk(self, data: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, is_last=is_last), data, None))
        self._count += 1


class AgeReader:
    """The content of an encrypted file. Raises Refused `passphrase-wrong`, BadGeneration `export-damaged`."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._file = file
        file_key = _opened_header(file, passphrase)
        self._cipher = ChaCha20Poly1305(_derived(file_key, file.read(16), b"payload"))
        self._count = 0
        self._next = file.read(CHUNK + TAG)
        self._plain = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end: then nothing was cut off."""
        if self._at == len(self._plain) and self._next:
            self._plain, self._at = self._opened_chunk(), 0
        piece = self._plain[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _opened_chunk(self) -> bytes:
        chunk, self._next = self._next, self._file.read(CHUNK + TAG)
        try:
            plain = self._cipher.decrypt(_nonce(self._count, is_last=not self._next), chunk, None)
        except InvalidTag:
            raise damaged("encryption", f"chunk {self._count}") from None
        self._count += 1
        return plain


def _opened_header(file: BinaryIO, passphrase: str) -> bytes:
    """Return the file key."""
    lines = [file.readline(LONGEST_HEADER) for _ in range(4)]
    words = lines[1].split()
    if lines[0] != MAGIC or len(words) != 4 or words[:2] != [b"->", b"scrypt"] or not words[3].isdigit():
        raise damaged("encryption", "not locked with a passphrase")
    salt, wrapped, work = _bytes(words[2]), _bytes(lines[2].strip()), int(words[3][:3])
    if not 1 <= work <= MOST_WORK or len(salt) != 16 or len(wrapped) != 32:
        raise damaged("encryption", "header")
    try:
        key = ChaCha20Poly1305(_wrapping_key(passphrase, salt, work)).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        raise Refused("passphrase-wrong") from None
    mac = _bytes(lines[3].removeprefix(b"--- ").strip())
    if not hmac.compare_digest(mac, _mac(key, b"".join(lines[:3]) + b"---")):
        raise damaged("encryption", "header")
    return key


def _wrapping_key(passphrase: str, salt: bytes, work: int) -> bytes:
    memory = 128 * 8 * (1 << work) + (1 << 20)
    return hashlib.scrypt(
        passphrase.encode(), salt=SALT_LABEL + salt, n=1 << work, r=8, p=1, maxmem=memory, dklen=32
    )


def _derived(key: bytes, salt: bytes, label: bytes) -> bytes:
    """HKDF with SHA-256 (RFC 5869), for one block of output."""
    secret = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(secret, label + b"\1", "sha256")


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), header, "sha256")


def _nonce(count: int, *, is_last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([is_last])


def _text(raw: bytes) -> bytes:
    return b64encode(raw).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    try:
        return b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise damaged("encryption", "header") from None
