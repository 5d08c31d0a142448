"""The takeover page (S19 to S21): each verdict, each state, what was shown is what runs, one job for all (F16)."""

import re
from typing import Any

import msgspec
import pytest

from beistand.domain.account import AccountRole
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import GIVE_WAY, JobKind, JobState
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.domain.value import Value
from beistand.protocol import (
    Authenticate,
    Done,
    GetStatus,
    ListGenerations,
    PlanTakeover,
    RetryService,
    StartTakeover,
    TakeoverPlanAnswer,
)
from beistand.web import agent_link
from beistand.web.pages import takeover
from web import scenes
from web.conftest import Start, account, text_of

PAGE = "/admin/redundancy/"


def standby(shown: TakeoverPlanAnswer, **more: Any) -> dict[type[Value], Any]:
    """The replies of a standby's agent that shows this plan."""
    return {
        GetStatus: scenes.STANDBY,
        PlanTakeover: shown,
        ListGenerations: scenes.points(shown),
        StartTakeover: scenes.job(),
        **more.pop("also", {}),
    }


def sent(shown: TakeoverPlanAnswer, **more: Any) -> dict[str, Any]:
    """The form as a browser sends it after showing this plan."""
    blocking = [each.code for each in shown.findings if each.severity in ("block", "confirm")]
    return {
        "act": "takeover",
        "digest": shown.digest,
        "shown_verdict": shown.verdict.value,
        "shown_codes": " ".join(blocking),
        "shown_generation": shown.generation.id if shown.generation else "",
        "restore_point": "",
        "password": "korrekt",
        **more,
    }


# --- what is shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "sentence", "can_go"),
    [
        ("gone", "pbx-a is down.", True),
        ("alive", "the service address 192.0.2.10 is free", True),
        ("works", "pbx-a is working.", True),
        ("hung", "cannot be asked", True),
        ("partition", "the network may be cut in two", True),
        ("isolated", "This appliance is cut off from the network.", True),
        ("unplugged", "This appliance is cut off from the network.", False),
        ("foreign", "Another device has the service address 192.0.2.10.", False),
        ("empty", "Nothing of pbx-a was ever imported here.", True),
        ("own", "own data", True),
    ],
)
def test_each_verdict_is_one_plain_sentence(start: Start, scene: str, sentence: str, can_go: bool) -> None:
    browser, _ = start(standby(scenes.SCENES[scene]()))
    page = browser.get(PAGE)
    assert sentence in text_of(page)
    assert ('value="takeover"' in page.content.decode()) is can_go


def test_a_standby_that_is_not_paired_yet_shows_that_and_nothing_else(start: Start) -> None:
    unpaired = msgspec.structs.replace(scenes.STANDBY, peer=None, pair="")
    browser, _ = start({GetStatus: unpaired, PlanTakeover: message("takeover-unpaired")})
    page = browser.get(PAGE)
    text = text_of(page)
    assert "Not paired yet" in text
    assert "beistand pair --server 192.0.2.2" in text
    for wrong in ("stranger", "Another device", "Take over only when", "unknown", "Look again"):
        assert wrong not in text
    assert "verdict" not in page.content.decode()


def test_it_shows_what_a_person_has_to_know_before(start: Start) -> None:
    """S20: the rule, the evidence, network, age, phones, lines, replugging, the plan."""
    browser, _ = start(standby(scenes.gone(replug=("ISDN port 1",))))
    text = text_of(browser.get(PAGE))
    for part in (
        "Take over only when the active appliance has failed completely or is shut down",
        "9 of 10",
        "192.0.2.10/32",
        "3 minutes old",
        "3 phones can be called at once, 2 when they have connected again",
        "192.0.2.102:5060",
        "192.0.2.105:5061 when it has connected again",
        "1 line comes to life",
        "trunk-provider",
        "ISDN port 1",
        "Ask the network once more",
        "Take over with pbx-b now",
    ):
        assert part in text, part


def test_nothing_is_said_of_connecting_where_no_phone_has_to(start: Start) -> None:
    plan = msgspec.structs.replace(scenes.gone(), phones_later=())
    text = text_of(start(standby(plan))[0].get(PAGE))
    assert "3 phones can be called at once" in text
    assert "connected again" not in text


