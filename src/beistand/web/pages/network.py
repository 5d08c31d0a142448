"""Network: addresses of both appliances, the certificate of these pages, and the prerequisites (S3, S4)."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_GET

from beistand.protocol import GetNetwork, NetworkView
from beistand.web.rights import for_viewers
from beistand.web.state import state_folder

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
        "fingerprint": _fingerprint(),
    }
    return render(request, "network.html", values)


def _fingerprint() -> str:
    """Return the SHA-256 of the certificate as browsers show it; empty where there is none to read."""
    try:
        text = (state_folder() / "tls" / "cert.pem").read_text()
        found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest().upper()
    except (OSError, ValueError):
        return ""
    return ":".join(found[at : at + 2] for at in range(0, len(found), 2))
