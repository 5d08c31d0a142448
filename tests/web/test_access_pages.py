"""Setting up, accounts and jobs: what the agent is asked, and what a person sees of its answers."""

import msgspec
import pytest

from beistand.domain.account import AccountRole
from beistand.domain.choices import setup_choices
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.domain.setup import Stage
from beistand.protocol import (
    AccountList,
    Authenticate,
    CancelJob,
    ChangePassword,
    Done,
    GetNetwork,
    GetStatus,
    Init,
    ListAccounts,
    MakeToken,
    NetworkView,
    NewToken,
    PutAccount,
    RemoveAccount,
    RemoveToken,
    Session,
    Status,
    UseSetupCode,
    WatchJob,
)
from web.conftest import BEGIN, STATUS, Start, account

FRESH = Status(initialised=False, state="not-initialised", host="pbx-a", has_administrator=False)
PLACE = NetworkView(
    own=None, peer=None, candidates=("192.0.2.1/24",), interfaces=("eth0",), profiles=("asterisk", "other")
)
TOKEN = msgspec.structs.replace(account(AccountRole.VIEWER, "monitoring"), id="4f", is_program=True)
LIST = AccountList(accounts=(account(), account(AccountRole.VIEWER, "bert")), tokens=(TOKEN,))
CODE = {"code": "ABCDE-ABCDE-ABCDE-ABCDE", "name": "Anna ", "password": "long enough", "again": "long enough"}
APPLIANCE = {
    "role": "active",
    "own": "eth0 192.0.2.1/24",
    "service": "192.0.2.10",
    "profile": "asterisk",
    "password": "pw",
}


# --- the first visit -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/log-in/"])
def test_a_machine_without_administrator_leads_to_its_setup(start: Start, path: str) -> None:
    browser, _ = start({GetStatus: FRESH}, role=None)
    assert browser.get(path).headers["Location"] == "/setup/"


