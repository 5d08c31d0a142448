"""What the other appliance said that was not believed: told until it says the same kind of thing rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.agent.log import log_message
from beistand.domain.config_check import config_problem
from beistand.domain.errors import Refused
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import message
from beistand.domain.role import POSSIBLE_EPOCH, is_believable
from beistand.domain.settings_check import is_step, settings_problem
from beistand.domain.words import word_problem

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.config import ModuleConfig
    from beistand.domain.message import Message
    from beistand.domain.pair import Greeting
    from beistand.domain.settings import PairSettings
    from beistand.domain.value import Value

REMEMBERED_SECONDS = 3600.0
"""So long a word is told that was not followed by a right one of its kind: a person looks at it once an hour."""


class PeerWords:
    """The peer is believed within what it may decide; its words pass the same checks as a person's."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._refused: dict[str, tuple[Message, float]] = {}

    def check(self, request: Value) -> None:
        """Check a request of the peer, or its answer. Raises Refused `peer-word-absurd`."""
        kind = type(request).__name__
        self._judge("words", kind, word_problem(request))

    def check_config(self, config: ModuleConfig) -> None:
        """Raise Refused as the form of the module configuration does, and `revision-jump`."""
        known = self._agent.store.config().revision
        self._judge("config", "config", config_problem(config) or _jump(known, config.revision))

    def check_settings(self, settings: PairSettings) -> None:
        """Raise Refused as the pages of accounts and mails do, `verifier-not-bearable`, `revision-jump`."""
        known = self._agent.store.settings().revision
        problem = settings_problem(settings, self._agent.wiring.passwords.is_bearable)
        self._judge("settings", "settings", problem or _jump(known, settings.revision))

    def check_claim(self, epoch: int) -> None:
        """Check the number that the peer wants to take over with. Raises Refused `epoch-jump`."""
        known = self._agent.store.standing().epoch
        is_near = is_believable(known, epoch)
        self._judge(
            "epoch", "epoch", None if is_near else message("epoch-jump", told=str(epoch), known=known)
        )

    def hear(self, greeting: Greeting) -> None:
        """Note a number that is not believed: it is not adopted, and nobody withdraws for it (domain/boot.py)."""
        told = max(greeting.grant.epoch if greeting.grant else 0, greeting.claims)
        known = self._agent.store.standing().epoch
        if is_believable(known, told):
            self._refused.pop("epoch", None)
        else:
            self._note("epoch", message("epoch-jump", told=str(told), known=known))

    def findings(self) -> tuple[Finding, ...]:
        """Return what was not believed within the last hour, and a number of our own that no click can be above."""
        now = self._agent.clock.monotonic()
        found = [
            Finding(code="peer-not-believed", severity=Severity.BLOCK, fields={"what": what, "why": str(why)})
            for what, (why, at) in sorted(self._refused.items())
            if now - at < REMEMBERED_SECONDS
        ]
        epoch = self._agent.store.standing().epoch
        if epoch > POSSIBLE_EPOCH:
            found.append(
                Finding(code="epoch-impossible", severity=Severity.BLOCK, fields={"epoch": str(epoch)})
            )
        return tuple(found)

    def _judge(self, what: str, kind: str, problem: Message | None) -> None:
        if problem is None:
            known = self._refused.get(what)
            if known is not None and (what != "words" or kind in str(known[0].fields.get("place"))):
                del self._refused[what]
            return
        self._note(what, problem)
        raise Refused(problem.code, **problem.fields)

    def _note(self, what: str, why: Message) -> None:
        if self._agent.complaints.is_new(f"peer-{what}", str(why)):
            log_message(why, "error")
        self._refused[what] = (why, self._agent.clock.monotonic())


def _jump(known: int, told: int) -> Message | None:
    return None if is_step(known, told) else message("revision-jump", told=str(told), known=known)
