"""The JSON API over HTTP: who gets in, what is read, what is answered; the agent behind it is a fake one."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from beistand.domain.account import AccountRole
from beistand.domain.config import ModuleConfig
from beistand.domain.generation import Generation
from beistand.domain.job import Job, JobKind
from beistand.domain.message import message
from beistand.domain.value import Value
from beistand.protocol import (
    MOST_LINES,
    AccountView,
    Authenticate,
    Backup,
    BackupDetails,
    BeginUpload,
    Chunk,
    Done,
    DropUpload,
    GetBackup,
    GetConfig,
    GetNetwork,
    GetStatus,
    GetUpload,
    LogLines,
    MakeToken,
    NetworkView,
    NewToken,
    PlanTakeover,
    ReadBackup,
    ReadModuleLog,
    RemoveConfig,
    SendUpload,
    SetConfig,
    SetMailText,
    StartCycle,
    StartTakeover,
    UploadView,
    WatchJob,
)
from beistand.web.waiting import MOST_WAITERS, patient
from fakes.agent_server import FakeAgent, Reply
from web.conftest import STATUS, give_session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROGRAM = AccountView(name="watcher", role=AccountRole.ADMINISTRATOR, since=NOW, is_program=True, id="1")
JOB = Job(id="j1", kind=JobKind.CYCLE, begin=NOW)
GENERATION = Generation(
    id="20260301T120000Z-1",
    pair="0" * 32,
    source="a" * 16,
    epoch=2,
    sequence=1,
    begin=NOW,
    end=NOW,
    profile="asterisk",
    pbx_version="20.1",
    manifest="0" * 64,
    entries=1,
    size=1,
)
BACKUP = Backup(id="b1", generation=GENERATION, file_size=10, digest="0" * 64, is_encrypted=False, asked=True)
CONFIRMED = "Basic " + base64.b64encode(b"anna:horse-battery").decode()


class Program:
    """A program with a token, and the agent that it reaches."""

    def __init__(self, agent: FakeAgent) -> None:
        self.agent = agent
        self.client = Client()
        self.headers: dict[str, str] = {"Authorization": "Bearer t0ken"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponseBase:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = headers.pop("content_type", "application/json" if body is not None else "")
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.generic(
            method, f"/api/v1{path}", data, content_type=kind, headers=sent, secure=True
        )


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    running: list[FakeAgent] = []

    def start(replies: dict[type[Value], Reply | list[Reply]] | None = None) -> Program:
        agent = FakeAgent({Authenticate: PROGRAM, GetStatus: STATUS, **(replies or {})}).__enter__()
        running.append(agent)
        monkeypatch.setenv("BEISTAND_SOCKET", str(agent.path))
        return Program(agent)

    yield start
    for each in running:
        each.__exit__(None, None, None)


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = json.loads(answer.content)
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"]


def test_a_token_gets_the_status(programs: Any) -> None:
    program = programs()
    answer = program.ask("GET", "/status")
    assert (answer.status_code, json.loads(answer.content)["host"]) == (200, "pbx-a")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    (asked,) = program.agent.asked(Authenticate)
    assert (asked.token, asked.password, asked.address) == ("t0ken", "", "127.0.0.1")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dDprZW4=", "t0ken"])
def test_nobody_gets_in_without_a_token(programs: Any, header: str) -> None:
    program = programs()
    answer = program.ask("GET", "/status", Authorization=header)
    assert problem(answer) == (401, "api-token-missing")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert program.agent.requests == []


@pytest.mark.shows("F17")
def test_a_browsers_cookie_is_worth_nothing_here(programs: Any) -> None:
    program = programs()
    give_session(program.client, token="t0ken")
    assert problem(program.ask("GET", "/status", Authorization="")) == (401, "api-token-missing")


def test_a_session_is_no_token(programs: Any) -> None:
    person = AccountView(name="anna", role=AccountRole.ADMINISTRATOR, since=NOW)
    program = programs({Authenticate: person})
    assert problem(program.ask("GET", "/status")) == (401, "api-token-wrong")
    assert program.agent.asked(GetStatus) == []


@pytest.mark.shows("F17")
def test_another_name_of_this_machine_is_refused(programs: Any) -> None:
    assert problem(programs().ask("GET", "/status", Host="evil.example")) == (400, "api-host")


def test_a_dangerous_act_needs_a_person(programs: Any) -> None:
    program = programs({StartTakeover: JOB})
    body = {"digest": "d1", "accept": ["peer-alive"]}
    assert problem(program.ask("POST", "/takeover", body)) == (403, "api-confirmation-missing")
    assert program.agent.requests == []
    answer = program.ask("POST", "/takeover", body, Beistand_Confirmation=CONFIRMED)
    assert (answer.status_code, answer.headers["Location"]) == (202, "/api/v1/jobs/j1")
    (asked,) = program.agent.asked(Authenticate)
    assert (asked.name, asked.password) == ("anna", "horse-battery")
    assert program.agent.asked(StartTakeover) == [
        StartTakeover(digest="d1", accept=("peer-alive",), operator="anna")
    ]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !",
        "Basic YW5uYQ==",
        "Basic OnB3",
        "Basic YW5uYTo=",
        "Bearer YW5uYTpwdw==",
        "Basic /w==",
    ],
)
def test_half_a_confirmation_is_none(programs: Any, header: str) -> None:
    program = programs()
    answer = program.ask("POST", "/service/retry", Beistand_Confirmation=header)
    assert problem(answer) == (403, "api-confirmation-missing")
    assert program.agent.requests == []


def test_a_harmless_act_sends_no_password_on(programs: Any) -> None:
    program = programs({StartCycle: JOB})
    assert program.ask("POST", "/cycles", Beistand_Confirmation=CONFIRMED).status_code == 202
    assert program.agent.asked(Authenticate)[0].password == ""


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/nothing", None, (404, "api-path-unknown")),
        ("GET", "/", None, (404, "api-path-unknown")),
        ("PATCH", "/status", None, (405, "api-method")),
        ("POST", "/mail/test", None, (422, "api-field-wrong")),
        ("POST", "/mail/test", {}, (422, "api-field-wrong")),
        ("POST", "/mail/test", {"address": 1}, (422, "api-field-wrong")),
        ("POST", "/mail/test", {"address": "a@b", "more": 1}, (422, "api-field-wrong")),
        ("POST", "/mail/test", {"verb": "mail-test", "address": "a@b"}, (422, "api-field-wrong")),
        ("POST", "/mail/test", b"{", (400, "api-not-json")),
        ("POST", "/mail/test", b'{"address": "\xff"}', (400, "api-not-json")),
        ("POST", "/mail/test", b"[" * 100_000, (422, "api-field-wrong")),
        ("POST", "/mail/test", b" " * (512 * 1024 + 1), (413, "api-body-too-large")),
        ("PUT", "/module-configuration", None, (415, "api-media-type")),
        ("GET", "/jobs/j1?seen=x", None, (422, "api-field-wrong")),
        ("GET", "/jobs/j1?seconds=nan", None, (422, "api-field-wrong")),
        ("GET", "/jobs/j1?seconds=1000", None, (422, "api-field-wrong")),
        ("GET", "/jobs/j1?seen=1&seen=2", None, (422, "api-field-wrong")),
        ("GET", "/jobs/j1?more=2", None, (422, "api-field-wrong")),
        ("GET", "/log?limit=2001", None, (422, "api-field-wrong")),
        ("POST", "/upload?name=x", b"x", (415, "api-media-type")),
    ],
)
def test_what_is_not_understood_never_reaches_the_agent(
    programs: Any, method: str, path: str, body: Any, expected: tuple[int, str]
) -> None:
    program = programs()
    assert problem(program.ask(method, path, body)) == expected
    assert {type(each).__name__ for each in program.agent.requests} <= {"Hello", "Authenticate"}


def test_a_program_pages_through_a_log(programs: Any) -> None:
    program = programs({ReadModuleLog: LogLines(lines=(), older="a-1")})
    answer = program.ask("GET", f"/log?limit={MOST_LINES}&before=a-9")
    assert json.loads(answer.content)["older"] == "a-1"
    assert program.agent.asked(ReadModuleLog) == [ReadModuleLog(limit=MOST_LINES, before="a-9")]


def test_the_network_has_the_fingerprint_of_the_certificate(programs: Any) -> None:
    program = programs({GetNetwork: NetworkView(own=None, peer=None, certificate="BA:78")})
    assert json.loads(program.ask("GET", "/network").content)["certificate"] == "BA:78"


def test_the_wrong_method_says_which_ones_are_right(programs: Any) -> None:
    answer = programs().ask("POST", "/module-configuration", {})
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PUT"


def test_nobody_reads_a_whole_file_for_its_headers(programs: Any) -> None:
    assert programs().ask("HEAD", "/backups/b1/file").status_code == 405


def test_a_body_in_chunks_is_not_taken_for_an_empty_one(programs: Any) -> None:
    answer = programs().ask("POST", "/cycles", None, Transfer_Encoding="chunked")
    assert problem(answer) == (411, "api-length-missing")


def test_another_form_than_json_is_refused(programs: Any) -> None:
    program = programs()
    form = "application/x-www-form-urlencoded"
    assert problem(program.ask("POST", "/mail/test", b"address=a", content_type=form)) == (
        415,
        "api-media-type",
    )


def test_path_query_and_body_become_the_request(programs: Any) -> None:
    config = ModuleConfig(name="Nachts", attempts=3)
    program = programs(
        {
            WatchJob: JOB,
            SetConfig: config,
            RemoveConfig: Done(),
            PlanTakeover: message("not-standby", role="active"),
            SetMailText: message("mail-text-unknown", kind="x"),
        }
    )
    assert program.ask("GET", "/jobs/j1?seen=4&seconds=2.5").status_code == 200
    answer = program.ask("PUT", "/module-configuration", {"name": "Nachts", "attempts": 3})
    assert json.loads(answer.content)["attempts"] == 3
    gone = program.ask("DELETE", "/module-configuration", Beistand_Confirmation=CONFIRMED)
    assert gone.status_code == 204
    assert problem(program.ask("GET", "/takeover?restore_point=g1"))[0] == 409
    program.ask("PUT", "/mail/texts/users-takeover", {"subject": "Neustart", "body": "Bitte"})
    asked = [each for each in program.agent.requests if type(each).__name__ not in ("Hello", "Authenticate")]
    assert [type(each).__name__ for each in asked] == [
        "WatchJob",
        "SetConfig",
        "RemoveConfig",
        "PlanTakeover",
        "SetMailText",
    ]
    assert asked[0] == WatchJob(id="j1", seen=4, seconds=2.5)
    assert asked[1].config == config
    assert asked[3].restore_point == "g1"
    assert (asked[4].text.kind, asked[4].text.subject) == ("users-takeover", "Neustart")


@pytest.mark.parametrize(
    ("header", "password"), [({}, ""), ({"Beistand_Confirmation": CONFIRMED}, "horse-battery")]
)
def test_a_configuration_is_put_with_or_without_a_person(
    programs: Any, header: dict[str, str], password: str
) -> None:
    """D13: the agent says where one is needed; a header that is no confirmation is refused in any case."""
    program = programs({SetConfig: [ModuleConfig(), message("change-needs-password", change="inactive")]})
    assert program.ask("PUT", "/module-configuration", {"name": "x"}, **header).status_code == 200
    assert program.agent.asked(Authenticate)[-1].password == password
    refused = program.ask("PUT", "/module-configuration", {"active": False}, **header)
    assert problem(refused) == (403, "change-needs-password")
    broken = program.ask("PUT", "/module-configuration", {"name": "x"}, Beistand_Confirmation="Basic ?")
    assert problem(broken) == (403, "api-confirmation-missing")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (message("unknown-job", job="j"), 404),
        (message("job-running", kind="cycle", job="j7"), 409),
        (message("internal-error", reference="1"), 500),
        (message("config-name-missing"), 422),
    ],
)
def test_what_the_agent_refuses_keeps_its_code(programs: Any, told: Any, status: int) -> None:
    answer = programs({GetConfig: told}).ask("GET", "/module-configuration", Accept_Language="de")
    assert problem(answer) == (status, told.code)
    assert json.loads(answer.content)["fields"] == told.fields


@pytest.mark.parametrize(
    ("wanted", "spoken", "word"),
    [
        ("de", "de", "gibt es"),
        ("fr, de;q=0.5, en;q=0.1", "de", "gibt es"),
        ("fr", "en", "nothing"),
        ("", "en", "nothing"),
    ],
)
def test_problems_are_told_in_the_readers_language(
    programs: Any, wanted: str, spoken: str, word: str
) -> None:
    answer = programs().ask("GET", "/x", Accept_Language=wanted)
    assert answer.headers["Content-Language"] == spoken
    assert word in json.loads(answer.content)["detail"]


def test_a_token_that_was_removed_opens_nothing(programs: Any) -> None:
    program = programs({Authenticate: message("session-ended")})
    assert problem(program.ask("GET", "/status")) == (401, "api-token-wrong")


@pytest.mark.shows("F17")
def test_who_guesses_passwords_is_told_how_long_to_wait(programs: Any) -> None:
    program = programs({Authenticate: message("too-many-tries", seconds=42)})
    answer = program.ask("POST", "/service/retry", Beistand_Confirmation=CONFIRMED)
    assert problem(answer) == (429, "too-many-tries")
    assert answer.headers["Retry-After"] == "42"


def test_without_an_agent_it_says_when_to_ask_again(monkeypatch: pytest.MonkeyPatch, programs: Any) -> None:
    program = programs()
    monkeypatch.setenv("BEISTAND_SOCKET", "/nowhere/agent.sock")
    answer = program.ask("GET", "/status")
    assert problem(answer) == (503, "agent-not-running")
    assert answer.headers["Retry-After"] == "5"


def test_a_new_token_is_shown_this_once(programs: Any) -> None:
    program = programs({MakeToken: NewToken(token="s3cret", view=PROGRAM)})
    body = {"name": "watcher", "role": "viewer"}
    answer = program.ask("POST", "/tokens", body, Beistand_Confirmation=CONFIRMED)
    assert (answer.status_code, json.loads(answer.content)["token"]) == (201, "s3cret")


def test_a_backup_is_downloaded_piece_by_piece(programs: Any) -> None:
    details = BackupDetails(backup=BACKUP, parts=(), host="pbx-a")
    pieces: list[Reply] = [Chunk(data=b"0123456", is_last=False), Chunk(data=b"789", is_last=True)]
    program = programs({GetBackup: details, ReadBackup: pieces})
    answer: Any = program.ask("GET", "/backups/b1/file", Beistand_Confirmation=CONFIRMED)
    assert b"".join(answer.streaming_content) == b"0123456789"
    assert answer.headers["Content-Length"] == "10"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="b1.beistand"'
    assert [each.offset for each in program.agent.asked(ReadBackup)] == [0, 7]


def test_a_backup_that_is_not_there_is_a_problem(programs: Any) -> None:
    program = programs({GetBackup: message("backup-unknown", backup="b2")})
    assert (
        problem(program.ask("GET", "/backups/b2/file", Beistand_Confirmation=CONFIRMED))[1]
        == "backup-unknown"
    )


FILE = "application/octet-stream"


def test_an_upload_travels_in_pieces(programs: Any) -> None:
    program = programs({BeginUpload: UploadView(id="u1"), SendUpload: Done(), GetUpload: UploadView(id="u1")})
    data = bytes(range(256)) * 4096
    answer = program.ask("POST", "/upload?name=a.beistand", data, content_type=FILE)
    assert answer.status_code == 201
    assert program.agent.asked(BeginUpload) == [BeginUpload(name="a.beistand", size=len(data))]
    sent = program.agent.asked(SendUpload)
    assert [each.offset for each in sent] == [0, 512 * 1024]
    assert b"".join(each.data for each in sent) == data


def test_an_upload_that_fails_leaves_nothing_behind(programs: Any) -> None:
    program = programs(
        {BeginUpload: UploadView(id="u1"), SendUpload: message("disk-full", path="/var"), DropUpload: Done()}
    )
    assert problem(program.ask("POST", "/upload?name=a", b"xyz", content_type=FILE)) == (409, "disk-full")
    assert program.agent.asked(DropUpload) == [DropUpload(id="u1")]


def test_an_upload_that_ends_early_leaves_nothing_behind(programs: Any) -> None:
    program = programs({BeginUpload: UploadView(id="u1"), SendUpload: Done(), DropUpload: Done()})
    program.client.defaults |= {"wsgi.input": io.BytesIO(b"xyz"), "CONTENT_LENGTH": "9"}
    answer = program.ask("POST", "/upload?name=a", Content_Type=FILE)
    assert problem(answer) == (409, "api-upload-broken")
    assert program.agent.asked(DropUpload) == [DropUpload(id="u1")]


def test_an_empty_upload_is_none(programs: Any) -> None:
    answer = programs().ask("POST", "/upload?name=a", b"", Content_Type=FILE)
    assert problem(answer) == (411, "api-length-missing")


def test_programs_that_watch_a_job_leave_threads_for_the_pages() -> None:
    watch = WatchJob(id="0" * 16, seconds=30.0)
    with ExitStack() as waiting:
        asked = [waiting.enter_context(patient(watch, str(number))) for number in range(MOST_WAITERS + 1)]
        assert asked == [watch] * MOST_WAITERS + [WatchJob(id=watch.id, seconds=0.0)]
        assert waiting.enter_context(patient(GetStatus(), "0")) == GetStatus()
    with patient(watch, "0") as again:
        assert again == watch
