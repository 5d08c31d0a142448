"""The module's log and the audit log: filtered, newest first, to be read here or taken away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from django.http import StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from beistand.client import log_pages
from beistand.domain.config import LogLevel
from beistand.protocol import MOST_LINES, AuditLine, AuditLines, LogLines, ReadAudit, ReadModuleLog
from beistand.text.catalogue import sentence
from beistand.web.asking import is_administrator
from beistand.web.failures import forbidden
from beistand.web.rights import for_viewers
from beistand.web.telling import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.http.response import HttpResponseBase

    from beistand.domain.message import Message
    from beistand.protocol import LogLine
    from beistand.web.asking import Request

LIMITS = (200, 500, 1000, MOST_LINES)
LONGEST_TEXT = 200
ASK_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines."""

    level: str
    contains: str
    limit: int
    before: str

    @property
    def query(self) -> str:
        """The same choice from the newest line on, for a link."""
        return urlencode({"level": self.level, "contains": self.contains, "limit": self.limit})


@require_GET
@for_viewers
def logs(request: Request) -> HttpResponseBase:
    """The module's log."""
    wanted = _wanted(request)
    asked = ReadModuleLog(
        level=wanted.level, contains=wanted.contains, limit=wanted.limit, before=wanted.before
    )
    if "download" in request.GET:
        return _download(request, "module", asked, LogLines)
    return _page(request, wanted, request.agent.ask(asked, LogLines, ASK_SECONDS))


@require_GET
@for_viewers
def audit(request: Request) -> HttpResponseBase:
    """Who did what."""
    if not is_administrator(request):
        return forbidden(request)
    wanted = _wanted(request)
    asked = ReadAudit(contains=wanted.contains, limit=wanted.limit, before=wanted.before)
    if "download" in request.GET:
        return _download(request, "audit", asked, AuditLines)
    return _page(request, wanted, request.agent.ask(asked, AuditLines, ASK_SECONDS))


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as it is shown."""

    at: datetime
    level: str
    who: str
    address: str
    message: Message

    @cached_property
    def bare(self) -> str:
        """Code and fields, which is what the journal has; empty where the sentence is nothing else."""
        text = str(self.message)
        is_all = not self.message.fields or sentence(self.message, spoken()) == text
        return "" if is_all else text


def _wanted(request: Request) -> Wanted:
    level, limit = request.GET.get("level", ""), request.GET.get("limit", "")
    return Wanted(
        level=level if level in set(LogLevel) else "",
        contains=request.GET.get("contains", "").strip()[:LONGEST_TEXT],
        limit=int(limit) if limit in {str(each) for each in LIMITS} else LIMITS[0],
        before=request.GET.get("before", "")[:LONGEST_TEXT],
    )


def _page(request: Request, wanted: Wanted, found: LogLines | AuditLines) -> HttpResponseBase:
    values = {
        "is_audit": isinstance(found, AuditLines),
        "lines": [_line(each) for each in found.lines],
        "wanted": wanted,
        "levels": [each.value for each in LogLevel],
        "limits": LIMITS,
        "older": f"{wanted.query}&{urlencode({'before': found.older})}" if found.older else "",
    }
    return render(request, "logs.html", values)


def _line(each: LogLine | AuditLine) -> Line:
    if isinstance(each, AuditLine):
        return Line(at=each.at, level="", who=each.who, address=each.address, message=each.what)
    return Line(at=each.at, level=each.level, who="", address="", message=each.message)


def _download(
    request: Request, name: str, asked: ReadModuleLog | ReadAudit, answer: type[LogLines | AuditLines]
) -> HttpResponseBase:
    """Send everything that is kept and fits, page by page: none of it is ever whole in memory."""
    everything = msgspec.structs.replace(asked, limit=MOST_LINES, before="")
    pages = log_pages(partial(request.agent.ask, seconds=ASK_SECONDS), everything, answer)
    # The first page before the answer begins: what the agent refuses is still a page then.
    lines = (each for page in chain([next(pages)], pages) for each in page.lines)
    is_json = request.GET["download"] == "json"
    response = StreamingHttpResponse(
        _as_json(lines) if is_json else _as_text(lines, spoken()),
        content_type="application/json" if is_json else "text/plain; charset=utf-8",
    )
    host, ending = _file_name(request.agent.status().host), "json" if is_json else "log"
    response["Content-Disposition"] = f'attachment; filename="beistand-{name}-{host}.{ending}"'
    return response


def _as_text(lines: Iterator[LogLine | AuditLine], language: str) -> Iterator[str]:
    """Yield lines for programs and people: time, level or account, code and fields, then the sentence."""
    for each in map(_line, lines):
        bare, told = str(each.message), sentence(each.message, language)
        parts = (each.at.isoformat(timespec="seconds"), each.level, each.who, each.address, bare)
        yield " ".join(part for part in parts if part) + (f"  # {told}\n" if told != bare else "\n")


def _as_json(lines: Iterator[LogLine | AuditLine]) -> Iterator[bytes]:
    """Yield one document with a line for each line."""
    yield b'{"lines": ['
    for number, each in enumerate(lines):
        yield (b",\n" if number else b"\n") + msgspec.json.encode(each)
    yield b"\n]}\n"


def _file_name(host: str) -> str:
    return (
        "".join(each for each in host if each.isascii() and (each.isalnum() or each in "-.")) or "appliance"
    )
