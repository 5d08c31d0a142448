"""The overview says one thing about the copy, and it is the truth (B1, B3)."""

from datetime import datetime, timedelta

import msgspec
import pytest

from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.job import Job, JobKind
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.protocol import (
    Authenticate,
    Coverage,
    GenerationList,
    GetCoverage,
    GetStatus,
    ListGenerations,
    PeerView,
    StartCycle,
    Uncovered,
)
from beistand.web import copy_state
from beistand.web.cycle_picture import CYCLES, LEAST, UPPER, picture
from beistand.web.summary import summary
from beistand.web.zone import local_zone
from web.conftest import BEGIN, STATUS, Start, give_session

PEER = PeerView(
    host="pbx-b",
    own_address="192.0.2.2",
    connected=True,
    silent_seconds=0.4,
    role=Role.STANDBY,
    serving=False,
)
NO_STANDBY = Finding(code="no-standby", severity=Severity.WARN)


def copy(state: CopyState = CopyState.IMPORTED, number: int = 1, **more: object) -> Copy:
    generation = Generation(
        id=f"20260301T120000Z-{number}",
        pair="ab",
        source="01",
        epoch=2,
        sequence=number,
        begin=BEGIN + timedelta(minutes=number),
        end=BEGIN + timedelta(minutes=number, seconds=5),
        profile="asterisk",
        pbx_version="20",
        manifest="00",
        entries=100,
        size=10_000,
    )
    return msgspec.structs.replace(Copy(generation=generation, state=state, at=BEGIN), **more)


@pytest.mark.parametrize(
    ("shown", "is_running", "expected"),
    [
        (copy(CopyState.TAKEN), True, "done now open open open"),
        (copy(CopyState.TAKEN), False, "done open open open open"),
        (copy(CopyState.IMPORTED), False, "done done done done open"),
        (copy(CopyState.IMPORTED), True, "done done done done open"),
        (copy(CopyState.PROVEN), False, "done done done done done"),
        (copy(CopyState.FAILED, failed_stage="scan"), False, "failed open open open open"),
        (copy(CopyState.FAILED, failed_stage="transfer"), False, "done failed open open open"),
        (copy(CopyState.FAILED, failed_stage="verify"), False, "done done failed open open"),
        (copy(CopyState.FAILED, failed_stage="import"), False, "done done done failed open"),
    ],
)
def test_the_steps_of_a_copy(shown: Copy, is_running: bool, expected: str) -> None:
    assert " ".join(each.state for each in copy_state.steps(shown, is_running=is_running)) == expected


@pytest.mark.parametrize(
    ("seconds", "promised", "kind"),
    [(0, 600, "calm"), (440, 600, "calm"), (460, 600, "wait"), (601, 600, "bad"), (9999, 0, "calm")],
)
def test_age_beside_the_promise(seconds: float, promised: float, kind: str) -> None:
    shown = copy_state.age(copy(), seconds, promised)
    assert shown is not None
    assert shown.kind == kind


@pytest.mark.parametrize(
    ("role", "stage", "expected"),
    [
        (Role.ACTIVE, "import", "pbx-b"),
        (Role.ACTIVE, "verify", "pbx-b"),
        (Role.ACTIVE, "backup", ""),
        (Role.STANDBY, "import", "pbx-a"),
    ],
)
def test_a_failure_of_the_standby_names_it(role: Role, stage: str, expected: str) -> None:
    """Its full disk is not the active's; STATUS is of pbx-a, whatever its role."""
    failed = copy(CopyState.FAILED, failed_stage=stage)
    status = msgspec.structs.replace(STATUS, role=role, peer=PEER, newest=failed)
    assert copy_state.failed_on(status) == expected


def test_without_a_copy_there_is_no_age() -> None:
    assert copy_state.age(None, 0, 600) is None


