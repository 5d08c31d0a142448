"""The overview: is there a standby that could take over now, and with what?"""

from django.http.response import HttpResponseBase
from django.shortcuts import render

from beistand.web.asking import Request
from beistand.web.rights import for_viewers


@for_viewers
def overview(request: Request) -> HttpResponseBase:
    return render(request, "overview.html", {"status": request.agent.status()})
