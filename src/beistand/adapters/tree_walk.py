"""Walk the trees of a profile, every path once, in the order of the manifest."""

import os
import stat
from collections.abc import Iterator

from beistand.domain.boundary import Boundary
from beistand.domain.errors import Failed
from beistand.domain.manifest import shown
from beistand.domain.profile import Profile

Found = tuple[str, "os.DirEntry[str] | None"]
"""A path, and the folder's entry that names it; None for the root of a tree."""


class Trees:
    """Which paths the trees of a profile carry: what the other side lets an import write, and no more.

    Databases stay behind even where a profile forgets to exclude them: copied as files they are torn.
    """

    def __init__(self, profile: Profile) -> None:
        self.roots = _outermost(tuple(tree.path for tree in profile.trees))
        self.optional = frozenset(tree.path for tree in profile.trees if tree.optional)
        self.boundary = Boundary(profile)
        self._all = tuple(tree.path + "/" for tree in profile.trees)

    def carries(self, path: str) -> bool:
        return not self.boundary.keeps(path)

    def leads_to_tree(self, path: str) -> bool:
        """Tell whether a tree begins below this folder, though the folder itself stays behind."""
        return any(each.startswith(path + "/") for each in self._all)

    def present_roots(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the outermost trees that exist here.

        Raises Failed `tree-missing`, and `tree-is-link` where a tree that must be there is carried on elsewhere.
        """
        for root in self.roots:
            try:
                status = os.lstat(root)
            except (FileNotFoundError, NotADirectoryError):
                if root in self.optional:
                    continue
                raise Failed("tree-missing", path=root) from None
            if stat.S_ISLNK(status.st_mode) and root not in self.optional:
                # Only the link would travel, and a backup without its data would look complete.
                raise Failed("tree-is-link", path=root, target=shown(os.readlink(root)))
            yield root, status


def walk(roots: list[tuple[str, os.stat_result]], refused: set[str]) -> Iterator[Found]:
    """Yield what stands at and below the roots, sorted by path; never follows a link.

    The consumer puts `PATH/` into `refused` to keep the walk out of a folder it was just given.
    """
    pending: list[Found] = [(root, None) for root, _ in roots]
    pending += [(root + "/", None) for root, status in roots if stat.S_ISDIR(status.st_mode)]
    pending.sort(reverse=True, key=_path)
    while pending:
        path, entry = pending.pop()
        if not path.endswith("/"):
            yield path, entry
        elif path in refused:
            refused.discard(path)
        else:
            pending += _children(path)


def _children(folder: str) -> list[Found]:
    """Return the entries of a folder, last path first, with `NAME/` where a folder's own entries belong."""
    found: list[Found] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = folder + entry.name
                found.append((path, entry))
                if entry.is_dir(follow_symlinks=False):
                    # `a-b` stands before `a/c`: the entries of `a` wait for their turn.
                    found.append((path + "/", None))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found.sort(reverse=True, key=_path)
    return found


def _path(found: Found) -> str:
    return found[0]


def _outermost(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({path for path in paths if not any(path.startswith(each + "/") for each in paths)}))
