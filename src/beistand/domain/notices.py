"""What an administrator is told by mail (S11): every change of state once, whatever restarts, and no storm.

Each topic has one state; `decide` compares what was told last with what is now. A state must last for a while
before it is told, and a topic that goes to and fro is told a few times an hour at most: then what is true at the
end of that hour is told, if it is news.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from beistand.domain.alarm import SILENCE_SECONDS
from beistand.domain.attempts import LastTry, TryEnd
from beistand.domain.finding import Finding, Severity
from beistand.domain.judging import NOT_JUDGED
from beistand.domain.message import Field, Message
from beistand.domain.value import Value

MOST_AN_HOUR = 4
"""Mails of one topic."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
"""After so long what is still wrong is told again, all of it in one mail."""
PEER_BACK_SECONDS = 10.0
PROBLEM_SECONDS = 60.0
MENDED_SECONDS = 180.0
"""Longer than it takes to begin: what comes and goes at a border is told once, not each time."""
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
    since: datetime | None = None
    """Since when it is so, by this clock."""
    told_at: datetime | None = None
    """When it was told last, reminders included; None: it was noted in silence."""


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
    others: tuple[Message, ...] = ()
    """Their sentences stand in the mail, a line each, as {problems}."""


class Seen(Value, frozen=True, kw_only=True):
    """How it is with one topic now."""

    topic: str
    state: str
    notice: Notice | None
    """What is told when this state is news; None: it is noted in silence."""
    must_last: float = 0.0
    """Seconds before it is told."""
    is_reminded: bool = False
    """Somebody has to do something: it is told again each day until it ends."""


def decide(
    told: Told, seen: Iterable[tuple[Seen, float]], now: datetime
) -> tuple[tuple[tuple[str, Notice], ...], Told]:
    """Return the notices that are due, each with the name of its occasion, and what is told after them.

    Beside each `Seen` stands how many seconds it has been so.
    """
    due: list[Notice] = []
    topics, looks = dict(told.topics), tuple(seen)
    for each, lasts in looks:
        before = topics.get(each.topic, Topic())
        if each.state == before.state or lasts < each.must_last:
            continue
        recent = tuple(at for at in before.recent if abs(now - at) < HOUR)
        since = now - timedelta(seconds=min(lasts, LONGEST_LASTING))
        if each.notice is None:
            topics[each.topic] = Topic(state=each.state, recent=recent, since=since)
        elif len(recent) < MOST_AN_HOUR:
            due.append(_with_times(each.notice, before, since))
            topics[each.topic] = Topic(
                state=each.state,
                about=each.notice.about,
                recent=(*recent, now),
                since=since,
                told_at=now,
            )
    reminder, topics = _reminded(topics, [each for each, _ in looks], now)
    kept = {name: each for name, each in topics.items() if each.state or _is_fresh(each, now)}
    notices = (*due, *reminder)
    named = tuple((f"{each.code}-{number}", each) for number, each in enumerate(notices, told.sequence + 1))
    return named, Told(sequence=told.sequence + len(notices), topics=kept)


LONGEST_LASTING = DAY.total_seconds() * 365


def _with_times(notice: Notice, before: Topic, since: datetime) -> Notice:
    """Say from when to when it was so, where something ends; a clock that was set back between ends nothing."""
    begun = before.since if before.state and before.since and before.since <= since else since
    times: dict[str, Field] = {"since": begun.isoformat(), "until": since.isoformat()}
    return Notice(
        code=notice.code,
        fields={**times, **notice.fields},
        about=notice.about or before.about,
        others=notice.others,
    )


def _reminded(
    topics: dict[str, Topic], seen: Iterable[Seen], now: datetime
) -> tuple[tuple[Notice, ...], dict[str, Topic]]:
    """Return one reminder of all that is still wrong, if any of it was told a day ago or longer."""
    still = {
        each.topic: topics[each.topic]
        for each in seen
        if each.is_reminded and each.topic in topics and topics[each.topic].state == each.state
    }
    told = {name: each for name, each in still.items() if each.told_at is not None and each.about is not None}
    # Both ways: a clock that was set back for a year shall not silence the reminders for a year.
    if not any(each.told_at and abs(now - each.told_at) >= DAY for each in told.values()):
        return (), topics
    oldest = min((each.since or now) for each in told.values())
    notice = Notice(
        code="reminder",
        fields={"count": len(told), "since": oldest.isoformat()},
        others=tuple(each.about for each in told.values() if each.about is not None),
    )
    renewed = {name: msgspec.structs.replace(each, told_at=now) for name, each in told.items()}
    return (notice,), {**topics, **renewed}


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
    notice = Notice(code=named, fields=fields, about=why)
    return Seen(topic="cycle", state=state, notice=notice, is_reminded=last.end is TryEnd.GIVEN_UP)


