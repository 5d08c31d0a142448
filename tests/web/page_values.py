"""What a busy pair of appliances shows: full lists, long names, something of everything that can go wrong."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from beistand.domain.account import AccountRole
from beistand.domain.checks import checks
from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.licence import Licence, LicenceKind
from beistand.domain.mail import Encryption, MailState, MailText, OutboxEntry, User
from beistand.domain.message import message
from beistand.domain.pair import Appliance
from beistand.domain.role import Role
from beistand.protocol import (
    AccountList,
    AccountView,
    AuditLine,
    AuditLines,
    Backup,
    BackupList,
    Coverage,
    GenerationList,
    LicencesView,
    LogLine,
    LogLines,
    MailView,
    NetworkView,
    PeerView,
    Status,
    Trial,
    TrialStep,
    Uncovered,
    UserList,
)
from fakes.situations import appliance
from web.module_views import GENERATION, KEY
from web.scenes import made

NOW = datetime.now(UTC).replace(microsecond=0)
SERVICE = "192.0.2.10"
REDUNDANCY_KEY = "K2M4N-P6Q8R-S3T5V-W7X9Y"


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def local(**units: float) -> str:
    """So far from now, as the appliance's own clock on the wall says it."""
    return (NOW + timedelta(**units)).astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


def copy(hours: float, state: CopyState = CopyState.PROVEN, **more: Any) -> Copy:
    shown = made(hours, pbx_version="Asterisk 20.11.1", entries=61_234, size=4_300_000_000)
    values = {"seconds": 42.0 + 9 * (hours % 5), "bytes_on_wire": int(3_000_000 * (1 + hours % 7)), **more}
    return Copy(generation=shown, state=state, at=shown.begin + timedelta(seconds=50), **values)


FAILED = copy(3, CopyState.FAILED, failed_stage="transfer", why=message("peer-silent"))
COPIES = (copy(0.2), copy(1, asked=True), copy(2), FAILED, *(copy(float(hour)) for hour in range(4, 30)))
PEER = PeerView(
    host="pbx-b",
    own_address="192.0.2.2/24",
    connected=True,
    silent_seconds=0.4,
    role=Role.STANDBY,
    serving=False,
)
ACTIVE = Status(
    initialised=True,
    role=Role.ACTIVE,
    state="serving",
    host="pbx-a",
    own_address="192.0.2.1/24",
    service_address=SERVICE,
    epoch=2,
    version="0.1.0",
    licence_key=KEY,
    pair="0" * 32,
    paired_since=ago(days=90),
    peer=PEER,
    newest=COPIES[0],
    usable=COPIES[0],
    usable_age_seconds=720.0,
    next_cycle=local(minutes=48),
    oldest_promised_seconds=7200.0,
    config_name="Redundanz",
)
ALONE = replace(ACTIVE, pair="", paired_since=None, peer=None, newest=None, usable=None, next_cycle="")
TROUBLED = replace(
    ACTIVE,
    newest=FAILED,
    usable_age_seconds=3 * 86_400.0,
    attempt=3,
    attempts=10,
    peer=replace(PEER, connected=False, silent_seconds=259_200.0),
    findings=(
        Finding(
            code="peer-agent-down", severity=Severity.BLOCK, fields={"server": "pbx-b", "why": "broken pipe"}
        ),
        Finding(code="copy-stale", severity=Severity.WARN, fields={"age": 3 * 86_400.0, "limit": 7200.0}),
        Finding(code="clocks-differ", severity=Severity.WARN, fields={"peer": "pbx-b", "skew": 75.0}),
    ),
)
STANDBY = replace(
    ACTIVE,
    role=Role.STANDBY,
    state="standing-by",
    host="pbx-b",
    own_address="192.0.2.2/24",
    licence_key=REDUNDANCY_KEY,
    next_cycle="",
    peer=replace(PEER, host="pbx-a", own_address="192.0.2.1/24", role=Role.ACTIVE, serving=True),
)
FRESH = Status(initialised=False, state="not-initialised", host="pbx-neu", version="0.1.0")
GENERATIONS = GenerationList(copies=COPIES, live=COPIES[0].generation.id)
NOTHING_YET = GenerationList(copies=())
COVERAGE = Coverage(
    at=ago(minutes=12),
    uncovered=(
        Uncovered(path="/var/lib/asterisk/agi-bin/kundendatenbank", files=12, bytes=345_678, why="no-tree"),
        Uncovered(
            path="/var/lib/asterisk/cdr-archiv-2019.sqlite3",
            files=1,
            bytes=1_200_000_000,
            why="undeclared-database",
        ),
    ),
    growing=("/var/spool/asterisk/monitor/20261122-0815-4711.wav",),
)


