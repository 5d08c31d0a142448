"""Both logs are read in pages: whatever is kept can be reached, and each answer says whether it is all."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest

from beistand.adapters.store import EVENTS_KEPT
from beistand.domain.message import message
from beistand.ports.store import Event
from beistand.protocol import MOST_LINES, AuditLines, LogLines, ReadAudit, ReadModuleLog
from fakes.agents import OneOfTwo, TwoAgents

Answers = Iterator[AuditLines | LogLines]


def kept_in_the_log(one: OneOfTwo, count: int, **fields: Any) -> None:
    for number in range(count):
        one.wiring.module_log.keep("info", message("line", number=number, **fields))


def told_in_the_audit(one: OneOfTwo, count: int, **fields: Any) -> None:
    """All at once: a transaction for each would take its time."""
    bodies = [
        (
            msgspec.json.encode(
                Event(at=one.agent.clock.now(), message=message("audit.cycle", number=each, **fields))
            ),
        )
        for each in range(count)
    ]
    with one.store._file.change() as db:
        db.executemany("INSERT INTO event (body) VALUES (?)", bodies)


def pages(one: OneOfTwo, asked: ReadAudit | ReadModuleLog) -> Answers:
    """Walk to the end, as a download does."""
    while True:
        answer = cast("AuditLines | LogLines", one.ask(asked))
        yield answer
        if not answer.older:
            return
        asked = msgspec.structs.replace(asked, before=answer.older)


def numbers(answers: Answers) -> list[Any]:
    return [
        (each.what if hasattr(each, "what") else each.message).fields["number"]
        for answer in answers
        for each in answer.lines
    ]


FILLED = pytest.mark.parametrize(
    ("fill", "asked"),
    [(kept_in_the_log, ReadModuleLog), (told_in_the_audit, ReadAudit)],
    ids=["log", "audit"],
)


@FILLED
def test_every_line_is_reached_once(two: TwoAgents, fill: Any, asked: Any) -> None:
    fill(two.a, 2 * MOST_LINES + 5)
    assert numbers(pages(two.a, asked(limit=10 * MOST_LINES))) == list(reversed(range(2 * MOST_LINES + 5)))


@FILLED
def test_an_answer_that_is_all_says_so(two: TwoAgents, fill: Any, asked: Any) -> None:
    fill(two.a, 3)
    assert [len(each.lines) for each in pages(two.a, asked(limit=3))] == [3]
    assert [len(each.lines) for each in pages(two.a, asked(limit=2))] == [2, 1]


@FILLED
def test_what_does_not_fit_into_one_answer_is_reached_too(two: TwoAgents, fill: Any, asked: Any) -> None:
    fill(two.a, 600, why="\u0001" * 600, also='"' * 600)
    walked = list(pages(two.a, asked(limit=MOST_LINES)))
    assert len(walked) > 1
    assert all(len(msgspec.json.encode(each)) < 1 << 20 for each in walked)
    assert numbers(iter(walked)) == list(reversed(range(600)))


@FILLED
def test_only_lines_that_are_looked_for_count(two: TwoAgents, fill: Any, asked: Any) -> None:
    fill(two.a, 30, why="old")
    fill(two.a, 30, why="new")
    assert [len(each.lines) for each in pages(two.a, asked(contains="=old", limit=20))] == [20, 10]
    assert [len(each.lines) for each in pages(two.a, asked(contains="=new", limit=30))] == [30]


@FILLED
def test_new_lines_do_not_move_the_page_before(two: TwoAgents, fill: Any, asked: Any) -> None:
    fill(two.a, 5)
    first = cast("AuditLines | LogLines", two.a.ask(asked(limit=2)))
    fill(two.a, 5)
    assert numbers(pages(two.a, asked(limit=10, before=first.older))) == [2, 1, 0]


@FILLED
@pytest.mark.parametrize("before", ["0", "-1", "nonsense", "1e9", "\u0663", "x-y", "x-99"])
def test_before_a_place_that_nobody_knows_there_is_nothing(
    two: TwoAgents, fill: Any, asked: Any, before: str
) -> None:
    fill(two.a, 5)
    assert numbers(pages(two.a, asked(before=before))) == []


def test_the_whole_audit_log_is_reached(two: TwoAgents) -> None:
    told_in_the_audit(two.a, EVENTS_KEPT)
    assert len(numbers(pages(two.a, ReadAudit(limit=MOST_LINES)))) == EVENTS_KEPT