def test_the_code_makes_an_administrator(start: Start) -> None:
    browser, agent = start(
        {GetStatus: FRESH, UseSetupCode: Session(token="new", account=account(), expires=BEGIN)}, role=None
    )
    answer = browser.post("/setup/", CODE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/setup/")
    asked = agent.asked(UseSetupCode)[0]
    assert isinstance(asked, UseSetupCode)
    assert (asked.code, asked.password) == (CODE["code"], CODE["password"])
    assert browser.session["token"] == "new"


def test_passwords_that_differ_are_not_sent(start: Start) -> None:
    browser, agent = start({GetStatus: FRESH}, role=None)
    page = browser.post("/setup/", {**CODE, "again": "another one"}).content.decode()
    assert "The two passwords differ" in page
    assert "long enough" not in page
    assert not agent.asked(UseSetupCode)


def test_a_fresh_machine_is_set_up_with_its_own_candidates(start: Start) -> None:
    browser, agent = start({GetStatus: FRESH, GetNetwork: PLACE, Init: Done()})
    assert "192.0.2.1/24 (eth0)" in browser.get("/setup/").content.decode()
    answer = browser.post("/setup/", APPLIANCE, headers={"host": "testserver", "accept-language": "de"})
    assert "https://192.0.2.1:8443/" in answer.content.decode()
    assert agent.asked(Init) == [
        Init(
            role=Role.ACTIVE,
            interface="eth0",
            own_address="192.0.2.1/24",
            service_address="192.0.2.10",
            profile="asterisk",
            language="de",
        )
    ]
    assert [each.password for each in agent.asked(Authenticate) if isinstance(each, Authenticate)][-1] == "pw"


def test_a_refused_init_keeps_what_was_typed_but_the_password(start: Start) -> None:
    refusal = message("service-address-taken", address="192.0.2.10", mac="02:00:00:00:00:01")
    browser, _ = start({GetStatus: FRESH, GetNetwork: PLACE, Init: refusal})
    page = browser.post("/setup/", APPLIANCE).content.decode()
    assert 'value="192.0.2.10"' in page
    assert "02:00:00:00:00:01" in page
    assert 'value="pw"' not in page


def test_a_pbx_in_use_is_asked_about_before_the_page_stops_it(start: Start) -> None:
    refusal = message("init-ends-calls", units="asterisk.service", calls=3, phones=2)
    browser, agent = start({GetStatus: FRESH, GetNetwork: PLACE, Init: refusal})
    standby = {**APPLIANCE, "role": "standby"}
    assert 'name="ends_calls"' not in browser.get("/setup/").content.decode()
    page = browser.post("/setup/", standby).content.decode()
    assert "3 calls" in page
    assert 'name="ends_calls"' in page
    browser.post("/setup/", {**standby, "ends_calls": "on"})
    assert [each.accept for each in agent.asked(Init)] == [(), ("init-ends-calls",)]


def test_a_machine_without_a_static_address_is_told_so(start: Start) -> None:
    nowhere = msgspec.structs.replace(PLACE, candidates=(), interfaces=())
    browser, _ = start({GetStatus: FRESH, GetNetwork: nowhere})
    assert "no static IPv4 address" in browser.get("/setup/").content.decode()


def test_what_became_of_a_setup_is_told_before_anything_is_set_up(start: Start) -> None:
    why = str(message("setup-unconfirmed", address="192.0.2.1", seconds=120.0))
    undone = Finding(code="setup-undone", severity=Severity.WARN, fields={"why": why})
    status = msgspec.structs.replace(FRESH, findings=(undone,))
    browser, _ = start({GetStatus: status, GetNetwork: PLACE})
    page = browser.get("/setup/").content.decode()
    assert "nobody came over 192.0.2.1 within 2 minutes" in page
    assert 'name="service"' in page


def test_a_setup_that_cannot_go_back_is_told_and_nothing_begins_beside_it(start: Start) -> None:
    why = str(message("setup-pbx-not-started", unit="asterisk.service", why="port in use"))
    findings = (
        Finding(code="setup-undo-fails", severity=Severity.BLOCK, fields={"why": why, "seconds": 10.0}),
        Finding(code="setup-undoing", severity=Severity.WARN, fields={"seconds": 10.0}),
    )
    status = msgspec.structs.replace(FRESH, findings=findings, choices=setup_choices(Stage.UNDOING))
    browser, agent = start({GetStatus: status, GetNetwork: PLACE})
    page = browser.get("/setup/").content.decode()
    assert "asterisk.service did not start: port in use" in page
    assert "<code>beistand setup --undo</code>" in page
    assert 'name="service"' not in page
    browser.post("/setup/", APPLIANCE)
    assert agent.asked(Init) == []


def test_setup_of_what_is_set_up_leads_to_the_overview(start: Start) -> None:
    browser, _ = start()
    assert browser.get("/setup/").headers["Location"] == "/"


# --- accounts -------------------------------------------------------------------------------------


def test_accounts_and_tokens_are_listed(start: Start) -> None:
    browser, _ = start({ListAccounts: LIST})
    page = browser.get("/accounts/").content.decode()
    for words in ("bert", "monitoring", "Viewer", "(you)"):
        assert words in page


def test_an_account_is_made_with_the_password_of_who_makes_it(start: Start) -> None:
    browser, agent = start({PutAccount: LIST})
    given = {"account": "carla", "role": "viewer", "new_password": "eight or more", "password": "mine"}
    assert browser.post("/accounts/new/", given).headers["Location"] == "/accounts/"
    assert agent.asked(PutAccount) == [
        PutAccount(name="carla", role=AccountRole.VIEWER, password="eight or more")
    ]


def test_a_wrong_password_changes_nothing(start: Start) -> None:
    browser, agent = start({ListAccounts: LIST, Authenticate: [account(), message("log-in-wrong")]})
    answer = browser.post("/accounts/account/bert/remove/", {"password": "wrong"})
    assert answer.status_code == 200
    assert not agent.asked(RemoveAccount)


def test_an_unknown_account_is_not_found(start: Start) -> None:
    browser, _ = start({ListAccounts: LIST})
    assert browser.get("/accounts/account/nobody/").status_code == 404


def test_an_empty_password_leaves_it_as_it_is(start: Start) -> None:
    browser, agent = start({ListAccounts: LIST, PutAccount: LIST})
    browser.post("/accounts/account/bert/", {"role": "administrator", "new_password": "", "password": "mine"})
    assert agent.asked(PutAccount) == [PutAccount(name="bert", role=AccountRole.ADMINISTRATOR)]


def test_a_token_is_shown_once(start: Start) -> None:
    browser, _ = start({ListAccounts: LIST, MakeToken: NewToken(token="s3cret", view=TOKEN)})
    made = browser.post(
        "/accounts/tokens/new/", {"program": "monitoring", "role": "viewer", "password": "mine"}
    )
    assert "s3cret" in made.content.decode()
    assert "s3cret" not in browser.get("/accounts/").content.decode()


def test_a_token_is_removed(start: Start) -> None:
    browser, agent = start({ListAccounts: LIST, RemoveToken: LIST})
    assert browser.post("/accounts/tokens/4f/remove/", {"password": "mine"}).status_code == 303
    assert agent.asked(RemoveToken) == [RemoveToken(id="4f")]


def test_a_viewer_changes_the_own_password(start: Start) -> None:
    browser, agent = start({ChangePassword: Done()}, role=AccountRole.VIEWER)
    answer = browser.post("/password/", {"old": "a", "new": "new and long", "again": "new and long"})
    assert answer.status_code == 303
    assert agent.asked(ChangePassword) == [ChangePassword(old="a", new="new and long")]


# --- jobs -----------------------------------------------------------------------------------------

RUNNING = Job(id="7", kind=JobKind.CYCLE, stage="transfer", done=3, total=12, begin=BEGIN, revision=5)


def test_a_running_job_is_shown_and_asks_again_without_script(start: Start) -> None:
    browser, _ = start({WatchJob: RUNNING})
    page = browser.get("/jobs/7/").content.decode()
    assert 'data-job="/jobs/7.json"' in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert 'value="3.000" max="12.000"' in page
    assert "Cancel" in page


def test_the_script_gets_figures_and_words(start: Start) -> None:
    browser, agent = start({WatchJob: RUNNING})
    answer = browser.get("/jobs/7.json?seen=4").json()
    assert (answer["revision"], answer["is_running"], answer["done"], answer["total"]) == (5, True, 3, 12)
    asked = agent.asked(WatchJob)[0]
    assert isinstance(asked, WatchJob)
    assert asked.seen == 4


@pytest.mark.parametrize("seen", ["", "x", "-3", "9" * 40, "²"])
def test_nonsense_instead_of_a_revision_is_as_none(start: Start, seen: str) -> None:
    browser, _ = start({WatchJob: RUNNING})
    assert browser.get("/jobs/7.json", {"seen": seen}).status_code == 200


def test_a_failed_job_shows_sentence_and_hint(start: Start) -> None:
    why = message("service-address-taken", address="192.0.2.10", mac="02:00:00:00:00:01")
    failed = msgspec.structs.replace(RUNNING, state=JobState.FAILED, end=BEGIN, error=why)
    browser, _ = start({WatchJob: failed})
    page = browser.get("/jobs/7/?next=/backups/").content.decode()
    assert "02:00:00:00:00:01" in page
    assert 'href="/backups/"' in page


def test_a_job_leads_nowhere_else(start: Start) -> None:
    browser, _ = start({WatchJob: msgspec.structs.replace(RUNNING, state=JobState.DONE, end=BEGIN)})
    assert 'href="//evil' not in browser.get("/jobs/7/?next=//evil.example/").content.decode()


def test_an_unknown_job_is_not_found(start: Start) -> None:
    browser, _ = start({WatchJob: message("unknown-job", job="7")})
    assert browser.get("/jobs/7/").status_code == 404


def test_a_job_is_cancelled(start: Start) -> None:
    browser, agent = start({WatchJob: RUNNING, CancelJob: Done()})
    answer = browser.post("/jobs/7/cancel/", {"next": "/logs/?contains=a&level=info"})
    assert answer.status_code == 303
    assert agent.asked(CancelJob) == [CancelJob(id="7")]
    # And still leads back to where its person came from, words of a search included.
    assert 'name="next" value="/logs/?contains=a&amp;level=info"' in browser.get(answer.url).content.decode()


def test_the_menu_waits_until_the_machine_is_set_up(start: Start) -> None:
    browser, _ = start({GetStatus: msgspec.structs.replace(FRESH, has_administrator=True), GetNetwork: PLACE})
    assert 'href="/licences/"' not in browser.get("/setup/").content.decode()
    browser, _ = start({GetStatus: STATUS})
    assert 'href="/licences/"' in browser.get("/").content.decode()


# --- what people do to pages that were not meant for it ----------------------------------------------


def test_a_job_that_a_restart_forgot_ends_the_asking_and_says_why(start: Start) -> None:
    browser, _ = start({WatchJob: message("unknown-job", job="7")})
    assert browser.get("/jobs/7.json?seen=3").status_code == 404  # the script then asks for the page itself
    assert "is not known any more" in browser.get("/jobs/7/").content.decode()


@pytest.mark.parametrize(
    ("act", "page"),
    [
        ("/backups/new/", "/backups/"),
        ("/module/redundancy/standby/host-key/", "/module/redundancy/standby/"),
        ("/module/redundancy/import/save/", "/module/redundancy/import/"),
        ("/jobs/7/cancel/", "/jobs/7/"),
        ("/log-out/", "/"),
    ],
)
def test_an_address_that_only_takes_forms_leads_to_the_page_of_its_form(
    start: Start, act: str, page: str
) -> None:
    """Somebody reloads what answered a form, or logs in anew after having sent one."""
    browser, _ = start()
    answer = browser.get(act)
    assert (answer.status_code, answer.headers["Location"]) == (303, page)


def test_a_form_that_came_after_the_session_had_ended_is_told_not_to_have_been_sent(start: Start) -> None:
    browser, _ = start(role=None)
    answer = browser.post("/backups/new/", {}, follow=True)
    assert "was not sent" in answer.content.decode()
