"""Admin → Erweiterte Einstellungen → Redundanz: the takeover (S19 to S21), usable with half of the network dead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from beistand.client import Told
from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding
from beistand.domain.job import GIVE_WAY, Job, JobKind
from beistand.domain.message import Message, message
from beistand.domain.phones import reached_message
from beistand.protocol import (
    Done,
    GenerationList,
    ListGenerations,
    PlanTakeover,
    RetryService,
    StartTakeover,
    Status,
    TakeoverPlanAnswer,
)
from beistand.text import term
from beistand.text.catalogue import entries
from beistand.web.answers import see_other
from beistand.web.choosing import decision, page_there, peer_name
from beistand.web.consent import (
    Consent,
    Question,
    accepted,
    changes,
    lines,
    needs_typing,
    questions,
    shown_codes,
    stay_dead,
    still_open,
)
from beistand.web.rights import for_administrators
from beistand.web.situation import situation
from beistand.web.telling import notice, spoken

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

from beistand.web.asking import Request

SEEN_SECONDS = 20.0
"""The page shows at once what the agent's watch saw within that time, and says how long ago that was."""
POLL_SECONDS = 3.0
PLAN_SECONDS = 5.0
"""A slow agent is not waited for any longer: the page says that it is what it waits for."""
START_SECONDS = 60.0
"""The agent may look around once more before it accepts the click."""
WRONG_PASSWORD = ("log-in-wrong", "wrong-password")
PROVEN = "proven"
"""Field of the form: the password came with the one before, and was right."""
RETRY_STATES = ("held", "active-failed", "released")
"""This appliance has the grant and does not serve: one click makes it try (I7)."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What became of the password that came with the form."""

    is_right: bool = False
    """It need not be typed again for a while."""
    problem: Message | None = None


UNPROVEN = Proof()


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def takeover(request: Request) -> HttpResponseBase:
    status = request.agent.status()
    elsewhere = _elsewhere(status, request.POST.get("seen") if request.method == "POST" else None)
    if elsewhere is not None:
        return see_other("takeover-progress", elsewhere.id)
    if request.method != "POST":
        return _page(request, status, Consent(restore_point=request.GET.get("restore_point", "")))
    if request.POST.get("act") == "retry":
        return _retry(request, status)
    consent = _consent(request)
    if request.POST.get("act") == "look":
        return _again(request, status, consent)
    return _start(request, status, consent)


@require_GET
@for_administrators
def evidence(request: Request) -> HttpResponseBase:
    """The part of the page that is looked at again and again."""
    status = request.agent.status()
    elsewhere = _elsewhere(status, request.GET.get("seen"))
    if elsewhere is not None:
        return render(request, "parts/takeover_elsewhere.html", {"job": elsewhere})
    try:
        plan = _plan(request, request.GET.get("restore_point", ""), POLL_SECONDS)
    except BeistandError as error:
        return render(request, "parts/takeover_evidence.html", {"missing": error.message})
    return render(request, "parts/takeover_evidence.html", _evidence(status, plan))


def _elsewhere(status: Status, seen: str | None) -> Job | None:
    """Return the takeover that is under way, or that began since this page was shown: one job for all (F16).

    `seen` names the newest one of that moment, empty where there was none; None: nothing was shown before. A
    takeover may be over before a page looks again.
    """
    newest = status.newest_takeover
    if status.job is not None and status.job.kind is JobKind.TAKEOVER:
        return status.job
    return newest if newest is not None and seen is not None and newest.id != seen else None


def _consent(request: Request) -> Consent:
    given = request.POST
    return Consent(
        restore_point=given.get("restore_point", ""),
        digest=given.get("digest", ""),
        shown_verdict=given.get("shown_verdict", ""),
        shown_codes=frozenset(given.get("shown_codes", "").split()),
        shown_generation=given.get("shown_generation", ""),
        ticked=frozenset(given.getlist("accept")),
        typed={
            name.removeprefix("word-"): str(text) for name, text in given.items() if name.startswith("word-")
        },
        replug={
            name.removeprefix("replug-"): str(text)
            for name, text in given.items()
            if name.startswith("replug-")
        },
    )


def _plan(request: Request, restore_point: str, within_seconds: float) -> TakeoverPlanAnswer:
    asked = PlanTakeover(restore_point=restore_point, within_seconds=within_seconds)
    return request.agent.ask(asked, TakeoverPlanAnswer, PLAN_SECONDS)


def _asked(status: Status, plan: TakeoverPlanAnswer, consent: Consent) -> tuple[Question, ...]:
    def wording(finding: Finding) -> tuple[Message, str]:
        fields = {**finding.fields, "peer": peer_name(status), "age": plan.age_seconds or 0.0}
        risk = _first_known(f"web.takeover.risk.{finding.code}", finding.code)
        word = _first_known(f"web.takeover.word.{finding.code}", "web.takeover.word")
        return Message(code=risk, fields=fields), term(word, spoken()) if needs_typing(finding) else ""

    return questions(plan, consent, wording)


def _first_known(*codes: str) -> str:
    """Return the first code that the catalogue has, else the last."""
    return next((each for each in codes if each in entries(spoken())), codes[-1])


