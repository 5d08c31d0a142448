"""`beistand pair`: make the standby known to the active, and the other way round."""

import sys

import click

from beistand.cli.console import Console
from beistand.cli.jobs import follow, must_be_done, shower
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.domain.job import Job
from beistand.protocol import FetchHostKey, GetStatus, HostKey, StartPair, Status, Trial, TryStandby
from beistand.text.catalogue import hint, sentence

FETCH_SECONDS = 20.0
TRIAL_SECONDS = 60.0


@click.command("pair")
@click.option("--server", default="", help="Own address of the standby.")
@click.option(
    "--test", "only_test", is_flag=True, help="Say step by step what works on the way to it; pair nothing."
)
@click.option("--user", default="root", show_default=True, help="Account on the standby.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--fingerprint", help="Fingerprint of the standby's host key, SHA256:…; then nobody is asked.")
@click.option(
    "--replace", is_flag=True, help="Take it also if it is the standby of another active; its data goes."
)
@verb
def command(  # noqa: PLR0913  click hands over each option
    console: Console,
    *,
    server: str,
    only_test: bool,
    user: str,
    password_stdin: bool,
    fingerprint: str | None,
    replace: bool,
) -> None:
    """Pair with the standby. The password is used once and not kept."""
    if only_test:
        _test(console, server)
        return
    if not server:
        raise click.UsageError("--server is missing")
    with Client() as client:
        key = client.call(FetchHostKey(server=server), HostKey, FETCH_SECONDS)
        _confirm(console, server, key, fingerprint)
        password = _password(console, from_stdin=password_stdin)
        request = StartPair(server=server, user=user, password=password, host_key=key.line, replace=replace)
        job = follow(client, client.call(request, Job), shower(console))
        must_be_done(console, job)
        status = client.call(GetStatus(), Status)
    console.document(status)
    console.line("cli.pair.done", peer=status.peer.host if status.peer else server)
    console.findings(status.findings)


def _test(console: Console, server: str) -> None:
    with Client() as client:
        trial = client.call(TryStandby(server=server), Trial, TRIAL_SECONDS)
    console.document(trial)
    for each in trial.steps:
        answer = console.term("cli.trial.works" if each.works else "cli.trial.fails", seconds=each.seconds)
        console.text(f"{console.term(f'trial.{each.code}')}: {answer}")
        if each.why:
            console.text(f"  {sentence(each.why, console.language)}")
            if advice := hint(each.why, console.language):
                console.text(f"  HINT: {advice}")
    if not trial.works:
        raise SystemExit(1)


def _confirm(console: Console, server: str, key: HostKey, expected: str | None) -> None:
    if expected:
        if key.fingerprint != expected:
            raise Refused("fingerprint-differs", server=server, shown=key.fingerprint, expected=expected)
        return
    if not console.is_interactive:
        raise Refused("fingerprint-not-confirmed", server=server, shown=key.fingerprint)
    console.line("cli.pair.fingerprint", server=server, fingerprint=key.fingerprint)
    if not console.confirm("cli.pair.ask-fingerprint"):
        raise Refused("fingerprint-not-confirmed", server=server, shown=key.fingerprint)


def _password(console: Console, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not console.is_interactive:
        raise click.UsageError("--password-stdin is missing")
    return console.ask("cli.pair.ask-password", hidden=True)
