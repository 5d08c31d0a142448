r"""The manifest of a generation: one entry a path, JSON lines, sorted by path.

Paths are absolute; bytes that are not UTF-8 stand as lone surrogates (PEP 383), written as `\udcXX`
escapes, so that every name a file system allows comes back as it was.

Manifests are compared over sorted iterators side by side: memory does not grow with them. Both appliances
compare the same two, so they agree on what travels without asking.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Annotated, NamedTuple

import msgspec

from beistand.domain.errors import BadGeneration
from beistand.domain.value import Value

DATABASE_PREFIX = "database:"
"""Entries of databases follow the trees: `database:/var/lib/asterisk/astdb.sqlite3`."""

LONGEST_PATH = 4095
"""Bytes; PATH_MAX without its end (limits.h)."""
DEEPEST = 256
"""Folders above each other: no telephone system has so many, and each is asked about."""
LONGEST_NAME = 255
"""Bytes; NAME_MAX."""
LONGEST_LINE = 1 << 16
"""Bytes; a path and a link's target of full length, every byte escaped."""

PORTION = 25_000
"""So many changes are decided on at a time: memory does not grow with their number."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ODD_PART = re.compile(r"//|/\.\.?/|\0")
_ODD_ENDS = ("/", "/.", "/..")


class Kind(StrEnum):
    FILE = "f"
    FOLDER = "d"
    LINK = "l"
    DATABASE = "b"


class Entry(Value, frozen=True, kw_only=True, omit_defaults=True):
    path: str
    kind: Kind
    mode: Annotated[int, msgspec.Meta(ge=0, le=0o1777)] = 0
    """Permission bits; setuid and setgid never travel (F5)."""
    owner: str = ""
    """By name: ids differ between machines. An id that has no name here stands as its number."""
    group: str = ""
    size: Annotated[int, msgspec.Meta(ge=0)] = 0
    mtime_ns: int = 0
    """Files only: the time of a folder tells nothing that its entries do not tell."""
    digest: str = ""
    """SHA-256 of the content, hexadecimal; files and databases only."""
    target: str = ""
    """Where a link points; links only."""


Entries = Callable[[], Iterable[Entry]]
"""Begins to read a manifest anew."""


class Change(NamedTuple):
    """One path that differs."""

    path: str
    old: Entry | None
    new: Entry | None


class Contents(Value, frozen=True, kw_only=True):
    """Where the contents of the changed files come from."""

    send: tuple[str, ...]
    """Paths of files whose content the old manifest has nowhere, in order."""
    reuse: dict[str, str]
    """New path to the old path that has its content: renames and changes of owner cost nothing."""


class Portion(NamedTuple):
    """Some of the changes, and where their contents come from."""

    changes: list[Change]
    contents: Contents

    @property
    def to_send(self) -> list[Entry]:
        """What has to travel, in order."""
        paths = frozenset(self.contents.send)
        return [each.new for each in self.changes if each.new is not None and each.path in paths]


class Gone(Value, frozen=True, kw_only=True):
    """A line of a delta: nothing stands at this path any more."""

    gone: str


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Return the entry as one line, with its end."""
    try:
        return _encoder.encode(entry) + b"\n"
    except UnicodeEncodeError:
        # msgspec writes UTF-8 only; the standard library escapes what is none.
        return json.dumps(msgspec.to_builtins(entry), separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Entry:
    """Return the entry of one line. Raises BadGeneration `manifest-damaged`."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if b"\\ud" not in line:
            raise _damaged(line, str(error)) from error
    try:
        # A lone surrogate: msgspec refuses it, the standard library gives it back.
        return msgspec.convert(json.loads(line), type=Entry)
    except (ValueError, RecursionError) as error:
        raise _damaged(line, str(error)) from error


def read_entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of a manifest that may come from anywhere.

    Raises BadGeneration `manifest-damaged` for what is no entry, `manifest-unsorted` for a path that
    comes twice or out of order, `path-not-allowed` for a path that is not absolute and in normal form.
    """
    last = ""
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise _damaged(line, "line too long")
        entry = decode(line)
        if entry.path <= last:
            raise BadGeneration("manifest-unsorted", path=shown(entry.path))
        last = entry.path
        _check(entry, line)
        yield entry


def dump_name(database: str) -> str:
    """Return the name of the file that holds this database's dump: no slash, no two alike."""
    return database.replace("%", "%25").replace("/", "%2F")


def database_name(entry: Entry) -> str:
    """Return the name, as the profile has it, of a database's entry."""
    return entry.path.removeprefix(DATABASE_PREFIX)


def shown(path: str) -> str:
    """Return the path as it can be printed and sent: what is not UTF-8 is escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


def changes(old: Iterable[Entry], new: Iterable[Entry]) -> Iterator[Change]:
    """Yield every path that differs, in order of path."""
    before, after = iter(old), iter(new)
    left, right = next(before, None), next(after, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.path < right.path):
            assert left is not None
            yield Change(left.path, left, None)
            left = next(before, None)
        elif left is None or right.path < left.path:
            yield Change(right.path, None, right)
            right = next(after, None)
        else:
            if left != right:
                yield Change(right.path, left, right)
            left, right = next(before, None), next(after, None)


def changed_lines(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[Change]:
    """Yield what `changes` yields, from the lines of two manifests that were written here.

    Equal lines are not decoded: 60,000 unchanged entries cost a few hundredths of a second.
    """
    before, after = iter(old), iter(new)
    left, right = next(before, b""), next(after, b"")
    while left or right:
        if left == right:
            left, right = next(before, b""), next(after, b"")
            continue
        one, other = decode(left) if left else None, decode(right) if right else None
        if other is None or (one is not None and one.path < other.path):
            assert one is not None
            yield Change(one.path, one, None)
            left = next(before, b"")
        elif one is None or other.path < one.path:
            yield Change(other.path, None, other)
            right = next(after, b"")
        else:
            if one != other:
                yield Change(other.path, one, other)
            left, right = next(before, b""), next(after, b"")


def delta(old: Iterable[Entry], new: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the lines that turn the old manifest into the new one."""
    return delta_lines(changes(old, new))


def delta_lines(differences: Iterable[Change]) -> Iterator[bytes]:
    """Yield one line a change: the new entry, or the path that is gone."""
    for change in differences:
        if change.new is not None:
            yield encode(change.new)
        else:
            yield json.dumps({"gone": change.path}, separators=(",", ":")).encode() + b"\n"


def apply_delta(old: Iterable[Entry], lines: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries of the new manifest.

    The result is not checked: read it again with `read_entries`, and compare its digest with what was
    announced. Raises BadGeneration `delta-damaged` where the delta does not fit the old manifest.
    """
    before = iter(old)
    left = next(before, None)
    last = ""
    for line in lines:
        step = _decode_step(line)
        path = step.gone if isinstance(step, Gone) else step.path
        if path <= last:
            raise BadGeneration("delta-damaged", path=shown(path))
        last = path
        while left is not None and left.path < path:
            yield left
            left = next(before, None)
        stood = left is not None and left.path == path
        if stood:
            left = next(before, None)
        if isinstance(step, Entry):
            yield step
        elif not stood:
            raise BadGeneration("delta-damaged", path=shown(path))
    if left is not None:
        yield left
        yield from before


def contents_to_send(old: Entries, new: Entries) -> Contents:
    """Return which changed files must travel, and where the others are found on the other side."""
    return contents_of(changes(old(), new()), old)


def contents_of(differences: Iterable[Change], old: Entries) -> Contents:
    """Return what `contents_to_send` does, of changes that are known already."""
    reuse: dict[str, str] = {}
    wanted: dict[str, str] = {}
    """New path to digest, of files whose content changed."""
    for path, before, after in differences:
        if after is None or after.kind is not Kind.FILE:
            continue
        if before is not None and before.kind is Kind.FILE and before.digest == after.digest:
            reuse[path] = path
        else:
            wanted[path] = after.digest
    found = _first_paths(old, frozenset(wanted.values())) if wanted else {}
    reuse.update((path, found[digest]) for path, digest in wanted.items() if digest in found)
    return Contents(send=tuple(path for path in wanted if path not in reuse), reuse=reuse)


def portions(differences: Iterable[Change], old: Entries, most: int = PORTION) -> Iterator[Portion]:
    """Yield the changes in order, some at a time, with where their contents come from.

    What is decided for a path is the same whatever the portions are; `old` is read once for each of them.
    """
    rest = iter(differences)
    while some := list(islice(rest, most)):
        yield Portion(some, contents_of(some, old))


def _check(entry: Entry, line: bytes) -> None:
    path = entry.path
    if entry.kind is Kind.DATABASE:
        if not path.startswith(DATABASE_PREFIX):
            raise BadGeneration("path-not-allowed", path=shown(path))
        path = "/" + dump_name(database_name(entry))
    if not _is_normal(path):
        raise BadGeneration("path-not-allowed", path=shown(entry.path))
    has_content = entry.kind in (Kind.FILE, Kind.DATABASE)
    if has_content != (_DIGEST.fullmatch(entry.digest) is not None):
        raise _damaged(line, "digest")
    if (entry.kind is Kind.LINK) != bool(entry.target) or (
        entry.target and not _is_name(entry.target, LONGEST_PATH)
    ):
        raise _damaged(line, "target")
    if not (_is_owner(entry.owner) and _is_owner(entry.group)):
        raise _damaged(line, "owner")


def _is_normal(path: str) -> bool:
    if not path.startswith("/") or path.endswith(_ODD_ENDS) or _ODD_PART.search(path):
        return False
    if path.isascii() and len(path) <= LONGEST_NAME:
        return True
    parts = path.split("/")
    return (
        len(parts) <= DEEPEST
        and _is_name(path, LONGEST_PATH)
        and all(_is_name(part, LONGEST_NAME) for part in parts)
    )


def _is_name(text: str, longest: int) -> bool:
    """Tell whether a file system can hold this, and would give back the same characters."""
    if text.isascii():
        return len(text) <= longest and "\0" not in text
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    # Escaped bytes that are good UTF-8 together would be a second spelling of the same path.
    return len(raw) <= longest and b"\0" not in raw and raw.decode("utf-8", "surrogateescape") == text


@lru_cache(maxsize=256)
def _is_owner(name: str) -> bool:
    """Tell the same of an owner's or a group's name: there are few of them in a manifest."""
    return _is_name(name, LONGEST_NAME)


def _damaged(line: bytes, why: str) -> BadGeneration:
    return BadGeneration("manifest-damaged", line=line[:200].decode("ascii", "backslashreplace"), why=why)


def _first_paths(old: Entries, digests: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in old():
        if entry.kind is Kind.FILE and entry.digest in digests:
            found.setdefault(entry.digest, entry.path)
    return found


def _decode_step(line: bytes) -> Entry | Gone:
    if not line.startswith(b'{"gone":'):
        return decode(line)
    try:
        return msgspec.convert(json.loads(line), type=Gone)
    except (ValueError, RecursionError) as error:
        raise BadGeneration("delta-damaged", path=line[:200].decode("ascii", "backslashreplace")) from error
