"""Which process is the telephone system itself, and what people are told of it (F34)."""

import msgspec
import pytest

from beistand.adapters.profiles import Profiles
from beistand.domain.profile import Profile
from beistand.domain.strays import LONGEST_TOLD, Process, is_stray, programs, told, unit_of

PROGRAM = "/usr/sbin/asterisk"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return Profiles(tmp_path_factory.mktemp("none")).load("asterisk")


def process(*arguments: str, **more: object) -> Process:
    return msgspec.convert(
        {"pid": 7, "began": "1", "program": PROGRAM, "command": (PROGRAM, *arguments), **more}, Process
    )


@pytest.mark.parametrize(
    "arguments",
    [(), ("-f",), ("-vvvg", "-c"), ("-U", "asterisk", "-G", "asterisk"), ("-C", "/tmp/other.conf")],
)
def test_whoever_serves_is_one(profile: Profile, arguments: tuple[str, ...]) -> None:
    assert is_stray(process(*arguments), profile)


@pytest.mark.parametrize(
    "arguments", [("-r",), ("-rx", "core show channels"), ("-vvvr",), ("-R",), ("-V",), ("-h",)]
)
def test_whoever_only_asks_is_none(profile: Profile, arguments: tuple[str, ...]) -> None:
    assert not is_stray(process(*arguments), profile)


def test_whatever_it_calls_itself_who_listens_serves(profile: Profile) -> None:
    assert is_stray(process("-r", listens=True), profile)
    assert is_stray(process("-V", has_console=True, program="/tmp/copy"), profile)


def test_without_a_pattern_only_who_listens_is_one(profile: Profile) -> None:
    plain = msgspec.structs.replace(profile, detect=msgspec.structs.replace(profile.detect, asks=""))
    assert not is_stray(process(), plain)
    assert is_stray(process(listens=True), plain)


def test_its_program_and_its_unit(profile: Profile) -> None:
    assert programs(profile) == (PROGRAM,)
    assert unit_of(process(unit="asterisk.service"), profile) == "asterisk.service"
    assert unit_of(process(unit="cron.service"), profile) == ""


def test_nobody_writes_into_a_terminal_by_its_name() -> None:
    fields = told(process("\x1b]0;owned\x07", "a\nb", "x" * 500, parents=("cr\x1bon",)))
    assert len(str(fields["command"])) == LONGEST_TOLD
    assert all(str(each).isprintable() for each in fields.values())
    assert fields["parents"] == "cr?on"


def test_a_long_argument_costs_nothing(profile: Profile) -> None:
    assert is_stray(process("-" + "a" * 100_000 + "!"), profile) in {True, False}
