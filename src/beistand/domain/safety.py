"""What speaks against a takeover: one function a rule (DESIGN "Evidence").

A rule gets the facts and returns a finding or None. A BLOCK or a CONFIRM stops the takeover until a
person accepts it by its code, if it can be accepted at all.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial

from beistand.domain.clocks import data_age as age_by
from beistand.domain.facts import NOBODYS, Facts, Verdict
from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import CopyState
from beistand.domain.judging import EVIDENCE_NOT_JUDGED, NOT_JUDGED, Judging
from beistand.domain.message import Message, message

OLDEST = timedelta(hours=26)
"""Data older than this needs a second confirmation where no schedule promises anything shorter or longer."""

FOREIGN = "foreign-holder"
"""No tick and no code overrides it; root at the console may type the MAC of what is a forgery."""
REPLUG = "replug-first"
"""The finding that stands for the whole list of lines to be replugged by hand."""

Rule = Callable[[Facts], Finding | None]


def verdict(facts: Facts) -> Verdict:
    """Return what the evidence amounts to; the most dangerous fact wins."""
    if facts.holder_mac and facts.holder_mac.lower() != facts.peer_mac.lower():
        return Verdict.FOREIGN
    # A PBX that answers at the service address has it, even if its ARP answer was lost.
    if facts.holder_mac or facts.sip:
        return Verdict.PEER_HOLDS
    if not facts.carrier or not (facts.gateway or facts.phones_answering):
        return Verdict.ISOLATED
    if facts.peer.any:
        return Verdict.PEER_ALIVE
    # Silence counts only beside a positive control: where most phones are silent too, the line may be cut.
    if facts.phones_answering == 0 or facts.phones_answering * 2 < facts.phones_known:
        return Verdict.PARTITION
    return Verdict.PEER_GONE


def foreign_holder(facts: Facts) -> Finding | None:
    """Two machines at one address serve nobody; who it is must be found out first."""
    if verdict(facts) is not Verdict.FOREIGN:
        return None
    return Finding(code=FOREIGN, severity=Severity.BLOCK, fields={"mac": facts.holder_mac}, acceptable=False)


def holder_is_peer(facts: Facts) -> Finding | None:
    """It answers for the peer's own address, too: the peer with another network card, which is nobody to overlook."""
    is_peer = facts.holder_mac != "" and facts.peer_answers_as.lower() == facts.holder_mac.lower()
    if verdict(facts) is not Verdict.FOREIGN or not is_peer or set(NOBODYS) & set(facts.holder_answers_for):
        return None
    fields: dict[str, str | int | float | bool] = {"mac": facts.holder_mac}
    return Finding(code="holder-is-peer", severity=Severity.BLOCK, fields=fields, acceptable=False)


def holder_answers_for_others(facts: Facts) -> Finding | None:
    """One card with many addresses, some of which nobody can have, is a forgery or a router gone wrong."""
    if verdict(facts) is not Verdict.FOREIGN or not facts.holder_answers_for:
        return None
    fields: dict[str, str | int | float | bool] = {
        "mac": facts.holder_mac,
        "addresses": ", ".join(facts.holder_answers_for),
    }
    return Finding(code="holder-answers-for-others", severity=Severity.INFO, fields=fields)


def holder_beside_peer(facts: Facts) -> Finding | None:
    """The peer answers for its own address as always: the stranger is another machine, or nobody."""
    is_elsewhere = facts.peer_answers_as != "" and facts.peer_answers_as.lower() == facts.peer_mac.lower()
    if verdict(facts) is not Verdict.FOREIGN or not is_elsewhere:
        return None
    return Finding(code="holder-beside-peer", severity=Severity.INFO, fields={"mac": facts.peer_mac})


def holder_since(facts: Facts) -> Finding | None:
    """A machine of the house has been there for days; a forgery begins on the day."""
    if verdict(facts) is not Verdict.FOREIGN:
        return None
    fields: dict[str, str | int | float | bool] = {"mac": facts.holder_mac, "seconds": facts.holder_seconds}
    return Finding(code="holder-since", severity=Severity.INFO, fields=fields)


def holder_works(facts: Facts) -> Finding | None:
    """Phones may be served there: this speaks against a forgery, though it can be forged, too."""
    if verdict(facts) is not Verdict.FOREIGN or not facts.sip:
        return None
    return Finding(code="holder-works", severity=Severity.WARN)


