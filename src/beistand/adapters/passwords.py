"""Verifiers of passwords by Argon2id (RFC 9106), port `Passwords`."""

import unicodedata
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19 * 1024
PASSES = 3
"""More than OWASP's least (19 MiB, 2 passes): the agent shall stay small, and a try takes about 50 ms of one core."""


class Argon2Passwords:
    """The parameters of a verifier stand in it: those made with others still fit."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        # One at a time: however many try, a takeover finds a free core and enough memory.
        self._lock = Lock()
        self._nobody = self._hasher.hash("nobody")

    def verifier(self, password: str) -> str:
        with self._lock:
            return self._hasher.hash(_same(password))

    def fits(self, password: str, verifier: str | None) -> bool:
        with self._lock:
            try:
                self._hasher.verify(verifier or self._nobody, _same(password))
            except InvalidHashError:
                self._hasher.hash(_same(password))
                return False
            except VerificationError:
                return False
        return verifier is not None


def _same(password: str) -> bytes:
    # One keyboard composes an umlaut, another sends it in two parts. A lone surrogate is no text, but no bug either.
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
