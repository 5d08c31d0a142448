"""Ed25519 by the library `cryptography` (port `Signatures`), and whose signatures are believed (port `Sellers`)."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from beistand.domain.errors import Refused

LARGEST_KEY = 10_000
"""Bytes; a PEM of this kind has about 120."""


class Ed25519Signatures:
    def new_pair(self) -> tuple[bytes, bytes]:
        key = Ed25519PrivateKey.generate()
        return (
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        )

    def sign(self, private_key: bytes, text: bytes) -> bytes:
        try:
            key = load_pem_private_key(private_key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Refused("signing-key-wrong") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise Refused("signing-key-wrong")
        return key.sign(text)

    def is_signed(self, public_key: bytes, text: bytes, signature: bytes) -> bool:
        try:
            key = load_pem_public_key(public_key)
        except (ValueError, UnsupportedAlgorithm):
            return False
        if not isinstance(key, Ed25519PublicKey):
            return False
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class SellerFolder:
    def __init__(self, folder: Path) -> None:
        """`folder` is /etc/beistand/sellers.d; NAME.pub holds the public key of the seller NAME."""
        self._folder = folder

    def keys(self) -> Mapping[str, bytes]:
        """Leave out what cannot be read: nobody is believed by mistake."""
        if not self._folder.is_dir():
            return {}
        found = {}
        for file in sorted(self._folder.glob("*.pub")):
            try:
                if file.stat().st_size <= LARGEST_KEY:
                    found[file.stem] = file.read_bytes()
            except OSError:
                continue
        return found
