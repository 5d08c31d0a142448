"""What a person says to the findings of a takeover plan: by options, or when asked at the terminal."""

from dataclasses import dataclass, replace

from beistand.cli.console import Console
from beistand.domain.errors import Refused
from beistand.domain.finding import Finding
from beistand.domain.safety import FOREIGN, REPLUG, not_accepted
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
    forged: str = ""
    """MAC of a stranger at the service address that is a forgery."""

    def of(self, plan: TakeoverPlanAnswer) -> "Answers":
        """Return the same for this plan: `all` becomes its lines, and whoever named every line has answered for all."""
        dead = plan.replug if ALL in self.stay_dead else self.stay_dead
        answered = (REPLUG,) if plan.replug and set(plan.replug) <= set(dead) else ()
        return replace(self, accept=tuple(dict.fromkeys((*self.accept, *answered))), stay_dead=dead)


def decide(console: Console, plan: TakeoverPlanAnswer, given: Answers, *, yes: bool) -> Answers:
    """Return everything that was accepted, the rest by typing it.

    Raises Refused when the takeover must not or shall not run.
    """
    answers = given.of(plan)
    still_open = not_accepted(plan.findings, answers.accept, answers.forged)
    if console.is_interactive and [each.code for each in still_open if not each.acceptable] == [FOREIGN]:
        answers = _overlooked(console, plan, answers)
        still_open = not_accepted(plan.findings, answers.accept, answers.forged)
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
    return replace(answers, accept=(*answers.accept, finding.code))


def _overlooked(console: Console, plan: TakeoverPlanAnswer, answers: Answers) -> Answers:
    """Ask for the MAC of the stranger; what speaks for a forgery stands among the findings of the plan."""
    mac = plan.facts.holder_mac
    said = console.ask("cli.takeover.ask-forged", mac=mac, default="")
    return replace(answers, forged=mac) if said.strip().lower() == mac.lower() else answers


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
    return replace(answers, accept=(*answers.accept, REPLUG), stay_dead=tuple(dead))
