"""Appliances with something on every page, and what of a page's address depends on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from beistand.domain.account import AccountRole
from beistand.domain.config import ModuleConfig
from beistand.domain.job import Job
from beistand.domain.mail import Encryption
from beistand.protocol import (
    AccountList,
    BackupList,
    CreateBackup,
    GetLicences,
    GetStatus,
    LicencesView,
    ListAccounts,
    ListBackups,
    LogIn,
    MailView,
    PlanTakeover,
    Session,
    SetConfig,
    SetMailServer,
    StartTakeover,
    Status,
    TakeoverPlanAnswer,
    WatchJob,
)
from beistand_lab.commands import wait_for
from beistand_lab.lone_appliance import PASSWORD, ask, make_people

SECONDS = 60.0
SERVER = SetMailServer(host="mail.example", port=25, encryption=Encryption.NONE, sender="pbx@lab.example")


@dataclass(frozen=True, kw_only=True)
class Side:
    """An appliance: its socket, an administrator's session, a program's token."""

    socket: Path
    session: str
    token: str
    words: Mapping[str, str] = field(default_factory=dict)
    """What stands in a page's address, by the page's name."""


def standby(socket: Path) -> Side:
    """Return a side of no pair: nothing to look at but itself."""
    token = make_people(socket)[AccountRole.VIEWER]
    session = ask(socket, LogIn(name="anna", password=PASSWORD), Session)
    return Side(socket=socket, session=session.token, token=token)


def taken_over(side: Side) -> Side:
    """Let the standby take over, whatever speaks against it."""
    plan = ask(side.socket, PlanTakeover(within_seconds=SECONDS), TakeoverPlanAnswer)
    accept = tuple(each.code for each in plan.findings)
    job = ask(side.socket, StartTakeover(digest=plan.digest, accept=accept, operator="anna"), Job)
    _await_end(side.socket, job)
    return replace(side, words={"takeover-progress": job.id})


def active(socket: Path, lines: int) -> Side:
    """Return a side with a module configuration, a mail server, a backup, and so many lines in each log."""
    side = standby(socket)
    key = ask(socket, GetStatus(), Status).licence_key
    ask(socket, SetConfig(config=ModuleConfig(licence_key=key)), ModuleConfig)
    for _ in range(lines):
        ask(socket, SERVER, MailView)
    job = ask(socket, CreateBackup(), Job)
    _await_end(socket, job)
    backup = ask(socket, ListBackups(), BackupList).backups[0].id
    words = {
        **dict.fromkeys(("backup", "backup-delete", "backup-download"), backup),
        **dict.fromkeys(("job", "job-progress", "job-cancel"), job.id),
        **dict.fromkeys(("account", "account-remove"), "anna"),
        "licence-remove": ask(socket, GetLicences(), LicencesView).own[-1].key,
        "token-remove": ask(socket, ListAccounts(), AccountList).tokens[0].id,
    }
    return replace(side, words=words)


def _await_end(socket: Path, job: Job) -> None:
    wait_for(lambda: ask(socket, WatchJob(id=job.id), Job).end, SECONDS, f"the end of the {job.kind}")
