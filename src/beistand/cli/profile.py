"""`beistand profile`: the kinds of appliance this machine knows. Works without the agent."""

from pathlib import Path
from typing import Any

import click
import msgspec

from beistand.adapters.profiles import Profiles
from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.ports.places import Places

folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Places().etc / "profile.d",
    show_default=True,
    help="Where this machine's own profiles are.",
)


@click.group("profile")
def command() -> None:
    """Appliance profiles: what to carry over, what to start, what never to touch."""


@command.command("list")
@folder_option
@verb
def list_profiles(console: Console, *, folder: Path) -> None:
    """Show the profiles and where they come from."""
    profiles = Profiles(folder)
    console.document([{"name": name, "path": profiles.origin(name)} for name in profiles.names()])
    for name in profiles.names():
        console.text(f"{name}  {profiles.origin(name)}")


@command.command("show")
@click.argument("name")
@folder_option
@verb
def show(console: Console, *, name: str, folder: Path) -> None:
    """Show a profile with everything that its file leaves to the defaults."""
    profile = Profiles(folder).load(name)
    console.document(profile)
    console.block(msgspec.toml.encode(without_nothing(msgspec.to_builtins(profile))).decode().rstrip())


@command.command("check")
@click.argument("name")
@folder_option
@verb
def check(console: Console, *, name: str, folder: Path) -> None:
    """Read a profile and say what is wrong with it, with file and place."""
    profiles = Profiles(folder)
    profile = profiles.load(name)
    console.document({"name": profile.name, "path": profiles.origin(name)})
    console.line("cli.profile.right", profile=profile.name, path=profiles.origin(name))


def without_nothing(value: Any) -> Any:
    """Return the value without its Nones: TOML has none."""
    if isinstance(value, dict):
        return {name: without_nothing(each) for name, each in value.items() if each is not None}
    return [without_nothing(each) for each in value] if isinstance(value, list) else value
