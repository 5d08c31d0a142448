"""`beistand accept-pair`: what the active runs here over its first connection. Speaks JSON only."""

import sys

import click
import msgspec

from beistand.client import Client
from beistand.domain.errors import BeistandError, Refused
from beistand.protocol import LARGEST_FRAME, Accepted, AcceptPair

ACCEPT_SECONDS = 55.0
"""The active waits 60 s for the whole connection."""


@click.command("accept-pair", hidden=True)
def command() -> None:
    """Hand the request on stdin to the agent; print Accepted, or a message and end with status 1."""
    try:
        answer = _hand_over(sys.stdin.buffer.read(LARGEST_FRAME))
    except BeistandError as error:
        click.echo(msgspec.json.encode(error.message))
        raise SystemExit(1) from None
    click.echo(msgspec.json.encode(answer))


def _hand_over(body: bytes) -> Accepted:
    try:
        request = msgspec.json.decode(body, type=AcceptPair)
    except msgspec.MsgspecError as error:
        raise Refused("bad-request", why=str(error)) from None
    with Client() as client:
        return client.call(request, Accepted, ACCEPT_SECONDS)
