"""Licences by page (S5 to S7): both sets, by file, text and key; what is wrong stands beside the field."""

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from msgspec.structs import replace

from beistand.domain.account import AccountRole
from beistand.domain.finding import Finding, Severity
from beistand.domain.licence import Licence, LicenceKind
from beistand.domain.message import message
from beistand.protocol import (
    GetLicences,
    GetStatus,
    InstallLicence,
    InstallLicences,
    LicencesView,
    RemoveLicence,
)
from beistand.web.forms.licences import LARGEST_FILE, LicenceFileForm, LicenceKeyForm
from web import scenes
from web.conftest import Start

PAGE = "/licences/"
KEY, OTHER, USER = "K2M4N-P6Q8R-S3T5V-W7X9Y", "AAAAA-BBBBB-CCCCC-DDDDD", "22222-33333-44444-55555"
VIEW = LicencesView(
    own=(
        Licence(key=KEY, kind=LicenceKind.SERVER),
        Licence(key=USER, kind=LicenceKind.USER, count=20, expires=date(2027, 1, 31), is_self_issued=False),
    ),
    peer=(Licence(key=OTHER, kind=LicenceKind.REDUNDANCY_SERVER, counterpart=KEY),),
    known=(Licence(key="99999-88888-77777-66666", kind=LicenceKind.MODULE, module="redundancy"),),
    findings=(
        Finding(
            code="licence-counterpart-missing", severity=Severity.WARN, fields={"key": USER, "kind": "user"}
        ),
    ),
)


def replies(**more: Any) -> dict[Any, Any]:
    return {GetStatus: scenes.ACTIVE, GetLicences: VIEW, **more}


def test_both_sets_stand_side_by_side(start: Start) -> None:
    browser, _ = start(replies(), language="de")
    page = browser.get(PAGE).content.decode()
    for part in (
        KEY,
        USER,
        OTHER,
        "Serverlizenz",
        "Redundanz-Serverlizenz",
        "31.01.2027",
        f"Steht ein für {KEY}",
    ):
        assert part in page, part
    assert "finding-warn" in page


def test_the_server_licence_key_is_read_off(start: Start) -> None:
    browser, _ = start(replies())
    assert f'<code id="server-key">{KEY}</code>' in browser.get(PAGE).content.decode()


def test_a_key_on_both_sides_is_marked(start: Start) -> None:
    twice = LicencesView(own=VIEW.own, peer=(Licence(key=KEY, kind=LicenceKind.REDUNDANCY_SERVER),))
    browser, _ = start({**replies(), GetLicences: twice})
    assert browser.get(PAGE).content.decode().count("on both appliances") == 2


def test_a_viewer_sees_and_changes_nothing(start: Start) -> None:
    browser, agent = start(replies(), role=AccountRole.VIEWER)
    page = browser.get(PAGE).content.decode()
    assert KEY in page
    assert 'name="key"' not in page
    assert "/remove/" not in page
    assert browser.post(PAGE, {"act": "key", "key": KEY}).status_code == 403
    assert browser.post(f"{PAGE}{USER}/remove/").status_code == 403
    assert agent.asked(InstallLicence) == agent.asked(RemoveLicence) == []


@pytest.mark.parametrize(
    ("given", "key", "is_right"),
    [
        (OTHER, OTHER, True),
        (f"  {OTHER.lower()} ", OTHER, True),
        ("AAAAA BBBBB", "", False),
        ("", "", False),
        ("A" * 41, "", False),
    ],
)
def test_a_key_is_checked_before_anybody_is_asked(given: str, key: str, is_right: bool) -> None:
    form = LicenceKeyForm({"key": given})
    assert form.is_valid() is is_right
    assert not is_right or form.cleaned_data["key"] == key


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (b"grants", "", "grants"),
        (b"\xef\xbb\xbfgrants", "", "grants"),
        (None, " grants ", "grants"),
        (b"from the file", "from the field", "from the file"),
        (b"\xff\xfe\x00", "", None),
        (b"", "", None),
        (b"x" * (LARGEST_FILE + 1), "", None),
        (None, "x" * (LARGEST_FILE + 1), None),
        (None, "", None),
    ],
)
def test_a_licence_file_comes_as_file_or_as_text(file: bytes | None, text: str, expected: str | None) -> None:
    files = {} if file is None else {"file": SimpleUploadedFile("a.licence", file)}
    form = LicenceFileForm({"text": text}, files)
    assert form.is_valid() is (expected is not None)
    assert expected is None or form.file_text == expected