@pytest.mark.parametrize(
    ("changes", "code", "kind"),
    [
        ({}, "serving-alone", "calm"),
        ({"peer": PEER}, "serving-empty", "calm"),
        (
            {"peer": msgspec.structs.replace(PEER, connected=False), "usable": copy(CopyState.PROVEN)},
            "serving-silent",
            "wait",
        ),
        ({"peer": PEER, "usable": copy(CopyState.PROVEN)}, "serving", "good"),
        ({"peer": PEER, "usable": copy(CopyState.IMPORTED)}, "serving", "calm"),
        (
            {
                "peer": PEER,
                "usable": copy(CopyState.PROVEN),
                "findings": (Finding(code="copy-stale", severity=Severity.WARN),),
            },
            "serving",
            "wait",
        ),
        ({"peer": PEER, "usable": copy(), "findings": (NO_STANDBY,)}, "serving-without-standby", "wait"),
        ({"state": "active-failed", "peer": PEER}, "active-failed", "bad"),
        ({"state": "standing-by", "role": Role.STANDBY, "peer": PEER}, "standing-empty", "calm"),
        (
            {"state": "standing-by", "role": Role.STANDBY, "peer": PEER, "usable": copy()},
            "standing-by",
            "calm",
        ),
        ({"state": "standing-by", "role": Role.STANDBY}, "standing-unpaired", "calm"),
        ({"state": "superseded", "role": Role.SUPERSEDED, "peer": PEER}, "superseded", "wait"),
        ({"state": "recovering", "role": Role.STANDBY, "peer": PEER}, "recovering", "wait"),
        ({"state": "of-a-later-version"}, "out-of-order", "bad"),
    ],
)
def test_one_sentence_says_what_the_appliance_is(changes: dict[str, object], code: str, kind: str) -> None:
    shown = summary(msgspec.structs.replace(STATUS, **changes))
    assert (shown.sentence.code, shown.kind) == (f"web.overview.is.{code}", kind)


@pytest.mark.parametrize(("role", "can_take_over"), [(Role.STANDBY, True), (Role.ACTIVE, False)])
def test_who_recovers_can_be_told_to_take_over(role: Role, *, can_take_over: bool) -> None:
    shown = summary(msgspec.structs.replace(STATUS, state="recovering", role=role, peer=PEER))
    assert (shown.can_take_over, shown.passes_by_itself) == (can_take_over, True)


def test_the_picture_shows_the_oldest_first_and_the_longest_highest() -> None:
    drawn = picture([copy(number=2, seconds=4.0), copy(number=1, seconds=2.0)])
    assert [each.copy.generation.sequence for each in drawn.bars] == [1, 2]
    assert [each.height for each in drawn.bars] == [UPPER / 2, UPPER]
    assert drawn.bars[-1].x > drawn.width - 24


def test_the_picture_shows_thirty_and_never_an_empty_bar() -> None:
    drawn = picture([copy(number=each, seconds=100.0 if each == 40 else 0.0) for each in range(40, 0, -1)])
    assert len(drawn.bars) == CYCLES
    assert min(each.height for each in drawn.bars) == LEAST


def test_the_page_says_all_of_it(start: Start) -> None:
    status = msgspec.structs.replace(
        STATUS,
        pair="ab",
        peer=PEER,
        newest=copy(),
        usable=copy(),
        usable_age_seconds=300.0,
        oldest_promised_seconds=1200.0,
        next_cycle="2026-03-01T14:00:00+01:00",
        attempt=3,
        attempts=10,
        findings=(Finding(code="not-paired", severity=Severity.WARN),),
    )
    cycles = GenerationList(copies=(copy(seconds=3.0, bytes_on_wire=2000),))
    uncovered = Uncovered(path="/etc/asterisk/old", files=3, bytes=900, why="no-tree")
    browser, _ = start(
        {
            GetStatus: status,
            ListGenerations: cycles,
            GetCoverage: Coverage(at=BEGIN, uncovered=(uncovered,)),
        }
    )
    page = browser.get("/").content.decode()
    for words in (
        "pbx-b stands by",
        "192.0.2.10",
        "5 minutes",
        "at most 20 minutes",
        "Try 3 of 10",
        "2.0 kB",
        "/etc/asterisk/old",
        "Cycle now",
        "What you should know",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("state", "is_told"), [(CopyState.IMPORTED, True), (CopyState.TAKEN, True), (CopyState.PROVEN, False)]
)
@pytest.mark.parametrize(
    ("language", "words"), [("en", "comes with the drill"), ("de", "kommt mit der Probe")]
)
def test_that_there_is_no_drill_yet_is_told_where_proven_stands(
    start: Start, state: CopyState, is_told: bool, language: str, words: str
) -> None:
    """B1: an open step that nothing will ever do looks like work that waits."""
    browser, _ = start({GetStatus: msgspec.structs.replace(BUSY, newest=copy(state))}, language=language)
    page = browser.get("/").content.decode()
    assert (words in page.partition('id="copy"')[2].partition("</section>")[0]) is is_told


