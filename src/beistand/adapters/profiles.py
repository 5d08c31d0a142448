"""Appliance profiles: those that ship, and the ones of this machine over them."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.profile import Profile

SCHEMA = 1


class Profiles:
    def __init__(self, folder: Path) -> None:
        """`folder` is /etc/beistand/profile.d; a file there wins over the shipped one of the same name."""
        self._folder = folder
        self._shipped = resources.files("beistand") / "profiles"

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._files()))

    def origin(self, name: str) -> str:
        """Return the path of the file. Raises Refused `profile-unknown`."""
        return str(self._file(name))

    def load(self, name: str) -> Profile:
        """Raise Refused `profile-unknown`, or `profile-wrong` with the file and the place in it."""
        file = self._file(name)
        try:
            profile = msgspec.toml.decode(file.read_bytes(), type=Profile)
        except OSError as error:
            raise _wrong(file, error.strerror or str(error)) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise _wrong(file, str(error)) from error
        if profile.schema != SCHEMA:
            raise _wrong(file, f"schema {profile.schema}, known: {SCHEMA} - at `$.schema`")
        if profile.name != name:
            raise _wrong(file, f'"{profile.name}" is not the name of the file - at `$.name`')
        return profile

    def fitting(self) -> tuple[str, ...]:
        """Return all names; those whose telephone system is on this machine come first. What is wrong is last."""
        return tuple(sorted(self.names(), key=lambda name: not self._fits(name)))

    def _fits(self, name: str) -> bool:
        try:
            return all(Path(file).exists() for file in self.load(name).detect.files)
        except Refused:
            return False

    def _file(self, name: str) -> Traversable:
        files = self._files()
        if name not in files:
            raise Refused("profile-unknown", profile=name, known=", ".join(sorted(files)))
        return files[name]

    def _files(self) -> dict[str, Traversable]:
        shipped = _toml_files(self._shipped) if self._shipped.is_dir() else {}
        return {**shipped, **(_toml_files(self._folder) if self._folder.is_dir() else {})}


def _toml_files(folder: Traversable) -> dict[str, Traversable]:
    return {each.name.removesuffix(".toml"): each for each in folder.iterdir() if each.name.endswith(".toml")}


def _wrong(file: Traversable, why: str) -> Refused:
    return Refused("profile-wrong", path=str(file), why=why)
