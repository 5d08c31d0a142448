"""No wait without a deadline that the person is told: each stage and each state has its end in both languages."""

import ast
from pathlib import Path

import pytest

from beistand.adapters import introduction, rsync_options, ssh
from beistand.agent import keeper
from beistand.domain import waits
from beistand.domain.job import Job, JobKind
from beistand.domain.message import message
from beistand.domain.profile import Service
from beistand.domain.role import Role
from beistand.domain.waits import STAGES, STATES, until, until_state
from beistand.operations import converge, pairing, takeover
from beistand.text.catalogue import LANGUAGES, entries, sentence
from fakes.situations import NOW
from source_codes import STATES as ALL_STATES

SOURCES = Path(waits.__file__).parent.parent
CALM = {"serving", "standing-by", "not-initialised"}
"""States in which nothing is waited for."""


def stages() -> set[str]:
    """Return every stage that a job can tell: named in the sources, or a step of a takeover."""
    found = {
        node.args[0].value
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"stage", "enter", "turn_back"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    steps = (takeover.AskPeerToRelease, takeover.AwaitSilence, takeover.MakeDataReady, takeover.FastProbe)
    return {str(each) for each in found} | {str(each.__struct_config__.tag) for each in steps}


def test_every_stage_of_a_job_says_how_long_it_may_last() -> None:
    assert stages() - STAGES.keys() == set()
    named = {code.removeprefix("job.stage.") for code in entries("en") if code.startswith("job.stage.")}
    assert named - STAGES.keys() == set()


def test_every_state_that_waits_says_what_ends_it() -> None:
    assert set(ALL_STATES) - CALM <= STATES.keys()
    assert until_state("serving", Role.ACTIVE) is None
    assert until_state("not-initialised", Role.ACTIVE) == STATES["starting"]


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_each_end_can_be_told(spoken: str) -> None:
    for each in (*STAGES.values(), *STATES.values()):
        assert not sentence(each, spoken).startswith(each.code), each


def test_a_job_between_two_stages_promises_nothing() -> None:
    assert until(Job(id="1", kind=JobKind.CYCLE, begin=NOW)) is None
    assert until(Job(id="1", kind=JobKind.CYCLE, begin=NOW, stage="transfer")) == STAGES["transfer"]


def test_what_is_told_is_what_is_waited() -> None:
    """The domain knows no adapter: its figures are compared with theirs here."""
    assert waits.STALLED_SECONDS == rsync_options.TIMEOUT_SECONDS
    assert waits.UNPLUG_SECONDS == takeover.UNPLUG_SECONDS
    assert waits.RELEASE_SECONDS == ssh.ACT_SECONDS
    assert waits.LOG_IN_SECONDS == introduction.ACCEPT_SECONDS
    assert waits.CONNECT_BACK_SECONDS == pairing.HEARD_SECONDS
    assert waits.ANSWER_SECONDS >= pairing.GREET_SECONDS
    assert waits.RETRY_SECONDS == keeper.RETRY_SECONDS
    assert Service(unit="pbx").start_seconds + converge.START_ANSWER_SECONDS == waits.START_SECONDS


def test_an_end_that_depends_on_the_telephone_system_is_told_with_its_seconds() -> None:
    job = Job(id="1", kind=JobKind.TAKEOVER, begin=NOW, stage="serve", within_seconds=110)
    assert until(job) == message("until.started", seconds=110.0)