def stale_topic(findings: Iterable[Finding]) -> Seen:
    """The standby's data is older than the schedule promises (B3)."""
    found = {each.code: each for each in findings}
    stale = found.get("copy-stale")
    if stale is None:
        return Seen(topic="stale", state=WELL, notice=Notice(code="data-fresh"))
    # Without its own reason: that stands in the mail about the cycle that failed.
    stays = next(
        (
            Message(code=each, fields={**found[each].fields, "why": ""})
            for each in WHERE_IT_STAYS
            if each in found
        ),
        None,
    )
    notice = Notice(
        code="data-stale",
        fields={**stale.fields, "stays": str(stays) if stays else ""},
        about=_message(stale),
    )
    return Seen(topic="stale", state="stale", notice=notice, is_reminded=True)


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
    return Seen(topic="peer", state="silent", notice=notice, must_last=SILENCE_SECONDS, is_reminded=True)


def absence_topic(since: datetime, until: datetime) -> Seen:
    """This appliance was away for long: nobody was told anything by it meanwhile."""
    fields: dict[str, Field] = {"since": since.isoformat(), "until": until.isoformat()}
    return Seen(topic="absence", state=since.isoformat(), notice=Notice(code="was-away", fields=fields))


WHERE_IT_STAYS = ("stays-not-taken", "stays-not-transferred", "stays-not-imported")
"""Findings that belong to the one about old data, and stand in its mail."""
PROBLEM = "problem:"
NO_NEWS = (
    "not-paired",
    "peer-silent",
    "copy-stale",
    "cycles-paused",
    "module-inactive",
    "schedule-missing",
    *WHERE_IT_STAYS,
)
"""Findings that have a topic of their own, or that an administrator caused just now."""
OF_MAILS = "mail"
"""How the codes of those begin that no mail can tell."""


def problem_topics(findings: Iterable[Finding], told: Told) -> tuple[Seen, ...]:
    """Prerequisites (S4) and everything else that is found wrong, each once, and once when it is mended."""
    wrong = {
        f"{PROBLEM}{each.code}{_part(each)}": each
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
            is_reminded=True,
        )
        for topic, each in wrong.items()
    ]
    gone = [
        Seen(
            topic=topic,
            state=WELL,
            notice=Notice(code="problem-gone", about=before.about),
            must_last=MENDED_SECONDS,
        )
        for topic, before in told.topics.items()
        if topic.startswith(PROBLEM) and topic not in wrong and before.state
    ]
    return (*found, *gone)


def _part(finding: Finding) -> str:
    """Return what tells apart findings of one code: each part that cannot be judged is a problem of its own."""
    return f":{finding.fields['part']}" if finding.code == NOT_JUDGED else ""


STANDING = "standing"


def standing_topic(
    told: Told, state: str, epoch: int, *, done: Notice, failure: Message | None
) -> Seen | None:
    """Who serves, and who does not any more. `done` tells of a takeover that is done."""
    state = "serving" if state == "unverified" else state
    if state not in ("serving", "active-failed", "superseded", "standing-by", "held", "forked", "released"):
        return None
    before, _, epoch_before = told.topics.get(STANDING, Topic()).state.partition(":")
    notice: Notice | None = None
    if before:  # else: mails were switched on just now, or this appliance was made
        notice = _of_standing(state, before, is_new=str(epoch) != epoch_before, done=done, failure=failure)
    lasts = {"active-failed": FAILED_SECONDS, "held": FAILED_SECONDS, "released": PROBLEM_SECONDS}
    return Seen(
        topic=STANDING,
        state=f"{state}:{epoch}",
        notice=notice,
        must_last=lasts.get(state, 0.0),
        is_reminded=state in (*lasts, "forked"),
    )


def _of_standing(
    state: str, before: str, *, is_new: bool, done: Notice, failure: Message | None
) -> Notice | None:
    if state == "serving":
        if is_new:
            return done
        return Notice(code="serves-again") if before != "standing-by" else None
    if state == "standing-by":
        return Notice(code="handed-over") if before in ("serving", "active-failed") else None
    if state == "active-failed":
        return Notice(code="active-failed", about=failure)
    if state == "superseded":
        return Notice(code="superseded") if before != "superseded" else None
    return Notice(code=state)


def takeover_topic(epoch: int, operator: str) -> Seen:
    """Somebody has confirmed a takeover; it is under way."""
    notice = Notice(code="takeover-begins", fields={"operator": operator})
    return Seen(topic="takeover", state=str(epoch), notice=notice)


def _message(finding: Finding) -> Message:
    return Message(code=finding.code, fields=dict(finding.fields))
