"""Network files in memory, the same contract as the real ones."""

from collections.abc import Collection

from beistand.domain.errors import Refused
from beistand.domain.network_file import Named, NetworkFile
from beistand.domain.network_file_edit import configured, named


class FakeNetworkFiles:
    """`used` says which paths configure which interface, as the managers' own state does on a machine."""

    def __init__(self, *files: NetworkFile, used: dict[str, tuple[str, ...]] | None = None) -> None:
        self.files = {each.path: each for each in files}
        self.used = used or {}
        self.read_only: set[str] = set()
        self.written: list[NetworkFile] = []
        self.generators: dict[str, str] = {}
        """By path: who writes the file anew at every boot."""

    def configuring(self, interface: str) -> tuple[NetworkFile, ...]:
        found = [self.files[path] for path in self.used.get(interface, ()) if path in self.files]
        if not found:
            raise Refused("network-manager-unknown", interface=interface)
        if len({each.manager for each in found}) > 1:
            paths = ", ".join(each.path for each in found)
            raise Refused("network-files-disagree", interface=interface, paths=paths)
        return tuple(sorted(found, key=lambda each: not configured(each)))

    def every(self) -> tuple[NetworkFile, ...]:
        return tuple(self.files.values())

    def naming(self, addresses: Collection[str]) -> tuple[Named, ...]:
        files = (each for each in self.files.values() if not each.is_generated)
        return tuple(place for each in files for place in named(each, addresses))

    def write(self, file: NetworkFile) -> None:
        self.files[file.path] = file
        self.written.append(file)

    def read(self, path: str) -> bytes | None:
        return self.files[path].body if path in self.files else None

    def check_writable(self, file: NetworkFile) -> None:
        if file.shown != file.path:
            raise Refused("network-file-name-unreadable", path=file.shown)
        if file.path.startswith("/run/"):
            raise Refused("network-file-not-lasting", path=file.path)
        if file.path.startswith(("/usr/lib/", "/lib/")):
            raise Refused("network-file-of-package", path=file.path, name=file.path.rpartition("/")[2])
        if file.path in self.read_only:
            raise Refused("network-file-read-only", path=file.path, why="Read-only file system")

    def generator(self, file: NetworkFile) -> str:
        return self.generators.get(file.path, "")
