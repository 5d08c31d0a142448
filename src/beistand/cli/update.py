"""`beistand update`: both appliances to a new version, step by step: pause, standby, active, compare, resume (S4)."""

import click

from beistand.cli.console import Console
from beistand.cli.cycle import tell_done
from beistand.cli.jobs import follow_with_care, must_be_done
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.job import Job
from beistand.domain.update import Side, StepState
from beistand.protocol import GetUpdate, PauseCycles, ResumeCycles, StartCycle, UpdateView
from beistand.text.catalogue import hint, sentence


@click.group("update", invoke_without_command=True)
@verb
@click.pass_context
def command(context: click.Context, console: Console) -> None:
    """Show how far an update of both appliances is, and the next step."""
    if context.invoked_subcommand is None:
        with Client() as client:
            _show(console, client.call(GetUpdate(), UpdateView))


@command.command("pause")
@verb
def pause(console: Console) -> None:
    """On the active: let the cycles rest until `resume`."""
    with Client() as client:
        view = client.call(PauseCycles(), UpdateView)
    console.line("cli.update.paused")
    _show(console, view)


@command.command("resume")
@click.option("--no-cycle", is_flag=True, help="Do not run a cycle at once.")
@verb
def resume(console: Console, *, no_cycle: bool) -> None:
    """On the active: let the cycles run again, and run one now."""
    with Client() as client:
        view = client.call(ResumeCycles(), UpdateView)
        console.line("cli.update.resumed")
        if no_cycle:
            _show(console, view)
            return
        job = follow_with_care(client, client.call(StartCycle(), Job), console)
    must_be_done(console, job)
    tell_done(console, job)


def _show(console: Console, view: UpdateView) -> None:
    console.document(view)
    if not view.steps:
        console.line("cli.update.unpaired")
        return
    if view.active and view.standby:
        console.line("cli.update.active", host=view.active.host)
        _versions(console, view.active)
        console.line("cli.update.standby", host=view.standby.host)
        _versions(console, view.standby)
    for number, step in enumerate(view.steps, 1):
        state, name = console.term(f"update.state.{step.state}"), console.term(f"update.step.{step.code}")
        console.text(f"{number}. {name} [{state}]: {sentence(step.says, console.language)}")
        if step.state in (StepState.NOW, StepState.FAILED):
            for advice in (console.term(f"update.hint.{step.code}"), hint(step.says, console.language)):
                if advice:
                    console.text(f"   HINT: {advice}")
    console.findings([each.finding for each in view.checks if each.finding])


def _versions(console: Console, side: Side) -> None:
    console.line("cli.update.versions", beistand=side.now.beistand or "-", pbx=side.now.pbx or "-")
    if side.before is not None and side.before != side.now:
        console.line("cli.update.before", beistand=side.before.beistand or "-", pbx=side.before.pbx or "-")
