"""The table of all routes, and why some requests of the protocol have none."""

from typing import Annotated, Any

from msgspec import Meta

from beistand import protocol
from beistand.domain.config import ModuleConfig
from beistand.domain.job import Job
from beistand.domain.value import Value
from beistand.web.api.route import Carries, Needs, Route

VIEWER, ADMINISTRATOR = Needs.VIEWER, Needs.ADMINISTRATOR
CONFIRMATION, PERHAPS = Needs.CONFIRMATION, Needs.PERHAPS
OUTSIDE_SECONDS = 40.0
"""For what waits for the standby or a mail server, which have deadlines of their own."""
SETUP_SECONDS = 90.0
"""Of a setup and of its way back: the network manager has to settle, and the PBX may have to start."""
PLAN_SECONDS = 30.0
"""The evidence is gathered anew."""
LONGEST_WATCH = 20
"""Seconds; each watcher keeps a thread of the web process busy."""

LINES: dict[str, Any] = {"limit": Annotated[int, Meta(ge=1, le=protocol.MOST_LINES)]}
WATCH: dict[str, Any] = {
    "seen": Annotated[int, Meta(ge=-1, le=2**53)],
    "seconds": Annotated[float, Meta(ge=0, le=LONGEST_WATCH)],
}
BYTES = Annotated[int, Meta(ge=0, le=2**53)]
PORT = Annotated[int, Meta(ge=1, le=65535)]

