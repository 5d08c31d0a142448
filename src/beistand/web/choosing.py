"""What a person can do about the state of an appliance, and what each of the two recorded, as pages show it."""

from dataclasses import dataclass

from django.urls import reverse

from beistand.domain.choices import Choice, Where
from beistand.domain.fork import History
from beistand.domain.message import Message
from beistand.protocol import Status
from beistand.web.address import PORT


@dataclass(frozen=True, kw_only=True)
class Way:
    """One choice, with the way to it."""

    sentence: Message
    command: str
    link: str
    """Of the page that does it, here or on the other appliance; empty: it is done by hand, or by waiting."""
    is_there: bool


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one appliance recorded for itself."""

    history: History
    counts: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    ways: tuple[Way, ...]
    sides: tuple[Side, ...]


def decision(status: Status) -> Decision:
    """Return what there is to decide; nothing of it where nobody is waited for."""
    return Decision(
        ways=tuple(_way(status, each) for each in status.choices),
        sides=tuple(Side(history=each, counts=_counts(each)) for each in status.histories),
    )


def peer_name(status: Status) -> str:
    """Return what sentences call the other appliance: a name, never a word that German would have to inflect."""
    return status.peer.host if status.peer else "–"


def page_there(status: Status, name: str) -> str:
    """Return the address of a page of the other appliance; empty without one."""
    if status.peer is None:
        return ""
    address = status.peer.own_address.partition("/")[0]
    return f"https://{address}:{PORT}{reverse(name)}"


def _way(status: Status, choice: Choice) -> Way:
    is_there = choice.where is Where.THERE
    link = ""
    if choice.page:
        link = page_there(status, choice.page) if is_there else reverse(choice.page)
    fields = {"host": status.host, "peer": peer_name(status)}
    return Way(
        sentence=Message(code=f"choice.{choice.code}", fields=dict(fields)),
        command=choice.command,
        link=link,
        is_there=is_there,
    )


def _counts(history: History) -> tuple[Message, ...]:
    recorded = history.recorded
    counts = [
        Message(code=f"record.{each.kind}", fields={"count": each.count})
        for each in recorded.records
        if each.count
    ]
    return (*counts, Message(code="record.files", fields={"count": recorded.files, "size": recorded.bytes}))
