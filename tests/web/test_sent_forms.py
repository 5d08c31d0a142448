"""What a person sees of a form that was sent, in a real Chromium: it waits, is stopped, breaks off."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import msgspec
import pytest
from selenium.webdriver import ActionChains

from beistand.domain.value import Value
from beistand.protocol import (
    BackupDetails,
    BeginUpload,
    CheckUpload,
    Chunk,
    Done,
    DropUpload,
    FetchHostKey,
    GetBackup,
    HostKey,
    Init,
    ReadBackup,
    SendTestMail,
    SendUpload,
    StartTakeover,
    TryStandby,
    UploadView,
)
from beistand_lab.browser import PORT
from beistand_lab.commands import wait_for
from fakes.line import Line
from web import page_values as values
from web.module_views import PARTS
from web.page_process import WatchfulBrowser
from web.page_scenes import LINE, PASSWORD, SCENES, Replies
from web.visits import Visit, visiting

Hold = Callable[[Value], "Held"]
ANNA = {"address": "anna@hinterhuber.example"}
SURE = {"password": PASSWORD}
NOTE_AT_THE_END = """
addEventListener("pagehide", () => {
  const seen = (each) => each.checkVisibility();
  const words = (selector) => [...document.querySelectorAll(selector)].filter(seen).map((each) => each.textContent);
  sessionStorage.setItem("noted", JSON.stringify([words("[role=status] .waits"), words("[aria-busy=true]")]));
});
"""
WAITS, ALERT = "[role=status] .waits", "form [role=alert]"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A form whose answer may take its time."""

    scene: str
    button: str
    asked: type[Value]
    reply: Value
    lasts: str
    """What stands beside the button, in part, for those without script, too."""
    told: str
    """What the page says once it waits, in part."""
    fill: Mapping[str, str] = field(default_factory=dict)


WAITING = (
    Waiting(
        scene="module-standby",
        button="main form .row button:first-child",
        asked=FetchHostKey,
        reply=HostKey(line=LINE, fingerprint=""),
        lasts="30 seconds at most",
        told="host key",
    ),
    Waiting(
        scene="module-standby",
        button="button[formaction$='/try/']",
        asked=TryStandby,
        reply=values.TRIAL_OF_STANDBY,
        lasts="1 minute 30 seconds",
        told="step by step",
    ),
    Waiting(
        scene="mail",
        fill=ANNA,
        button="#test form button",
        asked=SendTestMail,
        reply=values.TRIAL,
        lasts="1 minute at most",
        told="mail server",
    ),
    Waiting(
        scene="setup-appliance",
        fill={"role": "active", "own": "eth0 192.0.2.1/24", "service": "192.0.2.10", **SURE},
        button="main .primary",
        asked=Init,
        reply=Done(),
        lasts="1 minute at most",
        told="telephone system",
    ),
    Waiting(
        scene="takeover-gone",
        fill=SURE,
        button="button.big",
        asked=StartTakeover,
        reply=values.JOB,
        lasts="may take 1 minute",
        told="import",
    ),
)


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    with visiting(WatchfulBrowser) as visit:
        yield visit


