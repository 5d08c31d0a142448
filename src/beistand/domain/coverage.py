"""What is not carried over (B4), from a listing of the telephone system's folders. Nothing is looked at here."""

from collections.abc import Collection, Iterable
from posixpath import dirname

from beistand.domain.boundary import STAGING_NAME, Boundary
from beistand.domain.profile import Engine, Profile
from beistand.domain.value import Value

NO_TREE, EXCLUDED, UNDECLARED, IDENTITY = "no-tree", "excluded", "undeclared-database", "identity"
UNINTENDED = (NO_TREE, UNDECLARED)
"""Nobody decided this; the rest stands in the profile."""
MOST_GROUPS = 500


class Found(Value, frozen=True, kw_only=True):
    """One regular file below a watched folder."""

    path: str
    size: int
    is_sqlite: bool = False


class Group(Value, frozen=True, kw_only=True):
    """Files that stay behind for one reason, below one folder or in it (`folder/*`)."""

    path: str
    files: int
    bytes: int
    why: str


class Coverage:
    """Takes one file after the other, in bounded memory, and sums up what stays behind."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._boundary = Boundary(profile)
        self._leaves = Boundary(_only(profile, profile.leave))
        self._roots = frozenset(_folders_above(self._boundary.roots))
        self._sums: dict[tuple[str, str], tuple[int, int]] = {}

    def take(self, found: Found) -> None:
        why = self.why(found)
        if not why or f"/{STAGING_NAME}/" in found.path:
            return
        key = (self._group(found.path, why), why)
        if key not in self._sums and len(self._sums) >= MOST_GROUPS:
            key = ("…", why)
        files, size = self._sums.get(key, (0, 0))
        self._sums[key] = (files + 1, size + found.size)

    def groups(self) -> tuple[Group, ...]:
        """Return what stays behind, what nobody decided first."""
        found = [
            Group(path=path, files=files, bytes=size, why=why)
            for (path, why), (files, size) in self._sums.items()
        ]
        return tuple(sorted(found, key=lambda each: (each.why not in UNINTENDED, each.why, each.path)))

    def why(self, found: Found) -> str:
        """Return why it is not carried over as it should be; empty: it is."""
        path, boundary = found.path, self._boundary
        if path in boundary.databases or any(path.startswith(f"{each}-") for each in boundary.databases):
            return ""
        if boundary.is_identity(path):
            return IDENTITY
        tree = self._tree_around(path)
        if boundary.may_write(path):
            # In a tree a database is copied as a file while somebody writes into it.
            return UNDECLARED if found.is_sqlite else ""
        if tree:
            return EXCLUDED
        if found.is_sqlite:
            return UNDECLARED
        return EXCLUDED if self._leaves.is_identity(path) else NO_TREE

    def _tree_around(self, path: str) -> str:
        return next((root for root in self._boundary.roots if path.startswith(root + "/")), "")

    def _group(self, path: str, why: str) -> str:
        """Return the highest folder that stays behind as a whole, else the file's folder with `*`."""
        if why == UNDECLARED:
            return path
        whole = ""
        for folder in _above(path):
            if self._stays(folder, why):
                whole = folder
                break
        return whole or f"{dirname(path)}/*"

    def _stays(self, folder: str, why: str) -> bool:
        if why == IDENTITY:
            return self._boundary.is_identity(folder)
        inside_watch = any(folder == each or folder.startswith(each + "/") for each in self._profile.watch)
        if not inside_watch or folder in self._roots or folder in self._boundary.roots:
            return False
        return not self._boundary.may_write(folder)


def server_groups(profile: Profile, sockets: Collection[tuple[Engine, str]]) -> tuple[Group, ...]:
    """Return the database servers that run here and that the profile does not name."""
    declared = {each.engine for each in profile.databases}
    return tuple(
        Group(path=path, files=0, bytes=0, why=UNDECLARED)
        for engine, path in sorted(set(sockets))
        if engine not in declared
    )


def unintended(groups: Iterable[Group]) -> tuple[int, int]:
    """Return how many files and databases nobody decided to leave behind, and their bytes."""
    chosen = [each for each in groups if each.why in UNINTENDED]
    return sum(max(1, each.files) for each in chosen), sum(each.bytes for each in chosen)


def _only(profile: Profile, globs: tuple[str, ...]) -> Profile:
    import msgspec

    return msgspec.structs.replace(profile, identity=globs)


def _folders_above(paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        yield from _above(path)


def _above(path: str) -> list[str]:
    """Return the folders above, the highest first; the root itself is none."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(2, len(parts) + 1)]
