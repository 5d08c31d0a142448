"""`beistand leave`: packaging/uninstall runs it before it takes anything away."""

import os

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.domain.errors import Refused
from beistand.domain.leaving import Part
from beistand.text.catalogue import hint, sentence


@click.command("leave", hidden=True)
@click.option("--serves", "said", flag_value="serves", help="This machine serves the phones.")
@click.option("--stands-by", "said", flag_value="stands-by", help="Another machine does.")
@click.option("--keep-setup", is_flag=True, help="Keep the own address that beistand setup gave.")
@click.option("--purge", is_flag=True, help="Delete staging and replaced data, too.")
@click.option("--forget-kept-data", is_flag=True, help="Delete also the only copy of kept data.")
@verb
def command(
    console: Console, *, said: str | None, keep_setup: bool, purge: bool, forget_kept_data: bool
) -> None:
    """Leave address and PBX as they shall be without Beistand; only while the agent is stopped."""
    from beistand.agent.leaving import Wishes, main

    if os.geteuid() != 0:
        raise Refused("leave-needs-root")
    told = main(
        Wishes(
            said=Part(said) if said else None,
            keep_setup=keep_setup,
            purge=purge,
            forget_kept_data=forget_kept_data,
        )
    )
    console.document({"told": told})
    for each in told:
        console.text(sentence(each, console.language))
        if advice := hint(each, console.language):
            console.text(f"HINT: {advice}")