def peer_holds_address(facts: Facts) -> Finding | None:
    """Two active appliances would split the calls between them.

    Accepting it does not take the address from a living peer: the plan then waits until it is unplugged.
    """
    if verdict(facts) is not Verdict.PEER_HOLDS or facts.peer.agent:
        return None
    return Finding(code="peer-holds-address", severity=Severity.BLOCK, fields={"mac": facts.holder_mac})


def peer_still_serves(facts: Facts) -> Finding | None:
    """The active works and can be asked to hand over: its running calls end."""
    if verdict(facts) is not Verdict.PEER_HOLDS or not facts.peer.agent:
        return None
    return Finding(code="peer-still-serves", severity=Severity.CONFIRM)


def isolated(facts: Facts) -> Finding | None:
    """Nobody would hear this appliance: it is the one that is cut off.

    A site that is dark can be known to be so; without a link the probe of the service address fails in any case.
    """
    if verdict(facts) is not Verdict.ISOLATED:
        return None
    return Finding(
        code="isolated",
        severity=Severity.BLOCK,
        fields={"carrier": facts.carrier, "phones": facts.phones_known},
        acceptable=facts.carrier,
    )


def partition_suspected(facts: Facts) -> Finding | None:
    """The active may go on serving the phones on the other side of a broken line."""
    if verdict(facts) is not Verdict.PARTITION:
        return None
    return Finding(
        code="partition-suspected",
        severity=Severity.CONFIRM,
        fields={"answering": facts.phones_answering, "known": facts.phones_known},
    )


def peer_alive(facts: Facts) -> Finding | None:
    """The peer runs without the address; if its agent is silent, nobody tells it of the takeover yet."""
    if verdict(facts) is not Verdict.PEER_ALIVE:
        return None
    if facts.peer.agent:
        return Finding(code="peer-alive", severity=Severity.INFO)
    return Finding(code="peer-alive-without-agent", severity=Severity.WARN)


def gateway_silent(facts: Facts) -> Finding | None:
    """Phones answer, the router does not: lines to the outside may be down."""
    if facts.gateway is not False or verdict(facts) is Verdict.ISOLATED:
        return None
    return Finding(code="gateway-silent", severity=Severity.WARN)


def evidence_missing(facts: Facts) -> Finding | None:
    """What could not be looked at is no silence: it may be the very sign of life that would have stopped us."""
    if not facts.unseen:
        return None
    fields = {"part": facts.unseen[0], "why": facts.unseen_why}
    return Finding(code=EVIDENCE_NOT_JUDGED, severity=Severity.BLOCK, fields=dict(fields))


def no_imported_generation(facts: Facts) -> Finding | None:
    """Nothing of the active is here: what would start is not its telephone system."""
    if facts.own_data or (facts.copy and facts.copy.state in {CopyState.IMPORTED, CopyState.PROVEN}):
        return None
    return Finding(code="no-imported-generation", severity=Severity.BLOCK)


def own_data(facts: Facts) -> Finding | None:
    """What this appliance served itself is whole, but what the other one recorded since is not in it."""
    return Finding(code="own-data", severity=Severity.CONFIRM) if facts.own_data else None


def import_rolls_back(facts: Facts) -> Finding | None:
    """A takeover does not wait for an import: the generation before it is served."""
    return (
        Finding(code="import-rolls-back", severity=Severity.INFO)
        if facts.import_running and facts.copy
        else None
    )


def files_were_growing(facts: Facts) -> Finding | None:
    """Recordings and messages that were being written during the backup are not in it."""
    if facts.copy is None or not facts.copy.generation.growing:
        return None
    count = len(facts.copy.generation.growing)
    return Finding(code="files-were-growing", severity=Severity.INFO, fields={"files": count})


RULES: tuple[Rule, ...] = (
    foreign_holder,
    holder_is_peer,
    holder_works,
    holder_answers_for_others,
    holder_beside_peer,
    holder_since,
    peer_holds_address,
    peer_still_serves,
    isolated,
    partition_suspected,
    peer_alive,
    gateway_silent,
    evidence_missing,
    no_imported_generation,
    own_data,
    import_rolls_back,
    files_were_growing,
)


