"""Data that a takeover can serve: whole, and of the generation that was confirmed."""

from contextlib import suppress

from beistand.domain.errors import BeistandError
from beistand.operations.importing import (
    end_move,
    live_generation,
    record_interrupted,
    record_live,
    roll_back,
)
from beistand.ports.node import Node


def make_ready(node: Node, generation: str) -> None:
    """End an import that was cut short and make this generation the live one; may be repeated.

    What is no data of it is removed later, by the recovery: telephones wait for none of that.
    Raises what `roll_back` raises where the generation is no restore point any more.
    """
    end_move(node)
    # The trees are whole; a disk that is too full for the records of it is no reason to serve nobody.
    with suppress(BeistandError):
        record_live(node)
        record_interrupted(node)
    live = live_generation(node)
    if generation and (live is None or live.id != generation):
        roll_back(node, generation)
