"""What an administrator is told by mail (S11): every change of state once, whatever restarts, and no storm.

Each topic has one state; `decide` compares what was told last with what is now. A state must last for a while
before it is told, and a topic that goes to and fro is told a few times an hour at most: then what is true at the
end of that hour is told, if it is news.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from beistand.domain.attempts import LastTry, TryEnd
from beistand.domain.facts import Finding, Severity
from beistand.domain.message import Field, Message
from beistand.domain.value import Value

MOST_AN_HOUR = 4
"""Mails of one topic."""
HOUR = timedelta(hours=1)
PEER_SILENT_SECONDS = 120.0
"""A reboot of the peer takes less."""
PEER_BACK_SECONDS = 10.0
PROBLEM_SECONDS = 60.0
FAILED_SECONDS = 15.0
"""A PBX that answers late at its start is no news."""
WELL = ""


class Topic(Value, frozen=True, kw_only=True):
    """What was told last of one topic."""

    state: str = WELL
    about: Message | None = None
    """What was told, so that its end can be told in the same words."""
    recent: tuple[datetime, ...] = ()
    """When it was told in the last hour."""


class Told(Value, frozen=True, kw_only=True):
    """All that was told; durable."""

    sequence: int = 0
    """Counts the mails: part of the name of each, so that none is taken for an older one."""
    topics: dict[str, Topic] = {}


class Notice(Value, frozen=True, kw_only=True):
    """One thing to tell: `mail.<code>.subject` and `.body` in the catalogue."""

    code: str
    fields: dict[str, Field] = {}
    about: Message | None = None
    """Its sentence and hint stand in the mail, as {problem} and {advice}."""


class Seen(Value, frozen=True, kw_only=True):
    """How it is with one topic now."""

    topic: str
    state: str
    notice: Notice | None
    """What is told when this state is news; None: it is noted in silence."""
    must_last: float = 0.0
    """Seconds before it is told."""


def decide(
    told: Told, seen: Iterable[tuple[Seen, float]], now: datetime
) -> tuple[tuple[tuple[str, Notice], ...], Told]:
    """Return the notices that are due, each with the name of its occasion, and what is told after them.

    Beside each `Seen` stands how many seconds it has been so.
    """
    due: list[tuple[str, Notice]] = []
    topics, sequence = dict(told.topics), told.sequence
    for each, lasts in seen:
        before = topics.get(each.topic, Topic())
        if each.state == before.state or lasts < each.must_last:
            continue
        recent = tuple(at for at in before.recent if abs(now - at) < HOUR)
        if each.notice is None:
            topics[each.topic] = Topic(state=each.state, recent=recent)
        elif len(recent) < MOST_AN_HOUR:
            sequence += 1
            due.append((f"{each.notice.code}-{sequence}", each.notice))
            topics[each.topic] = Topic(state=each.state, about=each.notice.about, recent=(*recent, now))
    kept = {name: each for name, each in topics.items() if each.state or _is_fresh(each, now)}
    return tuple(due), Told(sequence=sequence, topics=kept)


def _is_fresh(topic: Topic, now: datetime) -> bool:
    return any(abs(now - at) < HOUR for at in topic.recent)


def silenced(told: Told) -> Told:
    """Return what is told while nobody wants mails: nothing. What is wrong when they are wanted again is news."""
    return Told(sequence=told.sequence)


# --- topics ---------------------------------------------------------------------------------------


def cycle_topic(last: LastTry | None, told: Told) -> Seen | None:
    """A failed try, the end of all tries, and that it works again; the same failure in the next run is no news."""
    if last is None:
        return None
    if last.end is TryEnd.DONE:
        return Seen(topic="cycle", state=WELL, notice=Notice(code="cycle-works"))
    why = last.why or Message(code="cycle-interrupted")
    state, given_up = f"{last.end}:{why.code}", f"{TryEnd.GIVEN_UP}:{why.code}"
    if told.topics.get("cycle", Topic()).state == given_up:
        state = given_up
    fields: dict[str, Field] = {"attempt": last.number, "attempts": last.attempts}
    if last.end is TryEnd.FAILED:
        fields["next"] = last.next_at.isoformat() if last.next_at else ""
    named = "cycle-failed" if last.end is TryEnd.FAILED else "cycle-given-up"
    return Seen(topic="cycle", state=state, notice=Notice(code=named, fields=fields, about=why))


def stale_topic(findings: Iterable[Finding]) -> Seen:
    """The standby's data is older than the schedule promises (B3)."""
    stale = next((each for each in findings if each.code == "copy-stale"), None)
    if stale is None:
        return Seen(topic="stale", state=WELL, notice=Notice(code="data-fresh"))
    notice = Notice(code="data-stale", fields=dict(stale.fields), about=_message(stale))
    return Seen(topic="stale", state="stale", notice=notice)


