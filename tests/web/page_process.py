"""The web process as it is installed (gunicorn, TLS, its own folder), and a browser beside it, without a lab."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from selenium.webdriver.common.by import By

from beistand.client import SOCKET
from beistand.web import certificate, serve
from beistand.web.state import HOSTS, STATE, make_secret
from beistand_lab import commands
from beistand_lab.browser import CHROMIUM, PORT, Browser
from beistand_lab.settings import Settings

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 30.0


class Pages(serve._Pages):
    """Stays at its address, whatever own address the fake agent tells."""

    def _watch(self) -> None:
        pass


def main(address: str) -> None:
    """Serve at this loopback address, as `beistand-web` does at the appliance's own."""
    folder = Path(os.environ[STATE])
    names = (address, "localhost")
    make_secret(folder)
    certificate.ensure_certificate(folder / "tls", names, certificate.now())
    os.environ[HOSTS] = ",".join(names)
    os.environ["DJANGO_SETTINGS_MODULE"] = "beistand.web.settings"
    Pages(folder, address, names).run()


class WebProcess:
    """A process of its own, so that nothing of the test's Django is in it."""

    def __init__(self, socket: Path, address: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pages-")
        self._socket = socket
        self._address = address

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            STATE: self._folder.name,
            SOCKET: str(self._socket),
            "TZ": "Europe/Berlin",
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / each) for each in ("tests", "lab")),
        }
        start = f"from web.page_process import main; main({self._address!r})"
        self._process = subprocess.Popen([sys.executable, "-c", start], env=environment)
        commands.wait_for(self._answers, START_SECONDS, f"pages at {self._address}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._folder.cleanup()

    def _answers(self) -> bool:
        import socket

        if self._process.poll() is not None:
            raise RuntimeError("the web process ended")
        try:
            socket.create_connection((self._address, PORT), 1).close()
        except OSError:
            return False
        return True


class BrowserBeside(Browser):
    """A Chromium on this machine itself."""

    def __init__(self, folder: str, address: str) -> None:
        self.address = address
        self.port = PORT
        super().__init__(Settings(name=folder), host="")

    def _line(self, host: str) -> list[str]:
        return [CHROMIUM]

    def press_key(self, key: str) -> None:
        """Press a key, whatever has the focus."""
        codes = {"Tab": 9, "Enter": 13}
        values = {
            "key": key,
            "code": key,
            "windowsVirtualKeyCode": codes[key],
            "text": "\r" if key == "Enter" else "",
        }
        self._tell("Input.dispatchKeyEvent", {"type": "rawKeyDown" if key == "Tab" else "keyDown", **values})
        self._tell("Input.dispatchKeyEvent", {"type": "keyUp", **values})

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{self.address}:{self.port}{path}"


class WatchfulBrowser(BrowserBeside):
    """Does not wait for a page that loads, so that it can be stopped, or left waiting."""

    load_strategy = "none"

    def __init__(self, folder: str, address: str) -> None:
        super().__init__(folder, address)
        # A script that is begun as a page goes away is never answered: it is soon asked again.
        self.driver.set_script_timeout(5)

    def open(self, host: str, path: str = "/") -> None:
        self.wait(lambda: self.has("html"), what="a page to leave")
        before = self.find("html")
        super().open(host, path)
        self.wait(lambda: self._has_left(before), what=path)

    def seen(self, selector: str) -> list[str]:
        """Return the words of each element that this CSS selector names, as far as it can be seen."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return [each.text for each in found if each.is_displayed()]

    def stop(self) -> None:
        """Stop waiting for the next page."""
        self._tell("Page.stopLoading", {})

    def download_to(self, folder: Path) -> None:
        """Put downloads there, without a question."""
        self._tell("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
