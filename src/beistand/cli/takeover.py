"""`beistand takeover`: look at the evidence and the plan, confirm exactly that plan, watch it run."""

import getpass
import os

import click

from beistand.cli.console import Console
from beistand.cli.jobs import cancelled, follow, must_be_done, shower, stages_with_seconds
from beistand.cli.takeover_answers import ALL, Answers, decide
from beistand.cli.takeover_plan import reached_sentence, show_plan
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import message
from beistand.protocol import PlanTakeover, StartTakeover, TakeoverPlanAnswer

OBSERVE_SECONDS = 30.0
START_SECONDS = 60.0
"""A running import is ended first, between two effects."""


@click.command("takeover")
@click.option("--plan", "only_plan", is_flag=True, help="Show evidence, findings and plan; change nothing.")
@click.option("--confirm", metavar="DIGEST", help="Run exactly the plan that was shown with this digest.")
@click.option(
    "--accept", multiple=True, metavar="CODE", help="Accept a finding by its code; may be repeated."
)
@click.option(
    "--stays-dead",
    multiple=True,
    metavar="LINE",
    help="Nobody can replug this line now; may be repeated, or all. It stays dead, the takeover goes ahead.",
)
@click.option(
    "--forged",
    default="",
    metavar="MAC",
    help="This MAC answers for the service address by forgery: overlook it, and nothing else. See --plan.",
)
@click.option("--restore-point", default="", metavar="ID", help="Take over with this older generation.")
@click.option("--yes", is_flag=True, help="Do not ask; findings still need --accept.")
@click.option("--cancel", is_flag=True, help="End the takeover that is running; what it began is undone.")
@verb
def command(  # noqa: PLR0913  one for each option
    console: Console,
    *,
    only_plan: bool,
    confirm: str | None,
    accept: tuple[str, ...],
    stays_dead: tuple[str, ...],
    forged: str,
    restore_point: str,
    yes: bool,
    cancel: bool,
) -> None:
    """Make this standby the active appliance."""
    with Client() as client:
        if cancel:
            _cancel(console, client)
            return
        answers, digest = Answers(accept=accept, stay_dead=stays_dead, forged=forged), confirm
        if digest is None or ALL in stays_dead:
            plan = client.call(PlanTakeover(restore_point=restore_point), TakeoverPlanAnswer, OBSERVE_SECONDS)
            answers = answers.of(plan)
            if digest is None:
                show_plan(console, plan)
                if only_plan:
                    console.document(plan)
                    return
                answers, digest = decide(console, plan, answers, yes=yes), plan.digest
        request = StartTakeover(
            digest=digest,
            accept=answers.accept,
            operator=operator(),
            restore_point=restore_point,
            stay_dead=answers.stay_dead,
            forged=answers.forged,
        )
        job = client.call(request, Job, START_SECONDS)
        job = follow(client, job, stages_with_seconds(console))
    must_be_done(console, job)
    console.document(job)
    _tell_done(console, job)


def _tell_done(console: Console, job: Job) -> None:
    console.line("cli.takeover.done", seconds=float(job.result.get("seconds", 0.0)))
    at_once, later = (int(job.result.get(name, 0)) for name in ("phones_at_once", "phones_later"))
    if at_once or later:
        console.text(reached_sentence(console, at_once, later))
    if dead := job.result.get("dead_lines"):
        console.line("cli.takeover.dead", lines=dead)


def _cancel(console: Console, client: Client) -> None:
    job = cancelled(client, JobKind.TAKEOVER, shower(console))
    if job is None:
        raise Refused("no-takeover-running")
    if job.state is not JobState.DONE and (job.error is None or job.error.code != "cancelled"):
        console.fail(job.error or message("cancelled"), job)
    console.document(job)
    console.line("cli.takeover.too-late" if job.state is JobState.DONE else "cli.takeover.cancelled")


def operator() -> str:
    """Return who decides, as the history shall name them."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
