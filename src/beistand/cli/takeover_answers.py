"""What a person says to the findings of a takeover plan: by options, or when asked at the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from beistand.cli.console import Console
from beistand.domain.errors import Refused
from beistand.domain.facts import Finding, Severity
from beistand.domain.safety import REPLUG
from beistand.protocol import TakeoverPlanAnswer

ALL = "all"
"""Stands for every line of the plan."""
DONE, DEAD = "done", "dead"
"""What is typed for a line: it was replugged, or nobody can."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    accept: tuple[str, ...] = ()
    """Codes of findings."""
    stay_dead: tuple[str, ...] = ()
    """Lines that nobody can replug now."""

    def of(self, plan: TakeoverPlanAnswer) -> "Answers":
        """Return the same for this plan: `all` becomes its lines, and whoever named every line has answered for all."""
        dead = plan.replug if ALL in self.stay_dead else self.stay_dead
        answered = (REPLUG,) if plan.replug and set(plan.replug) <= set(dead) else ()
        return Answers(accept=tuple(dict.fromkeys((*self.accept, *answered))), stay_dead=dead)


def open_findings(findings: Sequence[Finding], accepted: Sequence[str]) -> list[Finding]:
    """Return what still stands against the takeover."""
    hard = (Severity.BLOCK, Severity.CONFIRM)
    return [
        each for each in findings if each.severity in hard and not (each.acceptable and each.code in accepted)
    ]


def decide(console: Console, plan: TakeoverPlanAnswer, given: Answers, *, yes: bool) -> Answers:
    """Return everything that was accepted, the rest by typing it.

    Raises Refused when the takeover must not or shall not run.
    """
    answers = given.of(plan)
    still_open = open_findings(plan.findings, answers.accept)
    hard = [each for each in still_open if not each.acceptable]
    if hard or (still_open and not console.is_interactive):
        codes = ", ".join(each.code for each in hard or still_open)
        raise Refused("takeover-not-acceptable" if hard else "takeover-not-accepted", codes=codes)
    for each in still_open:
        answers = (
            _replugged(console, plan, answers) if each.code == REPLUG else _typed(console, answers, each)
        )
    if yes:
        return answers
    if not console.is_interactive:
        raise Refused("takeover-not-confirmed", digest=plan.digest)
    if not console.confirm("cli.takeover.ask"):
        raise Refused("takeover-declined")
    return answers


def _typed(console: Console, answers: Answers, finding: Finding) -> Answers:
    console.findings([finding])
    if console.ask("cli.takeover.ask-code") != finding.code:
        raise Refused("takeover-not-accepted", codes=finding.code)
    return Answers(accept=(*answers.accept, finding.code), stay_dead=answers.stay_dead)


def _replugged(console: Console, plan: TakeoverPlanAnswer, answers: Answers) -> Answers:
    """Ask for each line that was not named yet."""
    dead = list(answers.stay_dead)
    for line in plan.replug:
        if line in dead:
            continue
        said = console.ask("cli.takeover.ask-line", line=line)
        if said not in (DONE, DEAD):
            raise Refused("takeover-not-accepted", codes=REPLUG)
        if said == DEAD:
            dead.append(line)
    return Answers(accept=(*answers.accept, REPLUG), stay_dead=tuple(dead))
