"""`beistand config`: the module configuration, by key or as one TOML file."""

from typing import TextIO

import click

from beistand.cli.config_values import changed, exported, parsed, shown
from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.config import ModuleConfig
from beistand.protocol import Done, GetConfig, RemoveConfig, SetConfig


@click.group("config")
def command() -> None:
    """The module configuration: schedule, attempts, mails, restore points."""


@command.command("show")
@verb
def show(console: Console) -> None:
    """Show the module configuration."""
    with Client() as client:
        config = client.call(GetConfig(), ModuleConfig)
    console.document(config)
    if config.is_removed:
        console.line("cli.config.is-removed")
    for name, value in shown(config):
        console.text(f"{name} = {value}")


@command.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="KEY=VALUE…")
@verb
def set_values(console: Console, *, assignments: tuple[str, ...]) -> None:
    """Change values, as: schedule.interval=hour schedule.every=2 attempts=10. An empty value clears."""
    for each in assignments:
        if "=" not in each:
            raise click.UsageError(f"{each}: KEY=VALUE")
    with Client() as client:
        config = client.call(GetConfig(), ModuleConfig)
        wanted = changed(
            config, [(key, value) for key, _, value in (each.partition("=") for each in assignments)]
        )
        _save(console, client, wanted)


@command.command("export")
@verb
def export(console: Console) -> None:
    """Print the module configuration as TOML."""
    with Client() as client:
        config = client.call(GetConfig(), ModuleConfig)
    console.document(config)
    console.block(exported(config).rstrip())


@command.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@verb
def import_file(console: Console, *, file: TextIO) -> None:
    """Replace the module configuration by a TOML file; - reads standard input."""
    config = parsed(file.read(), file.name)
    with Client() as client:
        _save(console, client, config)


@command.command("remove")
@verb
def remove(console: Console) -> None:
    """Delete the module configuration: the schedule rests until one is saved again."""
    with Client() as client:
        answer = client.call(RemoveConfig(), Done)
    console.document(answer)
    console.line("cli.config.removed")


def _save(console: Console, client: Client, config: ModuleConfig) -> None:
    saved = client.call(SetConfig(config=config), ModuleConfig)
    console.document(saved)
    console.line("cli.config.saved", revision=saved.revision)
