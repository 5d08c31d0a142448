"""What `beistand-web` makes before it serves: certificate, key of the sessions, the address and its names."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from beistand.protocol import GetStatus
from beistand.web.address import listening_address, names_of
from beistand.web.browsers import tls
from beistand.web.certificate import LIFE, ensure_certificate, fits
from beistand.web.state import make_secret, secret_key
from fakes.agent_server import FakeAgent
from web.conftest import STATUS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("pbx-a", "192.0.2.1", "localhost")


def made(folder: Path) -> bytes:
    return (folder / "cert.pem").read_bytes()


def test_the_certificate_is_for_name_and_address_for_ten_years(tmp_path: Path) -> None:
    ensure_certificate(tmp_path / "tls", NAMES, NOW)
    certificate = x509.load_pem_x509_certificate(made(tmp_path / "tls"))
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert held.get_values_for_type(x509.DNSName) == ["pbx-a", "localhost"]
    assert [str(each) for each in held.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert certificate.not_valid_after_utc == NOW + LIFE
    assert {(tmp_path / "tls" / name).stat().st_mode & 0o777 for name in ("cert.pem", "key.pem")} == {0o600}
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
        tmp_path / "tls/cert.pem", tmp_path / "tls/key.pem"
    )


def test_a_certificate_that_fits_stays(tmp_path: Path) -> None:
    """Whoever compared its fingerprint need not do it again."""
    ensure_certificate(tmp_path, NAMES, NOW)
    first = made(tmp_path)
    ensure_certificate(tmp_path, NAMES, NOW + timedelta(days=300))
    assert made(tmp_path) == first


@pytest.mark.parametrize("names", [("pbx-a", "192.0.2.7", "localhost"), ("pbx-c", "192.0.2.1", "localhost")])
def test_another_address_or_name_makes_another_one(tmp_path: Path, names: tuple[str, ...]) -> None:
    ensure_certificate(tmp_path, NAMES, NOW)
    first = made(tmp_path)
    ensure_certificate(tmp_path, names, NOW)
    assert made(tmp_path) != first


def test_one_at_its_end_is_renewed(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, NAMES, NOW)
    first = made(tmp_path)
    ensure_certificate(tmp_path, NAMES, NOW + LIFE)
    assert made(tmp_path) != first


@pytest.mark.parametrize("content", [b"", b"half of a key"])
def test_what_a_power_cut_left_is_made_anew(tmp_path: Path, content: bytes) -> None:
    ensure_certificate(tmp_path, NAMES, NOW)
    (tmp_path / "key.pem").write_bytes(content)
    ensure_certificate(tmp_path, NAMES, NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")


def test_the_key_of_the_sessions_is_made_once(tmp_path: Path) -> None:
    make_secret(tmp_path)
    first = secret_key(tmp_path)
    make_secret(tmp_path)
    assert secret_key(tmp_path) == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_key_that_a_power_cut_left_empty_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("")
    make_secret(tmp_path)
    assert len(secret_key(tmp_path)) > 40


def test_without_room_for_a_key_pages_are_served_all_the_same(tmp_path: Path) -> None:
    make_secret(tmp_path / "missing")
    assert len(secret_key(tmp_path / "missing")) > 40


def test_the_pages_listen_on_the_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeAgent({GetStatus: STATUS}) as agent:
        monkeypatch.setenv("BEISTAND_SOCKET", str(agent.path))
        assert listening_address(tmp_path / "address") == "192.0.2.1"
    monkeypatch.setenv("BEISTAND_SOCKET", "/nowhere/agent.sock")
    assert listening_address(tmp_path / "address") == "192.0.2.1", "forgotten while the agent is away"


def test_before_there_is_one_they_listen_where_the_machine_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = msgspec.structs.replace(STATUS, initialised=False, role=None, own_address="")
    with FakeAgent({GetStatus: fresh}) as agent:
        monkeypatch.setenv("BEISTAND_SOCKET", str(agent.path))
        address = listening_address(tmp_path / "address")
    assert address == "" or socket.inet_aton(address)


def test_the_names_are_the_host_name_and_the_address() -> None:
    names = names_of("192.0.2.1")
    assert {socket.gethostname(), "192.0.2.1", "localhost", "127.0.0.1"} == set(names)
    assert "127.0.0.1" in names_of("")


@pytest.mark.parametrize("back", [timedelta(days=2), timedelta(days=4000)])
def test_a_certificate_of_a_clock_that_was_ahead_is_made_anew(tmp_path: Path, back: timedelta) -> None:
    """The clock of a machine without a battery was put right after the first start (D20)."""
    ensure_certificate(tmp_path, NAMES, NOW + back)
    assert not fits(tmp_path, NAMES, NOW)
    ensure_certificate(tmp_path, NAMES, NOW)
    assert fits(tmp_path, NAMES, NOW)
    assert x509.load_pem_x509_certificate(made(tmp_path)).not_valid_before_utc <= NOW


def test_no_suite_of_the_pages_goes_without_authentication_of_what_it_encrypts(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, NAMES, NOW)
    suites = tls(tmp_path).get_ciphers()
    assert {each["protocol"] for each in suites} == {"TLSv1.2", "TLSv1.3"}
    assert [each["name"] for each in suites if "Mac=AEAD" not in each["description"]] == []
    assert [
        each["name"]
        for each in suites
        if each["protocol"] == "TLSv1.2" and "Kx=ECDH" not in each["description"]
    ] == []