def peer_topic(
    peer: str, address: str, *, is_connected: bool, silent_seconds: float, why: Message | None
) -> Seen:
    """No news of the other appliance is bad news (F30)."""
    fields: dict[str, Field] = {"peer": peer, "peer_address": address}
    if is_connected:
        notice = Notice(code="peer-back", fields=fields)
        return Seen(topic="peer", state=WELL, notice=notice, must_last=PEER_BACK_SECONDS)
    about = why or Message(code="peer-silent")
    notice = Notice(code="peer-silent", fields={**fields, "seconds": silent_seconds}, about=about)
    return Seen(topic="peer", state="silent", notice=notice, must_last=PEER_SILENT_SECONDS)


PROBLEM = "problem:"
NO_NEWS = (
    "not-paired",
    "peer-silent",
    "copy-stale",
    "cycles-paused",
    "module-inactive",
    "schedule-missing",
)
"""Findings that have a topic of their own, or that an administrator caused just now."""
OF_MAILS = "mail"
"""How the codes of those begin that no mail can tell."""


def problem_topics(findings: Iterable[Finding], told: Told) -> tuple[Seen, ...]:
    """Prerequisites (S4) and everything else that is found wrong, each once, and once when it is mended."""
    wrong = {
        f"{PROBLEM}{each.code}": each
        for each in findings
        if each.code not in NO_NEWS
        and not each.code.startswith(OF_MAILS)
        and each.severity is not Severity.INFO
    }
    found = [
        Seen(
            topic=topic,
            state="found",
            notice=Notice(code="problem-found", about=_message(each)),
            must_last=PROBLEM_SECONDS,
        )
        for topic, each in wrong.items()
    ]
    gone = [
        Seen(
            topic=topic,
            state=WELL,
            notice=Notice(code="problem-gone", about=before.about),
            must_last=PROBLEM_SECONDS,
        )
        for topic, before in told.topics.items()
        if topic.startswith(PROBLEM) and topic not in wrong and before.state
    ]
    return (*found, *gone)


STANDING = "standing"


def standing_topic(
    told: Told, state: str, epoch: int, *, done: dict[str, Field], failure: Message | None
) -> Seen | None:
    """Who serves, and who does not any more. `done` says of a takeover who asked for it and how long it took."""
    state = "serving" if state == "unverified" else state
    if state not in ("serving", "active-failed", "superseded", "standing-by", "held", "forked"):
        return None
    before, _, epoch_before = told.topics.get(STANDING, Topic()).state.partition(":")
    notice: Notice | None = None
    if before:  # else: mails were switched on just now, or this appliance was made
        notice = _of_standing(state, before, is_new=str(epoch) != epoch_before, done=done, failure=failure)
    must_last = FAILED_SECONDS if state in ("active-failed", "held") else 0.0
    return Seen(topic=STANDING, state=f"{state}:{epoch}", notice=notice, must_last=must_last)


def _of_standing(
    state: str, before: str, *, is_new: bool, done: dict[str, Field], failure: Message | None
) -> Notice | None:
    if state == "serving":
        if is_new:
            return Notice(code="takeover-done", fields=done)
        return Notice(code="serves-again") if before != "standing-by" else None
    if state == "standing-by":
        return Notice(code="handed-over") if before in ("serving", "active-failed") else None
    if state == "active-failed":
        return Notice(code="active-failed", about=failure)
    if state == "superseded":
        return Notice(code="superseded") if before != "superseded" else None
    return Notice(code="held" if state == "held" else "forked")


def takeover_topic(epoch: int, operator: str) -> Seen:
    """Somebody has confirmed a takeover; it is under way."""
    notice = Notice(code="takeover-begins", fields={"operator": operator})
    return Seen(topic="takeover", state=str(epoch), notice=notice)


def _message(finding: Finding) -> Message:
    return Message(code=finding.code, fields=dict(finding.fields))
