"""`cycle` and `takeover`: start, follow, cancel, confirm."""

import contextlib
import json
import os
import pty
import select
import subprocess
import time

import msgspec
import pytest

from beistand.domain.facts import Facts, PeerSigns, Verdict
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import JobKind, JobState
from beistand.domain.message import message
from beistand.protocol import (
    CancelJob,
    Done,
    GetStatus,
    PlanTakeover,
    StartCycle,
    StartTakeover,
    Status,
    TakeoverPlanAnswer,
    WatchJob,
)
from cli.examples import BEISTAND, NOW, Run, a_generation, a_job
from fakes.agent_server import FakeAgent

DONE = a_job(
    state=JobState.DONE,
    revision=3,
    result={"generation": "20260301T115500Z-7", "state": "imported", "seconds": 3.21},
)
STEPS = [a_job(stage="verify", revision=1), a_job(stage="import", done=1, total=2, revision=2)]


def test_a_cycle_is_followed_to_its_end(run: Run) -> None:
    with FakeAgent({StartCycle: a_job(), WatchJob: [*STEPS, DONE]}) as agent:
        result = run("cycle", agent=agent)
        assert [each.seen for each in agent.asked(WatchJob)] == [0, 1, 2]  # type: ignore[attr-defined]
    assert result.exit_code == 0
    assert result.stdout == "Generation 20260301T115500Z-7: imported, not yet proven, after 3.2 seconds.\n"
    assert len(result.stderr.splitlines()) == 2


def test_a_failed_cycle_ends_with_its_reason(run: Run) -> None:
    end = a_job(state=JobState.FAILED, error=message("state-disk-full", path="/var/lib"), revision=1)
    with FakeAgent({StartCycle: a_job(), WatchJob: end}) as agent:
        result = run("cycle", agent=agent)
        as_json = json.loads(run("cycle", "--json", agent=agent).stdout)
    assert result.exit_code == 1
    assert result.stderr.startswith("no room for the state in /var/lib\nHINT: ")
    assert (as_json["error"]["code"], as_json["job"]["state"]) == ("state-disk-full", "failed")


def test_no_wait_returns_at_once(run: Run) -> None:
    with FakeAgent({StartCycle: a_job()}) as agent:
        result = run("cycle", "--no-wait", agent=agent)
        assert agent.asked(WatchJob) == []
    assert "job j1" in result.stdout


def test_cancel_ends_the_running_cycle(run: Run) -> None:
    status = Status(initialised=True, job=a_job())
    ended = a_job(state=JobState.CANCELLED, error=message("cancelled"), revision=1)
    with FakeAgent({GetStatus: status, CancelJob: Done(), WatchJob: ended}) as agent:
        result = run("cycle", "--cancel", agent=agent)
        assert agent.asked(CancelJob) == [CancelJob(id="j1")]
    assert (result.exit_code, result.stdout) == (0, "The cycle was cancelled.\n")


@pytest.mark.parametrize("job", [None, a_job(JobKind.TAKEOVER)])
def test_cancel_touches_no_other_job(run: Run, job: object) -> None:
    with FakeAgent({GetStatus: Status(initialised=True, job=job)}) as agent:  # type: ignore[arg-type]
        result = run("cycle", "--cancel", agent=agent)
        assert agent.asked(CancelJob) == []
    assert result.exit_code == 1


def test_cancel_ends_the_running_takeover(run: Run) -> None:
    """While it waits for somebody who unplugs the other one; the agent undoes what was begun."""
    status = Status(initialised=True, job=a_job(JobKind.TAKEOVER, stage="await-silence"))
    ended = a_job(JobKind.TAKEOVER, state=JobState.FAILED, error=message("cancelled"), revision=1)
    with FakeAgent({GetStatus: status, CancelJob: Done(), WatchJob: ended}) as agent:
        result = run("takeover", "--cancel", agent=agent)
        assert agent.asked(CancelJob) == [CancelJob(id="j1")]
    assert (result.exit_code, result.stdout) == (0, "The takeover was ended, and nothing has changed.\n")


