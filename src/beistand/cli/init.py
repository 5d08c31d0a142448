"""`beistand init`: make this machine an appliance."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.role import Role
from beistand.protocol import Done, GetStatus, Init, Status

INIT_SECONDS = 60.0
"""The PBX may run already and is asked for its version."""


@click.command("init")
@click.option(
    "--active", "role", flag_value="active", default=None, help="This machine serves the phones now."
)
@click.option("--standby", "role", flag_value="standby", help="This machine stands by.")
@click.option("--interface", help="Network interface of the own address.")
@click.option("--address", help="Own address with prefix length, as 192.0.2.1/24.")
@click.option("--service-address", help="The address that the phones know.")
@click.option("--profile", help="Kind of appliance; see: beistand profile list.")
@click.option("--strict-boot", is_flag=True, help="After a boot with a silent peer wait for a click.")
@verb
def command(console: Console, *, strict_boot: bool, **given: str | None) -> None:
    """Make this machine an appliance: identity, licence, and on the active the first grant."""
    request = Init(
        role=Role(_given(console, "--active or --standby", "cli.init.ask-role", given["role"])),
        interface=_given(console, "--interface", "cli.init.ask-interface", given["interface"]),
        own_address=_given(console, "--address", "cli.init.ask-address", given["address"]),
        service_address=_given(
            console, "--service-address", "cli.init.ask-service-address", given["service_address"]
        ),
        profile=_given(console, "--profile", "cli.init.ask-profile", given["profile"], default="asterisk"),
        strict_boot=strict_boot,
        language="de" if console.language == "de" else "en",
    )
    with Client() as client:
        client.call(request, Done, INIT_SECONDS)
        status = client.call(GetStatus(), Status)
    console.document(status)
    console.line("cli.init.done", host=status.host, role=request.role, key=status.licence_key)
    console.line("cli.init.next-active" if request.role is Role.ACTIVE else "cli.init.next-standby")


def _given(
    console: Console, option: str, question: str, value: str | None, default: str | None = None
) -> str:
    """Return what was given, else ask; without anybody to ask take the default, else it is wrong usage."""
    if value:
        return value
    if not console.is_interactive:
        if default:
            return default
        raise click.UsageError(f"{option} is missing")
    answer = console.ask(question, default)
    if option.startswith("--active") and answer not in (Role.ACTIVE, Role.STANDBY):
        raise click.UsageError(f"{answer}: active or standby")
    return answer