def test_the_page_asks_for_what_the_watch_saw_and_not_for_a_new_look(start: Start) -> None:
    browser, agent = start(standby(scenes.gone()))
    browser.get(PAGE)
    (asked,) = agent.asked(PlanTakeover)
    assert asked.within_seconds >= 10


def test_old_data_is_told_in_big_letters_and_typed(start: Start) -> None:
    """F28."""
    browser, _ = start(standby(scenes.old()))
    page = browser.get(PAGE)
    assert "3 days 3 hours old" in text_of(page)
    assert "age-old" in page.content.decode()
    assert 'name="word-data-old"' in page.content.decode()


def test_a_viewer_comes_not_in(start: Start) -> None:
    browser, agent = start(standby(scenes.gone()), role=AccountRole.VIEWER)
    assert browser.get(PAGE).status_code == 403
    assert browser.post(PAGE, sent(scenes.gone())).status_code == 403
    assert browser.get(PAGE + "evidence/").status_code == 403
    assert browser.get(PAGE + "0123/").status_code == 403
    assert agent.asked(StartTakeover) == []


def test_nobody_is_sent_to_log_in(start: Start) -> None:
    browser, _ = start(standby(scenes.gone()), role=None)
    assert browser.get(PAGE).headers["Location"].startswith("/log-in/")


def test_on_the_active_it_leads_to_the_standby(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.ACTIVE, PlanTakeover: message("already-active")})
    page = browser.get(PAGE)
    assert "https://192.0.2.2:8443/admin/redundancy/" in page.content.decode()
    assert 'value="takeover"' not in page.content.decode()


def test_an_active_without_a_standby_leads_nowhere(start: Start) -> None:
    alone = msgspec.structs.replace(
        scenes.ACTIVE, findings=(Finding(code="no-standby", severity=Severity.WARN),)
    )
    browser, _ = start({GetStatus: alone, PlanTakeover: message("already-active")})
    page = browser.get(PAGE)
    assert "There is no standby" in text_of(page)
    assert ":8443" not in page.content.decode()


@pytest.mark.parametrize("state", ["held", "active-failed", "released"])
def test_who_may_serve_but_does_not_can_be_told_to(start: Start, state: str) -> None:
    """F27, I7: one click leads on from every state."""
    status = msgspec.structs.replace(scenes.ACTIVE, state=state)
    replies = {GetStatus: status, PlanTakeover: message("already-active"), RetryService: Done()}
    browser, agent = start(replies)
    assert 'value="retry"' in browser.get(PAGE).content.decode()
    answer = browser.post(PAGE, {"act": "retry", "password": "korrekt"})
    assert answer.status_code == 303
    assert agent.asked(RetryService)
    assert agent.asked(Authenticate)[-1].password == "korrekt"


@pytest.mark.parametrize(
    ("state", "role", "told"),
    [
        ("superseded", Role.SUPERSEDED, "took over, and this appliance stays quiet"),
        ("forked", Role.ACTIVE, "Both appliances served apart from each other"),
    ],
)
def test_a_superseded_and_a_forked_one_show_their_choice(
    start: Start, state: str, role: Role, told: str
) -> None:
    status = msgspec.structs.replace(scenes.STANDBY, state=state, role=role)
    browser, _ = start(standby(scenes.own(), also={GetStatus: status}))
    page = browser.get(PAGE)
    assert told in text_of(page)
    assert 'value="takeover"' in page.content.decode()


def test_an_agent_that_cannot_plan_is_told_and_can_be_asked_again(start: Start) -> None:
    browser, _ = start(standby(scenes.gone(), also={PlanTakeover: message("disk-full", path="/var")}))
    text = text_of(browser.get(PAGE))
    assert "The disk is full at /var" in text
    assert "Look again" in text


def test_a_fresh_machine_is_led_to_the_setup(start: Start) -> None:
    fresh = msgspec.structs.replace(scenes.STANDBY, initialised=False, role=None, peer=None)
    browser, _ = start({GetStatus: fresh, PlanTakeover: message("not-initialised")})
    assert 'href="/setup/"' in browser.get(PAGE).content.decode()


def test_the_evidence_alone_is_a_part_of_the_page(start: Start) -> None:
    shown = scenes.gone()
    browser, agent = start(standby(shown))
    part = browser.get(PAGE + "evidence/").content.decode()
    assert f'data-digest="{shown.digest}"' in part
    assert "<html" not in part
    assert agent.asked(PlanTakeover)[-1].within_seconds < 5


