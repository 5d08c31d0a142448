"""Signatures of exports by the keys that the pair knows already: SSHSIG, made and checked by ssh-keygen itself."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from beistand.adapters.commands import run
from beistand.adapters.keys import SshKeys
from beistand.domain.errors import CommandFailed

NAMESPACE = "beistand-export"
"""What is signed for an export is a signature of nothing else (PROTOCOL.sshsig)."""
SIGNER = "peer"
_SECONDS = 20.0
_KEY_AT_END = re.compile(r"(ssh-ed25519 [A-Za-z0-9+/]+=*)\s*$")


@dataclass(frozen=True, kw_only=True)
class ExportSignatures:
    """Signs with the key of the pair's channel; believes the key that the peer is let in with."""

    keys: SshKeys

    def sign(self, body: bytes) -> bytes:
        self.keys.public_key()  # made at the first call
        words = ["ssh-keygen", "-Y", "sign", "-q", "-f", str(self.keys.private_key), "-n", NAMESPACE]
        return run(words, seconds=_SECONDS, stdin=body.decode()).stdout.encode()

    def is_by_peer(self, body: bytes, signature: bytes) -> bool:
        key = self._peer_key()
        if not key:
            return False
        with tempfile.TemporaryDirectory(prefix="beistand-") as name:
            allowed, signed = Path(name) / "allowed", Path(name) / "signature"
            allowed.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {key}\n')
            signed.write_bytes(signature)
            words = ["ssh-keygen", "-Y", "verify", "-q", "-f", str(allowed), "-I", SIGNER, "-n", NAMESPACE]
            try:
                run([*words, "-s", str(signed)], seconds=_SECONDS, stdin=body.decode())
            except (CommandFailed, UnicodeDecodeError):
                return False
        return True

    def _peer_key(self) -> str:
        """Return the key that is authorised here: the peer's, of this pair only; empty before there is one."""
        try:
            found = _KEY_AT_END.search(self.keys.authorised.read_text())
        except FileNotFoundError:
            return ""
        return found[1] if found else ""