def test_a_takeover_that_was_faster_than_its_cancel_is_told_as_done(run: Run) -> None:
    status = Status(initialised=True, job=a_job(JobKind.TAKEOVER, stage="serve"))
    ended = a_job(JobKind.TAKEOVER, state=JobState.DONE, revision=1)
    with FakeAgent({GetStatus: status, CancelJob: Done(), WatchJob: ended}) as agent:
        assert "already taken over" in run("takeover", "--cancel", agent=agent).stdout


@pytest.mark.parametrize("job", [None, a_job()])
def test_without_a_takeover_there_is_nothing_to_end(run: Run, job: object) -> None:
    with FakeAgent({GetStatus: Status(initialised=True, job=job)}) as agent:  # type: ignore[arg-type]
        result = run("takeover", "--cancel", agent=agent)
        assert agent.asked(CancelJob) == []
    assert result.exit_code == 1
    assert "HINT: beistand status" in result.stderr


CONFIRM = Finding(code="partition-suspected", severity=Severity.CONFIRM, fields={"answering": 0, "known": 3})
HARD = Finding(code="foreign-holder", severity=Severity.BLOCK, fields={"mac": "02:99"}, acceptable=False)


def a_plan(*findings: Finding) -> TakeoverPlanAnswer:
    facts = Facts(
        at=NOW,
        carrier=True,
        gateway=True,
        phones_known=3,
        phones_answering=2,
        holder_mac="",
        peer_mac="02:01",
        peer=PeerSigns(arp=False, icmp=False, ssh=False, agent=False),
        peer_epoch=0,
        sip=False,
        copy=None,
        import_running=False,
    )
    return TakeoverPlanAnswer(
        digest="d1ge57",
        verdict=Verdict.PEER_GONE,
        facts=facts,
        findings=findings,
        steps=(message("step.fast-probe", address="192.0.2.10"),),
        generation=a_generation(),
        age_seconds=300,
        phones=("sip:101@192.0.2.101",),
    )


TAKEN = a_job(JobKind.TAKEOVER, state=JobState.DONE, stage="serve", revision=2, result={"seconds": 0.81})


def taken_over(run: Run, *arguments: str, plan: TakeoverPlanAnswer) -> tuple[int, str, list[object]]:
    replies = {PlanTakeover: plan, StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: TAKEN}
    with FakeAgent(replies) as agent:
        result = run("takeover", *arguments, agent=agent)
        return result.exit_code, result.output, list(agent.asked(StartTakeover))


def test_the_plan_is_shown_and_nothing_is_started(run: Run) -> None:
    code, output, started = taken_over(run, "--plan", plan=a_plan(CONFIRM))
    assert (code, started) == (0, [])
    for part in (
        "the other appliance is gone",
        "2 of 3 answer",
        "5 minutes old",
        "sip:101",
        "d1ge57",
        "CONFIRM",
    ):
        assert part in output


def test_phones_that_connect_again_first_are_counted_apart_and_marked(run: Run) -> None:
    later = tuple(f"192.0.2.{host}:40000" for host in range(104, 114))
    plan = msgspec.structs.replace(a_plan(), phones_later=later)
    _, output, _ = taken_over(run, "--plan", plan=plan)
    assert "1 phone can be called at once, 10 when they have connected again." in output
    assert "  192.0.2.104:40000, when it has connected again" in output
    assert "  and 3 more" in output
    assert "connected again" not in taken_over(run, "--plan", plan=a_plan())[1]


def test_after_the_takeover_the_same_is_told(run: Run) -> None:
    told = {"seconds": 0.81, "phones_at_once": 2, "phones_later": 4}
    taken = msgspec.structs.replace(TAKEN, result=told)
    with FakeAgent({StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: taken}) as agent:
        result = run("takeover", "--confirm", "d1ge57", agent=agent)
    assert "2 phones can be called at once, 4 when they have connected again." in result.output


def test_the_plan_as_json_is_the_answer_itself(run: Run) -> None:
    _, output, _ = taken_over(run, "--plan", "--json", plan=a_plan())
    assert msgspec.json.decode(output, type=TakeoverPlanAnswer) == a_plan()


