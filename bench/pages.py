"""Every page and the JSON API: what they cost beside a view that does nothing, through the same middleware."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from beistand.client import SOCKET
from beistand.domain.role import Role
from beistand_lab.lone_appliance import lone_appliance, pair_with_nobody
from bench import page_sides
from bench.figures import Page, Report
from bench.noise import Noise
from bench.page_sides import Side

BARE = "/bare/"
STATUS = "/api/v1/status"
LONG = ("/logs/?limit=2000", "/logs/audit/?limit=1000")
"""As many lines as a person can ask for at once: measured, and not held against the limit for a page."""
MOST_MS = 100.0
ON_THE_STANDBY = ("takeover", "takeover-evidence", "module-import")
"""Asked where they are used; the others are asked of the active."""
AFTER_A_TAKEOVER = ("takeover-progress",)
TO_STRANGERS = ("log-in", "setup")
Ask = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is done."""

    rounds: int
    asked: int
    """Times in a row for each page and round, and for the bare view just before it."""
    lines: int
    """In each log of the active."""


def measure(size: Size, report: Report, noise: Noise, say: Callable[[str], None]) -> None:
    """Ask for every page in this process; the agents behind them are whole ones, in namespaces of their own."""
    with tempfile.TemporaryDirectory(prefix="beistand-pages-") as name:
        folder = Path(name)
        _begin(folder)
        with _appliance(folder / "standby", Role.STANDBY) as socket:
            side = page_sides.standby(socket)
            report.pages += _measured(_pages(side, ON_THE_STANDBY), size, noise)
            pair_with_nobody(folder / "standby")
            report.pages += _measured(_pages(page_sides.taken_over(side), AFTER_A_TAKEOVER), size, noise)
        with _appliance(folder / "active", Role.ACTIVE) as socket:
            side = page_sides.active(socket, size.lines)
            others = _names() - {*ON_THE_STANDBY, *AFTER_A_TAKEOVER}
            report.pages += _measured(_pages(side, others) | _more(side), size, noise)
    _judge(report, say)


def _judge(report: Report, say: Callable[[str], None]) -> None:
    opened = [each for each in report.pages if each.name not in LONG]
    slowest = max(opened, key=lambda page: statistics.median(page.waited))
    report.hold(f"the slowest page, GET {slowest.name}", "ms", slowest.waited, MOST_MS)
    for page in report.pages:
        median, most = statistics.median(page.waited), max(page.waited)
        if most > MOST_MS:
            say(f"above {MOST_MS:.0f} ms: GET {page.name}, median {median:.1f} ms, at most {most:.1f} ms")
    say(f"{len(report.pages)} pages, each asked {len(slowest.waited)} times; the slowest is {slowest.name}")


def _begin(folder: Path) -> None:
    """Make Django ready for this process."""
    (folder / "web").mkdir()
    os.environ |= {
        "BEISTAND_WEB_STATE": str(folder / "web"),
        "BEISTAND_WEB_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "bench.web_settings",
    }
    import django

    django.setup()


@contextmanager
def _appliance(folder: Path, role: Role) -> Iterator[Path]:
    """Yield the socket of a whole agent, which the pages ask meanwhile."""
    folder.mkdir()
    with lone_appliance(folder, role) as socket:
        os.environ[SOCKET] = str(socket)
        yield socket


def _names() -> set[str]:
    from beistand.web.urls import urlpatterns

    return {str(each.name) for each in urlpatterns}


def _pages(side: Side, names: Collection[str]) -> dict[str, Ask]:
    """Return how to ask for each of these that is a page, by its route.

    An address that only takes forms leads to the page of its form; one that leads to the log-in is a broken session.
    """
    from django.urls import reverse

    from beistand.web.urls import urlpatterns

    pages: dict[str, Ask] = {}
    for each in urlpatterns:
        name = str(each.name)
        if name not in names:
            continue
        words = [side.words[name]] if each.pattern.converters else []
        browser = _browser("" if name in TO_STRANGERS else side.session)
        ask = partial(browser.get, reverse(name, args=words))
        answer = ask()
        if answer.status_code == HTTPStatus.OK:
            pages[f"/{each.pattern}"] = ask
        else:
            assert answer.status_code in (HTTPStatus.FOUND, HTTPStatus.SEE_OTHER), (name, answer)
            assert not answer.headers["Location"].startswith("/log-in/"), name
    return pages


def _more(side: Side) -> dict[str, Ask]:
    """Return the long forms of two pages, and the API as a program asks it."""
    program = {"HTTP_AUTHORIZATION": f"Bearer {side.token}"}
    long: dict[str, Ask] = {each: partial(_browser(side.session).get, each) for each in LONG}
    return long | {STATUS: partial(_browser("").get, STATUS, **program)}


def _browser(token: str) -> Any:
    """Return Django's own client, with a session of the pages where there is a token."""
    from django.conf import settings
    from django.test import Client

    browser = Client()
    browser.defaults["wsgi.url_scheme"] = "https"
    if token:
        session = browser.session
        session["token"] = token
        session.save()
        browser.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    return browser


def _measured(pages: dict[str, Ask], size: Size, noise: Noise) -> list[Page]:
    bare = partial(_browser("").get, BARE)
    found = [Page(name=name) for name in pages]
    for _ in range(size.rounds):
        for page in found:
            beside = [_timed(bare)[0] for _ in range(size.asked)]
            times = [_timed(pages[page.name]) for _ in range(size.asked)]
            page.waited += [waited for waited, _ in times]
            page.worked += [worked for _, worked in times]
            page.ratios.append(statistics.median(page.waited[-size.asked :]) / statistics.median(beside))
        noise.sample()
    return found


def _timed(ask: Ask) -> tuple[float, float]:
    """Return the milliseconds of one request: as its browser waits, and of this process's own work."""
    begin, worked = time.perf_counter(), time.process_time()
    answer = ask()
    times = (time.perf_counter() - begin) * 1000, (time.process_time() - worked) * 1000
    assert answer.status_code == HTTPStatus.OK, answer
    return times
