"""`beistand epoch`: the highest number of a grant that is known here, and the way out of an impossible one."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.protocol import EpochView, ForgetEpoch, GetEpoch


@click.command("epoch")
@click.option("--forget", is_flag=True, help="Forget a number that no clicks can have led to.")
@click.option("--word", default="", help="The word that is asked for, instead of typing it.")
@verb
def command(console: Console, *, forget: bool, word: str) -> None:
    """Show the number of the newest grant; each takeover raises it by one or two."""
    with Client() as client:
        view = client.call(GetEpoch(), EpochView)
        if forget:
            view = _forget(console, client, view, word)
    console.document(view)
    console.pairs([("cli.epoch.number", view.epoch), ("cli.epoch.holder", view.holder or "-")])
    if view.is_impossible:
        console.line("cli.epoch.impossible")


def _forget(console: Console, client: Client, view: EpochView, word: str) -> EpochView:
    if not view.is_impossible:
        raise Refused("epoch-possible", epoch=int(view.epoch))
    if not word:
        if not console.is_interactive:
            raise click.UsageError("--word is missing")
        console.line("cli.epoch.warning", epoch=view.epoch)
        word = console.ask("cli.epoch.ask-word")
    return client.call(ForgetEpoch(word=word[:40]), EpochView)
