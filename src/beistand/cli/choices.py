"""What a person can do about the state of an appliance, and what each of the two recorded for itself."""

from beistand.cli.console import Console
from beistand.domain.choices import Choice, Where
from beistand.domain.fork import History
from beistand.protocol import Status


def show_choices(console: Console, status: Status) -> None:
    """Print nothing where nobody is waited for."""
    if status.histories:
        console.line("cli.histories")
        for history in status.histories:
            _show_history(console, history)
    if status.choices:
        console.line("cli.choices")
        for choice in status.choices:
            console.text(f"  - {_choice(console, status, choice)}")


def _choice(console: Console, status: Status, choice: Choice) -> str:
    there = status.peer.host if status.peer else "-"
    text = console.term(f"choice.{choice.code}", host=status.host, peer=there)
    if not choice.command:
        return text
    if choice.where is Where.HERE:
        return f"{text}: {choice.command}"
    return f"{text}: {console.term('cli.choices.there', command=choice.command, peer=there)}"


def _show_history(console: Console, history: History) -> None:
    who = console.term(
        "cli.history.grant",
        host=history.host,
        epoch=history.epoch,
        operator=history.operator or "-",
        at=history.at.isoformat(),
    )
    recorded = history.recorded
    counts = [
        console.term(f"record.{each.kind}", count=each.count) for each in recorded.records if each.count
    ]
    size = console.term("record.files", count=recorded.files, size=recorded.bytes)
    console.text(f"  {who}")
    since = console.term("cli.history.since", at=history.since.isoformat())
    console.text(f"    {since}: {', '.join([*counts, size])}")
    if recorded.newest is not None:
        console.text(f"    {console.term('cli.history.newest', at=recorded.newest.isoformat())}")
    if history.backup:
        console.text(f"    {console.term('cli.history.backup', backup=history.backup)}")