class Held:
    """An answer that the agent gives once `over` is set."""

    def __init__(self, reply: Value) -> None:
        self.over = Event()
        self._reply = reply

    def __call__(self) -> Value:
        self.over.wait(60)
        return self._reply


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Hold an answer back, at the longest until the test is over."""
    held: list[Held] = []

    def hold(reply: Value) -> Held:
        held.append(Held(reply))
        return held[-1]

    yield hold
    for each in held:
        each.over.set()


@pytest.fixture
def line(visit: Visit) -> Iterator[Line]:
    """What the browser sees the pages over."""
    with Line((visit.browser.address, PORT)) as line:
        visit.browser.port = line.port
        yield line
    visit.browser.port = PORT


@pytest.mark.parametrize("waiting", WAITING)
def test_a_page_that_waits_says_for_what(visit: Visit, hold: Hold, waiting: Waiting) -> None:
    """Asked of the page itself as it goes: a driver may answer nothing while the next page is waited for."""
    browser = visit.browser
    answer = hold(waiting.reply)
    _show(visit, waiting.scene, waiting.fill, {waiting.asked: answer})
    assert waiting.lasts in browser.find("main").text
    assert browser.seen(WAITS) == []
    browser.driver.execute_script(NOTE_AT_THE_END)
    browser.press(browser.find(waiting.button), leads_on=False)
    wait_for(lambda: visit.agent.asked(waiting.asked), 20, "the agent to be asked")
    answer.over.set()
    noted = "return JSON.parse(sessionStorage.getItem('noted'))"
    browser.wait(lambda: browser.driver.execute_script(noted), what="the next page")
    shown, busy = browser.driver.execute_script(noted)
    browser.driver.execute_script("sessionStorage.clear()")
    assert [waiting.told in each for each in shown] == [True]
    assert len(busy) == 1


@pytest.mark.parametrize("waiting", [each for each in WAITING if each.asked in (SendTestMail, StartTakeover)])
def test_who_stops_a_page_that_waits_can_click_again(visit: Visit, hold: Hold, waiting: Waiting) -> None:
    browser = visit.browser
    _show(visit, waiting.scene, waiting.fill, {waiting.asked: hold(waiting.reply)})
    button = browser.find(waiting.button)
    browser.press(button, leads_on=False)
    wait_for(lambda: visit.agent.asked(waiting.asked), 20, "the agent to be asked")
    browser.stop()
    browser.wait(lambda: not button.get_attribute("aria-busy"), what="the end of the waiting")
    assert browser.seen(WAITS) == []
    browser.press(button, leads_on=False)
    wait_for(lambda: len(visit.agent.asked(waiting.asked)) == 2, 20, "the agent to be asked again")
    browser.stop()


def test_a_double_click_sends_a_form_once(visit: Visit, hold: Hold) -> None:
    """F16"""
    browser = visit.browser
    _show(visit, "mail", ANNA, {SendTestMail: hold(values.TRIAL)})
    note = "window.sends = []; addEventListener('submit', (event) => sends.push(!event.defaultPrevented))"
    browser.driver.execute_script(note)
    ActionChains(browser.driver).double_click(browser.find("#test form button")).perform()
    wait_for(lambda: visit.agent.asked(SendTestMail), 20, "the agent to be asked")
    browser.stop()
    assert browser.driver.execute_script("return sends") == [True, False]
    assert len(visit.agent.asked(SendTestMail)) == 1


def test_a_backup_is_downloaded_as_often_as_it_is_clicked(visit: Visit, tmp_path: Path) -> None:
    """The page stays where it is, and nothing tells it that a download has begun."""
    browser = visit.browser
    backup = msgspec.structs.replace(values.BACKUPS.backups[0], file_size=7)
    replies = {
        GetBackup: BackupDetails(backup=backup, parts=PARTS, host="pbx-a"),
        ReadBackup: Chunk(data=b"1234567", is_last=True),
    }
    _show(visit, "backup-download", SURE, replies)
    browser.download_to(tmp_path)
    button = browser.find("main form .primary")
    browser.press(button, leads_on=False)
    browser.wait(lambda: list(tmp_path.glob("*.beistand")), what="the file")

    def is_asked_again() -> bool:
        browser.press(button, leads_on=False)
        return len(visit.agent.asked(ReadBackup)) > 1

    browser.wait(is_asked_again, what="another file")


@pytest.mark.parametrize(("asked", "size"), [(SendUpload, 20_000_000), (CheckUpload, 1000)])
def test_an_upload_that_breaks_off_says_so_and_can_be_sent_again(
    visit: Visit, hold: Hold, line: Line, tmp_path: Path, asked: type[Value], size: int
) -> None:
    """S16: in the middle of the file, and when all of it was sent but no answer came yet."""
    browser = visit.browser
    file = tmp_path / "big.beistand"
    file.write_bytes(bytes(size))
    replies = {
        BeginUpload: UploadView(id="u1"),
        SendUpload: Done(),
        DropUpload: Done(),
        CheckUpload: values.JOB,
    }
    _show(visit, "module-import", {"file": str(file)}, {**replies, asked: hold(values.JOB)})
    browser.click("Upload", leads_on=False)
    browser.wait(lambda: visit.agent.asked(asked), what="the file to be sent")
    assert browser.seen(ALERT) == []
    line.cut()
    browser.wait(lambda: browser.seen(ALERT), what="the alert")
    (told,) = browser.seen(ALERT)
    assert "Unless the whole file had arrived, nothing of it was kept" in told
    assert browser.problems() == []
    line.mend()
    visit.agent.answer({**visit.replies, **replies})
    browser.click("Upload")
    browser.wait_for_path(f"/jobs/{values.JOB.id}/")


def _show(visit: Visit, name: str, fill: Mapping[str, str], replies: Replies) -> None:
    """Show this scene with the fields filled in, before an agent that answers so, and was asked nothing yet."""
    scene = SCENES[name]
    visit.go(replace(scene, fill=fill, replies={**scene.replies, **replies}), "en")
    visit.agent.requests.clear()
