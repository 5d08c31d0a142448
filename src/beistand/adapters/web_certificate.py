"""The certificate of the pages, as browsers show it."""

import binascii
import os
import re
from hashlib import sha256
from pathlib import Path

MOST_BYTES = 64 * 1024
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the first certificate in the file, in pairs of digits; empty where there is none.

    The file is the web process's own: neither a link nor a pipe in its place is followed or waited for.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = _PEM.search(file.read(MOST_BYTES) or b"")
        digest = sha256(binascii.a2b_base64(found[1])).hexdigest() if found else ""
    except (OSError, binascii.Error):
        return ""
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()
