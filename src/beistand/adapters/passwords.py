"""Verifiers of passwords by Argon2id (RFC 9106), port `Passwords`."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19 * 1024
PASSES = 3
"""More than OWASP's least (19 MiB, 2 passes): the agent shall stay small, and a try takes about 50 ms of one core."""


MOST_MEMORY_KIB = 64 * 1024
MOST_PASSES = 10
MOST_LANES = 4
LONGEST_VERIFIER = 512
"""A verifier may come from the other appliance. These are three times what is made here: an upgrade may double it,
and a try stays below a second. What costs more blocks every log-in, and the memory of the agent with it."""


class Argon2Passwords:
    """The parameters of a verifier stand in it: those made with others still fit."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        # One thread for all: however many try, a takeover finds a free core, and the allocator of the C library, which
        # keeps the memory of each thread for itself, keeps these megabytes once and not for every connection.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._nobody = self._thread.submit(self._hasher.hash, "nobody").result()

    def verifier(self, password: str) -> str:
        return self._thread.submit(self._hasher.hash, _same(password)).result()

    def fits(self, password: str, verifier: str | None) -> bool:
        return self._thread.submit(self._fits, _same(password), verifier).result()

    def is_bearable(self, verifier: str) -> bool:
        if len(verifier) > LONGEST_VERIFIER:
            return False
        try:
            costs = extract_parameters(verifier)
        except (InvalidHashError, ValueError):
            return False
        return (
            costs.type is Type.ID
            and 0 < costs.memory_cost <= MOST_MEMORY_KIB
            and 0 < costs.time_cost <= MOST_PASSES
            and 0 < costs.parallelism <= MOST_LANES
        )

    def _fits(self, password: bytes, verifier: str | None) -> bool:
        if verifier is not None and not self.is_bearable(verifier):
            # Its costs stand in it: they are read before they are paid. As long as any other try, and no password fits.
            self._hasher.hash(password)
            return False
        try:
            self._hasher.verify(verifier or self._nobody, password)
        except InvalidHashError:
            self._hasher.hash(password)
            return False
        except VerificationError:
            return False
        return verifier is not None


def _same(password: str) -> bytes:
    # One keyboard composes an umlaut, another sends it in two parts. A lone surrogate is no text, but no bug either.
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