GROUPS: dict[str, tuple[Route, ...]] = {
    "appliance": (
        Route("GET /status", protocol.GetStatus, protocol.Status, VIEWER),
        Route("POST /setup", protocol.Init, protocol.Done, CONFIRMATION, seconds=OUTSIDE_SECONDS),
        Route("GET /network-setup", protocol.GetSetup, protocol.SetupView, VIEWER),
        Route("POST /network-setup/plan", protocol.PlanSetup, protocol.SetupPlan, ADMINISTRATOR),
        Route(
            "POST /network-setup",
            protocol.StartSetup,
            protocol.SetupView,
            CONFIRMATION,
            seconds=SETUP_SECONDS,
        ),
        Route(
            "POST /network-setup/confirm",
            protocol.ConfirmSetup,
            protocol.SetupView,
            ADMINISTRATOR,
            filled=("reached", "at_console"),
        ),
        Route(
            "POST /network-setup/undo",
            protocol.UndoSetup,
            protocol.SetupView,
            CONFIRMATION,
            seconds=SETUP_SECONDS,
        ),
        Route("POST /service/retry", protocol.RetryService, protocol.Done, CONFIRMATION),
        Route("GET /epoch", protocol.GetEpoch, protocol.EpochView, VIEWER),
        Route("GET /machine", protocol.GetMachine, protocol.MachineView, VIEWER),
        Route("GET /network", protocol.GetNetwork, protocol.NetworkView, VIEWER),
        Route("GET /update", protocol.GetUpdate, protocol.UpdateView, VIEWER),
        Route("GET /coverage", protocol.GetCoverage, protocol.Coverage, VIEWER),
    ),
    "pair": (
        Route(
            "GET /host-key", protocol.FetchHostKey, protocol.HostKey, ADMINISTRATOR, seconds=OUTSIDE_SECONDS
        ),
        Route("POST /pair", protocol.StartPair, Job, CONFIRMATION),
        Route("POST /pair/end", protocol.Unpair, protocol.Done, CONFIRMATION, seconds=OUTSIDE_SECONDS),
        Route(
            "POST /standby/test", protocol.TryStandby, protocol.Trial, ADMINISTRATOR, seconds=OUTSIDE_SECONDS
        ),
    ),
    "module": (
        Route("GET /module-configuration", protocol.GetConfig, ModuleConfig, VIEWER),
        Route("PUT /module-configuration", protocol.SetConfig, ModuleConfig, PERHAPS, within="config"),
        Route("DELETE /module-configuration", protocol.RemoveConfig, protocol.Done, CONFIRMATION),
    ),
    "takeover": (
        Route("POST /cycles", protocol.StartCycle, Job, ADMINISTRATOR),
        Route("POST /cycles/pause", protocol.PauseCycles, protocol.UpdateView, CONFIRMATION),
        Route("POST /cycles/resume", protocol.ResumeCycles, protocol.UpdateView, ADMINISTRATOR),
        Route("GET /generations", protocol.ListGenerations, protocol.GenerationList, VIEWER),
        Route(
            "GET /takeover",
            protocol.PlanTakeover,
            protocol.TakeoverPlanAnswer,
            ADMINISTRATOR,
            seconds=PLAN_SECONDS,
        ),
        Route(
            "POST /takeover",
            protocol.StartTakeover,
            Job,
            CONFIRMATION,
            filled=("operator", "forged"),
            seconds=PLAN_SECONDS,
        ),
        Route("GET /jobs/{id}", protocol.WatchJob, Job, VIEWER, narrowed=WATCH, seconds=LONGEST_WATCH + 10.0),
        Route("DELETE /jobs/{id}", protocol.CancelJob, protocol.Done, ADMINISTRATOR),
    ),
    "backups": (
        Route("GET /backups", protocol.ListBackups, protocol.BackupList, VIEWER),
        Route("POST /backups", protocol.CreateBackup, Job, ADMINISTRATOR),
        Route("GET /backups/{id}", protocol.GetBackup, protocol.BackupDetails, VIEWER),
        Route("DELETE /backups/{id}", protocol.DeleteBackup, protocol.BackupList, CONFIRMATION),
        Route(
            "GET /backups/{id}/file",
            protocol.ReadBackup,
            protocol.Chunk,
            CONFIRMATION,
            filled=("offset",),
            carries=Carries.DOWNLOAD,
        ),
        Route("GET /upload", protocol.GetUpload, protocol.UploadView, VIEWER),
        Route(
            "POST /upload",
            protocol.BeginUpload,
            protocol.UploadView,
            ADMINISTRATOR,
            filled=("size",),
            carries=Carries.UPLOAD,
            seconds=OUTSIDE_SECONDS,
        ),
        Route("POST /upload/{id}/check", protocol.CheckUpload, Job, ADMINISTRATOR),
        Route("POST /upload/{id}/import", protocol.ImportUpload, Job, CONFIRMATION),
        Route("DELETE /upload/{id}", protocol.DropUpload, protocol.Done, ADMINISTRATOR),
    ),
    "licences": (
        Route("GET /licences", protocol.GetLicences, protocol.LicencesView, VIEWER),
        Route("POST /licences", protocol.InstallLicence, protocol.LicencesView, ADMINISTRATOR),
        Route("POST /licences/file", protocol.InstallLicences, protocol.LicencesView, ADMINISTRATOR),
        Route("DELETE /licences/{key}", protocol.RemoveLicence, protocol.LicencesView, CONFIRMATION),
    ),
    "mail": (
        Route("GET /mail", protocol.GetMail, protocol.MailView, VIEWER),
        Route(
            "PUT /mail/server",
            protocol.SetMailServer,
            protocol.MailView,
            CONFIRMATION,
            narrowed={"port": PORT},
        ),
        Route(
            "PUT /mail/texts/{kind}", protocol.SetMailText, protocol.MailView, ADMINISTRATOR, within="text"
        ),
        Route(
            "POST /mail/test", protocol.SendTestMail, protocol.Trial, ADMINISTRATOR, seconds=OUTSIDE_SECONDS
        ),
        Route("POST /mail/outbox/retry", protocol.RetryMails, protocol.MailView, ADMINISTRATOR),
        Route("GET /users", protocol.ListUsers, protocol.UserList, ADMINISTRATOR),
    ),
    "logs": (
        Route("GET /log", protocol.ReadModuleLog, protocol.LogLines, VIEWER, narrowed=LINES),
        Route("GET /audit", protocol.ReadAudit, protocol.AuditLines, ADMINISTRATOR, narrowed=LINES),
    ),
    "accounts": (
        Route("GET /accounts", protocol.ListAccounts, protocol.AccountList, ADMINISTRATOR),
        Route("PUT /accounts/{name}", protocol.PutAccount, protocol.AccountList, CONFIRMATION),
        Route("DELETE /accounts/{name}", protocol.RemoveAccount, protocol.AccountList, CONFIRMATION),
        Route("POST /tokens", protocol.MakeToken, protocol.NewToken, CONFIRMATION),
        Route("DELETE /tokens/{id}", protocol.RemoveToken, protocol.AccountList, CONFIRMATION),
    ),
}
"""All routes; `web.api.group.NAME` in the catalogue is a group's heading."""

ROUTES = tuple(route for group in GROUPS.values() for route in group)

WITHOUT_ROUTE: dict[type[Value], str] = {
    protocol.Hello: "begins every connection to the agent by itself",
    protocol.Authenticate: "every request carries its token",
    protocol.LogIn: "sessions are for browsers; a program has a token",
    protocol.LogOut: "sessions are for browsers; a program has a token",
    protocol.ChangePassword: "a program has no password; an administrator changes others' by PUT /accounts",
    protocol.UseSetupCode: "answers with a browser's session, for the first administrator",
    protocol.MakeSetupCode: "for root at the console",
    protocol.AcceptPair: "asked by the other appliance, over its first connection",
    protocol.SendUpload: "POST /upload sends the whole file",
    protocol.ForgetEpoch: "root at the console only: what it forgets was a lie of the other appliance",
    protocol.ConfirmMachine: "root at the console only: whoever says so has seen the machine",
    protocol.UndoInit: "root at the console only: afterwards there are no pages to answer from",
}
"""Requests of people that no route asks, each with its reason; a test finds one that stands nowhere."""
