"""Every page in every state that a person can meet: where it is, what the agent answers, what is done there first."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from beistand.domain.account import AccountRole
from beistand.domain.choices import Predicament, choices
from beistand.domain.job import JobKind, JobState
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.domain.value import Value
from beistand.protocol import (
    Authenticate,
    BackupDetails,
    BackupList,
    Coverage,
    FetchHostKey,
    GetBackup,
    GetConfig,
    GetCoverage,
    GetLicences,
    GetMail,
    GetNetwork,
    GetStatus,
    GetUpdate,
    GetUpload,
    HostKey,
    InstallLicences,
    ListAccounts,
    ListBackups,
    ListGenerations,
    ListUsers,
    LogIn,
    MakeToken,
    NewToken,
    PlanTakeover,
    ReadAudit,
    ReadModuleLog,
    SendTestMail,
    Session,
    SetConfig,
    SetMailServer,
    SetMailText,
    TryStandby,
    UploadView,
    UsersTold,
    WatchJob,
)
from fakes.agent_server import Reply, breaks
from web import page_values as values
from web import scenes, update_values
from web.choice_values import AWAITS_SILENCE, FORKED, SETUP_STUCK, SETUP_UNDONE, SETUP_WAITS
from web.module_views import CHECKED, CONFIG, KEY, PARTS, UPLOADED

ADMINISTRATOR = values.account("anna")
VIEWER = values.account("helpdesk", AccountRole.VIEWER)
PASSWORD = "sieben blaue Kannen"
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
Replies = Mapping[type[Value], Reply | list[Reply]]
USUAL: Replies = {
    GetStatus: values.ACTIVE,
    Authenticate: ADMINISTRATOR,
    LogIn: Session(token="t0ken", account=ADMINISTRATOR, expires=values.NOW),
    # A takeover's page that was left may ask once more, whatever is shown next.
    PlanTakeover: message("already-active"),
    ListGenerations: values.GENERATIONS,
    GetCoverage: values.COVERAGE,
    GetConfig: replace(CONFIG, licence_key=KEY, replug=("ISDN-Anschluss, obere Dose", "Türsprechstelle")),
    SetConfig: CONFIG,
    GetLicences: values.LICENCES,
    GetNetwork: values.NETWORK,
    GetUpdate: update_values.BEFORE,
    GetMail: values.MAIL,
    ListUsers: values.USERS,
    ListAccounts: values.ACCOUNTS,
    ListBackups: values.BACKUPS,
    GetBackup: BackupDetails(backup=values.BACKUPS.backups[0], parts=PARTS, host="pbx-a"),
    ReadModuleLog: values.LOG,
    ReadAudit: values.AUDIT,
    WatchJob: values.JOB,
    GetUpload: UploadView(id="", quota_bytes=20_000_000_000),
    FetchHostKey: HostKey(line=LINE, fingerprint="SHA256:x"),
    TryStandby: values.TRIAL_OF_STANDBY,
    SendTestMail: values.TRIAL,
    MakeToken: NewToken(token="bst_" + "x" * 43, view=values.ACCOUNTS.tokens[0]),
}


@dataclass(frozen=True)
class Scene:
    path: str
    replies: Replies = field(default_factory=dict)
    logged_in: bool = True
    fill: Mapping[str, str] = field(default_factory=dict)
    """Fields by their names."""
    press: str = ""
    """CSS selector of what is clicked after that, or only."""
    opens: bool = False
    """What is clicked is on this page and leads to no other."""
    waits: bool = False
    """What is clicked sends a form whose answer is not there yet."""
    has_agent: bool = True


def _standby(**more: object) -> Replies:
    return {GetStatus: replace(values.STANDBY, **more)}


def _takeover(name: str, replug: tuple[str, ...] = ()) -> Scene:
    plan = scenes.SCENES[name](replug=replug) if replug else scenes.SCENES[name]()
    replies = {**_standby(peer=scenes.STANDBY.peer), PlanTakeover: plan, ListGenerations: scenes.points(plan)}
    return Scene("/admin/redundancy/", replies)


def _progress(status: Mapping[str, object] | None = None, **changes: object) -> Scene:
    job = scenes.job(**changes)
    return Scene(f"/admin/redundancy/{job.id}/", {**_standby(**(status or {})), WatchJob: job})


def _taken(users_told: UsersTold | None) -> Scene:
    done = _progress(
        status={"role": Role.ACTIVE, "state": "serving"},
        stages=STAGES,
        stage="serve",
        state=JobState.DONE,
        end=values.NOW,
        result={
            "seconds": 6.4,
            "epoch": 3,
            "phones": 10,
            "phones_answered": 9,
            "phones_at_once": 10,
            "phones_later": 1,
        },
    )
    mail = replace(values.MAIL, users_told=users_told)
    return dataclasses.replace(done, replies={**done.replies, GetMail: mail})


RECOVERING = replace(
    values.STANDBY,
    state="recovering",
    choices=choices(Predicament(state="recovering")),
    job=replace(values.JOB, kind=JobKind.RECOVER, stage="take-back", done=260_000, total=400_000),
)
STAGES = ("ask-peer-to-release", "await-silence", "make-data-ready", "fast-probe", "serve")
MODULE = "/module/redundancy"
EMPTY: Replies = {
    GetStatus: values.ALONE,
    ListGenerations: values.NOTHING_YET,
    GetCoverage: Coverage(at=None),
    GetConfig: replace(CONFIG, revision=0),
    GetLicences: values.NO_LICENCES,
    GetNetwork: replace(values.NETWORK, peer=None, checks=()),
    GetMail: values.NO_MAIL,
    ListBackups: BackupList(backups=(), free_bytes=48_000_000_000),
    ReadModuleLog: values.NO_LOG,
    ReadAudit: values.NO_AUDIT,
}
FRESH: Replies = {**EMPTY, GetStatus: values.FRESH, GetNetwork: values.CANDIDATES}
DOORS: Replies = {GetStatus: replace(values.FRESH, has_administrator=False)}
SCENES: dict[str, Scene] = {
    "overview": Scene("/"),
    "overview-troubled": Scene("/", {GetStatus: values.TROUBLED}),
    "overview-running": Scene("/", {GetStatus: replace(values.ACTIVE, job=values.JOB)}),
    "overview-alone": Scene("/", EMPTY),
    "overview-standby": Scene("/", _standby()),
    "overview-recovering": Scene("/", {GetStatus: RECOVERING}),
    "overview-superseded": Scene("/", _standby(state="superseded", role=Role.SUPERSEDED)),
    "overview-forked": Scene("/", {GetStatus: FORKED}),
    "overview-setup-waits": Scene("/", {GetStatus: SETUP_WAITS}),
    "overview-awaits-silence": Scene("/", {GetStatus: AWAITS_SILENCE}),
    "overview-refused": Scene(
        "/",
        {
            ListGenerations: message("agent-silent", seconds=5.0),
            GetCoverage: message("internal-error", reference="1a2b3c4d"),
        },
    ),
    "overview-account-menu": Scene("/", press="details.account summary", opens=True),
    "module": Scene("/module/"),
    "module-empty": Scene("/module/", {**EMPTY, GetLicences: values.LICENCES}),
    "module-unlicensed": Scene("/module/", EMPTY),
    "module-standby-side": Scene("/module/", _standby()),
    "module-delete": Scene("/module/delete/"),
    "module-general": Scene(f"{MODULE}/general/"),
    "module-settings": Scene(f"{MODULE}/settings/"),
    "module-settings-wrong": Scene(
        f"{MODULE}/settings/",
        fill={"licence_key": "abc", "attempts": "0", "mail_address": "a@b, c@d", "start": "31:02:2026"},
        press="main form .primary",
    ),
    "module-general-weaker": Scene(
        f"{MODULE}/general/",
        {SetConfig: message("change-needs-password", change="inactive")},
        press="main form .primary",
    ),
    "module-settings-standby-side": Scene(f"{MODULE}/settings/", _standby()),
    "module-settings-superseded": Scene(
        f"{MODULE}/settings/", _standby(state="superseded", role=Role.SUPERSEDED)
    ),
    "module-standby": Scene(f"{MODULE}/standby/"),
    "module-standby-unpaired": Scene(f"{MODULE}/standby/", {GetStatus: values.ALONE}),
    "module-standby-tried": Scene(f"{MODULE}/standby/", press="button[formaction$='/try/']"),
    "module-standby-waits": Scene(f"{MODULE}/standby/", press="button[formaction$='/try/']", waits=True),
    "module-pair": Scene(f"{MODULE}/standby/", {GetStatus: values.ALONE}, press="main form .primary"),
    "module-import-active": Scene(f"{MODULE}/import/"),
    "module-import": Scene(f"{MODULE}/import/", _standby(usable=None, newest=None)),
    "module-import-locked": Scene(
        f"{MODULE}/import/", {**_standby(usable=None), GetUpload: replace(UPLOADED, needs_passphrase=True)}
    ),
    "module-import-checked": Scene(
        f"{MODULE}/import/",
        {**_standby(usable=None), GetUpload: replace(CHECKED, name="pbx-a-20260301T120000Z-12.beistand")},
    ),
    "module-import-refused": Scene(
        f"{MODULE}/import/",
        {**_standby(usable=None), GetUpload: replace(UPLOADED, problem=message("other-pair", pair="1" * 32))},
    ),
    "backups": Scene("/backups/"),
    "backups-empty": Scene("/backups/", EMPTY),
    "backup": Scene("/backups/b1/"),
    "backup-download": Scene("/backups/b1/file/"),
    "backup-delete": Scene("/backups/b1/delete/"),
    "licences": Scene("/licences/"),
    "licences-empty": Scene("/licences/", EMPTY),
    "licences-elsewhere": Scene(
        "/licences/",
        {InstallLicences: replace(values.LICENCES, elsewhere=(KEY,))},
        fill={"text": "{}"},
        press="#install .primary",
    ),
    "licence-remove": Scene("/licences/CCCCC-DDDDD-EEEEE-FFFFF/remove/"),
    "mail": Scene("/mail/"),
    "mail-empty": Scene("/mail/", EMPTY),
    "mail-tried": Scene("/mail/", fill={"address": "anna@hinterhuber.example"}, press="#test form button"),
    "mail-waits": Scene(
        "/mail/", fill={"address": "anna@hinterhuber.example"}, press="#test form button", waits=True
    ),
    "mail-wrong": Scene(
        "/mail/",
        {SetMailServer: message("mail-host-form", host="mail server")},
        fill={"host": "mail server", "own_password": PASSWORD},
        press="#server .primary",
    ),
    "network": Scene("/network/"),
    "network-alone": Scene("/network/", EMPTY),
    "update": Scene("/update/"),
    **{f"update-{name}": Scene("/update/", {GetUpdate: view}) for name, view in update_values.VIEWS.items()},
    "update-viewer": Scene("/update/", {GetUpdate: update_values.PAUSED, Authenticate: VIEWER}),
    "update-standby-side": Scene("/update/", {**_standby(), GetUpdate: update_values.ON_THE_STANDBY}),
    "overview-paused": Scene(
        "/", {GetStatus: replace(values.ACTIVE, next_cycle="", pause=update_values.PAUSE)}
    ),
    "logs": Scene("/logs/"),
    "logs-empty": Scene("/logs/?contains=zzz", EMPTY),
    "logs-cut": Scene("/logs/?before=a-1", {ReadModuleLog: replace(values.LOG, older="a-17")}),
    "logs-gone": Scene("/logs/?before=gone", {ReadModuleLog: values.NO_LOG}),
    "audit": Scene("/logs/audit/"),
    "audit-cut": Scene("/logs/audit/", {ReadAudit: replace(values.AUDIT, older="17")}),
    "accounts": Scene("/accounts/"),
    "account-new": Scene("/accounts/new/"),
    "account-change": Scene("/accounts/account/anna/"),
    "account-remove": Scene("/accounts/account/helpdesk/remove/"),
    "token-new": Scene("/accounts/tokens/new/"),
    "token-made": Scene(
        "/accounts/tokens/new/",
        fill={"program": "monitoring", "password": PASSWORD},
        press="main .primary",
    ),
    "token-remove": Scene("/accounts/tokens/t1/remove/"),
    "password": Scene("/password/"),
    "api": Scene("/api/"),
    "job-running": Scene("/jobs/0123456789abcdef/"),
    "job-done": Scene("/jobs/0123456789abcdef/", {WatchJob: values.JOB_DONE}),
    "job-failed": Scene("/jobs/0123456789abcdef/", {WatchJob: values.JOB_FAILED}),
    "job-cancelled": Scene("/jobs/0123456789abcdef/", {WatchJob: values.JOB_CANCELLED}),
    **{f"takeover-{name}": _takeover(name) for name in scenes.SCENES},
    "takeover-replug": _takeover("gone", ("ISDN-Anschluss, obere Dose", "Türsprechstelle")),
    "takeover-incomplete": dataclasses.replace(
        _takeover("hung", ("ISDN-Anschluss, obere Dose", "Türsprechstelle")),
        fill={"password": PASSWORD},
        press="button.big",
        opens=True,
    ),
    "takeover-changed": dataclasses.replace(
        _takeover("gone"),
        replies={
            **_takeover("gone").replies,
            PlanTakeover: [scenes.gone(), scenes.works(replug=("Türsprechstelle",))],
        },
        fill={"password": PASSWORD},
        press="button.big",
    ),
    "takeover-waits": dataclasses.replace(
        _takeover("gone"), fill={"password": PASSWORD}, press="button.big", waits=True
    ),
    "takeover-active": Scene("/admin/redundancy/", {PlanTakeover: message("already-active")}),
    "takeover-unpaired": Scene(
        "/admin/redundancy/", {**_standby(peer=None, pair=""), PlanTakeover: message("takeover-unpaired")}
    ),
    "takeover-silent": Scene(
        "/admin/redundancy/", {**_standby(), PlanTakeover: message("internal-error", reference="1a2b3c4d")}
    ),
    "takeover-forked": Scene("/admin/redundancy/", {**_takeover("own").replies, GetStatus: FORKED}),
    "takeover-held": Scene(
        "/admin/redundancy/",
        {GetStatus: replace(values.ACTIVE, state="held"), PlanTakeover: message("already-active")},
    ),
    "takeover-superseded": Scene(
        "/admin/redundancy/",
        {**_takeover("own").replies, **_standby(state="superseded", role=Role.SUPERSEDED)},
    ),
    "takeover-running": _progress(stages=STAGES, stage="make-data-ready"),
    "takeover-ends-import": _progress(
        stages=("end-import", *STAGES), stage="end-import", done=260_000, total=400_000
    ),
    "takeover-undoing": _progress(stages=STAGES, stage="undo", failed_stage="await-silence"),
    "takeover-unplug": _progress(stages=STAGES, stage="await-silence"),
    "takeover-done": _taken(UsersTold(epoch=3, is_over=True, sent=14, waiting=3, given_up=1)),
    "takeover-done-mails-later": _taken(UsersTold(epoch=3, is_over=False, why=values.UNREADABLE)),
    "takeover-done-no-mails": _taken(UsersTold(epoch=3, is_over=True, why=message("users-without-address"))),
    "takeover-done-mails-unknown": _taken(None),
    "takeover-failed": _progress(
        stages=STAGES,
        stage="make-data-ready",
        state=JobState.FAILED,
        end=values.NOW,
        error=message("content-differs", path="/etc/asterisk/pjsip.conf"),
    ),
    "takeover-undo-open": _progress(status={"findings": (values.UNDO_OPEN,)}, **values.BROKEN_OFF),
    "takeover-undo-later": _progress(**values.BROKEN_OFF),
    "takeover-undo-done": _progress(
        kind=JobKind.UNDO,
        stages=(),
        stage="undo",
        state=JobState.DONE,
        begin=values.ago(seconds=1.4),
        end=values.NOW,
    ),
    "takeover-forgotten": Scene(
        f"/admin/redundancy/{scenes.job().id}/",
        {
            **_standby(findings=(values.UNDO_OPEN,)),
            WatchJob: message("unknown-job", job=scenes.job().id),
        },
    ),
    "overview-undo-open": Scene(
        "/",
        _standby(
            findings=(values.UNDO_OPEN,),
            choices=choices(Predicament(state="standing-by", is_undo_open=True)),
        ),
    ),
    "viewer-takeover": Scene(
        f"/jobs/{scenes.job().id}/",
        {
            **_standby(),
            Authenticate: VIEWER,
            WatchJob: scenes.job(stages=STAGES, stage="ask-peer-to-release"),
        },
    ),
    "takeover-failed-late": _progress(
        stages=STAGES,
        stage="serve",
        state=JobState.FAILED,
        end=values.NOW,
        error=message("pbx-silent", address="192.0.2.10"),
    ),
    "not-found": Scene("/no-such-page/"),
    "forbidden": Scene("/accounts/", {Authenticate: VIEWER}),
    "viewer-overview": Scene("/", {Authenticate: VIEWER}),
    "viewer-settings": Scene(f"{MODULE}/settings/", {Authenticate: VIEWER}),
    "refused": Scene("/network/", {GetNetwork: message("internal-error", reference="1a2b3c4d")}),
    "gone-agent-form": Scene("/mail/", {SetMailText: breaks}, press="#text [value='text-back']"),
    "no-agent": Scene("/network/", has_agent=False),
    "setup-appliance": Scene("/setup/", FRESH),
    "setup-appliance-waits": Scene(
        "/setup/",
        FRESH,
        fill={"role": "active", "own": "eth0 192.0.2.1/24", "service": "192.0.2.10", "password": PASSWORD},
        press="main .primary",
        waits=True,
    ),
    "setup-appliance-nowhere": Scene("/setup/", {**FRESH, GetNetwork: values.NOWHERE}),
    "setup-appliance-undone": Scene("/setup/", {**FRESH, GetStatus: SETUP_UNDONE}),
    "setup-appliance-stuck": Scene("/setup/", {**FRESH, GetStatus: SETUP_STUCK}),
    "setup-code": Scene("/setup/", DOORS, logged_in=False),
    "setup-code-again": Scene("/setup/", logged_in=False),
    "log-in": Scene("/log-in/", logged_in=False),
    "log-in-wrong": Scene(
        "/log-in/",
        {LogIn: message("log-in-wrong")},
        logged_in=False,
        fill={"name": "anna", "password": "falsch"},
        press="main .primary",
    ),
}