def test_yes_confirms_the_plan_that_was_shown(run: Run) -> None:
    code, output, started = taken_over(run, "--yes", "--restore-point", "20260301T115500Z-6", plan=a_plan())
    assert code == 0
    (request,) = started
    assert isinstance(request, StartTakeover)
    assert (request.digest, request.accept, request.restore_point) == ("d1ge57", (), "20260301T115500Z-6")
    assert request.operator
    assert "This appliance is active now; the telephone system answered 0.8 seconds" in output


def test_a_digest_confirms_without_looking_again(run: Run) -> None:
    with FakeAgent({StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: TAKEN}) as agent:
        result = run(
            "takeover", "--confirm", "d1ge57", "--accept", "partition-suspected", "--json", agent=agent
        )
        assert agent.asked(PlanTakeover) == []
        (request,) = agent.asked(StartTakeover)
    assert isinstance(request, StartTakeover)
    assert request.accept == ("partition-suspected",)
    assert json.loads(result.stdout)["result"] == {"seconds": 0.81}


@pytest.mark.parametrize(
    ("arguments", "findings", "word"),
    [
        (["--yes"], [CONFIRM], "partition-suspected"),
        (["--yes", "--accept", "foreign-holder"], [HARD], "foreign-holder"),
        ([], [], "--confirm d1ge57"),
    ],
)
def test_what_was_not_accepted_or_confirmed_does_not_run(
    run: Run, arguments: list[str], findings: list[Finding], word: str
) -> None:
    code, output, started = taken_over(run, *arguments, plan=a_plan(*findings))
    assert (code, started) == (1, [])
    assert word in output


def test_s20_a_person_types_the_code_and_says_yes() -> None:
    replies = {PlanTakeover: a_plan(CONFIRM), StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: TAKEN}
    with FakeAgent(replies) as agent:
        output, code = on_terminal(agent, ["takeover"], ["partition-suspected", "y"])
        (request,) = agent.asked(StartTakeover)
    assert code == 0, output
    assert isinstance(request, StartTakeover)
    assert request.accept == ("partition-suspected",)


REPLUG = Finding(code="replug-first", severity=Severity.CONFIRM, fields={"items": "ISDN 1, fax"})


def a_plan_with_lines() -> TakeoverPlanAnswer:
    return msgspec.structs.replace(a_plan(REPLUG), replug=("ISDN 1", "fax"))


@pytest.mark.parametrize(
    ("arguments", "accept", "dead"),
    [
        (["--stays-dead", "all"], ("replug-first",), ("ISDN 1", "fax")),
        (["--stays-dead", "fax", "--stays-dead", "ISDN 1"], ("replug-first",), ("fax", "ISDN 1")),
        (["--stays-dead", "fax", "--accept", "replug-first"], ("replug-first",), ("fax",)),
        (["--accept", "replug-first"], ("replug-first",), ()),
    ],
)
def test_s20_lines_that_nobody_can_replug_let_the_takeover_go(
    run: Run, arguments: list[str], accept: tuple[str, ...], dead: tuple[str, ...]
) -> None:
    plan = a_plan_with_lines()
    for way in (["--yes"], ["--confirm", "d1ge57"]):
        code, _, started = taken_over(run, *way, *arguments, plan=plan)
        assert code == 0
        (request,) = started
        assert isinstance(request, StartTakeover)
        assert request.stay_dead == dead
        assert request.accept in (accept, ())  # the agent knows that all were named


def test_s20_a_line_without_an_answer_stops_it_and_the_way_out_is_told(run: Run) -> None:
    code, output, started = taken_over(run, "--yes", "--stays-dead", "fax", plan=a_plan_with_lines())
    assert (code, started) == (1, [])
    assert "--stays-dead" in output


def test_s20_each_line_is_asked_for_at_the_terminal() -> None:
    replies = {PlanTakeover: a_plan_with_lines(), StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: TAKEN}
    with FakeAgent(replies) as agent:
        output, code = on_terminal(agent, ["takeover"], ["done", "dead", "y"])
        (request,) = agent.asked(StartTakeover)
    assert code == 0, output
    assert isinstance(request, StartTakeover)
    assert (request.accept, request.stay_dead) == (("replug-first",), ("fax",))
    assert "fax: replugged, or does it stay dead?" in output
    with FakeAgent(replies) as agent:
        output, code = on_terminal(agent, ["takeover"], ["perhaps"])
        assert agent.asked(StartTakeover) == []
    assert code == 1


