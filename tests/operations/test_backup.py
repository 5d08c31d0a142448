"""A generation: complete, in order, told what is missing."""

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from beistand.domain.errors import Cancelled, Failed, Refused
from beistand.domain.manifest import DATABASE_PREFIX, Kind, read_entries
from beistand.domain.profile import Database, Engine
from beistand.operations.backup import LiveThere, begin_generation, dump_path, take_generation
from beistand.ports.files import Dumped
from beistand.ports.node import Node
from fakes.active import Active, make_active
from fakes.clock import A_SUNDAY_NOON
from fakes.progress import FakeProgress


@pytest.fixture
def active(tmp_path: Path) -> Active:
    return make_active(tmp_path)


def replaced(node: Node, **fields: object) -> Node:
    return Node(**{**{name: getattr(node, name) for name in Node.__dataclass_fields__}, **fields})


def test_a_generation_holds_trees_and_databases(active: Active) -> None:
    active.write("a/b.conf", "hello")
    active.insert("/CFW/101")
    taken = take_generation(active.node, FakeProgress())
    body = taken.manifest.read_bytes()
    entries = list(read_entries(body.splitlines(keepends=True)))
    generation = taken.generation
    assert hashlib.sha256(body).hexdigest() == generation.manifest == taken.manifest.stem
    assert [entry.kind for entry in entries] == [Kind.FOLDER, Kind.FOLDER, Kind.FILE, Kind.DATABASE]
    assert entries[-1].path == DATABASE_PREFIX + str(active.database)
    dump = dump_path(active.node, str(active.database))
    assert hashlib.sha256(dump.read_bytes()).hexdigest() == entries[-1].digest
    assert generation.entries == 4
    assert generation.size == 5 + dump.stat().st_size
    assert generation.id == "20260301T120000Z-1"
    assert (generation.epoch, generation.sequence) == (2, 1)


def test_age_is_measured_from_before_the_first_file_was_read(active: Active) -> None:
    class SlowScanner:
        def scan(self, *arguments: object) -> object:
            active.clock.advance(30)
            return scanner.scan(*arguments)

    scanner = active.node.scanner
    generation = take_generation(replaced(active.node, scanner=SlowScanner()), FakeProgress()).generation
    assert generation.begin == A_SUNDAY_NOON
    assert generation.end == A_SUNDAY_NOON + timedelta(seconds=30)


def test_taken_anew_it_keeps_its_name_and_its_begin(active: Active) -> None:
    begun = begin_generation(active.node)
    active.clock.advance(60)
    again = take_generation(active.node, FakeProgress(), begun=begun).generation
    assert (again.id, again.begin, again.sequence) == (begun.id, begun.begin, 1)
    assert begin_generation(active.node).sequence == 2


def test_databases_come_after_the_trees(active: Active) -> None:
    job = FakeProgress()
    take_generation(active.node, job)
    assert job.stages == ["scan", "databases"]


@pytest.mark.parametrize("optional", [True, False])
def test_a_missing_database_fails_unless_it_is_optional(tmp_path: Path, optional: bool) -> None:
    gone = Database(engine=Engine.SQLITE, name=str(tmp_path / "cdr.db"), optional=optional)
    active = make_active(tmp_path, databases=(gone,))
    if optional:
        assert take_generation(active.node, FakeProgress()).generation.entries == 1
        return
    with pytest.raises(Failed, match="database-missing"):
        take_generation(active.node, FakeProgress())


def test_an_engine_without_support_is_never_left_out_silently(tmp_path: Path) -> None:
    active = make_active(tmp_path, databases=(Database(engine=Engine.MARIADB, name="asterisk"),))
    with pytest.raises(Refused, match="engine-not-supported-yet"):
        take_generation(active.node, FakeProgress())
    assert not list(active.node.places.manifests.iterdir())


class BusyDatabases:
    def dump(self, database: Database, into: Path, check: Callable[[], None] = lambda: None) -> Dumped | None:
        raise Failed("database-busy", database=database.name)

    def settle(self, database: Database, seconds: float) -> None:
        """Never, so that nobody need wait for it."""


def test_a_database_that_never_rests_keeps_its_earlier_dump(active: Active) -> None:
    first = take_generation(active.node, FakeProgress()).generation
    busy = replaced(active.node, databases={Engine.SQLITE: BusyDatabases()})
    live = LiveThere(manifests=active.node.manifests, digest=first.manifest)
    again = take_generation(busy, FakeProgress(), live=live).generation
    assert again.manifest == first.manifest
    assert again.growing == (str(active.database),)
    with pytest.raises(Failed, match="database-busy"):
        take_generation(busy, FakeProgress())  # nothing earlier there: nothing is claimed


def test_the_earlier_line_is_found_whatever_its_name(active: Active) -> None:
    name = os.fsdecode(b'a\xe9"\\\n')
    active.write(name)
    active.write("a")
    generation = take_generation(active.node, FakeProgress()).generation
    live = LiveThere(manifests=active.node.manifests, digest=generation.manifest)
    line = live.line(str(active.tree / name))
    assert line is not None
    assert [each.path for each in read_entries([line])] == [str(active.tree / name)]
    assert live.line(str(active.tree / "b")) is None
    assert LiveThere(manifests=active.node.manifests, digest="../x").line("/a") is None


def test_links_left_behind_are_told_once(active: Active) -> None:
    (active.tree / "key").symlink_to("/etc/ssh/ssh_host_ed25519_key")
    for _ in range(3):
        take_generation(active.node, FakeProgress())
    told = [event.message.code for event in active.store.events()]
    assert told == ["link-left-behind"]


def test_cancelled_anywhere_it_leaves_no_half_manifest(active: Active) -> None:
    active.write("a")
    job = FakeProgress()
    take_generation(active.node, job)
    whole = {path.name for path in active.node.places.manifests.iterdir()}
    active.write("b")
    for at in range(1, job.checks + 1):
        with pytest.raises(Cancelled):
            take_generation(active.node, FakeProgress(cancel_at=at))
        assert {path.name for path in active.node.places.manifests.iterdir()} == whole


def test_the_history_says_what_rotted(active: Active) -> None:
    node = active.node

    class Surprised:
        def scan(self, *arguments: object) -> object:
            scanned = node.scanner.scan(*arguments)
            return msgspec.structs.replace(scanned, surprises=("/var/lib/rotten",))

    take_generation(replaced(node, scanner=Surprised()), FakeProgress())
    assert active.store.events()[0].message.code == "content-changed-silently"
