"""Joining an existing installation: its address becomes the service address (`beistand setup`)."""

from typing import Literal

from beistand.domain.message import Message
from beistand.domain.value import Value


class PlanSetup(Value, frozen=True, kw_only=True, tag="setup-plan", tag_field="verb"):
    """Say what a setup would change; nothing is changed."""

    own_address: str
    """The machine's new own address; its prefix length is the present one's."""
    interface: str = ""
    """Empty: the one that has the only static address."""
    service_address: str = ""
    """The present address that the phones know; empty: the only static one."""
    profile: str = "asterisk"


class StartSetup(Value, frozen=True, kw_only=True, tag="setup-start", tag_field="verb"):
    """Change over, and wait for somebody who comes over the new address."""

    own_address: str
    interface: str = ""
    service_address: str = ""
    profile: str = "asterisk"
    strict_boot: bool = False
    language: Literal["", "en", "de"] = ""
    """Of the installation, as in `init`."""


class GetSetup(Value, frozen=True, kw_only=True, tag="setup", tag_field="verb"):
    """Say how far the setup is, and how long somebody may still come over the new address."""


class ConfirmSetup(Value, frozen=True, kw_only=True, tag="setup-confirm", tag_field="verb"):
    """Say that the new address works: the person's connection came to it."""

    reached: str
    """The address of this machine that the connection came to; empty: it came over none."""
    at_console: bool = False
    """Root sits at the machine and has seen by other means that the new address works."""


class UndoSetup(Value, frozen=True, kw_only=True, tag="setup-undo", tag_field="verb"):
    """Put everything back as it was before the setup."""

    accept: tuple[str, ...] = ()
    """Codes of risks that a person accepted by name."""


class FileChange(Value, frozen=True, kw_only=True):
    path: str
    lines: tuple[str, ...]
    """Only what changes: `-` before the old lines, `+` before the new ones."""


class SetupPlan(Value, frozen=True, kw_only=True):
    interface: str
    manager: str
    own_address: str
    service_address: str
    profile: str
    changes: tuple[FileChange, ...]


class SetupView(Value, frozen=True, kw_only=True):
    stage: str = ""
    """Empty: none was ever begun; else `begun`, `waiting`, `confirmed`, `undoing` or `undone`."""
    interface: str = ""
    own_address: str = ""
    service_address: str = ""
    seconds_left: float = 0.0
    """Until everything goes back by itself; of the stage `waiting`."""
    files: tuple[str, ...] = ()
    """Paths of the network files that it changed."""
    why: Message | None = None
    """Why it went back."""
    trouble: Message | None = None
    """Why it could not go back yet; of the stage `undoing`, which is tried again by itself."""
