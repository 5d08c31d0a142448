"""What may be written here, and which restore points stay."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beistand.domain.boundary import STAGING_NAME, Boundary
from beistand.domain.generation import Generation
from beistand.domain.imports import (
    Lineage,
    Operation,
    Point,
    Shape,
    decode_operations,
    encode_operation,
    imported,
    reachable,
)
from beistand.domain.manifest import Kind
from beistand.domain.profile import Detect, Profile, Service, Tree
from beistand.domain.retention import retained
from beistand.ports.places import STAGING

PROFILE = Profile(
    schema=1,
    name="x",
    title="x",
    detect=Detect(files=(), version_command=()),
    trees=(
        Tree(path="/a", exclude=("/a/b", "/a/*.tmp", "/a/[cd]/?")),
        Tree(path="/a/b/c"),
        Tree(path="/etc", exclude=()),
    ),
    services=(Service(unit="x.service"),),
    identity=("/a/id*", "/etc/own/*"),
)
NAME = st.sampled_from(["a", "b", "c", "d", "id1", "x.tmp", "etc", "own", "ssh", "hosts"])


@given(st.lists(NAME, min_size=1, max_size=6))
def test_the_prepared_rules_answer_as_the_profile_does(names: list[str]) -> None:
    path = "/" + "/".join(names)
    boundary = Boundary(PROFILE)
    assert boundary.may_write(path) == PROFILE.may_write(path)
    assert boundary.is_identity(path) == PROFILE.is_identity(path)


def test_staging_has_one_name() -> None:
    assert STAGING_NAME == STAGING


@given(st.text(st.characters(codec=None), max_size=20))
def test_an_operation_comes_back_as_it_was(name: str) -> None:
    shape = Shape(kind=Kind.LINK, target=name)
    operation = Operation(number=1, path="/" + name, mount="/", old=shape, new=shape)
    assert list(decode_operations([encode_operation(operation)])) == [operation]


def generation(number: int) -> Generation:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Generation(
        id=f"20260101T000000Z-{number}",
        pair="p",
        source="s",
        epoch=1,
        sequence=number,
        begin=now,
        end=now,
        profile="x",
        pbx_version="1",
        manifest="0" * 64,
        entries=0,
        size=0,
    )


def lineage(count: int) -> Lineage:
    grown = Lineage()
    for number in range(count):
        grown = imported(grown, Point(generation=generation(number), undo=str(number)), continues=True)
    return grown


@pytest.mark.parametrize(
    ("count", "keep", "points", "undos"),
    [
        (1, 1, [0], {"0"}),
        (2, 1, [0, 1], {"1"}),
        (5, 1, [3, 4], {"4"}),
        (5, 3, [1, 2, 3, 4], {"2", "3", "4"}),
        (5, 5, [0, 1, 2, 3, 4], {"0", "1", "2", "3", "4"}),
        (5, 9, [0, 1, 2, 3, 4], {"0", "1", "2", "3", "4"}),
    ],
)
def test_so_many_ways_back_are_kept(count: int, keep: int, points: list[int], undos: set[str]) -> None:
    kept = retained(lineage(count), keep)
    assert [point.generation.sequence for point in kept.points] == points
    assert kept.undos == undos
    assert kept.live_point == lineage(count).live_point
    assert retained(kept, keep) == kept


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(0, 5)), max_size=20))
def test_every_point_that_is_kept_can_be_reached(history: list[tuple[int, bool, int]]) -> None:
    grown = Lineage()
    for number, (keep, continues, back) in enumerate(history):
        grown = imported(grown, Point(generation=generation(number), undo=str(number)), continues=continues)
        grown = retained(grown, keep)
        assert grown.live_point is not None
        assert grown.live_point.generation.sequence == number
        assert len(reachable(grown)) == len(grown.points) <= keep + 1
        ways = reachable(grown)
        grown = Lineage(points=grown.points, live=ways[min(back, len(ways) - 1)])
