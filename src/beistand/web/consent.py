"""What a person has ticked and typed on the takeover page, and what of it still holds when the plan changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message, message
from beistand.domain.safety import REPLUG
from beistand.protocol import TakeoverPlanAnswer

DEAD = "dead"
ANSWERS = ("done", DEAD)
TYPED = ("data-old", "data-age-unknown")
"""Beside every override of a STOP: data above the limit is confirmed by typing, too (F28)."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """What came with the form; empty before anybody sent it."""

    restore_point: str = ""
    digest: str = ""
    shown_verdict: str = ""
    shown_codes: frozenset[str] = frozenset()
    shown_generation: str = ""
    ticked: frozenset[str] = frozenset()
    typed: Mapping[str, str] = field(default_factory=dict)
    replug: Mapping[str, str] = field(default_factory=dict)
    """What became of each line to be replugged: `done` or `dead`."""

    @property
    def was_shown(self) -> bool:
        return bool(self.digest)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line to be replugged by hand, and what a person said of it."""

    number: int
    """Its place in the list, from 1."""
    name: str
    answer: str
    """`done`: it is plugged in here; `dead`: nobody can, so it stays dead; empty: nothing yet."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A finding that needs a person's word, and whether it was given."""

    finding: Finding
    risk: Message
    """What is accepted, in words of the page."""
    word: str
    """To be typed; empty: a tick is enough."""
    given: str
    """What was typed so far."""
    is_given: bool
    is_new: bool
    """It was not there when the page was shown before."""

    @property
    def pattern(self) -> str:
        """Return what a browser takes before it sends the form: the word, in capitals or not, as below."""
        signs = (f"[{each.upper()}{each.lower()}]" if each.isalpha() else each for each in self.word)
        return rf"\s*{''.join(signs)}\s*"


def questions(
    plan: TakeoverPlanAnswer, consent: Consent, wording: Callable[[Finding], tuple[Message, str]]
) -> tuple[Question, ...]:
    """Return what has to be accepted by itself; `wording` gives the risk and what is typed, if anything is."""
    return tuple(
        _question(each, plan, consent, wording(each))
        for each in plan.findings
        if each.severity in (Severity.BLOCK, Severity.CONFIRM) and each.acceptable and each.code != REPLUG
    )


def needs_typing(finding: Finding) -> bool:
    """Tell whether a tick is too little for this risk."""
    return finding.severity is Severity.BLOCK or finding.code in TYPED


def _question(
    finding: Finding, plan: TakeoverPlanAnswer, consent: Consent, wording: tuple[Message, str]
) -> Question:
    risk, word = wording
    # Whoever accepted that one generation is old has not accepted that another one is.
    holds = finding.code not in TYPED or consent.shown_generation == _generation(plan)
    given = consent.typed.get(finding.code, "").strip() if holds else ""
    is_given = given.casefold() == word.casefold() if word else holds and finding.code in consent.ticked
    is_new = consent.was_shown and finding.code not in consent.shown_codes
    return Question(finding=finding, risk=risk, word=word, given=given, is_given=is_given, is_new=is_new)


def accepted(plan: TakeoverPlanAnswer, asked: tuple[Question, ...], consent: Consent) -> tuple[str, ...]:
    """Return the codes that were accepted; each line to be replugged has to be answered for its one."""
    codes = [each.finding.code for each in asked if each.is_given]
    if all(each.answer for each in lines(plan, consent)):
        codes += [each.code for each in plan.findings if each.code == REPLUG]
    return tuple(codes)


def lines(plan: TakeoverPlanAnswer, consent: Consent) -> tuple[Line, ...]:
    """Return the lines to be replugged, with their answers."""
    given = ((each, consent.replug.get(each, "")) for each in plan.replug)
    return tuple(
        Line(number=number, name=name, answer=answer if answer in ANSWERS else "")
        for number, (name, answer) in enumerate(given, start=1)
    )


def stay_dead(plan: TakeoverPlanAnswer, consent: Consent) -> tuple[str, ...]:
    """Return the lines that nobody can replug."""
    return tuple(each.name for each in lines(plan, consent) if each.answer == DEAD)


def still_open(plan: TakeoverPlanAnswer, codes: tuple[str, ...]) -> tuple[Finding, ...]:
    """Return what stands against the takeover all the same."""
    return tuple(
        each
        for each in plan.findings
        if each.severity in (Severity.BLOCK, Severity.CONFIRM)
        and not (each.acceptable and each.code in codes)
    )


def changes(plan: TakeoverPlanAnswer, consent: Consent) -> tuple[Message, ...]:
    """Return what is another than when the page was shown; empty where the same would happen."""
    if not consent.was_shown or consent.digest == plan.digest:
        return ()
    found = []
    if consent.shown_verdict != plan.verdict.value:
        found.append(message("web.takeover.changed.verdict"))
    if consent.shown_generation != _generation(plan):
        found.append(message("web.takeover.changed.generation"))
    codes = shown_codes(plan)
    if codes - consent.shown_codes:
        found.append(message("web.takeover.changed.more", count=len(codes - consent.shown_codes)))
    if consent.shown_codes - codes:
        found.append(message("web.takeover.changed.fewer", count=len(consent.shown_codes - codes)))
    return tuple(found) or (message("web.takeover.changed.steps"),)


def shown_codes(plan: TakeoverPlanAnswer) -> frozenset[str]:
    """Return the codes of what stands against the takeover, for the form to bring back."""
    return frozenset(
        each.code for each in plan.findings if each.severity in (Severity.BLOCK, Severity.CONFIRM)
    )


def _generation(plan: TakeoverPlanAnswer) -> str:
    return plan.generation.id if plan.generation else ""
