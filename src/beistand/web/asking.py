"""What a view gets: Django's request, the agent, and who asks."""

from django.http import HttpRequest

from beistand.domain.account import AccountRole
from beistand.domain.message import Message
from beistand.protocol import AccountView
from beistand.web.agent_link import AgentLink


class Request(HttpRequest):
    """A request as AgentMiddleware hands it on."""

    agent: AgentLink
    account: AccountView | None
    told: list[Message]
    """What went wrong, to be shown at the top of this very page."""
    own_password_problem: Message | None
    """Why the form on this page wants the password of the person, or wants it again."""


def is_administrator(request: Request) -> bool:
    return request.account is not None and request.account.role is AccountRole.ADMINISTRATOR
