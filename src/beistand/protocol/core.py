"""What people ask of the engine itself: status, setting up, cycle, takeover, jobs, module configuration."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from beistand.domain.bounds import LongText, Seconds, Word
from beistand.domain.choices import Choice
from beistand.domain.config import ModuleConfig
from beistand.domain.facts import Facts, Verdict
from beistand.domain.finding import Finding
from beistand.domain.fork import History
from beistand.domain.generation import Copy, Generation
from beistand.domain.job import Job
from beistand.domain.licence import LicenceSet
from beistand.domain.message import Message
from beistand.domain.pair import Appliance
from beistand.domain.pause import Pause
from beistand.domain.role import Grant, Role, Side
from beistand.domain.value import Value


class GetStatus(Value, frozen=True, kw_only=True, tag="status", tag_field="verb"):
    pass


class Init(Value, frozen=True, kw_only=True, tag="init", tag_field="verb"):
    """Make this machine an appliance: identity, licence, and on the active the first grant."""

    role: Role
    interface: str
    own_address: str
    service_address: str
    profile: str
    strict_boot: bool = False
    language: Literal["", "en", "de"] = ""
    """Of the installation: mails are written in it (S21). Empty: the one that the system has."""
    accept: tuple[str, ...] = ()
    """Codes of risks that a person accepted by name."""


class FetchHostKey(Value, frozen=True, kw_only=True, tag="fetch-host-key", tag_field="verb"):
    """Fetch the standby's SSH host key; nothing secret is sent."""

    server: str


class StartPair(Value, frozen=True, kw_only=True, tag="pair", tag_field="verb"):
    """Pair with the standby. The password is used once, in memory, and not kept."""

    server: str
    user: str
    password: str
    host_key: str
    """The line that FetchHostKey returned and a person confirmed."""
    replace: bool = False
    """Also if that machine is the standby of another active: it becomes ours, with our data."""

    def __repr__(self) -> str:  # a password never reaches a log
        return f"StartPair(server={self.server!r}, user={self.user!r})"


class AcceptPair(Value, frozen=True, kw_only=True, tag="accept-pair", tag_field="verb"):
    """Run on the standby by the active, over the first connection: become its partner."""

    pair: Word
    side: Side
    """The side that the standby shall be."""
    active: Appliance
    active_host_key: LongText
    public_key: LongText
    """The active's key for the account beistand-peer here."""
    grant: Grant
    config: ModuleConfig
    replace: bool = False
    """Pair anew although a pair is known."""
    licences: LicenceSet = LicenceSet()
    """The active's, so that each redundancy licence can name the one that it stands in for (S5)."""
    active_machine_id: Word = ""
    """Digest of the active's machine-id: two with one were made from one disk."""


class StartCycle(Value, frozen=True, kw_only=True, tag="cycle", tag_field="verb"):
    pass


class PlanTakeover(Value, frozen=True, kw_only=True, tag="takeover-plan", tag_field="verb"):
    restore_point: str = ""
    """Id of an older generation; empty: the newest imported one."""
    within_seconds: float = 0.0
    """An observation no older than this will do; 0: look now, which takes about half a second."""


class StartTakeover(Value, frozen=True, kw_only=True, tag="takeover", tag_field="verb"):
    digest: str
    """Of the plan that was shown: what was confirmed is what runs."""
    accept: tuple[str, ...] = ()
    """Codes of findings that a person accepted by name."""
    operator: str
    restore_point: str = ""
    stay_dead: tuple[str, ...] = ()
    """Lines of the plan's `replug` that nobody can replug now: they stay dead. All others are said to be replugged
    by accepting `replug-first`; where all stay dead, that need not be accepted (S20)."""
    forged: str = ""
    """Root at the console only: the MAC that answers for the service address by forgery, typed as the plan shows it.
    It is overlooked, and nothing else is."""


class WatchJob(Value, frozen=True, kw_only=True, tag="watch-job", tag_field="verb"):
    """Return the job as soon as its revision is above `seen`, or after `seconds`."""

    id: Word
    seen: Annotated[int, Meta(ge=-1, le=2**60)] = -1
    seconds: Seconds = 10.0


class CancelJob(Value, frozen=True, kw_only=True, tag="cancel-job", tag_field="verb"):
    id: Word


class GetConfig(Value, frozen=True, kw_only=True, tag="config-get", tag_field="verb"):
    pass


class SetConfig(Value, frozen=True, kw_only=True, tag="config-set", tag_field="verb"):
    config: ModuleConfig


