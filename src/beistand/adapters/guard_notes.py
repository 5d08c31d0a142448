"""What the guard did at this boot, where the agent finds it, and the network files as they were before."""

import hashlib
from pathlib import Path

import msgspec

from beistand.adapters.durable_file import make_folders, write_durably
from beistand.adapters.durable_stream import told_as_failure
from beistand.domain.guarding import GuardNote
from beistand.domain.network_file import NetworkFile


class GuardNotes:
    """The note lies in /run: it speaks of one boot. The files put aside stay until somebody deletes them."""

    def __init__(self, note: Path, kept: Path) -> None:
        self._note = note
        self._kept = kept

    def write(self, note: GuardNote) -> None:
        """Raise Failed `file-not-written`."""
        write_durably(self._note, msgspec.json.encode(note))

    def read(self) -> GuardNote:
        """Return the note of this boot; an empty one where there is none, or none that can be read."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=GuardNote)
        except (OSError, msgspec.MsgspecError):
            return GuardNote()

    def keep(self, file: NetworkFile) -> str:
        """Put a file aside and return where: the same content goes to the same place. Raises Failed `file-not-written`.

        Readable by root only: profiles of NetworkManager hold passwords.
        """
        digest = hashlib.sha256(file.body).hexdigest()[:8]
        path = self._kept / f"{file.shown.strip('/').replace('/', '-')}.{digest}"
        with told_as_failure(self._kept):
            make_folders(self._kept, mode=0o700)
        write_durably(path, file.body, mode=0o600)
        return str(path)
