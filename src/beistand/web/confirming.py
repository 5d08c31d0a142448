"""Asks with the password that a person gave beside what they want done: the agent checks it."""

from typing import TypeVar

from beistand.client import USUAL_SECONDS
from beistand.domain.errors import BeistandError
from beistand.domain.value import Value
from beistand.web.asking import Request
from beistand.web.telling import told

T = TypeVar("T")
FIELD = "own_password"
WANTED = "change-needs-password"
"""The agent's word where a change of the configuration makes the pair weaker (domain/weakening.py)."""
WRONG = ("log-in-wrong", "wrong-password", "too-many-tries")


def ask_surely(request: Request, asked: Value, answer: type[T], seconds: float = USUAL_SECONDS) -> T:
    """Return the answer. Raises Told also where the password is missing or wrong: then nothing was done."""
    password = request.POST.get(FIELD, "")
    if not password:
        return request.agent.ask(asked, answer, seconds)
    with request.agent.confirmed(password) as agent:
        return agent.ask(asked, answer, seconds)


def tell_refusal(request: Request, error: BeistandError) -> None:
    """Tell at the top why nothing was done; where the password was it, its field is there, and says so, too."""
    told(request, error)
    why = error.message
    if why.code == WANTED or (why.code in WRONG and FIELD in request.POST):
        request.own_password_problem = why
