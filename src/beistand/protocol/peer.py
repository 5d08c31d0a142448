"""What the other appliance asks, over ssh and `beistand peer`."""

from typing import Annotated

from msgspec import Meta

from beistand.domain.bounds import Word
from beistand.domain.config import ModuleConfig
from beistand.domain.connections import Packed
from beistand.domain.generation import Generation
from beistand.domain.pair import Greeting
from beistand.domain.role import Epoch
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value

MOST_BYTES = 1 << 60
MOST_FOLDERS = 100


class Greet(Value, frozen=True, kw_only=True, tag="greet", tag_field="verb"):
    greeting: Greeting


class PushConfig(Value, frozen=True, kw_only=True, tag="push-config", tag_field="verb"):
    config: ModuleConfig


class PushSettings(Value, frozen=True, kw_only=True, tag="push-settings", tag_field="verb"):
    """The pair settings beside the module configuration: accounts, mail server, texts. Secret."""

    settings: PairSettings


class Offer(Value, frozen=True, kw_only=True, tag="offer", tag_field="verb"):
    """Announce a generation before anything travels: space and order are checked."""

    generation: Generation


class FolderNeed(Value, frozen=True, kw_only=True):
    """What a generation brings directly into one folder of the telephone system, or one file of it."""

    path: Annotated[str, Meta(max_length=4096)]
    size: Annotated[int, Meta(ge=0, le=MOST_BYTES)]
    """Bytes of new contents."""


class MakeRoom(Value, frozen=True, kw_only=True, tag="make-room", tag_field="verb"):
    """See whether what is about to travel has room; what an earlier transfer left in the inbox may go for it."""

    arriving: Annotated[int, Meta(ge=0, le=MOST_BYTES)]
    """Bytes that travel into the inbox."""
    folders: Annotated[tuple[FolderNeed, ...], Meta(max_length=MOST_FOLDERS)]
    """Those that get the most; the smaller ones are left out."""
    largest: FolderNeed
    """The largest file among them: a person who makes room begins there."""


class Receive(Value, frozen=True, kw_only=True, tag="receive", tag_field="verb"):
    """Everything is in the inbox: verify and import it."""

    generation: Generation
    base: Word
    """Digest of the manifest that the sent delta refers to; empty: the sent manifest is whole."""
    connections: Packed = b""
    """What the telephone system's address is connected to now: it is ended when the sender is dead (B8)."""


class Release(Value, frozen=True, kw_only=True, tag="release", tag_field="verb"):
    """Stop the PBX and give up the service address, because the other side claims this epoch."""

    epoch: Epoch


class Resume(Value, frozen=True, kw_only=True, tag="resume", tag_field="verb"):
    """Take back a release of this epoch; do nothing if there was none."""

    epoch: Epoch
