"""Local backups, as the agent makes, lists and reads them (S14)."""

from beistand.agent.acts import Acts
from beistand.agent.agent import Agent


def acts(agent: Agent) -> Acts:  # noqa: ARG001
    """Return what is done for each request of this family."""
    return {}