# --- what is sent -----------------------------------------------------------------------------------


def test_what_was_shown_is_what_runs(start: Start) -> None:
    shown = scenes.works()
    browser, agent = start(standby(shown))
    answer = browser.post(PAGE, sent(shown, accept=["peer-still-serves"]))
    assert answer.headers["Location"] == PAGE + "0123456789abcdef/"
    (asked,) = agent.asked(StartTakeover)
    assert (asked.digest, asked.accept, asked.operator) == (shown.digest, ("peer-still-serves",), "anna")
    assert agent.asked(Authenticate)[-1].password == "korrekt"


def test_without_the_answers_nothing_begins_and_what_is_missing_is_told(start: Start) -> None:
    shown = scenes.works()
    browser, agent = start(standby(shown))
    page = browser.post(PAGE, sent(shown))
    assert agent.asked(StartTakeover) == []
    assert "Nothing was started" in text_of(page)
    assert "Tick this, or do not take over" in text_of(page)


def test_replugging_is_ticked_line_by_line(start: Start) -> None:
    shown = scenes.gone(replug=("ISDN port 1", "fax"))
    browser, agent = start(standby(shown))
    page = browser.post(PAGE, sent(shown, **{"replug-fax": "done"})).content.decode()
    assert agent.asked(StartTakeover) == []
    assert re.search(r'name="replug-fax" value="done"[^>]*checked', page)
    browser.post(PAGE, sent(shown, **{"replug-fax": "done", "replug-ISDN port 1": "done"}))
    assert agent.asked(StartTakeover)[-1].accept == ("replug-first",)
    assert agent.asked(StartTakeover)[-1].stay_dead == ()


def test_lines_that_nobody_can_replug_do_not_stop_the_takeover(start: Start) -> None:
    """S20, A1: nobody off-site can tick truthfully."""
    shown = scenes.gone(replug=("ISDN port 1", "fax"))
    browser, agent = start(standby(shown))
    browser.post(PAGE, sent(shown, **{"replug-fax": "done", "replug-ISDN port 1": "dead"}))
    (asked,) = agent.asked(StartTakeover)
    assert (asked.accept, asked.stay_dead) == (("replug-first",), ("ISDN port 1",))


@pytest.mark.parametrize("odd", ["", "maybe", "DEAD", "done dead"])
def test_a_line_without_one_of_the_two_answers_is_named_and_jumped_to(start: Start, odd: str) -> None:
    shown = scenes.gone(replug=("ISDN port 1", 'Fax "<b>"'))
    browser, agent = start(standby(shown))
    page = browser.post(PAGE, sent(shown, **{"replug-ISDN port 1": odd, 'replug-Fax "<b>"': "dead"}))
    assert agent.asked(StartTakeover) == []
    text, source = text_of(page), page.content.decode()
    assert "ISDN port 1: replugged, or does it stay dead?" in text
    assert "Fax &quot;&lt;b&gt;&quot;: replugged" not in source
    assert 'href="#replug-1-done"' in source
    assert 'id="replug-1-done"' in source
    assert source.count("has-errors") == 1
    assert "korrekt" not in source


def test_it_is_said_before_the_click_that_each_line_needs_an_answer(start: Start) -> None:
    browser, _ = start(standby(scenes.gone(replug=("ISDN port 1", "fax"))))
    page = browser.get(PAGE)
    assert (
        text_of(page).count("Before the click each of 2 lines to be replugged by hand needs an answer") == 2
    )
    assert (
        page.content.decode().count("required") >= 5
    )  # a browser stops there, with the password in its field


def test_a_word_is_typed_in_the_language_of_the_page(start: Start) -> None:
    shown = scenes.isolated()
    browser, agent = start(standby(shown), language="de")
    browser.post(PAGE, sent(shown, **{"word-isolated": "ISOLATED"}))
    assert agent.asked(StartTakeover) == []
    browser.post(PAGE, sent(shown, **{"word-isolated": "isoliert"}))
    assert agent.asked(StartTakeover)[-1].accept == ("isolated",)