def test_a_file_is_installed_as_it_is(start: Start) -> None:
    browser, agent = start(replies(), role=AccountRole.ADMINISTRATOR)
    agent._replies[InstallLicences] = [replace(VIEW, installed=(KEY,))]
    answer = browser.post(PAGE, {"act": "file", "file": SimpleUploadedFile("a.licence", b"signed text")})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert agent.asked(InstallLicences)[-1].file == "signed text"
    assert "The licence is installed" in browser.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("installed", "elsewhere", "told"),
    [
        ((KEY, USER), (), "2 licences are installed"),
        ((KEY,), (OTHER,), "The licence is installed"),
        ((KEY,), (OTHER,), "What belongs to the other appliance is not installed here (1)"),
    ],
)
def test_a_file_says_how_much_of_it_was_installed(
    start: Start, installed: tuple[str, ...], elsewhere: tuple[str, ...], told: str
) -> None:
    browser, _ = start(
        {**replies(), InstallLicences: replace(VIEW, installed=installed, elsewhere=elsewhere)}
    )
    assert browser.post(PAGE, {"act": "file", "text": "signed text"}).headers["Location"] == PAGE
    assert told in browser.get(PAGE).content.decode()


def test_a_file_of_the_other_appliance_installs_nothing_and_says_so(start: Start) -> None:
    browser, _ = start({**replies(), InstallLicences: replace(VIEW, elsewhere=(OTHER, USER))})
    page = browser.post(PAGE, {"act": "file", "file": SimpleUploadedFile("a.licence", b"x")}).content.decode()
    _, _, error = page.partition('id="id_file_error"')
    assert "what this file grants belongs to the other appliance (2)" in error
    for each in (page, browser.get(PAGE).content.decode()):
        assert "is installed<" not in each


@pytest.mark.parametrize("size", [LARGEST_FILE + 1, 2**20, 3 * 2**20])
def test_a_file_that_is_too_large_is_told_to_be_so(start: Start, size: int) -> None:
    """Also one of which nothing was read, because it is larger than anything that a page takes."""
    browser, agent = start(replies())
    file = SimpleUploadedFile("a.licence", b"x" * size)
    page = browser.post(PAGE, {"act": "file", "file": file}).content.decode()
    assert "That is larger than any licence file" in page
    assert agent.asked(InstallLicences) == []


def test_two_files_that_are_too_large_together_are_read_no_more(start: Start) -> None:
    browser, agent = start(replies())
    files = [SimpleUploadedFile(f"{name}.licence", b"x" * size) for name, size in (("a", 2**20), ("b", 9))]
    page = browser.post(PAGE, {"act": "file", "file": files}).content.decode()
    assert "That is larger than any licence file" in page
    assert agent.asked(InstallLicences) == []


def test_a_duplicate_is_refused_beside_the_field(start: Start) -> None:
    """F8."""
    told = message("licence-on-both", key=OTHER)
    browser, agent = start({**replies(), InstallLicence: told})
    page = browser.post(PAGE, {"act": "key", "key": OTHER}).content.decode()
    assert 'id="id_key_error"' in page
    assert f'value="{OTHER}"' in page
    assert agent.asked(InstallLicence)


def test_a_licence_is_removed_after_a_question(start: Start) -> None:
    browser, agent = start({**replies(), RemoveLicence: VIEW})
    assert USER in browser.get(f"{PAGE}{USER}/remove/").content.decode()
    assert agent.asked(RemoveLicence) == []
    assert browser.post(f"{PAGE}{USER}/remove/").headers["Location"] == PAGE
    assert agent.asked(RemoveLicence)[-1].key == USER


def test_a_licence_that_is_gone_needs_no_question(start: Start) -> None:
    browser, agent = start(replies())
    assert browser.get(f"{PAGE}{OTHER}/remove/").headers["Location"] == PAGE
    assert agent.asked(RemoveLicence) == []
