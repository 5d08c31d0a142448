"""Pages and the JSON API: what they cost beside a view of Django that does nothing, through the same middleware."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beistand.client import SOCKET
from beistand.domain.account import AccountRole
from beistand.domain.role import Role
from beistand.protocol import LogIn, Session
from beistand_lab.lone_appliance import PASSWORD, ask, lone_appliance, make_people
from bench.figures import Report
from bench.noise import Noise

ROUNDS = 5
ASKED = 20
"""Times in a row for each path and round; a figure is their mean."""
BARE = "/bare/"
PAGES = ("/", "/admin/redundancy/")
STATUS = "/api/v1/status"
MOST_SECONDS = 0.1


def measure(report: Report, noise: Noise, say: Callable[[str], None]) -> None:
    """Ask a standby's pages in this process; the agent behind them is a whole one, in namespaces of its own."""
    with tempfile.TemporaryDirectory(prefix="beistand-pages-") as name:
        folder = Path(name)
        with lone_appliance(folder, Role.STANDBY) as socket:
            token = make_people(socket)[AccountRole.VIEWER]
            session = ask(socket, LogIn(name="anna", password=PASSWORD), Session)
            browser = _browser(folder, socket, session.token)
            program = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
            asked = {each: _timed(browser, each, {}) for each in (BARE, *PAGES)}
            asked[STATUS] = _timed(browser, STATUS, program)
            runs: dict[str, list[float]] = {path: [] for path in asked}
            own: dict[str, list[float]] = {path: [] for path in asked}
            for act in asked.values():
                act()  # the first one reads templates and catalogues
            for _ in range(ROUNDS):
                for path, act in asked.items():
                    waited, worked = act()
                    runs[path].append(waited)
                    own[path].append(worked)
                noise.sample()
    for path, seconds in runs.items():
        report.add(f"GET {path}", "s", seconds)
        report.add(f"GET {path}, processor of the web process", "s", own[path])
        say(f"GET {path}: {min(seconds) * 1000:.1f} ms")
    for path in (*PAGES, STATUS):
        ratios = [one / other for one, other in zip(runs[path], runs[BARE], strict=True)]
        report.add(f"GET {path} / a bare view", "", ratios)
        report.hold(f"GET {path}", "s", runs[path], MOST_SECONDS)


def _browser(folder: Path, socket: Path, token: str) -> Any:
    """Return Django's own client with a session of the pages."""
    (folder / "web").mkdir()
    os.environ |= {
        SOCKET: str(socket),
        "BEISTAND_WEB_STATE": str(folder / "web"),
        "BEISTAND_WEB_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "bench.web_settings",
    }
    import django
    from django.core.management import call_command
    from django.test import Client

    django.setup()
    call_command("migrate", verbosity=0)
    browser = Client()
    browser.defaults["wsgi.url_scheme"] = "https"
    session = browser.session
    session["token"] = token
    session.save()
    return browser


def _timed(browser: Any, path: str, headers: dict[str, str]) -> Callable[[], tuple[float, float]]:
    def act() -> tuple[float, float]:
        """Return the seconds of one request: as its browser waits, and of this process's own work."""
        begin, worked = time.perf_counter(), time.process_time()
        for _ in range(ASKED):
            answer = browser.get(path, **headers)
            assert answer.status_code == 200, (path, answer.status_code)
        return (time.perf_counter() - begin) / ASKED, (time.process_time() - worked) / ASKED

    return act
