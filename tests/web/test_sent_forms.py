"""What a person sees of a form that was sent, in a real Chromium: it breaks off."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from beistand.domain.value import Value
from beistand.protocol import (
    BeginUpload,
    CheckUpload,
    Done,
    DropUpload,
    SendUpload,
    UploadView,
)
from beistand_lab.browser import PORT
from fakes.line import Line
from web import page_values as values
from web.page_process import WatchfulBrowser
from web.page_scenes import SCENES, Replies
from web.visits import Visit, visiting

Hold = Callable[[Value], "Held"]
ALERT = "form [role=alert]"


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
