"""What a generation may name on this appliance: the receiving side's profile decides (F5, I11)."""

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from functools import lru_cache
from posixpath import dirname, join, normpath

from beistand.domain.errors import BadGeneration
from beistand.domain.generation import Generation
from beistand.domain.manifest import LONGEST_PATH, Entry, Kind, database_name, shown
from beistand.domain.profile import OWN_IDENTITY, Engine, Profile

SIDECARS = ("-wal", "-shm", "-journal")
"""Beside an SQLite file; they belong to one content of it."""
STAGING_NAME = ".beistand"
PACKAGES = "/usr/share/"
"""Links of trees lead into packages here: the same on both appliances by the same PBX version (S4)."""
MOST_ENTRIES = 5_000_000
"""More in one generation is no telephone system but an attempt to fill a disk (F6)."""
WITH_CONTENT = (Kind.FILE, Kind.DATABASE)


class Boundary:
    """The profile's rules, prepared for a million questions. Answers as Profile.may_write does."""

    def __init__(self, profile: Profile) -> None:
        self._trees = [(tree.path, _Globs(tree.exclude)) for tree in profile.trees]
        self._trees_around = lru_cache(maxsize=512)(self._look_up_trees_around)
        self._identity = _Globs((*OWN_IDENTITY, *profile.identity)).covers
        self.roots = frozenset(tree.path for tree in profile.trees)
        self.databases = frozenset(each.name for each in profile.databases if each.engine is Engine.SQLITE)
        self._database_files = frozenset(
            name + ending for name in self.databases for ending in ("", *SIDECARS)
        )

    def is_identity(self, path: str) -> bool:
        return self._identity(path)

    def may_write(self, path: str) -> bool:
        return self._in_tree(path) and not self._identity(path)

    def keeps(self, path: str) -> bool:
        """Tell whether an import that makes everything equal leaves this path alone."""
        return not self.may_write(path) or path in self._database_files or path.endswith("/" + STAGING_NAME)

    def why_not(self, entry: Entry) -> str:
        """Return the code of what is wrong with this entry by itself, empty if nothing is."""
        if entry.kind is Kind.DATABASE:
            return self._why_not_database(entry)
        if self._identity(entry.path):
            return "names-identity"
        if not self._in_tree(entry.path):
            return "outside-trees"
        if f"/{STAGING_NAME}/" in entry.path + "/":
            return "names-staging"
        if entry.path in self._database_files:
            return "names-database-file"
        return ""

    def why_not_link(self, entry: Entry) -> str:
        """Return the code of what is wrong with where this link leads, empty if nothing is.

        A `..` behind a name is refused: what it means depends on another link.
        """
        target = entry.target
        if not target or "\0" in target or len(target) > LONGEST_PATH:
            return "odd-link"
        parts = [part for part in target.split("/") if part not in ("", ".")]
        if ".." in parts and any(part != ".." for part in parts[: len(parts) - parts[::-1].index("..")]):
            return "odd-link"
        leads_to = normpath(join(dirname(entry.path), target))
        if leads_to.startswith("//"):
            leads_to = leads_to[1:]
        if self._identity(leads_to):
            return "link-to-identity"
        if self._below_tree(leads_to) or leads_to.startswith(PACKAGES):
            return ""
        return "link-leaves-trees"

    def _why_not_database(self, entry: Entry) -> str:
        name = database_name(entry)
        if self._identity(name):
            return "names-identity"
        return "" if name in self.databases else "database-undeclared"

    def _in_tree(self, path: str) -> bool:
        if path in self.roots:
            return any(not out.covers(path) for root, out in self._trees if _is_within(path, root))
        for is_out in self._trees_around(path.rpartition("/")[0]):  # noqa: SIM110  any() is half the cost
            if is_out(path) is None:
                return True
        return False

    def _look_up_trees_around(self, folder: str) -> tuple[Callable[[str], re.Match[str] | None], ...]:
        """Return, for each tree that carries this folder, what tells whether a path in it is excluded."""
        return tuple(
            out.matches
            for root, out in self._trees
            if _is_within(folder, root) and not out.covers_folder(folder)
        )

    def _below_tree(self, path: str) -> bool:
        return any(_is_within(path, root) for root, _ in self._trees)


def inspected(
    entries: Iterable[Entry],
    boundary: Boundary,
    generation: Generation,
    link_stands: Callable[[Entry], bool],
) -> Iterator[Entry]:
    """Yield the entries of a manifest, in its order, checking each.

    The entries are in order and normal already (`read_entries`). `link_stands` tells whether exactly
    this link is on this machine already: then it may stay, wherever it leads. Raises BadGeneration,
    naming the path, at the first entry that must not be, and `counts-differ` when there are more or
    fewer entries or bytes than announced.
    """
    folders: list[str] = []
    count = size = 0
    for entry in entries:
        why = boundary.why_not(entry)
        if not why and entry.kind is Kind.LINK:
            why = boundary.why_not_link(entry)
            why = "" if why and link_stands(entry) else why
        if not why and entry.kind is not Kind.DATABASE:
            why = _why_not_here(entry, folders, boundary)
        if why:
            raise BadGeneration(why, path=shown(entry.path), target=shown(entry.target))
        count += 1
        size += entry.size if entry.kind in WITH_CONTENT else 0
        if count > generation.entries or size > generation.size:
            break
        yield entry
    if count != generation.entries or size != generation.size:
        raise BadGeneration(
            "counts-differ",
            entries=count,
            announced_entries=generation.entries,
            size=size,
            announced_size=generation.size,
        )


def _why_not_here(entry: Entry, folders: list[str], boundary: Boundary) -> str:
    """Tell what is wrong with the place of an entry: each but a tree's root lies in a folder of the manifest.

    `folders` holds the folders whose names begin the current path. In sorted order everything
    between a folder and what is below it begins with the folder's name, so a stack is enough.
    """
    while folders and not entry.path.startswith(folders[-1]):
        folders.pop()
    if entry.path not in boundary.roots and entry.path.rpartition("/")[0] not in folders:
        return "folder-missing"
    if entry.kind is Kind.FOLDER:
        folders.append(entry.path)
    return ""


def _is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(root + "/")


class _Globs:
    """Globs of paths; what lies in a folder that one matches is covered, too."""

    def __init__(self, globs: tuple[str, ...]) -> None:
        self.matches = re.compile("|".join(f"(?:{translate(each)})" for each in globs) or "(?!)").match
        self.covers_folder = lru_cache(maxsize=512)(self._covers_folder)

    def covers(self, path: str) -> bool:
        return self.covers_folder(path.rpartition("/")[0]) or self.matches(path) is not None

    def _covers_folder(self, folder: str) -> bool:
        # In a manifest's order the folder above was asked for just now: a deep path costs no more than a flat one.
        above = folder.rpartition("/")[0]
        return self.matches(folder) is not None or (above != "" and self.covers_folder(above))