def test_after_a_takeover_nothing_stands_by(start: Start) -> None:
    """B1: what this appliance served from is no copy of what it serves now."""
    status = msgspec.structs.replace(
        STATUS, pair="ab", peer=PEER, newest=copy(), usable=copy(), findings=(NO_STANDBY,)
    )
    browser, _ = start({GetStatus: status})
    page = browser.get("/").content.decode()
    assert "nothing stands by since it took over" in page
    assert "Nobody keeps a copy" in page
    for words in ("stands by</p>", "Cycle now", "Age of what a takeover would serve"):
        assert words not in page, words


def test_a_cycle_by_hand_leads_to_its_job(start: Start) -> None:
    browser, _ = start({StartCycle: Job(id="7", kind=JobKind.CYCLE, begin=BEGIN)})
    answer = browser.post("/cycle/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs/7/?next=%2F")


def test_a_refused_cycle_says_why_on_the_overview(start: Start) -> None:
    browser, _ = start({StartCycle: message("job-running", kind="cycle", job="7")})
    page = browser.post("/cycle/").content.decode()
    assert "A job is running already" in page
    assert 'href="/jobs/7/"' in page


def test_an_appliance_that_cannot_read_its_state_still_has_an_overview(start: Start) -> None:
    trouble = Finding(code="state-damaged", severity=Severity.BLOCK, fields={"why": "x"})
    status = msgspec.structs.replace(STATUS, role=None, state="out-of-order", findings=(trouble,))
    refusal = message("state-damaged", why="x")
    browser, _ = start({GetStatus: status, ListGenerations: refusal, GetCoverage: refusal})
    assert "cannot say what it is" in browser.get("/").content.decode()


BUSY = msgspec.structs.replace(STATUS, pair="ab", peer=PEER, newest=copy(), usable=copy())


@pytest.mark.parametrize("path", ["/", "/now/"])
def test_what_cannot_be_told_says_why_in_its_place(start: Start, path: str) -> None:
    refusal = message("job-running", kind="cycle")
    browser, _ = start({GetStatus: BUSY, ListGenerations: refusal, GetCoverage: refusal})
    page = browser.get(path).content.decode()
    for heading in ("The last cycles", "What is not carried over"):
        section = page.partition(heading)[2].partition("</section>")[0]
        assert "A job is running already" in section


def test_the_page_says_as_of_when_it_is(start: Start) -> None:
    browser, _ = start({GetStatus: BUSY})
    before = datetime.now(local_zone()).replace(microsecond=0)
    shown = browser.get("/").content.decode().partition("As of ")[2][:19]
    moment = datetime.fromisoformat(shown).replace(tzinfo=local_zone())
    assert before <= moment <= datetime.now(local_zone())


def test_what_is_asked_for_again_is_the_overview_alone(start: Start) -> None:
    browser, agent = start({GetStatus: BUSY})
    part = browser.get("/now/", headers={"Beistand-Watching": "yes"}).content.decode()
    assert "pbx-b stands by" in part
    browser.get("/")
    for words in ("<html", "<nav", "<script"):
        assert words not in part
    assert [each.is_watching for each in agent.asked(Authenticate)] == [True, False]


def test_looking_again_takes_no_notice_from_the_next_page(start: Start) -> None:
    browser, _ = start({GetStatus: BUSY})
    give_session(browser, token="t0ken", notices=[{"code": "web.update.paused", "fields": {}}])
    told = "The cycles are paused."
    assert told not in browser.get("/now/").content.decode()
    assert told in browser.get("/").content.decode()
    assert told not in browser.get("/").content.decode()


def test_where_there_is_no_overview_it_is_not_part_of_one(start: Start) -> None:
    fresh = msgspec.structs.replace(STATUS, initialised=False, role=None)
    browser, _ = start({GetStatus: fresh})
    assert browser.get("/now/").headers["Location"] == "/setup/"
    stranger, _ = start({GetStatus: BUSY}, role=None)
    assert stranger.get("/now/").headers["Location"].startswith("/log-in/")
