"""Passwords, kept as verifiers that cannot be read backwards."""

from typing import Protocol


class Passwords(Protocol):
    """Slow on purpose, one at a time: some tenths of a second of one core and a bounded amount of memory a call."""

    def verifier(self, password: str) -> str:
        """Return what is kept instead of the password; another one at each call."""

    def fits(self, password: str, verifier: str | None) -> bool:
        """Tell whether the verifier was made of this password; None: there is no account.

        Without an account, or with a verifier that cannot be read, the answer is False and takes as long as any
        other: the time does not tell which names exist. The same signs in another Unicode form are the same password.
        """

    def is_bearable(self, verifier: str) -> bool:
        """Tell whether a verifier that somebody else made can be read, and costs no more than a log-in may.

        `fits` says no to any other, without paying what it asks for.
        """