def test_a_changed_plan_is_shown_anew_with_the_ticks_that_still_hold(start: Start) -> None:
    before = scenes.gone(replug=("fax",))
    after = scenes.with_generation_of(scenes.works(replug=("fax",)), before)
    browser, agent = start(standby(after))
    page = browser.post(PAGE, sent(before, **{"replug-fax": "dead"}))
    assert agent.asked(StartTakeover) == []
    text = text_of(page)
    assert "The situation has changed. Nothing was started." in text
    assert "The evidence amounts to something else" in text
    assert re.search(r'name="replug-fax" value="dead"[^>]*checked', page.content.decode())
    assert f'name="digest" value="{after.digest}"' in page.content.decode()
    assert "korrekt" not in page.content.decode()


def test_what_the_agent_finds_changed_is_shown_anew_too(start: Start) -> None:
    shown, later = scenes.gone(), scenes.works()
    browser, _ = start(
        standby(shown, also={PlanTakeover: [shown, later], StartTakeover: message("plan-changed")})
    )
    page = browser.post(PAGE, sent(shown))
    assert "The situation has changed" in text_of(page)


def test_a_right_password_is_not_asked_for_again_when_the_situation_changed(start: Start) -> None:
    """A1: it stands on no page; the agent remembers that it was right, for two minutes and this session."""
    before, after = scenes.gone(), scenes.works()
    browser, agent = start(standby(after))
    page = browser.post(PAGE, sent(before)).content.decode()
    assert "The situation has changed" in page
    assert 'name="proven"' in page
    assert 'name="password"' not in page
    assert "korrekt" not in page
    browser.post(PAGE, sent(after, password="", proven="yes", accept=["peer-still-serves"]))
    (*_, last) = agent.asked(Authenticate)
    assert (last.password, last.is_recent) == ("", True)
    assert len(agent.asked(StartTakeover)) == 1


@pytest.mark.parametrize("act", ["look", "takeover"])
def test_a_wrong_password_is_told_whatever_else_is_missing(start: Start, act: str) -> None:
    shown = scenes.works()
    replies = standby(shown, also={Authenticate: [account(), message("log-in-wrong")]})
    browser, agent = start(replies)
    page = browser.post(PAGE, sent(shown, act=act)).content.decode()
    assert agent.asked(StartTakeover) == []
    assert 'id="password-error"' in page
    assert 'name="proven"' not in page


def test_a_password_of_long_ago_is_asked_for_again(start: Start) -> None:
    shown = scenes.gone()
    browser, _ = start(standby(shown, also={StartTakeover: message("needs-password")}))
    page = browser.post(PAGE, sent(shown, password="", proven="yes"))
    assert "typed more than two minutes ago" in text_of(page)
    assert 'name="password"' in page.content.decode()


def test_a_wrong_password_keeps_the_answers(start: Start) -> None:
    shown = scenes.works()
    replies = standby(shown, also={Authenticate: [account(), message("log-in-wrong")]})
    browser, agent = start(replies)
    page = browser.post(PAGE, sent(shown, accept=["peer-still-serves"])).content.decode()
    assert agent.asked(StartTakeover) == []
    assert 'id="password-error"' in page
    assert re.search(r'value="peer-still-serves"[^>]*checked', page)


def test_looking_again_without_javascript_keeps_what_was_ticked(start: Start) -> None:
    shown = scenes.isolated()
    browser, agent = start(standby(shown))
    form = sent(shown, **{"act": "look", "word-isolated": "ISOL"})
    page = browser.post(PAGE, form).content.decode()
    assert 'value="ISOL"' in page
    assert agent.asked(StartTakeover) == []


def test_an_older_restore_point_is_asked_for_and_shown(start: Start) -> None:
    browser, agent = start(standby(scenes.gone()))
    browser.post(PAGE, sent(scenes.gone(), act="look", restore_point="20260101T000000Z-1"))
    assert agent.asked(PlanTakeover)[-1].restore_point == "20260101T000000Z-1"


# --- one job ----------------------------------------------------------------------------------------


