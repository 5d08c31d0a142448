"""Network: addresses of both appliances, the certificate of these pages, and the prerequisites (S3, S4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_GET

from beistand.protocol import GetNetwork, NetworkView
from beistand.web.rights import for_viewers

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from beistand.web.asking import Request


@require_GET
@for_viewers
def network(request: Request) -> HttpResponseBase:
    view = request.agent.ask(GetNetwork(), NetworkView)
    values = {
        "view": view,
        "status": request.agent.status(),
        "broken": sum(1 for each in view.checks if each.finding is not None),
    }
    return render(request, "network.html", values)
