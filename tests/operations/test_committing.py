"""B15: what the PBX had acknowledged before a generation's begin is in it."""

from pathlib import Path

import msgspec
import pytest

from beistand.domain.profile import Console, Database
from beistand.operations.backup import begin_generation, take_generation
from beistand.operations.committing import MOST_SECONDS, commit_once_more, why_not_committed
from beistand.ports.node import Node
from fakes.active import CONSOLE, Active, make_active
from fakes.clock import A_SUNDAY_NOON
from fakes.progress import FakeProgress
from fakes.services import FakeConsole


class SettlingDatabases:
    """Remembers for how long it was to wait, and waits."""

    def __init__(self, active: Active) -> None:
        self.active = active
        self.waited: list[float] = []

    def settle(self, database: Database, seconds: float) -> None:
        self.waited.append(seconds)
        self.active.clock.advance(seconds)


@pytest.fixture
def active(tmp_path: Path) -> Active:
    return make_active(tmp_path)


def with_console(active: Active, console: FakeConsole, shape: Console | None = CONSOLE) -> Node:
    engine = SettlingDatabases(active)
    profile = msgspec.structs.replace(active.node.profile, console=shape)
    changed = {
        "console": console,
        "profile": profile,
        "databases": dict.fromkeys(active.node.databases, engine),
    }
    fields = {name: getattr(active.node, name) for name in Node.__dataclass_fields__}
    return Node(**{**fields, **changed})


def told(active: Active) -> str:
    """Why the PBX could not be asked, by its code; empty: it was."""
    why = why_not_committed(active.store)
    return why.code if why else ""


@pytest.mark.shows("B15")
def test_the_pbx_commits_before_a_generation_begins(active: Active) -> None:
    """B15: begin is taken after the answer, so that everything acknowledged before it is in the files."""

    class SlowConsole(FakeConsole):
        def ask(self, socket: str, commands: object, seconds: float) -> str:
            active.clock.advance(0.5)
            return "committed: 1"

    generation = begin_generation(with_console(active, SlowConsole()))
    assert (generation.begin - A_SUNDAY_NOON).total_seconds() == 0.5
    assert not told(active)


@pytest.mark.parametrize(
    ("console", "shape", "code"),
    [
        (FakeConsole(is_silent=True), CONSOLE, "pbx-not-asked"),
        (FakeConsole(), CONSOLE, "pbx-did-not-commit"),
        (FakeConsole(answers={CONSOLE.commit: "not committed"}), CONSOLE, "pbx-did-not-commit"),
        (FakeConsole(), None, ""),
    ],
)
def test_a_pbx_that_cannot_be_asked_delays_a_cycle_by_two_seconds_and_is_told(
    active: Active, console: FakeConsole, shape: Console | None, code: str
) -> None:
    node = with_console(active, console, shape)
    for _ in range(3):
        before = active.clock.monotonic()
        begin_generation(node)
        assert active.clock.monotonic() - before <= MOST_SECONDS
    assert told(active) == code
    begin_generation(active.node)
    assert not told(active)


@pytest.mark.shows("B15")
def test_it_commits_once_more_when_the_databases_are_copied(active: Active) -> None:
    """B15: something may be acknowledged between the first answer and the begin."""
    console = active.node.console
    take_generation(active.node, FakeProgress())
    assert console.asked == [CONSOLE.commit] * 2
    silent = with_console(active, FakeConsole(is_silent=True))
    before = active.clock.monotonic()
    begin_generation(silent)
    commit_once_more(silent)
    assert active.clock.monotonic() - before <= MOST_SECONDS


def test_an_appliance_without_the_grant_asks_nobody(active: Active) -> None:
    console = FakeConsole()
    active.store.adopt(msgspec.structs.replace(active.store.standing().grant, epoch=9, holder="f" * 16))
    begin_generation(with_console(active, console))
    assert console.asked == []
    assert not told(active)
