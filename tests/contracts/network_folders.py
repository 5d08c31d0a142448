"""A machine's network files in a folder of their own, and the real adapter on them."""

from pathlib import Path

from beistand.adapters.network_files import SystemNetworkFiles

PHONES = "192.0.2.10"
UUID = "9d8a3a4e-0f0c-4f6b-9a57-7f7c3e2a5c11"


def index(name: str) -> int:
    if name != "eth0":
        raise OSError
    return 7


def put(root: Path, files: dict[str, str]) -> SystemNetworkFiles:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        (root / path).chmod(0o600)
    return SystemNetworkFiles(root, index)
