"""What the takeover page says about the evidence: a level, a sentence, and a row for everything that was looked at."""

from dataclasses import dataclass

from beistand.domain.facts import Facts, PeerSigns, Verdict
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message, message
from beistand.domain.safety import REPLUG
from beistand.protocol import TakeoverPlanAnswer

STOPS = ("stop", "never")
QUIET = ("silent", "free")
"""Answers that say nothing where this appliance hears nobody."""
OF_THE_DATA = ("no-imported-generation", "own-data", "data-old", "data-age-unknown")
CURES = ("peer-holds", "isolated", "foreign")
"""Verdicts that say by themselves what to do first."""
FALLS_SILENT = "peer-falls-silent"
"""No verdict of its own: some seconds between a cord that was pulled and a connection that is known to be dead."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that was looked at."""

    about: Message
    answer: str
    """`web.takeover.answer.<answer>` is its word."""
    tone: str = "plain"
    """`good`: as it is where a takeover is right, `bad`: it speaks against one, `plain`: it says nothing."""
    more: Message | None = None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The plan as a person reads it."""

    level: str
    """`go`, `caution`, `stop` or `never`: the worst of what was found."""
    sentence: Message
    advice: Message
    reasons: tuple[Message, ...]
    """Why the level is no better, beside what the sentence says: what is wrong with the data."""
    rows: tuple[Row, ...]
    seen_seconds: float
    """How long ago the network was looked at."""


def situation(plan: TakeoverPlanAnswer, peer: str, address: str, seen_seconds: float) -> Situation:
    """Return what the plan amounts to; `peer` is the name of the other appliance, `address` the service address."""
    level = _level(plan.findings)
    case = plan.verdict.value
    if plan.verdict is Verdict.PEER_ALIVE and _falls_silent(plan.facts.peer):
        case, level = FALLS_SILENT, "caution" if level == "go" else level
    if plan.verdict is Verdict.PARTITION and not plan.facts.phones_known:
        case = "no-witness"
    if plan.verdict is Verdict.PEER_HOLDS and plan.facts.peer.agent:
        case = "peer-works"
    return Situation(
        level=level,
        sentence=message(f"web.takeover.verdict.{case}", peer=peer, address=address),
        advice=message(
            f"web.takeover.advice.{case if case == FALLS_SILENT or (level in STOPS and case in CURES) else level}"
        ),
        reasons=tuple(
            message(f"web.takeover.reason.{each.code}", peer=peer, age=plan.age_seconds or 0.0)
            for each in plan.findings
            if each.code in OF_THE_DATA
        ),
        rows=_rows(plan.facts, peer, address),
        seen_seconds=max(0.0, seen_seconds),
    )


def _falls_silent(peer: PeerSigns) -> bool:
    """Tell whether only the connection from before is left: where ARP goes unanswered, nobody can be there."""
    return peer.agent and not (peer.arp or peer.icmp or peer.ssh)


def _level(findings: tuple[Finding, ...]) -> str:
    hard = [each for each in findings if each.code != REPLUG]
    if any(each.severity is Severity.BLOCK and not each.acceptable for each in hard):
        return "never"
    if any(each.severity is Severity.BLOCK for each in hard):
        return "stop"
    return "caution" if any(each.severity is Severity.CONFIRM for each in hard) else "go"


def _rows(facts: Facts, peer: str, address: str) -> tuple[Row, ...]:
    # Silence counts only beside a positive control (DESIGN "Evidence"): who is cut off hears nobody.
    is_deaf = not (facts.carrier and (facts.gateway or facts.phones_answering))
    found = _looked_at(facts, peer, address)
    return tuple(
        _unknown(each) if is_deaf and each.answer in QUIET and each.tone == "good" else each for each in found
    )


def _unknown(row: Row) -> Row:
    return Row(about=row.about, answer="unknown", more=row.more)


def _looked_at(facts: Facts, peer: str, address: str) -> tuple[Row, ...]:
    return (
        Row(
            about=message("web.takeover.row.carrier"),
            answer="linked" if facts.carrier else "unlinked",
            tone="good" if facts.carrier else "bad",
        ),
        _gateway(facts),
        _phones(facts),
        _holder(facts, peer, address),
        *(
            _sign(f"web.takeover.row.{layer}", peer, is_there=getattr(facts.peer, layer))
            for layer in ("arp", "icmp", "ssh", "agent")
        ),
        _sign("web.takeover.row.sip", address, is_there=facts.sip),
    )


def _gateway(facts: Facts) -> Row:
    about = message("web.takeover.row.gateway")
    if facts.gateway is None:
        return Row(about=about, answer="unknown", more=message("web.takeover.row.gateway.none"))
    return Row(
        about=about,
        answer="answers" if facts.gateway else "silent",
        tone="good" if facts.gateway else "bad",
    )


def _phones(facts: Facts) -> Row:
    about = message("web.takeover.row.phones")
    if not facts.phones_known:
        return Row(about=about, answer="unknown", more=message("web.takeover.row.phones.none"))
    counts = message(
        "web.takeover.row.phones.count", answering=facts.phones_answering, known=facts.phones_known
    )
    # The same border as the verdict's (domain/safety.py).
    is_enough = facts.phones_answering > 0 and facts.phones_answering * 2 >= facts.phones_known
    return Row(
        about=about,
        answer="answering" if facts.phones_answering else "silent",
        tone="good" if is_enough else "bad",
        more=counts,
    )


def _holder(facts: Facts, peer: str, address: str) -> Row:
    about = message("web.takeover.row.holder", address=address)
    if not facts.holder_mac:
        return Row(about=about, answer="free", tone="good")
    is_peer = facts.holder_mac.lower() == facts.peer_mac.lower()
    code = "web.takeover.row.holder.peer" if is_peer else "web.takeover.row.holder.stranger"
    return Row(about=about, answer="taken", tone="bad", more=message(code, peer=peer, mac=facts.holder_mac))


def _sign(code: str, who: str, *, is_there: bool) -> Row:
    about = Message(code=code, fields={"who": who})
    return Row(about=about, answer="answers" if is_there else "silent", tone="bad" if is_there else "good")
