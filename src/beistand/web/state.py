"""The web process's own folder: secret of the sessions and certificate. Nobody else writes there."""

import os
import secrets
import sys
from pathlib import Path

STATE = "BEISTAND_WEB_STATE"
"""Environment variable: the folder, if not the usual one."""
HOSTS = "BEISTAND_WEB_HOSTS"
"""Environment variable: names and addresses that these pages answer to, with commas between."""
_USUAL = "/var/lib/beistand-web"


def state_folder() -> Path:
    return Path(os.environ.get(STATE) or _USUAL)


def hosts() -> list[str]:
    """Return what the Host header may say; anything else is DNS rebinding or a mistake (F17)."""
    return [each for each in os.environ.get(HOSTS, "localhost").split(",") if each]


def secret_key(folder: Path) -> str:
    """Return the key that signs cookies; one for this process only where none could be kept."""
    return _kept(folder) or secrets.token_urlsafe(48)


def make_secret(folder: Path) -> None:
    """Make the key once; who deletes it ends every session."""
    if _kept(folder):
        return
    beside = folder / "secret.new"
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        beside.rename(folder / "secret")
    except OSError as trouble:
        sys.stderr.write(f"sessions end with this process: {trouble}\n")


def _kept(folder: Path) -> str:
    """Return the key that was made; a power cut may have left an empty file of it."""
    try:
        return (folder / "secret").read_text()
    except OSError:
        return ""
