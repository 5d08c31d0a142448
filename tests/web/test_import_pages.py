"""Standby-Import: the upload goes through in pieces, is looked at, and only then saved (S16)."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from msgspec.structs import replace

from beistand.domain.message import message
from beistand.protocol import (
    CHUNK_BYTES,
    BeginUpload,
    CheckUpload,
    Done,
    DropUpload,
    GetUpload,
    ImportUpload,
    SendUpload,
    UploadView,
)
from web.conftest import Start
from web.module_views import CHECKED, JOB, UPLOADED, on_the_active, on_the_standby

TAB = "/module/redundancy/import/"
BEGUN = {BeginUpload: UPLOADED, SendUpload: Done(), CheckUpload: JOB, DropUpload: Done()}
CONTENT = bytes(range(256)) * (CHUNK_BYTES // 256) * 2 + b"rest"


def upload(browser: Client, content: bytes = CONTENT, **more: str):
    file = SimpleUploadedFile("pbx-a.beistand", content)
    return browser.post(f"{TAB}upload/", {"file": file, "end": "yes", **more})


def test_on_the_active_nothing_has_to_be_done_here(start: Start) -> None:
    browser, _ = start(on_the_active())
    shown = browser.get(TAB).content.decode()
    assert "nothing has to be done here" in shown
    assert 'type="file"' not in shown


def test_the_file_goes_to_the_agent_in_pieces_and_is_checked(start: Start) -> None:
    browser, agent = start(on_the_standby(BEGUN))
    answer = upload(browser)
    assert answer.headers["Location"] == f"/jobs/j0b/?next={TAB.replace('/', '%2F')}"
    sent = [each for each in agent.asked(SendUpload) if isinstance(each, SendUpload)]
    assert b"".join(each.data for each in sent) == CONTENT
    assert all(len(each.data) <= CHUNK_BYTES for each in sent)
    assert [each.offset for each in sent] == [
        sum(len(each.data) for each in sent[:number]) for number in range(len(sent))
    ]
    assert agent.asked(CheckUpload) == [CheckUpload(id="u1")]
    assert agent.asked(DropUpload) == []


def test_the_script_announces_the_size(start: Start) -> None:
    browser, agent = start(on_the_standby(BEGUN))
    browser.post(f"{TAB}upload/", {"file": io.BytesIO(b"12"), "end": "yes"}, headers={"x-upload-size": "2"})
    (asked,) = agent.asked(BeginUpload)
    assert isinstance(asked, BeginUpload)
    assert asked.size == 2


def test_an_upload_that_breaks_off_leaves_nothing(start: Start) -> None:
    browser, agent = start(on_the_standby(BEGUN))
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        b"the beginning of what should have been much more"
    )
    answer = browser.post(f"{TAB}upload/", body, content_type="multipart/form-data; boundary=x")
    assert b"broke off" in answer.content
    assert agent.asked(DropUpload) == [DropUpload(id="u1")]
    assert agent.asked(CheckUpload) == []


@pytest.mark.parametrize("refused_at", [BeginUpload, SendUpload, CheckUpload])
def test_what_the_agent_refuses_is_told_and_leaves_nothing(start: Start, refused_at) -> None:
    refused = message("upload-too-large", size=10, quota=5)
    browser, agent = start(on_the_standby({**BEGUN, refused_at: refused}))
    answer = upload(browser)
    assert answer.status_code == 200
    assert b'role="alert"' in answer.content
    assert len(agent.asked(DropUpload)) == (0 if refused_at is BeginUpload else 1)


def test_a_form_of_another_site_moves_nothing(start: Start) -> None:
    """F17"""
    browser, agent = start(on_the_standby(BEGUN))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies, strict.defaults = browser.cookies, browser.defaults
    file = SimpleUploadedFile("a.beistand", b"evil")
    answer = strict.post(
        f"{TAB}upload/", {"file": file, "end": "yes"}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert agent.asked(BeginUpload) == []
    file.seek(0)
    answer = strict.post(
        f"{TAB}upload/", {"file": file, "end": "yes"}, headers={"origin": "https://testserver"}
    )
    assert answer.status_code == 403
    assert agent.asked(CheckUpload) == []
    assert len(agent.asked(DropUpload)) == len(agent.asked(BeginUpload))


def test_what_it_holds_is_shown_before_anything_is_saved(start: Start) -> None:
    browser, agent = start(on_the_standby({GetUpload: CHECKED}))
    shown = browser.get(TAB).content.decode()
    for words in ("pbx-a", "/etc/asterisk", "61,234", "overwrites ALL data", "pbx-b"):
        assert words in shown
    assert agent.asked(ImportUpload) == []


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (replace(UPLOADED, needs_passphrase=True), "Passphrase of the file"),
        (replace(UPLOADED, problem=message("other-pair")), 'role="alert"'),
        (UPLOADED, "not checked yet"),
    ],
)
def test_what_was_not_checked_cannot_be_saved(start: Start, view: UploadView, words: str) -> None:
    browser, _ = start(on_the_standby({GetUpload: view}))
    shown = browser.get(TAB).content.decode()
    assert words in shown
    assert "overwrites ALL data" not in shown


@pytest.mark.parametrize(
    ("host", "password", "is_saved"),
    [("pbx-b", "mine", True), ("pbx-a", "mine", False), ("", "mine", False), ("pbx-b", "", False)],
)
def test_saving_asks_for_the_host_name_and_the_password(
    start: Start, host: str, password: str, is_saved: bool
) -> None:
    browser, agent = start(on_the_standby({GetUpload: CHECKED, ImportUpload: JOB}))
    sent = {"upload": "u1", "generation": CHECKED.generation.id if CHECKED.generation else "", "host": host}
    answer = browser.post(f"{TAB}save/", {**sent, "own_password": password})
    assert answer.status_code == (303 if is_saved else 200)
    assert agent.asked(ImportUpload) == (
        [ImportUpload(id="u1", generation="20260301T120000Z-12")] if is_saved else []
    )


def test_it_can_be_dropped(start: Start) -> None:
    browser, agent = start(on_the_standby({GetUpload: CHECKED, DropUpload: Done()}))
    assert browser.post(f"{TAB}drop/", {"upload": "u1"}).status_code == 303
    assert agent.asked(DropUpload) == [DropUpload(id="u1")]
