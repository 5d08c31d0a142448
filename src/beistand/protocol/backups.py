"""Local backups and the seed by upload (S14, S16)."""

from datetime import datetime

from beistand.domain.export import Part
from beistand.domain.generation import Generation
from beistand.domain.message import Message
from beistand.domain.value import Value

CHUNK_BYTES = 512 * 1024
"""Of a file that travels over the socket in frames."""


class CreateBackup(Value, frozen=True, kw_only=True, tag="backup", tag_field="verb"):
    """Answers a Job of kind local-backup."""

    passphrase: str = ""
    """Given: the file is encrypted with it."""

    def __repr__(self) -> str:
        return "CreateBackup()"


class ListBackups(Value, frozen=True, kw_only=True, tag="backups", tag_field="verb"):
    pass


class GetBackup(Value, frozen=True, kw_only=True, tag="backup-details", tag_field="verb"):
    """Answers BackupDetails."""

    id: str


class DeleteBackup(Value, frozen=True, kw_only=True, tag="backup-delete", tag_field="verb"):
    """Answers BackupList."""

    id: str


class ReadBackup(Value, frozen=True, kw_only=True, tag="backup-read", tag_field="verb"):
    """Return the file from `offset`, at most CHUNK_BYTES. Answers Chunk."""

    id: str
    offset: int


class BeginUpload(Value, frozen=True, kw_only=True, tag="upload-begin", tag_field="verb"):
    """Begin the upload of an export; one that was there before is dropped. Answers UploadView."""

    name: str
    size: int
    """Bytes announced; refused above the quota. 0: not known, the quota counts while it streams."""


class SendUpload(Value, frozen=True, kw_only=True, tag="upload-send", tag_field="verb"):
    """The next piece, at most CHUNK_BYTES, at exactly `offset`. Answers Done."""

    id: str
    offset: int
    data: bytes

    def __repr__(self) -> str:
        return f"SendUpload(id={self.id!r}, offset={self.offset})"


class CheckUpload(Value, frozen=True, kw_only=True, tag="upload-check", tag_field="verb"):
    """Everything has been sent: check signature, pair and every digest. Answers a Job of kind check."""

    id: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return f"CheckUpload(id={self.id!r})"


class GetUpload(Value, frozen=True, kw_only=True, tag="upload", tag_field="verb"):
    """Answers UploadView; its id is empty where nothing was uploaded."""


class DropUpload(Value, frozen=True, kw_only=True, tag="upload-drop", tag_field="verb"):
    """Leave nothing of it behind. Answers Done."""

    id: str


class ImportUpload(Value, frozen=True, kw_only=True, tag="upload-import", tag_field="verb"):
    """Save the checked export as this standby's data: overwrites everything. Answers a Job of kind seed."""

    id: str
    generation: str
    """Id of the generation that was shown: what was confirmed is what is imported."""


# --- answers ------------------------------------------------------------------------------------


class Backup(Value, frozen=True, kw_only=True):
    """One local backup: a file that can be carried away."""

    id: str
    generation: Generation
    file_size: int
    digest: str
    """SHA-256 of the file."""
    is_encrypted: bool
    asked: bool
    """True: by hand; False: by the schedule, or by itself where it was superseded."""
    superseded_by: int = 0
    """The epoch that took over from what is saved here (I10); 0: an ordinary backup."""


class BackupList(Value, frozen=True, kw_only=True):
    backups: tuple[Backup, ...]
    """Newest first."""
    free_bytes: int
    next_backup: str = ""
    """Local time, ISO 8601; empty: none is planned."""


class BackupDetails(Value, frozen=True, kw_only=True):
    backup: Backup
    parts: tuple[Part, ...]
    host: str
    """Where it was made."""


class Chunk(Value, frozen=True, kw_only=True):
    data: bytes
    is_last: bool


class UploadView(Value, frozen=True, kw_only=True):
    id: str
    name: str = ""
    size: int = 0
    received: int = 0
    quota_bytes: int = 0
    since: datetime | None = None
    generation: Generation | None = None
    """Known once it was checked."""
    parts: tuple[Part, ...] = ()
    host: str = ""
    problem: Message | None = None
    """Why it cannot be imported."""
    needs_passphrase: bool = False
