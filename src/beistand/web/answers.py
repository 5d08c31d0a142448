"""Answers that Django has no word for."""

from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url


class SeeOther(HttpResponseRedirect):
    """303: what was sent is done; look there. A reload of that page sends nothing again."""

    status_code = 303


def see_other(to: str, *args: str) -> SeeOther:
    """Return a redirect after a POST, to a url name with its arguments or to a local path."""
    return SeeOther(resolve_url(to, *args))
