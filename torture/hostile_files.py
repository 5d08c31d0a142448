"""Files of a PBX's account that was broken into, at random: each reader answers or refuses, nothing else changes."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from random import Random
from shutil import rmtree

import msgspec

import beistand
from beistand.adapters.contacts import SqliteContacts
from beistand.adapters.databases.sqlite import SqliteDatabases
from beistand.adapters.lines import ConfiguredLines
from beistand.adapters.readers import Readers
from beistand.adapters.user_directory import FileUsers
from beistand.domain.errors import BeistandError
from beistand.domain.phones import Dated
from beistand.domain.profile import Database, DirectoryFormat, Engine, Lines, Profile, UserDirectory
from fakes import hostile_files as makers
from torture.run import Run

CASES = 400
SIZE = 4 << 20
PBX = 12345
SECONDS = 15.0
"""More than the deadlines of all readers together."""
DUMP_SECONDS = 3.0
WORDS = [
    *(
        "[",
        "]",
        "(",
        ")",
        "!",
        "+",
        ",",
        "=",
        "=>",
        ";",
        ";--",
        "--;",
        "\\;",
        '"',
        "<",
        ">",
        "\n",
        "\r",
        "\0",
        " ",
    ),
    *("[a]\n", "[a](b)\n", "[b](a)\n", "[a](!)\n", "[a](+)\n", "#include ", "#tryinclude <", "*.conf", "../"),
    *(
        "register => ",
        "user:secret@host",
        ":",
        "@",
        "type=registration\n",
        "server_uri=",
        "1 => 1,Name,a@b\n",
    ),
    *("/etc/passwd", "\t", "ä", "\udcff"),
]


def campaign(run: Run) -> None:
    """Texts and databases in turn."""
    shipped = msgspec.toml.decode(
        (Path(beistand.__file__).parent / "profiles/asterisk.toml").read_bytes(), type=Profile
    )
    for number in range(max(8, CASES // run.every)):
        folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
        readers = Readers()
        try:
            with run.case(f"file {number}"):
                _one(run, folder, readers, shipped)
        finally:
            readers.close()
            rmtree(folder)


def _one(run: Run, folder: Path, readers: Readers, shipped: Profile) -> None:
    place, victim = folder / "asterisk", folder / "reserve"
    place.mkdir()
    victim.write_text("of root")
    _planted(run.random, place, victim)
    for each in (place, *place.iterdir()):
        os.chown(each, PBX, PBX, follow_symlinks=False)
    run.injected()
    assert shipped.contacts is not None
    database = place / "astdb.sqlite3"
    profile = msgspec.structs.replace(
        shipped,
        users=UserDirectory(format=DirectoryFormat.ASTERISK_VOICEMAIL, path=str(place / "voicemail.conf")),
        lines=Lines(files=(str(place / "pjsip*.conf"),)),
        contacts=msgspec.structs.replace(shipped.contacts, database=str(database)),
    )
    began = time.monotonic()
    for act in (
        lambda: FileUsers(readers).list(profile),
        lambda: ConfiguredLines(readers).list(profile),
        lambda: SqliteContacts(readers).list(profile),
        lambda: SqliteDatabases(limit=DUMP_SECONDS, readers=readers).dump(
            Database(engine=Engine.SQLITE, name=str(database)), folder / "dumps" / "astdb"
        ),
        lambda: SqliteContacts(readers).renew(profile, Dated(at=time.time(), age=0)),
    ):
        try:
            act()
        except BeistandError:
            continue
    assert time.monotonic() - began < SECONDS + DUMP_SECONDS + 30
    assert victim.read_text() == "of root"
    assert {each.name for each in folder.iterdir()} <= {"asterisk", "reserve", "dumps"}
    assert {each.stat().st_uid for each in place.iterdir() if not each.is_symlink()} <= {PBX}
    run.recovered()


def _planted(random: Random, place: Path, victim: Path) -> None:
    for name in ("voicemail.conf", "pjsip.conf", "pjsip_more.conf"):
        _text(random, place / name)
    database = place / "astdb.sqlite3"
    made = {**makers.SCHEMAS, **makers.TRIGGERS, **makers.ODD, "plain": makers.plain}
    random.choice(list(made.values()))(database)
    if not database.is_file() or database.is_symlink():
        return
    if random.random() < 0.3:
        makers.plant_super_journal(database, victim)
    for ending in ("", "-journal", "-wal", "-shm"):
        if random.random() < 0.3:
            _damage(random, Path(f"{database}{ending}"))


def _text(random: Random, path: Path) -> None:
    kind = random.random()
    if kind < 0.1:
        random.choice(list(makers.ODD.values()))(path)
        return
    words = "".join(random.choice(WORDS) for _ in range(random.randint(1, 40)))
    body = words.encode("utf-8", "surrogateescape")
    path.write_bytes((body * random.choice((1, 20, 5000, SIZE)))[: random.choice((200, 9000, SIZE))])


def _damage(random: Random, path: Path) -> None:
    """Flip, cut, or invent."""
    body = bytearray(path.read_bytes() if path.exists() else random.randbytes(8192))
    for _ in range(random.randint(0, 30)):
        if body:
            # Half of them in the header.
            body[random.randrange(min(len(body), random.choice((100, len(body)))))] = random.randrange(256)
    path.write_bytes(bytes(body[: random.choice((len(body), len(body) // 2))]))
