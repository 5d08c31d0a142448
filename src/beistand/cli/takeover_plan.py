"""How a takeover plan is shown: evidence, findings, data, phones, steps, digest."""

from collections.abc import Sequence

from beistand.cli.console import Console
from beistand.domain.facts import Facts
from beistand.domain.phones import reached_message
from beistand.protocol import TakeoverPlanAnswer
from beistand.text.catalogue import sentence

MOST_PHONES = 8


def show_plan(console: Console, plan: TakeoverPlanAnswer) -> None:
    console.line("cli.takeover.verdict", verdict=console.term(f"verdict.{plan.verdict}"))
    console.pairs(_evidence(console, plan.facts))
    if plan.generation and plan.age_seconds is None:
        console.line("cli.takeover.undated", generation=plan.generation.id)
    elif plan.generation:
        console.line("cli.takeover.data", generation=plan.generation.id, age=plan.age_seconds or 0.0)
    else:
        console.line("cli.takeover.no-data")
    _phones(console, plan)
    _named(console, "cli.takeover.lines", plan.lines)
    _named(console, "cli.takeover.replug", plan.replug)
    _named(console, "cli.takeover.network", [sentence(each, console.language) for each in plan.network])
    console.findings(plan.findings)
    console.line("cli.takeover.steps")
    for number, step in enumerate(plan.steps, start=1):
        console.text(f"  {number}. {sentence(step, console.language)}")
    console.line("cli.takeover.digest", digest=plan.digest)


def _phones(console: Console, plan: TakeoverPlanAnswer) -> None:
    console.text(reached_sentence(console, len(plan.phones), len(plan.phones_later)))
    shown = plan.phones[:MOST_PHONES]
    later = plan.phones_later[: MOST_PHONES - len(shown)]
    for phone in shown:
        console.text(f"  {phone}")
    for phone in later:
        console.line("cli.takeover.phone-later", phone=phone)
    if more := len(plan.phones) + len(plan.phones_later) - len(shown) - len(later):
        console.line("cli.takeover.more-phones", count=more)


def reached_sentence(console: Console, at_once: int, later: int) -> str:
    """Return how many phones can be called, as a whole sentence."""
    told = sentence(reached_message(at_once, later), console.language)
    return f"{told[:1].upper()}{told[1:]}."


def _named(console: Console, heading: str, lines: Sequence[str]) -> None:
    if lines:
        console.line(heading)
        for line in lines:
            console.text(f"  {line}")


def _evidence(console: Console, facts: Facts) -> list[tuple[str, str]]:
    def answer(*, is_yes: bool | None) -> str:
        return "-" if is_yes is None else console.term("cli.answers" if is_yes else "cli.silent")

    signs = facts.peer
    shown = {"ARP": signs.arp, "ICMP": signs.icmp, "SSH": signs.ssh, "Beistand": signs.agent}
    holder = facts.holder_mac or console.term("cli.nobody")
    is_peers = " =" if facts.holder_mac and facts.holder_mac == facts.peer_mac else ""
    phones = console.term(
        "cli.evidence.phones.value", answering=facts.phones_answering, known=facts.phones_known
    )
    return [
        ("cli.evidence.carrier", console.term("cli.yes-word" if facts.carrier else "cli.no-word")),
        ("cli.evidence.gateway", answer(is_yes=facts.gateway)),
        ("cli.evidence.phones", phones),
        ("cli.evidence.holder", f"{holder}{is_peers and ' ' + console.term('cli.evidence.peers-mac')}"),
        ("cli.evidence.peer", ", ".join(f"{name} {answer(is_yes=sign)}" for name, sign in shown.items())),
        ("cli.evidence.sip", answer(is_yes=facts.sip)),
    ]
