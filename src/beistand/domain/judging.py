"""Many parts looked at one by one: what fails of one hides nothing of the others, and is itself a finding.

What a part chokes on may come from the other appliance, or from a file of the telephone system. A person who asks
how things are gets every answer there is, and the name of the part that has none.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message, message

NOT_JUDGED = "not-judged"
"""What a part that failed becomes. Its severity is that of the worst that its silence could hide."""
EVIDENCE_NOT_JUDGED = "evidence-not-judged"
"""The same of what protects from two appliances that serve: it stops a takeover as the rule itself would."""
T = TypeVar("T")
Tell = Callable[[str, Exception], Message]
"""Gets the part and what it raised; returns what a person is told of the reason. The agent's also logs it."""


def plainly(_part: str, error: Exception) -> Message:
    """Return the reason where nothing is logged."""
    if isinstance(error, BeistandError):
        return error.message
    return message("rule-broke", kind=type(error).__name__)


class Judging:
    """One look at many parts; `failed` has a finding for each that could not be judged."""

    def __init__(self, tell: Tell = plainly) -> None:
        self._tell = tell
        self.failed: list[Finding] = []

    def part(
        self,
        name: str,
        look: Callable[[], T],
        otherwise: T,
        severity: Severity = Severity.BLOCK,
        *,
        code: str = NOT_JUDGED,
        acceptable: bool = True,
    ) -> T:
        """Return what `look` returns, or `otherwise` where it fails; `part.<name>` in the catalogue names it."""
        try:
            return look()
        except Exception as error:  # noqa: BLE001  one part must not silence all others
            fields = {"part": name, "why": str(self._tell(name, error))}
        finding = Finding(code=code, severity=severity, fields=dict(fields), acceptable=acceptable)
        if finding not in self.failed:
            self.failed.append(finding)
        return otherwise

    def findings(
        self, name: str, look: Callable[[], Iterable[Finding]], severity: Severity = Severity.BLOCK
    ) -> tuple[Finding, ...]:
        """Return the findings of a part; none where it fails, which `failed` then tells."""
        return self.part(name, lambda: tuple(look()), (), severity)

    def rule(
        self, name: str, look: Callable[[], Finding | None], severity: Severity = Severity.BLOCK
    ) -> tuple[Finding, ...]:
        """Return the finding of one rule, if there is one."""
        found = self.part(name, look, None, severity)
        return () if found is None else (found,)