def account(name: str, role: AccountRole = AccountRole.ADMINISTRATOR, **more: Any) -> AccountView:
    return AccountView(name=name, role=role, since=ago(days=80), **more)


ACCOUNTS = AccountList(
    accounts=(
        account("anna"),
        account("bert.oberhuber-schmittlein@x", AccountRole.VIEWER),
        account("helpdesk", AccountRole.VIEWER),
    ),
    tokens=(account("monitoring", AccountRole.VIEWER, is_program=True, id="t1"),),
)
JOB = Job(
    id="0123456789abcdef",
    kind=JobKind.CYCLE,
    stage="transfer",
    done=1_300_000_000,
    total=4_300_000_000,
    begin=ago(seconds=30),
)
JOB_DONE = replace(
    JOB,
    state=JobState.DONE,
    end=NOW,
    result={"seconds": 30.2, "bytes_on_wire": 45_000_000, "state": "proven"},
)
JOB_FAILED = replace(
    JOB,
    state=JobState.FAILED,
    end=NOW,
    error=message("peer-silent"),
)
JOB_CANCELLED = replace(JOB, state=JobState.CANCELLED, end=NOW)


def backup(number: int, **more: Any) -> Backup:
    shown = replace(GENERATION, id=f"20260301T120000Z-{number}", begin=ago(days=number), end=ago(days=number))
    values: dict[str, Any] = {
        "id": f"b{number}",
        "generation": shown,
        "file_size": 1_204_567_890,
        "digest": "3f" * 32,
        "is_encrypted": False,
        "asked": False,
        **more,
    }
    return Backup(**values)


BACKUPS = BackupList(
    backups=(backup(1, asked=True, is_encrypted=True), *(backup(number) for number in range(2, 6))),
    free_bytes=48_000_000_000,
    next_backup=local(hours=9),
)
LICENCES = LicencesView(
    own=(
        Licence(key=KEY, kind=LicenceKind.SERVER),
        Licence(
            key="BBBBB-CCCCC-DDDDD-EEEEE",
            kind=LicenceKind.USER,
            count=50,
            is_self_issued=False,
            holder="Hinterhuber Haustechnik GmbH & Co. KG",
            expires=date(2027, 12, 31),
            seller="Fernmeldehaus Süd",
        ),
        Licence(key="CCCCC-DDDDD-EEEEE-FFFFF", kind=LicenceKind.MODULE, module="redundancy"),
    ),
    peer=(
        Licence(key=REDUNDANCY_KEY, kind=LicenceKind.REDUNDANCY_SERVER, counterpart=KEY),
        Licence(
            key="R5555-S6666-T7777-U8888",
            kind=LicenceKind.REDUNDANCY_MODULE,
            module="redundancy",
            counterpart="CCCCC-DDDDD-EEEEE-FFFFF",
        ),
    ),
    known=(
        Licence(
            key="V2222-W3333-X4444-Y5555",
            kind=LicenceKind.USER,
            count=25,
            is_self_issued=False,
            seller="Fernmeldehaus Süd",
        ),
    ),
    findings=(
        Finding(
            code="licence-counterpart-missing",
            severity=Severity.WARN,
            fields={"kind": "user", "key": "BBBBB-CCCCC-DDDDD-EEEEE", "peer": "pbx-b"},
        ),
    ),
)
NO_LICENCES = LicencesView(own=(), peer=())


def entry(state: MailState, number: int, **more: Any) -> OutboxEntry:
    return OutboxEntry(
        occasion="takeover-3",
        kind="users-takeover",
        recipient=f"mitarbeiterin.mit.langem.namen{number}@hinterhuber-haustechnik.example",
        subject="Bitte starten Sie Ihr Telefon neu",
        body="…",
        state=state,
        since=ago(minutes=9),
        **more,
    )


