"""What the module's pages show in these tests: an active with a licence, a configuration and a standby."""

from datetime import UTC, date, datetime, time

from msgspec.structs import replace

from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.generation import Generation
from beistand.domain.job import Job, JobKind
from beistand.domain.licence import Licence, LicenceKind
from beistand.domain.role import Role
from beistand.domain.schedule import Interval, Schedule
from beistand.domain.value import Value
from beistand.protocol import (
    Backup,
    BackupDetails,
    BackupList,
    GetBackup,
    GetConfig,
    GetLicences,
    GetNetwork,
    GetStatus,
    GetUpload,
    LicencesView,
    ListBackups,
    LogLines,
    NetworkView,
    Part,
    ReadModuleLog,
    SetConfig,
    UploadView,
)
from fakes.agent_server import Reply
from web.conftest import STATUS

KEY = "AAAAA-BBBBB-CCCCC-DDDDD"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAILY = Schedule(interval=Interval.DAY, every=1, start=date(2026, 1, 1), at=time(2, 30))
CONFIG = ModuleConfig(revision=3, licence_key=KEY, schedule=DAILY, standby=Standby(server="192.0.2.2"))
LICENSED = LicencesView(
    own=(Licence(key=KEY, kind=LicenceKind.MODULE, module="redundancy"),),
    peer=(Licence(key="E" * 23, kind=LicenceKind.REDUNDANCY_MODULE, module="redundancy"),),
)
SUPERSEDED = replace(STATUS, role=Role.SUPERSEDED, state="superseded")
STANDBY = replace(STATUS, role=Role.STANDBY, state="standing-by", host="pbx-b", own_address="192.0.2.2/24")
GENERATION = Generation(
    id="20260301T120000Z-12",
    pair="0" * 32,
    source="a" * 16,
    epoch=2,
    sequence=12,
    begin=BEGIN,
    end=BEGIN,
    profile="asterisk",
    pbx_version="20.1",
    manifest="0" * 64,
    entries=61_234,
    size=4_300_000_000,
)
PARTS = (
    Part(path="/etc/asterisk", is_database=False, files=312, bytes=2_345_678),
    Part(path="/var/lib/asterisk/astdb.sqlite3", is_database=True, files=1, bytes=65_536),
)
BACKUP = Backup(
    id="b1", generation=GENERATION, file_size=1000, digest="f" * 64, is_encrypted=True, asked=False
)
JOB = Job(id="j0b", kind=JobKind.CHECK, begin=BEGIN)
UPLOADED = UploadView(id="u1", name="pbx-a.beistand", size=10, received=10, quota_bytes=10**9)
CHECKED = replace(UPLOADED, generation=GENERATION, parts=PARTS, host="pbx-a")
Replies = dict[type[Value], Reply | list[Reply]]


def on_the_active(more: Replies | None = None) -> Replies:
    return {
        GetLicences: LICENSED,
        GetConfig: CONFIG,
        SetConfig: CONFIG,
        GetNetwork: NetworkView(own=None, peer=None),
        ReadModuleLog: LogLines(lines=()),
        ListBackups: BackupList(backups=(BACKUP,), free_bytes=10**9),
        GetBackup: BackupDetails(backup=BACKUP, parts=PARTS, host="pbx-a"),
        **(more or {}),
    }


def on_the_standby(more: Replies | None = None) -> Replies:
    return on_the_active({GetStatus: STANDBY, GetUpload: UploadView(id=""), **(more or {})})
