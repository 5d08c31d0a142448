"""What the other appliance asks, over ssh and `beistand peer`."""

from beistand.domain.config import ModuleConfig
from beistand.domain.connections import Packed
from beistand.domain.generation import Generation
from beistand.domain.pair import Greeting
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value


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


class Receive(Value, frozen=True, kw_only=True, tag="receive", tag_field="verb"):
    """Everything is in the inbox: verify and import it."""

    generation: Generation
    base: str
    """Digest of the manifest that the sent delta refers to; empty: the sent manifest is whole."""
    connections: Packed = b""
    """What the telephone system's address is connected to now: it is ended when the sender is dead (B8)."""


class Release(Value, frozen=True, kw_only=True, tag="release", tag_field="verb"):
    """Stop the PBX and give up the service address, because the other side claims this epoch."""

    epoch: int


class Resume(Value, frozen=True, kw_only=True, tag="resume", tag_field="verb"):
    """Take back a release of this epoch; do nothing if there was none."""

    epoch: int
