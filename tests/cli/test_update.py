"""`beistand update`: the same steps as on the page."""

import json

from beistand.domain.job import JobState
from beistand.domain.message import message
from beistand.protocol import GetStatus, GetUpdate, PauseCycles, ResumeCycles, StartCycle, WatchJob
from cli.examples import Run, a_job
from fakes.agent_server import FakeAgent
from web import page_values, update_values


def test_it_shows_the_steps_and_says_what_is_next(run: Run) -> None:
    with FakeAgent({GetUpdate: update_values.MIDWAY}) as agent:
        done = run("update", agent=agent)
    assert done.exit_code == 0
    assert "1. Pause the cycles [done]: paused by anna since" in done.output
    assert "2. Update the standby [done]: pbx-b is updated" in done.output
    assert "3. Update the active [now]: pbx-a has an older version than pbx-b" in done.output
    assert "HINT: In a maintenance window" in done.output
    assert "before the pause: Beistand 0.1.0" in done.output


def test_programs_get_one_document(run: Run) -> None:
    with FakeAgent({GetUpdate: update_values.MIDWAY}) as agent:
        shown = json.loads(run("update", "--json", agent=agent).output)
    assert [each["state"] for each in shown["steps"]] == ["done", "done", "now", "open", "open"]


def test_pausing_says_what_goes_on(run: Run) -> None:
    with FakeAgent({PauseCycles: update_values.PAUSED}) as agent:
        done = run("update", "pause", agent=agent)
    assert "Local backups go on" in done.output
    assert "2. Update the standby [now]" in done.output


def test_resuming_runs_a_cycle_and_tells_its_result(run: Run) -> None:
    ended = a_job(state=JobState.DONE, revision=1, result={"generation": "g", "state": "imported"})
    with FakeAgent({ResumeCycles: update_values.BEFORE, StartCycle: a_job(), WatchJob: ended}) as agent:
        done = run("update", "resume", agent=agent)
    assert done.exit_code == 0
    assert "The cycles run again" in done.output


def test_resuming_without_a_cycle_runs_none(run: Run) -> None:
    with FakeAgent({ResumeCycles: update_values.BEFORE}) as agent:
        assert run("update", "resume", "--no-cycle", agent=agent).exit_code == 0
        assert agent.asked(StartCycle) == []


def test_what_is_not_paused_is_not_resumed(run: Run) -> None:
    with FakeAgent({ResumeCycles: message("cycles-not-paused")}) as agent:
        done = run("update", "resume", agent=agent)
    assert done.exit_code == 1
    assert "the cycles are not paused" in done.stderr


def test_the_status_says_who_paused(run: Run) -> None:
    paused = page_values.replace(page_values.ACTIVE, pause=update_values.PAUSE)
    with FakeAgent({GetStatus: paused}) as agent:
        assert "paused by anna since" in run("status", agent=agent).output