def _evidence(status: Status, plan: TakeoverPlanAnswer) -> dict[str, Any]:
    seen = (datetime.now(UTC) - plan.facts.at).total_seconds()
    return {
        "plan": plan,
        "phones": reached_message(len(plan.phones), len(plan.phones_later)),
        "situation": situation(plan, peer_name(status), status.service_address, seen),
        "status": status,
    }


def _page(
    request: Request,
    status: Status,
    consent: Consent,
    *,
    within_seconds: float = SEEN_SECONDS,
    is_refused: bool = False,
    proof: Proof = UNPROVEN,
) -> HttpResponse:
    values: dict[str, Any] = {
        "status": status,
        "peer": peer_name(status),
        "own_ip": status.own_address.partition("/")[0],
        "can_retry": status.state in RETRY_STATES,
        "peer_page": page_there(status, "takeover"),
        "decision": decision(status),
        "has_standby": all(each.code != "no-standby" for each in status.findings),
    }
    try:
        plan = _plan(request, consent.restore_point, within_seconds)
        generations = request.agent.ask(ListGenerations(), GenerationList, PLAN_SECONDS)
    except BeistandError as error:
        values["missing"] = error.message
        return render(request, "takeover.html", values)
    values |= (
        _evidence(status, plan)
        | _decision(status, plan, consent)
        | {
            "restore_points": generations.restore_points,
            "is_refused": is_refused,
            "password_problem": proof.problem,
            "is_proven": proof.is_right,
        }
    )
    return render(request, "takeover.html", values)


def _decision(status: Status, plan: TakeoverPlanAnswer, consent: Consent) -> dict[str, Any]:
    """Return what a person is asked, and what they have answered."""
    hard, replug = shown_codes(plan), lines(plan, consent)
    job = status.job
    return {
        "consent": consent,
        "questions": _asked(status, plan, consent),
        "changes": changes(plan, consent),
        "replug": replug,
        "unanswered": [each for each in replug if not each.answer],
        "notes": [each for each in plan.findings if each.code not in hard],
        "refusals": [each for each in plan.findings if each.code in hard and not each.acceptable],
        "shown_codes": " ".join(sorted(hard)),
        "is_old": bool({"data-old", "data-age-unknown"} & set(hard)),
        "blocking_job": job if job and job.kind not in GIVE_WAY else None,
        "start_seconds": START_SECONDS,
    }


def _start(request: Request, status: Status, consent: Consent) -> HttpResponse:
    try:
        plan = _plan(request, consent.restore_point, SEEN_SECONDS)
    except BeistandError:
        return _again(request, status, consent)
    codes = accepted(plan, _asked(status, plan, consent), consent)
    if plan.digest != consent.digest:
        return _again(request, status, consent)
    if still_open(plan, codes):
        return _again(request, status, consent, is_refused=True)
    assert request.account is not None
    asked = StartTakeover(
        digest=consent.digest,
        accept=codes,
        operator=request.account.name,
        restore_point=consent.restore_point,
        stay_dead=stay_dead(plan, consent),
    )
    try:
        with request.agent.confirmed(
            request.POST.get("password", ""), is_recent=PROVEN in request.POST
        ) as agent:
            job = agent.ask(asked, Job, START_SECONDS)
    except Told as refused:
        return _refused(request, status, consent, refused)
    return see_other("takeover-progress", job.id)


def _again(request: Request, status: Status, consent: Consent, *, is_refused: bool = False) -> HttpResponse:
    """Show the page again. A right password that came with the form need not be typed again for two minutes."""
    return _page(request, status, consent, is_refused=is_refused, proof=_proof(request))


def _proof(request: Request) -> Proof:
    password = request.POST.get("password", "")
    if not password:
        return Proof(is_right=PROVEN in request.POST)
    try:
        with request.agent.confirmed(password):
            return Proof(is_right=True)
    except Told as refused:
        proof = _at_password(refused)
        if proof is UNPROVEN:
            request.told.append(refused.message)
        return proof


def _at_password(refused: Told) -> Proof:
    """Return what is told at the field of the password; nothing where the refusal is about something else."""
    if refused.message.code in WRONG_PASSWORD:
        return Proof(problem=message("web.takeover.password.wrong"))
    if refused.message.code == "needs-password":
        return Proof(problem=message("web.takeover.password.old"))
    return UNPROVEN


def _refused(request: Request, status: Status, consent: Consent, refused: Told) -> HttpResponse:
    fields = refused.message.fields
    if refused.message.code == "job-running" and fields.get("kind") == JobKind.TAKEOVER:
        return see_other("takeover-progress", str(fields.get("job", "")))
    if refused.message.code in ("already-active", "plan-changed"):
        # The agent looked at it after the password, which was right.
        return _page(request, status, consent, within_seconds=POLL_SECONDS, proof=Proof(is_right=True))
    proof = _at_password(refused)
    if proof is not UNPROVEN:
        return _page(request, status, consent, proof=proof)
    request.told.append(refused.message)
    return _page(request, status, consent)


def _retry(request: Request, status: Status) -> HttpResponse:
    try:
        with request.agent.confirmed(request.POST.get("password", "")) as agent:
            agent.ask(RetryService(), Done)
    except Told as refused:
        request.told.append(refused.message)
        return _page(request, status, Consent())
    notice(request, "web.takeover.retry.done")
    return see_other("takeover")
