"""Where a person comes to after a job was started."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse

from beistand.domain.job import Job
from beistand.web.answers import SeeOther


def see_job(job: Job, following: str) -> HttpResponse:
    """Send the browser to the progress of a job, and from there to the page `following`, a name of urls.py."""
    return SeeOther(f"/jobs/{job.id}/?{urlencode({'next': reverse(following)})}")
