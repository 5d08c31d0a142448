"""Says things: sentences by code in the reader's language, failures on the same page, notices on the next one."""

from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import get_language

from beistand.domain.errors import BeistandError
from beistand.domain.message import Field, Message
from beistand.text import term
from beistand.web.asking import Request

NOTICES = "notices"


def spoken() -> str:
    """Return the language of the request that is being answered: `en` or `de`."""
    return (get_language() or "en")[:2]


def say(_request: HttpRequest, code: str, **fields: Field) -> str:
    """Return the interface's words for this code."""
    return term(code, spoken(), **fields)


def say_now(code: str, **fields: Field) -> str:
    """Return the words for a code where no request is at hand: in a form that is being checked."""
    return term(code, spoken(), **fields)


label = lazy(say_now, str)
"""The words for a code, decided when they are shown: for fields of forms, which are made once."""


def told(request: Request, error: BeistandError) -> None:
    """Show sentence and hint at the top of the page that answers this request."""
    request.told.append(error.message)


def notice(request: Request, code: str, **fields: Field) -> None:
    """Show this once, on the next page: what was asked for has been done."""
    request.session[NOTICES] = [*request.session.get(NOTICES, []), {"code": code, "fields": fields}]


def notices(request: Request) -> list[Message]:
    """Return what waits to be shown, and forget it."""
    waiting = request.session.pop(NOTICES, []) if NOTICES in request.session else []
    return [Message(code=each["code"], fields=each["fields"]) for each in waiting]
