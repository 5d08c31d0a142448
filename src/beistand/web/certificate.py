"""The certificate of the pages: self-signed, for the address and the host name, there from the first second."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=3650)
RENEW_BEFORE_END = timedelta(days=30)


def fits(folder: Path, names: tuple[str, ...], now: datetime) -> bool:
    """Tell whether the certificate there is for these names, and valid now and for a while."""
    return (folder / "key.pem").exists() and _fits(folder / "cert.pem", names, now)


def ensure_certificate(folder: Path, names: tuple[str, ...], now: datetime) -> None:
    """Make cert.pem and key.pem where none fits: other names or addresses than these, at its end, or not yet valid.

    `names` are host names and addresses, the first is shown as the owner. One that fits stays: whoever compared
    its fingerprint once need not do it again.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    certificate, key = folder / "cert.pem", folder / "key.pem"
    if fits(folder, names, now):
        return
    private = ec.generate_private_key(ec.SECP256R1())
    made = _made(private, names, now)
    # The key first, and by rename: a power cut leaves an old pair, or one that does not fit and is made anew.
    _write(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(certificate, made.public_bytes(Encoding.PEM))


def _fits(path: Path, names: tuple[str, ...], now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = (path.parent / "key.pem").read_bytes()
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return (
        set(held) == set(_alternatives(names))
        and certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc - now > RENEW_BEFORE_END
        and _is_pair(certificate, key)
    )


def _is_pair(certificate: x509.Certificate, key: bytes) -> bool:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(key, None).public_key() == certificate.public_key()
    except ValueError:
        return False


def _made(key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], now: datetime) -> x509.Certificate:
    owner = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Beistand"),
            # 64 characters at most (RFC 5280, appendix A.1); the names that count stand below.
            x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64]),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(owner)
        .issuer_name(owner)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A day back: the clock of the browser may be behind ours.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )


def _alternatives(names: tuple[str, ...]) -> list[x509.GeneralName]:
    return [_alternative(each) for each in names]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def now() -> datetime:
    return datetime.now(UTC)
