"""The module's own log (S8): bounded, readable after a power cut, and never in the way of who writes."""

from pathlib import Path

import pytest

from beistand.adapters.module_log import ModuleLog
from beistand.domain.message import message


def codes(log: ModuleLog) -> list[str]:
    return [each.code for _, each in log.lines()]


def test_the_newest_line_comes_first(tmp_path: Path) -> None:
    log = ModuleLog(tmp_path / "log")
    assert codes(log) == []
    log.keep("info", message("first", n=1))
    log.keep("warning", message("second", why="a\nb"))
    ((_, second), (_, first)) = log.lines()
    assert (second.level, second.code, second.fields) == ("warning", "second", {"why": "a\nb"})
    assert first.at <= second.at


def test_two_files_are_all_that_is_ever_kept(tmp_path: Path) -> None:
    log = ModuleLog(tmp_path, largest=2000)
    for number in range(200):
        log.keep("info", message("line", number=number))
    sizes = {each.name: each.stat().st_size for each in tmp_path.iterdir()}
    assert sizes.keys() == {"module.log", "module.log.1"}
    assert max(sizes.values()) <= 2000
    numbers = [each.fields["number"] for _, each in log.lines()]
    assert numbers == list(range(199, 199 - len(numbers), -1))


def test_a_line_that_a_power_cut_broke_is_left_out(tmp_path: Path) -> None:
    log = ModuleLog(tmp_path)
    log.keep("info", message("whole"))
    with (tmp_path / "module.log").open("ab") as file:
        file.write(b'{"at":"2026-')
    assert codes(log) == ["whole"]
    log.keep("info", message("after"))
    assert codes(log) == ["after", "whole"]


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    log = ModuleLog(tmp_path)
    log.keep("info", message("long", why="x" * 100_000))
    ((_, line),) = log.lines()
    assert (line.code, line.fields) == ("long", {})


def test_a_disk_that_takes_nothing_is_told_once_and_disturbs_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "log"
    in_the_way.write_text("no folder")
    log = ModuleLog(in_the_way)
    for _ in range(3):
        log.keep("info", message("lost"))
    assert capsys.readouterr().err.count("module-log-not-written") == 1
    assert codes(log) == []
    in_the_way.unlink()
    log.keep("info", message("kept"))
    assert codes(log) == ["kept"]


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("")
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "module.log").symlink_to(victim)
    ModuleLog(tmp_path / "log").keep("info", message("line"))
    assert victim.read_text() == ""


def test_a_place_stays_that_of_its_line(tmp_path: Path) -> None:
    """Whatever is written meanwhile, and when the file becomes the older one."""
    log = ModuleLog(tmp_path, largest=400)
    log.keep("info", message("first"))
    log.keep("info", message("second"))
    before = dict(log.lines())
    log.keep("info", message("third", why="x" * 200))
    after = dict(log.lines())
    assert [each.code for each in after.values()] == ["third", "second", "first"]
    assert before.items() <= after.items()


def test_no_place_is_given_twice(tmp_path: Path) -> None:
    log = ModuleLog(tmp_path, largest=400)
    places: dict[str, int] = {}
    for number in range(100):
        log.keep("info", message("line", number=number))
        for place, line in log.lines():
            assert places.setdefault(place, int(line.fields["number"])) == line.fields["number"]
    assert len(places) == 100
