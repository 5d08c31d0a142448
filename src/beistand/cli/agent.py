"""`beistand agent`: the engine itself; systemd starts it."""

import click


@click.command("agent", hidden=True)
def command() -> None:
    """Run the agent in the foreground."""
    from beistand.agent.daemon import main

    raise SystemExit(main())