ON_FAILURE: dict[Rule, tuple[str, Severity]] = {
    holder_works: (NOT_JUDGED, Severity.WARN),
    holder_answers_for_others: (NOT_JUDGED, Severity.WARN),
    holder_beside_peer: (NOT_JUDGED, Severity.WARN),
    holder_since: (NOT_JUDGED, Severity.WARN),
    peer_alive: (NOT_JUDGED, Severity.WARN),
    gateway_silent: (NOT_JUDGED, Severity.WARN),
    no_imported_generation: (NOT_JUDGED, Severity.BLOCK),
    own_data: (NOT_JUDGED, Severity.CONFIRM),
    import_rolls_back: (NOT_JUDGED, Severity.WARN),
    files_were_growing: (NOT_JUDGED, Severity.WARN),
}
"""What a rule weighs that fails: as much as what it would have found. All others look for a second one that serves:
those block, and what no person may accept when it is found, nobody may accept unseen."""


def data_old(facts: Facts, oldest: timedelta) -> Finding | None:
    """Everything since the begin of the backup is missing; above the limit a person confirms that."""
    age = data_age(facts)
    if facts.copy is not None and age is None:
        return Finding(code="data-age-unknown", severity=Severity.CONFIRM, fields={"generation": _id(facts)})
    if age is None or age <= oldest:
        return None
    return Finding(
        code="data-old",
        severity=Severity.CONFIRM,
        fields={"generation": _id(facts), "limit": oldest.total_seconds()},
    )


def data_age(facts: Facts) -> timedelta | None:
    """Return how old the data to be served is, judged by its own begin and the clock that dated it.

    None without data, and where the clocks say that it is still to be made (F9): then nobody knows.
    """
    if facts.copy is None:
        return None
    return age_by(facts.copy.generation.begin, facts.data_clock or facts.at)


def replug_first(items: Collection[str]) -> Finding | None:
    """Lines that no network moves are replugged by hand before the switch (S20)."""
    if not items:
        return None
    return Finding(code=REPLUG, severity=Severity.CONFIRM, fields={"items": ", ".join(items)})


def dead_lines(items: Collection[str]) -> Message:
    """Return what is kept of the lines that nobody could replug: with the takeover they are dead."""
    return message("lines-stay-dead", items=", ".join(items))


def findings(
    facts: Facts,
    oldest: timedelta = OLDEST,
    replug: Collection[str] = (),
    judging: Judging | None = None,
) -> tuple[Finding, ...]:
    """Return all that a person should know before the click, most severe first.

    `oldest` is what the schedule promises (B3); older data needs a second confirmation (F28).
    `replug` is what has to be replugged by hand. A rule that fails never makes a takeover easier (ON_FAILURE); what
    failed in `judging` before is among what is returned.
    """
    judging, found = judging or Judging(), []
    for rule in RULES:
        code, severity = ON_FAILURE.get(rule, (EVIDENCE_NOT_JUDGED, Severity.BLOCK))
        part = "evidence" if code == EVIDENCE_NOT_JUDGED else "data"
        may_accept = rule not in (foreign_holder, holder_is_peer)
        found.append(
            judging.part(part, partial(rule, facts), None, severity, code=code, acceptable=may_accept)
        )
    found.append(judging.part("data", lambda: data_old(facts, oldest), None, Severity.CONFIRM))
    found.append(judging.part("replug", lambda: replug_first(replug), None, Severity.CONFIRM))
    order = list(Severity)
    told = [*(each for each in found if each), *judging.failed]
    return tuple(sorted(told, key=lambda each: order.index(each.severity)))


def blocking(found: Collection[Finding]) -> tuple[str, ...]:
    """Return the codes of what stops a takeover, accepted or not, sorted."""
    return tuple(sorted(each.code for each in found if each.severity in {Severity.BLOCK, Severity.CONFIRM}))


def not_accepted(
    found: Collection[Finding], accepted: Collection[str], overlooked: str = ""
) -> tuple[Finding, ...]:
    """Return what still stops the takeover after a person accepted these codes.

    `overlooked`: the MAC of a stranger that root at the console takes for a forgery. The peer is never overlooked.
    """
    return tuple(
        each
        for each in found
        if each.severity in {Severity.BLOCK, Severity.CONFIRM}
        and not (each.acceptable and each.code in accepted)
        and not (each.code == FOREIGN and overlooked and each.fields["mac"] == overlooked)
    )


def _id(facts: Facts) -> str:
    return facts.copy.generation.id if facts.copy else ""
