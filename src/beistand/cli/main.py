"""`beistand`: finds the module of the command that was asked for, and imports no other."""

import importlib
import os
import secrets
import sys
from typing import Any

import click

from beistand import __version__
from beistand.cli.verb import LANGUAGE, language_option
from beistand.domain.message import message
from beistand.text.catalogue import hint, language, sentence

COMMANDS = {
    "accept-pair": "accept_pair",
    "account": "account",
    "agent": "agent",
    "audit": "audit",
    "backup": "backup",
    "config": "config",
    "coverage": "coverage",
    "cycle": "cycle",
    "epoch": "epoch",
    "generation": "generation",
    "init": "init",
    "leave": "leave",
    "licence": "licence",
    "log": "log",
    "machine": "machine",
    "network": "network",
    "mail": "mail",
    "pair": "pair",
    "peer": "peer",
    "profile": "profile",
    "retry": "retry",
    "setup": "setup",
    "setup-code": "setup_code",
    "status": "status",
    "takeover": "takeover",
    "unpair": "unpair",
    "update": "update",
}
"""A command and its module in this package; the command in it is called `command`."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the name is click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"beistand.cli.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="beistand", message="%(prog)s %(version)s")
@language_option
def beistand() -> None:
    """Keep a second telephone system ready to take over from the first.

    Exit status: 0 done, 1 refused or failed (message and hint on stderr), 2 wrong usage.
    """


def main() -> None:
    context: dict[str, Any] = {}
    try:
        beistand(prog_name="beistand", obj=context)
    except BrokenPipeError:
        # Whoever read us has seen enough; Python must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as bug:  # noqa: BLE001  the edge: told with a reference, the traceback goes to the log
        raise SystemExit(_tell_bug(bug)) from None


def _tell_bug(bug: Exception) -> int:
    import logging.handlers

    reference = secrets.token_hex(4)
    log = logging.getLogger("beistand.cli")
    log.propagate = False
    if os.environ.get("BEISTAND_DEBUG") or not os.path.exists("/dev/log"):
        log.addHandler(logging.StreamHandler())
    else:
        log.addHandler(logging.handlers.SysLogHandler("/dev/log"))
    log.error("internal-error reference=%s", reference, exc_info=bug)
    told = message("internal-error", reference=reference)
    context = click.get_current_context(silent=True)
    chosen = language(context.meta.get(LANGUAGE, "") if context else "")
    click.echo(f"{sentence(told, chosen)}\nHINT: {hint(told, chosen)}", err=True)
    return 1
