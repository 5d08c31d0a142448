"""Ed25519 signatures of those who sell licences (RFC 8032)."""

from collections.abc import Mapping
from typing import Protocol


class Signatures(Protocol):
    def new_pair(self) -> tuple[bytes, bytes]:
        """Return a new private and its public key, each as PEM."""

    def sign(self, private_key: bytes, text: bytes) -> bytes:
        """Return the signature, 64 bytes. Raises Refused `signing-key-wrong`."""

    def is_signed(self, public_key: bytes, text: bytes, signature: bytes) -> bool:
        """Tell whether the owner of the key signed exactly this; False for a key that is none."""


class Sellers(Protocol):
    def keys(self) -> Mapping[str, bytes]:
        """Return the public keys that are believed, by the seller's name."""
