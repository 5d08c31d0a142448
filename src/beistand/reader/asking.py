"""What the agent asks of a child that reads, and what comes back."""

from typing import Annotated

import msgspec

from beistand.domain.value import Value

LARGEST_ORDER = 128 << 10
"""One datagram between agent and `beistand-read`, in bytes."""
LARGEST_ANSWER = 16 << 20
MOST_FILES = 200
"""Of one order: the kernel passes 253 descriptors at a time (unix(7), SCM_RIGHTS)."""
MOST_ROWS = 20_000
MOST_INCLUDES = 200
LONGEST_TEXT = 4096
"""Signs of any text in an answer; what is longer is cut or left out."""

Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
Cell = Text | int | float | None


class ReadMailboxes(Value, frozen=True, kw_only=True, tag="mailboxes"):
    """Who has a mailbox in the first file. Answers: People, Includes, Unread."""

    includes: dict[str, tuple[int, ...]]
    """Which files a name in an `#include` stands for, as far as it was asked for before."""


class ReadLines(Value, frozen=True, kw_only=True, tag="lines"):
    """Which lines to the outside the files name. Answers: Lines, Unread."""

    types: tuple[str, ...]
    register_keys: tuple[str, ...]


class ReadStartOptions(Value, frozen=True, kw_only=True, tag="start-options"):
    """What counts in the one file, as `domain/start_options` reads it. Answers: Lines, Unread."""


class CopyDatabase(Value, frozen=True, kw_only=True, tag="copy"):
    """Copy a database in use into the scratch folder and look whether the copy is whole.

    Answers: Done, Unread.
    """

    seconds: float
    """How long it is tried between the writers."""


class SelectRows(Value, frozen=True, kw_only=True, tag="select"):
    """Run a question of the profile on a copy. Answers: Rows, Unread."""

    sql: str
    parameters: dict[str, str | int | float] = {}
    seconds: float = 1.0


class UpdateRows(Value, frozen=True, kw_only=True, tag="update"):
    """Copy a database that is not in use, and run a change of the profile on the copy. Answers: Done, Unread."""

    sql: str
    parameters: dict[str, str | int | float]


class CheckDatabase(Value, frozen=True, kw_only=True, tag="check"):
    """Look whether the database in the scratch folder is whole. Answers: Done, Unread."""


Ask = ReadMailboxes | ReadLines | ReadStartOptions | CopyDatabase | SelectRows | UpdateRows | CheckDatabase


class Limits(Value, frozen=True, kw_only=True):
    """What the kernel ends a child for (setrlimit(2))."""

    seconds: int = 1
    """Of the processor."""
    memory: int = 512 << 20
    """Bytes of address space."""
    file: int = 0
    """Bytes of the largest file that it may write."""


class Order(Value, frozen=True, kw_only=True):
    """One question. With it travel descriptors: the answer's pipe, the scratch folder, the files."""

    ask: Ask
    files: tuple[str, ...]
    """What each file is to the question: `database`, `journal`, `wal`, `shm`; or any name."""
    uid: int
    gid: int
    """Of the account that the child runs as, where there is the right to choose; never 0."""
    limits: Limits = Limits()


class Person(Value, frozen=True, kw_only=True):
    name: Text
    extension: Text
    address: Text


class People(Value, frozen=True, kw_only=True, tag="people"):
    people: Annotated[tuple[Person, ...], msgspec.Meta(max_length=MOST_ROWS)]


class Includes(Value, frozen=True, kw_only=True, tag="includes"):
    """These names must be known before there is an answer."""

    names: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MOST_INCLUDES)]


class Lines(Value, frozen=True, kw_only=True, tag="lines"):
    lines: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MOST_ROWS)]


class Rows(Value, frozen=True, kw_only=True, tag="rows"):
    rows: Annotated[tuple[tuple[Cell, ...], ...], msgspec.Meta(max_length=MOST_ROWS)]


class Done(Value, frozen=True, kw_only=True, tag="done"):
    count: int = 0
    """Changed rows."""


class Unread(Value, frozen=True, kw_only=True, tag="unread"):
    """Why there is no answer; the agent knows the file and adds its name."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z-]{1,40}$")]
    why: Text = ""
    """Words of the system or of SQLite."""


Answer = People | Includes | Lines | Rows | Done | Unread