class ListGenerations(Value, frozen=True, kw_only=True, tag="generations", tag_field="verb"):
    pass


class RetryService(Value, frozen=True, kw_only=True, tag="retry", tag_field="verb"):
    """Serve now: start the PBX that failed, take back a release, wait for a silent peer no longer (I7)."""


# --- answers ------------------------------------------------------------------------------------


class HostKey(Value, frozen=True, kw_only=True):
    line: str
    fingerprint: str
    """`SHA256:…`, as ssh-keygen -l prints it."""


class Accepted(Value, frozen=True, kw_only=True):
    """The standby's side of a pairing."""

    appliance: Appliance
    public_key: LongText
    machine_id: Word = ""
    """Digest of the standby's machine-id."""


class OfferAnswer(Value, frozen=True, kw_only=True):
    base: Word
    """Digest of the manifest that is live here; empty: nothing was imported yet."""


class GenerationList(Value, frozen=True, kw_only=True):
    """Answer to ListGenerations."""

    copies: tuple[Copy, ...]
    """The last cycles, newest first."""
    live: str = ""
    """Id of the generation whose data is in place here; empty: none was imported."""
    restore_points: tuple[Generation, ...] = ()
    """What a takeover can serve, newest first (B7)."""


class PeerView(Value, frozen=True, kw_only=True):
    """What this side knows of the other one."""

    host: str
    own_address: str
    connected: bool
    silent_seconds: float
    role: Role | None
    serving: bool


class TakeoverPlanAnswer(Value, frozen=True, kw_only=True):
    digest: str
    verdict: Verdict
    facts: Facts
    findings: tuple[Finding, ...]
    steps: tuple[Message, ...]
    """The plan in words."""
    generation: Generation | None
    age_seconds: float | None
    """None: the clocks say that the data is still to be made, so nobody knows (F9)."""
    phones: tuple[str, ...]
    """Contacts that calls will reach at once."""
    phones_later: tuple[str, ...] = ()
    """Contacts that the telephone system forgets at its start: calls reach them when they have connected again."""
    lines: tuple[str, ...] = ()
    """Trunks and registrations to providers that come to life."""
    replug: tuple[str, ...] = ()
    """What has to be replugged by hand before (S20): the finding `replug-first` stands for the list.

    Each line is either replugged, or named in `StartTakeover.stay_dead`."""
    network: tuple[Message, ...] = ()
    """The network settings that will be used, and what differs from the active's (S3)."""


class Status(Value, frozen=True, kw_only=True):
    """What an administrator asks first."""

    initialised: bool
    role: Role | None = None
    state: str = ""
    """`serving`, `unverified`, `standing-by`, `checking`, `held`, `active-failed`, `superseded`, `forked`."""
    host: str = ""
    own_address: str = ""
    service_address: str = ""
    epoch: int = 0
    version: str = ""
    libraries: str = ""
    """The day of the list that its libraries were installed from, ISO 8601; empty: from none."""
    licence_key: str = ""
    pair: str = ""
    paired_since: datetime | None = None
    """When the peer's key was installed here (S13)."""
    peer: PeerView | None = None
    newest: Copy | None = None
    """The newest generation and how far it came."""
    usable: Copy | None = None
    """The newest imported one: what a takeover would serve."""
    usable_age_seconds: float | None = 0.0
    """By the clock that dated it; None: that clock says that it is still to be made, so nobody knows (F9)."""
    next_cycle: str = ""
    """Local time, ISO 8601; empty: none is planned."""
    attempt: int = 0
    """Which try comes next; 0: none is waiting."""
    attempts: int = 0
    job: Job | None = None
    newest_takeover: Job | None = None
    """Under way or ended, since this agent started: whoever decides sees what somebody else did meanwhile (F16)."""
    has_administrator: bool = True
    """False: the pages wait for the one-time code of `beistand setup-code`."""
    oldest_promised_seconds: float = 0.0
    """Above this age the standby's data is older than the schedule promises; 0: nothing is promised."""
    config_name: str = ""
    """Of the module configuration; empty: there is none."""
    findings: tuple[Finding, ...] = ()
    choices: tuple[Choice, ...] = ()
    """What a person can do about this state, the likeliest first; nothing where nobody is waited for."""
    histories: tuple[History, ...] = ()
    """What each of the two recorded for itself, the own one first, where somebody may have to choose (R5)."""
    pause: Pause | None = None
    """The cycles rest, as an administrator wanted (S4)."""