BROKEN_OFF: dict[str, Any] = {
    "stages": ("ask-peer-to-release", "make-data-ready", "fast-probe", "serve"),
    "stage": "fast-probe",
    "state": JobState.FAILED,
    "end": NOW,
    "error": message(
        "undo-failed",
        why="address-in-use address=192.0.2.10 mac=02:00:00:00:00:99",
        undo="peer-silent server=192.0.2.1",
    ),
}
"""A takeover that another device stopped, and whose undo did not reach the other appliance."""
UNREADABLE = message("users-not-read", path="/etc/asterisk/voicemail.conf", why="No such file or directory")
UNDO_OPEN = Finding(code="undo-open", severity=Severity.BLOCK, fields={"peer": "pbx-a"})
REFUSED = message("mail-timeout", host="mail.hinterhuber.example", port=587, seconds=20.0)
MAIL = MailView(
    host="mail.hinterhuber.example",
    port=587,
    encryption=Encryption.STARTTLS,
    user="telefon@hinterhuber.example",
    has_password=True,
    sender="telefon@hinterhuber.example",
    texts=(
        MailText(
            kind="users-takeover",
            subject="Bitte starten Sie Ihr Telefon neu",
            body="Guten Tag {name},\n\ndie Telefonanlage läuft jetzt auf {host}.\n\nBitte starten Sie Ihr Telefon neu.",
        ),
    ),
    outbox=(
        entry(MailState.SENT, 1, sent_at=ago(minutes=8)),
        entry(MailState.WAITING, 2, tries=2, next_at=NOW + timedelta(minutes=5), why=REFUSED),
        entry(MailState.GIVEN_UP, 3, tries=20, why=REFUSED),
    ),
)
NO_MAIL = MailView(
    host="",
    port=587,
    encryption=Encryption.STARTTLS,
    user="",
    has_password=False,
    sender="",
    texts=MAIL.texts,
    outbox=(),
)
USERS = UserList(
    users=(
        User(name="Anna Hinterhuber", extension="101", address="anna@hinterhuber.example"),
        User(name="Friederike von Oberschmittlein", extension="102", address=""),
        User(name="Werkstatt", extension="103", address="werkstatt@hinterhuber.example"),
        User(name="Karl Ammer", extension="104", address="Prokurist"),
    )
)
TRIAL = Trial(
    steps=(
        TrialStep(code="mail-name", works=True, seconds=0.02),
        TrialStep(code="mail-connection", works=False, why=REFUSED, seconds=20.0),
    )
)


TRIAL_OF_STANDBY = Trial(
    steps=(
        TrialStep(code="standby-address", works=True),
        TrialStep(code="arp", works=True, seconds=0.1),
        TrialStep(code="ssh-port", works=False, why=message("peer-silent"), seconds=5.0),
    )
)


def side(node: str, **more: Any) -> Appliance:
    values = {
        "dns": ("192.0.2.253", "192.0.2.254"),
        "time_servers": ("192.0.2.254",),
        "licence_key": KEY,
        "pbx_version": "Asterisk 20.11.1",
        **more,
    }
    return replace(appliance(node * 16), **values)


OWN, OTHER = (
    side("a"),
    side("b", beistand_version="0.2.0", dns=("192.0.2.253",), licence_key=REDUNDANCY_KEY),
)
NETWORK = NetworkView(
    own=OWN,
    peer=OTHER,
    interface="eth0",
    subnet="192.0.2.0/24",
    is_holding=True,
    certificate=":".join(["0A", "1B", "2C", "3D"] * 8),
    checks=checks(OWN, OTHER),
)
CANDIDATES = NetworkView(
    own=None,
    peer=None,
    candidates=("192.0.2.1/24", "198.51.100.7/24"),
    interfaces=("eth0", "eth1"),
    profiles=("asterisk", "freepbx"),
)
NOWHERE = NetworkView(own=None, peer=None)


def line(minutes: float, level: str, code: str, **fields: Any) -> LogLine:
    return LogLine(at=ago(minutes=minutes), level=level, message=message(code, **fields))


LOG = LogLines(
    lines=(
        line(1, "info", "job-ends", job="0123456789abcdef", kind="cycle", state="done", why=""),
        line(2, "debug", "job-stage", job="0123456789abcdef", stage="transfer"),
        line(2.2, "info", "job-begins", job="0123456789abcdef", kind="cycle"),
        line(50, "warning", "mail-not-sent", occasion="takeover-3", why="mail-server-missing"),
        line(70, "error", "fork-found", peer="pbx-b"),
        line(90, "info", "state", now="serving", before="starting", epoch=2),
        line(91, "info", "accounts-sent", revision=4),
        line(92, "info", "peer-heard", host="pbx-b", address="192.0.2.2/24"),
        line(200, "info", "paired", pair="0" * 32, peer="pbx-b"),
    )
)
NO_LOG = LogLines(lines=())


def deed(
    minutes: float, code: str, who: str = "anna", address: str = "192.0.2.50", **fields: Any
) -> AuditLine:
    return AuditLine(at=ago(minutes=minutes), who=who, address=address, what=message(code, **fields))


AUDIT = AuditLines(
    lines=(
        deed(1, "audit.cycle"),
        deed(3, "audit.log-in"),
        deed(4, "audit.log-in", who="", refused="log-in-wrong"),
        deed(40, "audit.account-put", name="helpdesk", role="viewer"),
        deed(60, "audit.takeover", restore_point="", refused="plan-changed"),
        deed(90, "audit.setup-code", who="root", address=""),
    )
)
NO_AUDIT = AuditLines(lines=())
