"""The one-time code from the console: how the first administrator gets in, and one who is locked out."""

import os
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from threading import Lock

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.licence import new_key
from beistand.domain.value import Value
from beistand.ports.clock import Clock
from beistand.ports.store import Store

LIVES = timedelta(hours=1)
DOCUMENT = "setup-code"


class KeptCode(Value, frozen=True, kw_only=True):
    """A hundred random bits in the form of a licence key: nobody guesses it, so a plain digest is enough."""

    digest: str
    expires: datetime


class SetupCodes:
    """One code at a time: a new one ends the one before."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()

    def make(self) -> tuple[str, datetime]:
        """Return the code and when it ends."""
        code, expires = new_key(os.urandom), self._clock.now() + LIVES
        with self._lock:
            self._store.put(DOCUMENT, msgspec.json.encode(KeptCode(digest=_digest(code), expires=expires)))
        return code, expires

    def use(self, code: str) -> None:
        """Use the code up. Raises Refused `setup-code-wrong`: never made, used, too old, or mistyped."""
        with self._lock:
            body, now = self._store.get(DOCUMENT), self._clock.now()
            kept = msgspec.json.decode(body, type=KeptCode) if body else None
            fits = kept is not None and compare_digest(kept.digest, _digest(code))
            # Not from the future either: a clock that was set back gives no code a second life.
            if kept is None or not fits or not kept.expires - LIVES <= now < kept.expires:
                raise Refused("setup-code-wrong")
            self._store.put(DOCUMENT, b"")


def _digest(code: str) -> str:
    """Return the digest of the code, whatever its case and whatever stands between its groups."""
    signs = "".join(each for each in code.upper() if each.isalnum())
    return sha256(signs.encode(errors="surrogatepass")).hexdigest()
