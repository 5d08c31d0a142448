"""Licence files (S7): what somebody who sells appliances signs; one file may hold many licences."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.licence import Licence, LicenceKind, LicenceSet, is_key
from beistand.domain.value import Value

Format = Literal["beistand-licences-1"]
FORMAT: Format = "beistand-licences-1"
PURPOSE = b"beistand licence file\0"
"""Signed before the grants, so that no signature over anything else is ever taken for one."""
LARGEST_FILE = 512 * 1024
MOST_GRANTS = 1000
SELLER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes, bytes], bool]
"""(public key, signed bytes, signature): whether they belong together."""


class Grant(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One licence, as it is sold."""

    key: str
    kind: LicenceKind
    module: Annotated[str, msgspec.Meta(max_length=100)] = ""
    counterpart: str = ""
    holder: Annotated[str, msgspec.Meta(max_length=200)] = ""
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    expires: date | None = None


class LicenceFile(Value, frozen=True, kw_only=True):
    """The document. What is signed are its grants and its seller in one fixed spelling, not its white space."""

    format: Format
    seller: str
    """Names the public key: `/etc/beistand/sellers.d/SELLER.pub`."""
    licences: tuple[Grant, ...]
    signature: str = ""
    """Base64 of an Ed25519 signature over `signed_bytes`."""


def signed_bytes(file: LicenceFile) -> bytes:
    """Return what the signature is over; grants that leave out a later field keep their spelling."""
    body = {"format": file.format, "seller": file.seller, "licences": file.licences}
    return PURPOSE + msgspec.json.encode(body, order="deterministic")


def signed(seller: str, grants: tuple[Grant, ...], sign: Sign) -> bytes:
    """Return the file that grants these. Raises Refused as `read_licence_file` does for a wrong form."""
    file = LicenceFile(format=FORMAT, seller=seller, licences=grants)
    _check_form(file)
    signature = base64.b64encode(sign(signed_bytes(file))).decode()
    return msgspec.json.format(
        msgspec.json.encode(msgspec.structs.replace(file, signature=signature)), indent=2
    )


def read_licence_file(text: str, sellers: Mapping[str, bytes], verify: Verify) -> tuple[Licence, ...]:
    """Return what a file grants.

    Raises Refused `licence-file-form`, `licence-key-form`, `licence-twice-in-file`, `licence-seller-unknown`,
    `licence-signature-wrong`.
    """
    if len(text) > LARGEST_FILE:
        raise Refused("licence-file-form", why="> 512 KiB")
    try:
        file = msgspec.json.decode(text, type=LicenceFile)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise Refused("licence-file-form", why=str(error)) from None
    if file.seller not in sellers:
        known = ", ".join(sorted(sellers)) or "-"
        raise Refused("licence-seller-unknown", seller=file.seller[:64], known=known)
    if not verify(sellers[file.seller], signed_bytes(file), _signature(file)):
        raise Refused("licence-signature-wrong", seller=file.seller)
    _check_form(file)
    return tuple(_licence(each, file.seller) for each in file.licences)


def known_after(known: LicenceSet, granted: tuple[Licence, ...]) -> LicenceSet:
    """Return what is known from files: the newer file says what a key grants."""
    new = {each.key for each in granted}
    return LicenceSet(licences=(*(each for each in known.licences if each.key not in new), *granted))


def _signature(file: LicenceFile) -> bytes:
    try:
        return base64.b64decode(file.signature, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check_form(file: LicenceFile) -> None:
    if not SELLER.fullmatch(file.seller):
        raise Refused("licence-file-form", why=f"seller: {file.seller[:64]}")
    if not 0 < len(file.licences) <= MOST_GRANTS:
        raise Refused("licence-file-form", why=f"licences: {len(file.licences)}")
    keys = [each.key for each in file.licences]
    for each in file.licences:
        for key in (each.key, each.counterpart):
            if key and not is_key(key):
                raise Refused("licence-key-form", key=key[:40])
        if not each.key:
            raise Refused("licence-key-form", key="-")
        if keys.count(each.key) > 1:
            raise Refused("licence-twice-in-file", key=each.key)


def _licence(grant: Grant, seller: str) -> Licence:
    return Licence(**msgspec.structs.asdict(grant), is_self_issued=False, seller=seller)
