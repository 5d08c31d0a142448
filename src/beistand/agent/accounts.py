"""Accounts, sessions, tokens and the one-time code, as the agent answers for them."""

from beistand.agent.acts import Acts
from beistand.agent.agent import Agent


def acts(agent: Agent) -> Acts:  # noqa: ARG001
    """Return what is done for each request of this family."""
    return {}
