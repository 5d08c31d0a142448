"""The module's log and the audit log: filtered, newest first, to be read here or taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from beistand.domain.config import LogLevel
from beistand.domain.message import Message
from beistand.protocol import AuditLines, LogLines, ReadAudit, ReadModuleLog
from beistand.text.catalogue import sentence
from beistand.web.asking import is_administrator
from beistand.web.pages.errors import forbidden
from beistand.web.rights import for_viewers
from beistand.web.telling import spoken

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from beistand.web.asking import Request

LIMITS = (200, 500, 1000, 2000)
LONGEST_TEXT = 200
ASK_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines."""

    level: str
    contains: str
    limit: int

    @property
    def query(self) -> str:
        """The same choice, for a link."""
        return urlencode({"level": self.level, "contains": self.contains, "limit": self.limit})


@require_GET
@for_viewers
def logs(request: Request) -> HttpResponseBase:
    """The module's log."""
    wanted = _wanted(request)
    asked = ReadModuleLog(level=wanted.level, contains=wanted.contains, limit=wanted.limit)
    found = request.agent.ask(asked, LogLines, ASK_SECONDS)
    if "download" in request.GET:
        texts = [_log_line(each.at, each.level, "", each.message) for each in found.lines]
        return _download(request, found, "module", texts)
    lines = [
        Line(at=each.at, level=each.level, who="", address="", message=each.message) for each in found.lines
    ]
    return render(request, "logs.html", {"lines": lines, **_shown(wanted, len(lines))})


@require_GET
@for_viewers
def audit(request: Request) -> HttpResponseBase:
    """Who did what."""
    if not is_administrator(request):
        return forbidden(request)
    wanted = _wanted(request)
    found = request.agent.ask(
        ReadAudit(contains=wanted.contains, limit=wanted.limit), AuditLines, ASK_SECONDS
    )
    if "download" in request.GET:
        texts = [_log_line(each.at, each.who, each.address, each.what) for each in found.lines]
        return _download(request, found, "audit", texts)
    lines = [
        Line(at=each.at, level="", who=each.who, address=each.address, message=each.what)
        for each in found.lines
    ]
    values = {"lines": lines, "is_audit": True, **_shown(wanted, len(lines))}
    return render(request, "logs.html", values)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as it is shown."""

    at: datetime
    level: str
    who: str
    address: str
    message: Message

    @property
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
    )


def _shown(wanted: Wanted, count: int) -> dict[str, object]:
    following = next((each for each in LIMITS if each > wanted.limit), None)
    return {
        "wanted": wanted,
        "levels": [each.value for each in LogLevel],
        "limits": LIMITS,
        # There may be more, and more can be asked for.
        "more": f"{wanted.query}&limit={following}" if following and count >= wanted.limit else "",
    }


def _log_line(at: datetime, who: str, address: str, what: Message) -> str:
    """Return a line for programs and people: time, level or account, code and fields, then the sentence."""
    head = " ".join(each for each in (at.isoformat(timespec="seconds"), who, address) if each)
    told = sentence(what, spoken())
    return f"{head} {what}" + (f"  # {told}" if told != str(what) else "")


def _download(request: Request, found: LogLines | AuditLines, name: str, lines: list[str]) -> HttpResponse:
    if request.GET["download"] == "json":
        body, kind, ending = msgspec.json.format(msgspec.json.encode(found)), "application/json", "json"
    else:
        body, kind, ending = "\n".join([*lines, ""]).encode(), "text/plain; charset=utf-8", "log"
    host = request.agent.status().host
    return HttpResponse(
        body,
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="beistand-{name}-{_file_name(host)}.{ending}"'
        },
    )


def _file_name(host: str) -> str:
    return (
        "".join(each for each in host if each.isascii() and (each.isalnum() or each in "-.")) or "appliance"
    )
