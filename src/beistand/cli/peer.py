"""`beistand peer`: the forced command of the other appliance's key."""

import os

import click

from beistand.ports.places import Places


@click.command("peer", hidden=True)
def command() -> None:
    """Serve the other appliance over SSH; sshd starts it."""
    from beistand.agent.peer_command import peer_command

    raise SystemExit(peer_command(os.environ.get("SSH_ORIGINAL_COMMAND", ""), Places()))
