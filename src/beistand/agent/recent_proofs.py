"""Who gave the right password a moment ago, for a click that came to nothing because the situation had changed.

For a takeover only, from the same session, once, and for two minutes: whoever handed the password on knew it then
anyway. Nobody types a password a second time while the phones are dead.
"""

from collections.abc import Callable
from threading import Lock

PROOF_SECONDS = 120.0


class RecentProofs:
    """Forgets with the agent."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._proofs: dict[str, tuple[str, float]] = {}

    def remember(self, session: str, mark: str) -> None:
        """Note that the password of this mark came with this session."""
        with self._lock:
            self._forget_old()
            self._proofs[session] = (mark, self._monotonic())

    def recall(self, session: str) -> str:
        """Return the mark of the password; empty where it is too long ago, or there was none."""
        with self._lock:
            self._forget_old()
            return self._proofs.get(session, ("", 0.0))[0]

    def use_up(self, session: str) -> None:
        with self._lock:
            self._proofs.pop(session, None)

    def _forget_old(self) -> None:
        end = self._monotonic() - PROOF_SECONDS
        self._proofs = {session: each for session, each in self._proofs.items() if each[1] > end}
