"""The contract of the port Signatures, for the fake and for Ed25519; and whose keys are believed."""

from pathlib import Path

import pytest

from beistand.adapters.licence_signatures import Ed25519Signatures, SellerFolder
from beistand.domain.errors import Refused
from beistand.ports.licence_signatures import Signatures
from fakes.insight import FakeSignatures

TEXT = b"what was sold"


@pytest.fixture(params=[FakeSignatures, Ed25519Signatures])
def signatures(request: pytest.FixtureRequest) -> Signatures:
    made: Signatures = request.param()
    return made


def test_the_owner_of_a_key_signs_exactly_this(signatures: Signatures) -> None:
    private, public = signatures.new_pair()
    signature = signatures.sign(private, TEXT)
    assert len(signature) == 64
    assert signatures.is_signed(public, TEXT, signature)
    assert not signatures.is_signed(public, TEXT + b".", signature)
    assert not signatures.is_signed(public, TEXT, b"\0" * 64)
    assert not signatures.is_signed(public, TEXT, b"")


def test_two_keys_are_two_people(signatures: Signatures) -> None:
    (private, _), (_, other) = signatures.new_pair(), signatures.new_pair()
    assert not signatures.is_signed(other, TEXT, signatures.sign(private, TEXT))


def test_what_is_no_key_signs_nothing_and_is_never_believed(signatures: Signatures) -> None:
    private, public = signatures.new_pair()
    with pytest.raises(Refused, match="signing-key-wrong"):
        signatures.sign(public, TEXT)
    assert not signatures.is_signed(b"no key", TEXT, signatures.sign(private, TEXT))


def test_a_key_of_another_kind_is_refused() -> None:
    rsa = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    assert not Ed25519Signatures().is_signed(rsa, TEXT, b"\0" * 64)


def test_sellers_are_the_files_of_a_folder(tmp_path: Path) -> None:
    folder = SellerFolder(tmp_path / "sellers.d")
    assert folder.keys() == {}
    (tmp_path / "sellers.d").mkdir()
    (tmp_path / "sellers.d" / "acme.pub").write_bytes(b"key")
    (tmp_path / "sellers.d" / "huge.pub").write_bytes(b"x" * 20_000)
    (tmp_path / "sellers.d" / "acme.key").write_bytes(b"secret")
    (tmp_path / "sellers.d" / "folder.pub").mkdir()
    assert folder.keys() == {"acme": b"key"}
