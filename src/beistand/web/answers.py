"""Answers that Django has no word for."""

from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url


class SeeOther(HttpResponseRedirect):
    """303, with a GET whatever came here: a reload of the page it leads to sends nothing again."""

    status_code = 303


def see_other(to: str, *args: str) -> SeeOther:
    """Return the one redirect of these pages, to a url name with its arguments or to a local path."""
    return SeeOther(resolve_url(to, *args))
