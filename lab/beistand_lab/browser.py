"""A real Chromium at the lab's mail host: it sees the appliances' pages as a person's computer on that network does."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from beistand_lab import commands, control_groups, network
from beistand_lab.errors import ConditionNotMet, LabError
from beistand_lab.settings import Settings

PORT = 8443
WAIT_SECONDS = 20.0
LOAD_SECONDS = 60.0
WIDE = (1280, 900)
NARROW = (360, 780)
_DRIVER = "/usr/bin/chromedriver"
_LAST_TYPED = "\uffff"
CHROMIUM = "/usr/bin/chromium"
_RULES = [Path(__file__).with_name(name) for name in ("page_rules.js", "page_contrast.js")]
_FLAGS = (
    # Over a pipe: the driver runs outside the lab's network, the browser inside.
    "--remote-debugging-pipe",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


class Browser:
    """One browser with a profile of its own; use it as a context. Elements are found as a person finds them."""

    load_strategy = "normal"
    """Of the driver: it answers nothing while a page loads."""

    def __init__(self, settings: Settings, *, host: str = "m", name: str = "browser") -> None:
        if not Path(_DRIVER).exists():
            raise LabError(
                "missing Debian packages: chromium chromium-driver", "packaging/install-packages test"
            )
        self._settings = settings
        self._folder = settings.folder / name
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self.driver = self._started(host)
        self.size(*WIDE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.driver.quit()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _line(self, host: str) -> list[str]:
        """What starts it, in the network of this host."""
        inside = network.inside(self._settings, host, [CHROMIUM])
        return control_groups.joining(control_groups.group_name(self._settings.name), inside)

    def _started(self, host: str) -> webdriver.Chrome:
        line = shlex.join(self._line(host))
        wrapper = self._folder / "chromium"
        wrapper.write_text(f'#!/bin/sh\nexport HOME={shlex.quote(str(self._folder))}\nexec {line} "$@"\n')
        wrapper.chmod(0o755)
        options = webdriver.ChromeOptions()
        options.binary_location = str(wrapper)
        options.accept_insecure_certs = True
        options.page_load_strategy = self.load_strategy
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for flag in (*_FLAGS, f"--user-data-dir={self._folder}/profile"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
        driver.set_page_load_timeout(LOAD_SECONDS)
        return driver

    # --- how the person sees it -----------------------------------------------------------------

    def size(self, width: int, height: int) -> None:
        """Make the window so large, in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._tell("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, *, language: str = "en", dark: bool = False) -> None:
        """What the browser says of its person: `en` or `de`, and whether they like it dark."""
        agent = self.driver.execute_script("return navigator.userAgent")
        self._tell("Emulation.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": language})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._tell("Emulation.setEmulatedMedia", {"features": [scheme]})

    def without_script(self, *, off: bool = True) -> None:
        """Switch JavaScript off for the pages to come."""
        self._tell("Emulation.setScriptExecutionDisabled", {"value": off})

    def forget(self) -> None:
        """Drop all cookies: nobody is logged in, nothing was switched."""
        self._tell("Network.clearBrowserCookies", {})

    # --- going ----------------------------------------------------------------------------------

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{self._settings.address(host)}:{PORT}{path}"

    def open(self, host: str, path: str = "/") -> None:
        """Go to a page of appliance `a` or `b`; returns when it has loaded."""
        self.driver.get(self.url(host, path))

    @property
    def path(self) -> str:
        """Of the page that is shown, with its query."""
        return "/" + self.driver.current_url.split("/", 3)[-1]

    # --- reading --------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """All words that can be seen."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def heading(self) -> str:
        return self.find("h1").text

    def find(self, selector: str) -> WebElement:
        """The first element that this CSS selector names; LabError with the page's words where there is none."""
        try:
            return self.driver.find_element(By.CSS_SELECTOR, selector)
        except NoSuchElementException:
            raise LabError(f"no {selector} at {self.path}:\n{self.text}") from None

    def has(self, selector: str) -> bool:
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def wait_for_text(self, words: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until these words can be seen."""
        self.wait(lambda: words in self.text, seconds, f"{words!r} at {self.path}")

    def wait_for_path(self, path: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the browser is at this path, whatever its query."""
        self.wait(lambda: self.path.partition("?")[0] == path, seconds, f"{path}, not {self.path}")

    def wait(self, condition: Any, seconds: float = WAIT_SECONDS, what: str = "a page") -> None:
        """Wait until the condition holds; a page that changes meanwhile is asked anew.

        While one page gives way to the next, drivers answer with errors of many kinds: none of them is an
        answer. The last one is told when the condition never comes to hold.
        """
        complaint = ""

        def holds() -> bool:
            nonlocal complaint
            try:
                return bool(condition())
            except (WebDriverException, LabError) as error:
                complaint = f"; the browser said last: {type(error).__name__}: {error}"
                return False

        try:
            commands.wait_for(holds, seconds, what)
        except ConditionNotMet as error:
            raise ConditionNotMet(f"{error}{complaint}; {self.path} says:\n{self.text}") from None

    # --- acting ---------------------------------------------------------------------------------

    def fill(self, label: str, value: str) -> None:
        """Type into the field with this label, or with this name; what stood there is gone."""
        field = self.field(label)
        if field.get_attribute("type") != "file":
            field.clear()
        if value and max(value) > _LAST_TYPED:
            # Older and newer drivers type no signs beyond the basic plane: pasted, as a person does it.
            self.driver.execute_script("arguments[0].value = arguments[1]", field, value)
        else:
            field.send_keys(value)

    def choose(self, label: str, option: str) -> None:
        """Choose from a list by the words of the option."""
        wanted = f".//option[normalize-space()={_quoted(option)}]"
        self.field(label).find_element(By.XPATH, wanted).click()

    def tick(self, label: str) -> None:
        """Click the box or the button of a group that has this label."""
        self.field(label).click()

    def click(self, words: str, *, leads_on: bool = True) -> None:
        """Click the button or the link that says so, as `press` does."""
        self.press(self._by_words(words), leads_on=leads_on)

    def press(self, element: WebElement, *, leads_on: bool = True) -> None:
        """Click this button or link, and wait until another page has come for it.

        A driver may return from a click before the browser has begun to leave the page: what is asked then is
        asked of the old one. Say `leads_on=False` of a fold, a download, and whatever a script does in the page.
        """
        before = self.find("html")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        if leads_on:
            self.wait(lambda: self._has_left(before), LOAD_SECONDS, f"another page than {self.path}")

    def _has_left(self, before: WebElement) -> bool:
        return self.find("html") != before and bool(self._script("return document.readyState === 'complete'"))

    def field(self, label: str) -> WebElement:
        """The field whose label begins so, or whose name is so."""
        words = f"//label[starts-with(normalize-space(), {_quoted(label)})]"
        for each in self.driver.find_elements(By.XPATH, words):
            named = each.get_attribute("for")
            return (
                self.driver.find_element(By.ID, named)
                if named
                else each.find_element(By.CSS_SELECTOR, "input")
            )
        return self.find(f"[name={_quoted(label)}]:not([type=hidden])")

    def _by_words(self, words: str) -> WebElement:
        text = _quoted(words)
        path = f"//button[contains(normalize-space(), {text})] | //a[contains(normalize-space(), {text})]"
        path += f" | //summary[contains(normalize-space(), {text})]"
        visible = [each for each in self.driver.find_elements(By.XPATH, path) if each.is_displayed()]
        if not visible:
            raise LabError(f"nothing says {words!r} at {self.path}:\n{self.text}")
        exact = [each for each in visible if each.text.strip() == words]
        return (exact or visible)[0]

    # --- judging --------------------------------------------------------------------------------

    def screenshot(self, path: Path) -> None:
        """The whole page, as high as it is."""
        path.parent.mkdir(parents=True, exist_ok=True)
        width = self._script("return window.innerWidth")
        height = self._script("return Math.max(document.documentElement.scrollHeight, window.innerHeight)")
        shown = self._script("return window.innerHeight")
        self.size(width, min(height, 8000))
        self.driver.save_screenshot(str(path))
        self.size(width, shown)

    def console_errors(self) -> list[str]:
        """What the browser complained of since the last call: scripts, styles, refused content, missing files."""
        log: Any = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(each["message"]) for each in log if each["level"] == "SEVERE"]

    def problems(self) -> list[str]:
        """What keeps people with a keyboard, a screen reader or a narrow window from this page; nothing is good."""
        return [each for rules in _RULES for each in self._script(rules.read_text())]

    def _script(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def _tell(self, command: str, values: dict[str, Any]) -> None:
        self.driver.execute_cdp_cmd(command, values)


def _quoted(text: str) -> str:
    """As XPath and CSS take a text; neither has a way for both kinds of quotes."""
    return f"'{text}'" if '"' in text else f'"{text}"'
