"""`beistand cycle`: backup, transfer, verification and import, now."""

import click

from beistand.cli.console import Console
from beistand.cli.jobs import cancelled, follow_with_care, must_be_done, shower
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.domain.job import Job, JobKind
from beistand.protocol import StartCycle


@click.command("cycle")
@click.option("--cancel", is_flag=True, help="End the cycle that is running.")
@click.option("--no-wait", is_flag=True, help="Start it and return at once.")
@verb
def command(console: Console, *, cancel: bool, no_wait: bool) -> None:
    """Bring the standby up to date, now."""
    with Client() as client:
        if cancel:
            _cancel(console, client)
            return
        job = client.call(StartCycle(), Job)
        if no_wait:
            console.document(job)
            console.line("cli.cycle.started", job=job.id)
            return
        job = follow_with_care(client, job, console)
    must_be_done(console, job)
    tell_done(console, job)


def tell_done(console: Console, job: Job) -> None:
    """Say what a cycle brought."""
    console.document(job)
    state = console.term(f"copy.{job.result.get('state', 'transferred')}")
    seconds = float(job.result.get("seconds", 0.0))
    console.line("cli.cycle.done", generation=job.result.get("generation", ""), state=state, seconds=seconds)


def _cancel(console: Console, client: Client) -> None:
    job = cancelled(client, JobKind.CYCLE, shower(console))
    if job is None:
        raise Refused("no-cycle-running")
    console.document(job)
    console.line("cli.cycle.cancelled" if job.state == "cancelled" else "cli.cycle.ended-before")
