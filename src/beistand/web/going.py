"""Where a person comes to after a job was started."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse

from beistand.web.answers import see_other


def see_job(job: str, following: str) -> HttpResponse:
    """Send the browser to the progress of the job with this id, and from there to the page `following`.

    It is a name of urls.py, or a local path.
    """
    return see_other(f"{reverse('job', args=[job])}?{urlencode({'next': resolve_url(following)})}")
