"""Walk the trees of a profile, every path once, in the order of the manifest.

Each folder is opened below the one before it, and what it holds is looked at by its descriptor: a folder that becomes
a link meanwhile leads nowhere.
"""

import os
import stat
from collections.abc import Iterator

from beistand.adapters.folders import Folders
from beistand.domain.boundary import Boundary
from beistand.domain.errors import Failed
from beistand.domain.manifest import shown
from beistand.domain.profile import Profile

Found = tuple[str, os.stat_result]
"""A path, and what stood there when its folder was listed."""
_TYPE = 0o170000
"""S_IFMT (inode(7)): masked here, because a call for each entry shows."""


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

    def present_roots(self, folders: Folders) -> Iterator[Found]:
        """Yield the outermost trees that exist here.

        Raises Failed `tree-missing`, and `tree-is-link` where a tree that must be there is carried on elsewhere.
        """
        for root in self.roots:
            try:
                status = folders.status(root)
            except (FileNotFoundError, NotADirectoryError):
                if root in self.optional:
                    continue
                raise Failed("tree-missing", path=root) from None
            if stat.S_ISLNK(status.st_mode) and root not in self.optional:
                # Only the link would travel, and a backup without its data would look complete.
                raise Failed("tree-is-link", path=root, target=shown(os.readlink(root)))
            yield root, status


def walk(roots: list[Found], refused: set[str], folders: Folders) -> Iterator[Found]:
    """Yield what stands at and below the roots, sorted by path; never follows a link.

    The consumer puts `PATH/` into `refused` to keep the walk out of a folder it was just given.
    """
    pending = list(roots)
    pending += [(root + "/", status) for root, status in roots if stat.S_ISDIR(status.st_mode)]
    pending.sort(reverse=True, key=_path)
    while pending:
        path, status = pending.pop()
        if not path.endswith("/"):
            yield path, status
        elif path in refused:
            refused.discard(path)
        else:
            pending += _children(path, folders)


def _children(folder: str, folders: Folders) -> list[Found]:
    """Return the entries of a folder, last path first, with `NAME/` where a folder's own entries belong."""
    found: list[Found] = []
    try:
        with folders.opened(folder[:-1]) as handle, os.scandir(handle) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                path = folder + entry.name
                found.append((path, status))
                if status.st_mode & _TYPE == stat.S_IFDIR:
                    # `a-b` stands before `a/c`: the entries of `a` wait for their turn.
                    found.append((path + "/", status))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:  # a file system that somebody mounted there and lets nobody in
        raise Failed("file-unreadable", path=shown(folder), why=error.strerror or str(error)) from error
    found.sort(reverse=True, key=_path)
    return found


def _path(found: Found) -> str:
    return found[0]


def _outermost(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({path for path in paths if not any(path.startswith(each + "/") for each in paths)}))
