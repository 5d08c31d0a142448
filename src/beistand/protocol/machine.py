"""The machine below an installation, and the way back out of being an appliance."""

from typing import Annotated

from msgspec import Meta

from beistand.domain.value import Value


class GetMachine(Value, frozen=True, kw_only=True, tag="machine", tag_field="verb"):
    """Say which machine this installation was made on, and which one it finds itself on."""


class ConfirmMachine(Value, frozen=True, kw_only=True, tag="machine-confirm", tag_field="verb"):
    """Say that this is the machine itself, with other network cards."""

    host: str
    """The name that the installation knows: whoever types it has read whose copy this might be."""


class UndoInit(Value, frozen=True, kw_only=True, tag="init-undo", tag_field="verb"):
    """Make this machine no appliance again."""


class Unpair(Value, frozen=True, kw_only=True, tag="unpair", tag_field="verb"):
    """End the pair on both sides."""

    force: bool = False
    """Also where the other one does not answer: it has to be told there, too."""


class EndPair(Value, frozen=True, kw_only=True, tag="end-pair", tag_field="verb"):
    """Of the peer: this pair is no more."""

    pair: Annotated[str, Meta(max_length=64)]


class MachineView(Value, frozen=True, kw_only=True):
    host: str = ""
    """Name of the machine when it was last seen to be the right one; empty: nothing was written down yet."""
    known: tuple[str, ...] = ()
    """MAC addresses of the network cards that were written down."""
    seen: tuple[str, ...] = ()
    """Those that are there now."""
    is_copy: bool = False
    is_known: bool = False