def test_lines_that_stay_dead_are_told_after_the_takeover(run: Run) -> None:
    taken = msgspec.structs.replace(TAKEN, result={"seconds": 0.81, "dead_lines": "ISDN 1, fax"})
    with FakeAgent({StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: taken}) as agent:
        result = run("takeover", "--confirm", "d1ge57", agent=agent)
    assert "stay dead until somebody replugs them: ISDN 1, fax" in result.output


def a_forged_plan() -> TakeoverPlanAnswer:
    plan = a_plan(HARD)
    return msgspec.structs.replace(plan, facts=msgspec.structs.replace(plan.facts, holder_mac="02:99"))


@pytest.mark.parametrize(
    ("typed", "started"),
    [(["02:99", "y"], True), (["foreign-holder"], False), ([""], False), (["02:98"], False)],
)
def test_a_forgery_is_overlooked_by_typing_its_mac(typed: list[str], started: bool) -> None:
    replies = {PlanTakeover: a_forged_plan(), StartTakeover: a_job(JobKind.TAKEOVER), WatchJob: TAKEN}
    with FakeAgent(replies) as agent:
        output, code = on_terminal(agent, ["takeover"], typed)
        asked = agent.asked(StartTakeover)
    assert (code, [each.forged for each in asked]) == ((0, ["02:99"]) if started else (1, [])), output


def test_a_forgery_is_overlooked_by_a_script_that_names_it(run: Run) -> None:
    code, _, started = taken_over(run, "--yes", "--forged", "02:99", plan=a_forged_plan())
    assert code == 0
    assert [each.forged for each in started] == ["02:99"]
    code, output, started = taken_over(run, "--yes", "--forged", "02:98", plan=a_forged_plan())
    assert (code, started) == (1, [])
    assert "foreign-holder" in output


def test_s20_no_is_the_default() -> None:
    with FakeAgent({PlanTakeover: a_plan()}) as agent:
        output, code = on_terminal(agent, ["takeover"], [""])
        assert agent.asked(StartTakeover) == []
    assert code == 1
    assert "nothing was changed" in output


def test_ctrl_c_asks_and_cancels() -> None:
    status = a_job(stage="verify", revision=1)
    ended = a_job(state=JobState.CANCELLED, error=message("cancelled"), revision=2)
    with FakeAgent({StartCycle: status, WatchJob: [None, ended], CancelJob: Done()}) as agent:
        output, code = on_terminal(agent, ["cycle"], ["\x03", "y"], begin_when=lambda: agent.asked(WatchJob))
        assert (agent.asked(CancelJob), code) == ([CancelJob(id="j1")], 1), output


def on_terminal(agent, arguments, answers, begin_when=None) -> tuple[str, int]:
    """Run the installed program on a terminal of its own and answer its questions."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "BEISTAND_SOCKET": str(agent.path), "LANG": "C.UTF-8", "TERM": "xterm"}
    # Ctrl-C is heard, as at a terminal: in the background of a script nobody hears it, nor whoever is started there.
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "env", "--default-signal=INT", BEISTAND, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    output, waiting, limit = "", list(answers), time.monotonic() + 60
    while True:
        assert time.monotonic() < limit, output
        ready, _, _ = select.select([ours], [], [], 0.1)
        if not ready and process.poll() is not None:
            break
        if ready:
            try:
                chunk = os.read(ours, 4096).decode(errors="replace")
            except OSError:
                break  # the terminal's other end is closed
            output += chunk
        is_question = output.rstrip(" ").endswith(":") or (begin_when and begin_when() and len(waiting) == 2)
        if waiting and is_question and not ready:
            answer = waiting.pop(0)
            output += f"<{answer}>"
            os.write(ours, answer.encode() + (b"" if answer == "\x03" else b"\n"))
    with contextlib.suppress(OSError):
        os.close(ours)
    return output, process.wait(timeout=10)
