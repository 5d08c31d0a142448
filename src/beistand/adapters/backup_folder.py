"""The folders of local backups and of the one upload (ports `Backups` and `Upload`)."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from beistand.adapters.durable_file import make_folders, remove_durably, write_durably
from beistand.adapters.durable_stream import told_as_failure
from beistand.adapters.export_file import DRAFT
from beistand.domain.errors import Failed
from beistand.domain.export import ID_FORM, BackupRecord

SUFFIX = ".beistand"
LARGEST_RECORD = 1 << 20


class BackupFolder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def free(self) -> int:
        make_folders(self.folder, mode=0o700)
        return _free(self.folder)

    def path(self, backup: str) -> Path:
        return self.folder / f"{backup}{SUFFIX}"

    def records(self) -> tuple[BackupRecord, ...]:
        found = (self._read(path.stem) for path in self._described())
        return tuple(
            sorted(
                (each for each in found if each), key=lambda each: (each.header.made, each.id), reverse=True
            )
        )

    def record(self, record: BackupRecord) -> None:
        write_durably(self._record_path(record.id), msgspec.json.encode(record), mode=0o600)

    def read(self, backup: str, offset: int, size: int) -> bytes:
        with self.path(backup).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def remove(self, backup: str) -> None:
        # The record last: a file without one would stay for good.
        remove_durably(self.path(backup))
        remove_durably(self._record_path(backup))

    def sweep(self) -> None:
        for path in self._described():
            if not self.path(path.stem).exists():
                path.unlink(missing_ok=True)
        for path in self.folder.glob(f"{DRAFT}*"):
            if path.is_file():
                path.unlink(missing_ok=True)

    def _described(self) -> Iterator[Path]:
        found = (each for each in self.folder.glob("*.json") if ID_FORM.fullmatch(each.stem))
        return (each for each in found if each.is_file())

    def _record_path(self, backup: str) -> Path:
        return self.folder / f"{backup}.json"

    def _read(self, backup: str) -> BackupRecord | None:
        try:
            if self._record_path(backup).stat().st_size > LARGEST_RECORD:
                return None
            record = msgspec.json.decode(self._record_path(backup).read_bytes(), type=BackupRecord)
            is_whole = record.id == backup and self.path(backup).stat().st_size == record.file_size
        except (OSError, msgspec.MsgspecError):
            return None
        return record if is_whole else None


class UploadFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self) -> Path:
        return self._folder / "export"

    def free(self) -> int:
        return _free(next(each for each in (self._folder, *self._folder.parents) if each.exists()))

    def begin(self) -> None:
        self.clear()
        with told_as_failure(self._folder):
            self._folder.mkdir(mode=0o700, parents=True)
            self.path().touch(mode=0o600)

    def add(self, offset: int, data: bytes) -> None:
        with told_as_failure(self.path()), self.path().open("r+b") as file:
            if file.seek(0, os.SEEK_END) != offset:
                raise Failed("file-not-written", path=str(self.path()), why="another length")
            file.write(data)

    def clear(self) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder)


def _free(folder: Path) -> int:
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize
