"""A person at a real browser, before the pages of an agent that says what a scene wants."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from beistand_lab.settings import LABS
from fakes.agent_server import FakeAgent
from web.page_process import BrowserBeside, WebProcess
from web.page_scenes import PASSWORD, USUAL, Replies, Scene


class Visit:
    """One web process, one browser, one agent that says what a scene wants."""

    def __init__(self, agent: FakeAgent, browser: BrowserBeside) -> None:
        self.agent = agent
        self.browser = browser
        self.titles: dict[tuple[str, str], str] = {}
        self._is_in = False

    def go(self, scene: Scene, language: str) -> None:
        self.browser.prefer(language=language)
        self._log_in(wanted=scene.logged_in)
        self.says(scene.replies)
        self.agent.is_gone = not scene.has_agent
        self.browser.open("", scene.path)
        self.agent.is_gone = False
        for name, text in scene.fill.items():
            self._fill(name, text)
        if scene.waits:
            # Held back after everybody who listens: the page stays as it is while the next one is waited for.
            held_back = "addEventListener('submit', (event) => event.preventDefault())"
            self.browser.driver.execute_script(held_back)
        if scene.press:
            self.browser.press(self.browser.find(scene.press), leads_on=not (scene.opens or scene.waits))

    def _fill(self, name: str, text: str) -> None:
        field = self.browser.find(f"main [name={name}]:not([type=hidden])")
        kind = field.get_attribute("type")
        if kind == "radio":
            self.browser.find(f"main [name={name}][value='{text}']").click()
            return
        if kind != "file":
            field.clear()
        field.send_keys(text)

    def says(self, replies: Replies) -> None:
        """Have the agent answer so from now on, and the rest as usual."""
        self.replies: Replies = {**USUAL, **replies}
        self.agent.answer(self.replies)

    def log_out(self) -> None:
        """Lose the session, as after two hours without use: the page that is open stays."""
        self.browser.forget()
        self._is_in = False

    def _log_in(self, *, wanted: bool) -> None:
        if wanted == self._is_in:
            return
        self.browser.forget()
        self.agent.answer(USUAL)
        if wanted:
            self.browser.open("", "/log-in/")
            self.browser.fill("name", "anna")
            self.browser.fill("password", PASSWORD)
            self.browser.press(self.browser.find("main .primary"))
            self.browser.wait_for_path("/")
        self._is_in = wanted


@contextmanager
def visiting(kind: type[BrowserBeside] = BrowserBeside) -> Iterator[Visit]:
    """Begin a visit with a browser of this kind."""
    own = os.getpid()  # several runs may look at once
    address, name = f"127.73.{own // 250 % 250}.{own % 250 + 1}", f"screens-{own}"
    with (
        FakeAgent(USUAL) as agent,
        WebProcess(agent.path, address),
        kind(name, address) as browser,
    ):
        yield Visit(agent, browser)
    shutil.rmtree(LABS / name, ignore_errors=True)
