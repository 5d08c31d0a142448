"""A person at the pages of both appliances: what they do again and again, by the names of fields, in any language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException

from beistand_lab.browser import Browser
from beistand_lab.lab import Lab, wait_for
from e2e.pairing_up import GENEROUS_SECONDS

# All of it at one moment: the page looks anew every two seconds, and comes anew when there is another plan.
_ASKS_FOR_WHAT_IT_SHOWS = """
const form = document.querySelector("form.takeover");
const shown = document.querySelector("#evidence [data-digest]");
return document.readyState === "complete" && Boolean(form && shown)
  && form.elements.digest.value === shown.dataset.digest && document.body.innerText.includes(arguments[0]);
"""


class Person:
    """Somebody with a browser, and with a look at the consoles."""

    def __init__(self, lab: Lab, browser: Browser, name: str, password: str) -> None:
        self.lab = lab
        self.browser = browser
        self.name = name
        self.password = password

    def read_setup_code(self, host: str) -> str:
        """From the console: the one command of the whole story."""
        code: list[str] = []

        def is_told() -> bool:
            done = self.lab.sh(host, ["beistand", "setup-code", "--json"], check=False)
            if done.returncode == 0:
                code.append(json.loads(done.stdout)["code"])
            return bool(code)

        wait_for(is_told, GENEROUS_SECONDS, f"the console of {host}")
        return code[0]

    def become_administrator(self, host: str, name: str, password: str) -> None:
        """The first visit: whatever page is asked for, it is the one that wants the code."""
        browser = self.browser

        def is_asked_for_the_code() -> bool:
            return self.reaches(host, "/") and browser.path.startswith("/setup/")

        browser.wait(is_asked_for_the_code, GENEROUS_SECONDS, f"the first page of {host}")
        for field, value in (
            ("code", self.read_setup_code(host)),
            ("name", name),
            ("password", password),
            ("again", password),
        ):
            browser.fill(field, value)
        self.send()
        browser.wait(lambda: browser.has("[name=role]"), what="the question what this appliance is")

    def set_up(self, role: str, password: str) -> None:
        """Say what the appliance is whose question is shown."""
        browser = self.browser
        browser.find(f"[name=role][value={role}]").click()
        browser.fill("service", self.lab.settings.service_address)
        browser.fill("password", password)
        self.send()
        browser.wait_for_path("/", GENEROUS_SECONDS)

    def log_in(self, host: str, path: str = "/") -> None:
        """Come to a page, by the log-in page where it is asked for; whoever else was logged in must be out."""
        browser = self.browser

        def is_there() -> bool:
            if not self.reaches(host, path):
                return False
            if browser.path.startswith("/log-in/"):
                browser.fill("name", self.name)
                browser.fill("password", self.password)
                self.send()
            is_me = (
                browser.has("details.account") and self.name in browser.find("details.account summary").text
            )
            return is_me and browser.path.partition("?")[0] == path

        browser.wait(is_there, GENEROUS_SECONDS, f"{path} of {host}, as {self.name}")

    def send(self, form: str = "main form", *, leads_on: bool = True) -> None:
        """Click the button of a form."""
        button = self.browser.find(f"{form} button:not([type=button])")
        self.browser.press(button, leads_on=leads_on)

    def set(self, name: str, value: str) -> None:
        """Date and time as a picker sets them; how they are typed depends on the browser's language."""
        field = self.browser.find(f"[name={name}]")
        self.browser.driver.execute_script("arguments[0].value = arguments[1]", field, value)

    def see_plan(self, words: str) -> None:
        """The page of the takeover says so, and what its form confirms is what it shows: it stays, to be filled in."""
        script = self.browser.driver.execute_script
        self.browser.wait(
            lambda: script(_ASKS_FOR_WHAT_IT_SHOWS, words), GENEROUS_SECONDS, f"a plan with {words!r}"
        )

    def see_job_done(self, back: str) -> None:
        """The job that was started ends well, and leads back to its page."""
        browser = self.browser
        browser.wait(lambda: browser.has(".job-end"), GENEROUS_SECONDS, "the end of the job")
        assert browser.has(".job-end .state-good"), browser.text
        browser.press(browser.find("main a.button.primary"))
        browser.wait_for_path(back)

    def download(self, folder: Path) -> Path:
        """Keep what the page of a backup offers as one file."""
        browser = self.browser
        told: dict[str, Any] = {"behavior": "allow", "downloadPath": str(folder)}
        browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", told)
        browser.press(browser.find("main a.button.primary"))
        browser.wait(
            lambda: browser.has("[name=password]"), GENEROUS_SECONDS, "the question for the password"
        )
        browser.fill("password", self.password)
        self.send(leads_on=False)
        browser.wait(lambda: list(folder.glob("*.beistand")), GENEROUS_SECONDS, "the download")
        (file,) = folder.glob("*.beistand")
        return file

    def reaches(self, host: str, path: str) -> bool:
        """Whether there are pages: not while an appliance boots."""
        try:
            self.browser.open(host, path)
        except WebDriverException:
            return False
        return self.browser.has("main")
