"""What a person has ticked and typed on the takeover page, and what of it still holds when the plan changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from beistand.domain.facts import Finding, Severity
from beistand.domain.message import Message, message
from beistand.protocol import TakeoverPlanAnswer
from beistand.web.situation import REPLUG

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
    replugged: frozenset[str] = frozenset()

    @property
    def was_shown(self) -> bool:
        return bool(self.digest)


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
    """Return the codes that were accepted; everything to be replugged has to be ticked for its one."""
    codes = [each.finding.code for each in asked if each.is_given]
    if set(plan.replug) <= consent.replugged:
        codes += [each.code for each in plan.findings if each.code == REPLUG]
    return tuple(codes)


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