def test_a_takeover_that_runs_is_shown_instead_of_the_page(start: Start) -> None:
    """F16: the second administrator sees the first one's, and a second click starts nothing."""
    running = msgspec.structs.replace(scenes.STANDBY, job=scenes.job())
    browser, agent = start(standby(scenes.gone(), also={GetStatus: running}))
    assert browser.get(PAGE).headers["Location"] == PAGE + "0123456789abcdef/"
    assert browser.post(PAGE, sent(scenes.gone())).headers["Location"] == PAGE + "0123456789abcdef/"
    assert agent.asked(StartTakeover) == []
    assert PAGE + "0123456789abcdef/" in browser.get(PAGE + "evidence/").content.decode()


def test_who_clicks_second_sees_the_first_ones_job(start: Start) -> None:
    shown = scenes.gone()
    told = message("job-running", kind="takeover", job="feedbeef00000000")
    browser, _ = start(standby(shown, also={StartTakeover: told}))
    assert browser.post(PAGE, sent(shown)).headers["Location"] == PAGE + "feedbeef00000000/"


def test_another_job_is_named_and_linked(start: Start) -> None:
    job = scenes.job(kind=JobKind.PAIR, stages=())
    busy = msgspec.structs.replace(scenes.STANDBY, job=job)
    browser, _ = start(standby(scenes.gone(), also={GetStatus: busy}))
    page = browser.get(PAGE)
    assert "This appliance is busy: pairing" in text_of(page)
    assert 'href="/jobs/0123456789abcdef/"' in page.content.decode()


@pytest.mark.parametrize("kind", GIVE_WAY)
def test_what_the_agent_ends_for_a_takeover_does_not_stand_in_the_way(start: Start, kind: JobKind) -> None:
    busy = msgspec.structs.replace(scenes.STANDBY, job=scenes.job(kind=kind, stages=()))
    browser, _ = start(standby(scenes.gone(), also={GetStatus: busy}))
    assert 'value="takeover"' in browser.get(PAGE).content.decode()


def test_an_agent_that_hangs_is_waited_for_once_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    """F12: the page says what it waits for instead of hanging, and asks again by itself."""
    assert agent_link.GREETED_SECONDS < 5
    monkeypatch.setattr(agent_link, "GREETED_SECONDS", 0.2)
    browser, agent = start({Authenticate: None})
    page = browser.get(PAGE)
    assert page.status_code == 503
    assert "The agent does not answer" in text_of(page)
    assert len(agent.asked(Authenticate)) == 1


def test_a_plan_that_takes_too_long_is_told_on_the_page(
    monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    assert takeover.PLAN_SECONDS <= 5
    monkeypatch.setattr(takeover, "PLAN_SECONDS", 0.2)
    browser, _ = start(standby(scenes.gone(), also={PlanTakeover: None}))
    text = text_of(browser.get(PAGE))
    assert "The agent did not answer within 0.2 seconds" in text
    assert "Look again" in text


def test_a_takeover_that_was_over_before_this_page_looked_again_is_shown(start: Start) -> None:
    """F16: it lasts a second or two, a page looks every two: also its end is everybody's."""
    over = msgspec.structs.replace(scenes.job(), state=JobState.DONE, result={"epoch": 3, "seconds": 1.2})
    active = msgspec.structs.replace(scenes.STANDBY, role=Role.ACTIVE, newest_takeover=over)
    refused = {GetStatus: active, PlanTakeover: message("already-active")}
    browser, agent = start(standby(scenes.gone(), also=refused))
    theirs = PAGE + over.id + "/"
    assert theirs in browser.get(PAGE + "evidence/?seen=").content.decode()
    assert theirs not in browser.get(PAGE + f"evidence/?seen={over.id}").content.decode()
    for act in ("look", "takeover"):
        answer = browser.post(PAGE, sent(scenes.gone(), act=act, seen=""))
        assert answer.headers.get("Location") == theirs
    assert agent.asked(StartTakeover) == []


def test_a_page_remembers_which_takeover_was_the_newest_when_it_was_shown(start: Start) -> None:
    before = msgspec.structs.replace(scenes.job(), state=JobState.FAILED)
    status = msgspec.structs.replace(scenes.STANDBY, newest_takeover=before)
    shown = scenes.gone()  # one plan: in the next second its data has another name
    browser, agent = start(standby(shown, also={GetStatus: status}))
    page = browser.get(PAGE).content.decode()
    assert f'name="seen" value="{before.id}"' in page
    browser.post(PAGE, sent(shown, seen=before.id))
    assert len(agent.asked(StartTakeover)) == 1
