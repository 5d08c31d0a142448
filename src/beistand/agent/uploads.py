"""The seed by upload, as the agent receives, checks and imports it (S16)."""

from beistand.agent.acts import Acts
from beistand.agent.agent import Agent


def acts(agent: Agent) -> Acts:  # noqa: ARG001
    """Return what is done for each request of this family."""
    return {}
