"""Verifiers that cost nothing."""

import secrets
import unicodedata


class FakePasswords:
    """Port Passwords. `checked` counts what was asked, known account or not."""

    def __init__(self) -> None:
        self.checked = 0

    def verifier(self, password: str) -> str:
        return f"fake${secrets.token_hex(4)}${_same(password)[::-1]}"

    def fits(self, password: str, verifier: str | None) -> bool:
        self.checked += 1
        return verifier is not None and verifier.partition("$")[2].partition("$")[2] == _same(password)[::-1]

    def is_bearable(self, verifier: str) -> bool:
        return verifier.startswith("fake$") and len(verifier) < 2000


def _same(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
