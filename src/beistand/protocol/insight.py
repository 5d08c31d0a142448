"""What an appliance knows of itself and its peer: licences, network, what is not covered, logs (S4 to S8, B4)."""

from datetime import datetime

from beistand.domain.finding import Finding
from beistand.domain.licence import Licence
from beistand.domain.message import Message
from beistand.domain.pair import Appliance
from beistand.domain.value import Value

MOST_LINES = 2000
"""Of a log, in one answer; fewer where they are so long that the frame would be too large."""


class GetLicences(Value, frozen=True, kw_only=True, tag="licences", tag_field="verb"):
    """Answers LicencesView."""


class InstallLicences(Value, frozen=True, kw_only=True, tag="licence-file", tag_field="verb"):
    """Check a licence file (signed, Ed25519), know what it grants, install what fits here. Answers LicencesView."""

    file: str


class InstallLicence(Value, frozen=True, kw_only=True, tag="licence-key", tag_field="verb"):
    """Install a key that a file made known. Answers LicencesView."""

    key: str


class RemoveLicence(Value, frozen=True, kw_only=True, tag="licence-remove", tag_field="verb"):
    """Answers LicencesView."""

    key: str


class GetNetwork(Value, frozen=True, kw_only=True, tag="network", tag_field="verb"):
    """Answers NetworkView."""


class GetCoverage(Value, frozen=True, kw_only=True, tag="coverage", tag_field="verb"):
    """What is not carried over (B4). Answers Coverage."""


class ReadModuleLog(Value, frozen=True, kw_only=True, tag="log", tag_field="verb"):
    """Answers LogLines, newest first."""

    level: str = ""
    """`warning`: only lines as pressing as this, or more; empty: all."""
    contains: str = ""
    limit: int = 200
    before: str = ""
    """`older` of an answer: only lines older than those."""


class ReadAudit(Value, frozen=True, kw_only=True, tag="audit", tag_field="verb"):
    """Who did what, newest first. Answers AuditLines."""

    contains: str = ""
    limit: int = 200
    before: str = ""
    """`older` of an answer: only lines older than those."""


class RemoveConfig(Value, frozen=True, kw_only=True, tag="config-remove", tag_field="verb"):
    """Delete the module configuration: the schedule rests until one is created. Answers Done."""


# --- answers ------------------------------------------------------------------------------------


class LicencesView(Value, frozen=True, kw_only=True):
    own: tuple[Licence, ...]
    peer: tuple[Licence, ...]
    """The other side's, as it told them last."""
    known: tuple[Licence, ...] = ()
    """From files, not installed here."""
    findings: tuple[Finding, ...] = ()
    installed: tuple[str, ...] = ()
    """Keys that this request installed."""
    elsewhere: tuple[str, ...] = ()
    """Keys of the file that belong to the other appliance: known here now, and nothing more."""


class Check(Value, frozen=True, kw_only=True):
    """One prerequisite (S4), as it is on both sides."""

    code: str
    """`check.<code>` in the catalogue is its name."""
    own: str
    peer: str
    finding: Finding | None = None
    """None: as it should be."""


class NetworkView(Value, frozen=True, kw_only=True):
    own: Appliance | None
    peer: Appliance | None
    interface: str = ""
    subnet: str = ""
    is_holding: bool = False
    """The service address is on this appliance now."""
    checks: tuple[Check, ...] = ()
    candidates: tuple[str, ...] = ()
    """Static addresses with prefix length that could be the own address; while nothing is set up."""
    interfaces: tuple[str, ...] = ()
    """The interface of each candidate."""
    certificate: str = ""
    """SHA-256 fingerprint of the certificate of this appliance's pages and API, in pairs of digits; empty: none yet."""
    profiles: tuple[str, ...] = ()
    """Profiles that are known here; the first is the one that fits this machine, if one does."""


class Uncovered(Value, frozen=True, kw_only=True):
    path: str
    files: int
    bytes: int
    why: str
    """`uncovered.<code>` in the catalogue: no-tree, excluded, undeclared-database, identity."""


class Coverage(Value, frozen=True, kw_only=True):
    at: datetime | None
    """None: not looked yet."""
    uncovered: tuple[Uncovered, ...] = ()
    growing: tuple[str, ...] = ()
    """Left for the next cycle."""


class LogLine(Value, frozen=True, kw_only=True):
    at: datetime
    level: str
    message: Message


class LogLines(Value, frozen=True, kw_only=True):
    lines: tuple[LogLine, ...]
    older: str = ""
    """There are older lines than these that were asked for, too: `before` of the request for them. Empty: none."""


class AuditLine(Value, frozen=True, kw_only=True):
    at: datetime
    who: str
    address: str
    """Of the browser; empty: at the console."""
    what: Message


class AuditLines(Value, frozen=True, kw_only=True):
    lines: tuple[AuditLine, ...]
    older: str = ""
    """As in LogLines."""
