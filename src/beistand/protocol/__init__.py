"""The messages between agent, command line, pages and peer: typed, versioned JSON, one frame each.

Every connection begins with `Hello`; then each request gets one answer, in order. Long acts are jobs: the request
returns the job, `WatchJob` waits for its next change. docs/protocol.md describes it for people.
"""

from beistand.domain.export import Part
from beistand.protocol.accounts import (
    AccountList,
    AccountView,
    Authenticate,
    ChangePassword,
    ListAccounts,
    LogIn,
    LogOut,
    MakeSetupCode,
    MakeToken,
    NewToken,
    PutAccount,
    RemoveAccount,
    RemoveToken,
    Session,
    SetupCode,
    UseSetupCode,
)
from beistand.protocol.backups import (
    CHUNK_BYTES,
    Backup,
    BackupDetails,
    BackupList,
    BeginUpload,
    CheckUpload,
    Chunk,
    CreateBackup,
    DeleteBackup,
    DropUpload,
    GetBackup,
    GetUpload,
    ImportUpload,
    ListBackups,
    ReadBackup,
    SendUpload,
    UploadView,
)
from beistand.protocol.core import (
    Accepted,
    AcceptPair,
    CancelJob,
    FetchHostKey,
    GenerationList,
    GetConfig,
    GetStatus,
    HostKey,
    Init,
    ListGenerations,
    OfferAnswer,
    PeerView,
    PlanTakeover,
    RetryService,
    SetConfig,
    StartCycle,
    StartPair,
    StartTakeover,
    Status,
    TakeoverPlanAnswer,
    WatchJob,
)
from beistand.protocol.epoch import EpochView, ForgetEpoch, GetEpoch
from beistand.protocol.framing import (
    LARGEST_FRAME,
    Answer,
    Done,
    Hello,
    Welcome,
    frame,
    open_answer,
    read_frame,
)
from beistand.protocol.insight import (
    MOST_LINES,
    AuditLine,
    AuditLines,
    Check,
    Coverage,
    GetCoverage,
    GetLicences,
    GetNetwork,
    InstallLicence,
    InstallLicences,
    LicencesView,
    LogLine,
    LogLines,
    NetworkView,
    ReadAudit,
    ReadModuleLog,
    RemoveConfig,
    RemoveLicence,
    Uncovered,
)
from beistand.protocol.machine import (
    ConfirmMachine,
    EndPair,
    GetMachine,
    MachineView,
    UndoInit,
    Unpair,
)
from beistand.protocol.mails import (
    GetMail,
    ListUsers,
    MailView,
    RetryMails,
    SendTestMail,
    SetMailServer,
    SetMailText,
    Trial,
    TrialStep,
    TryStandby,
    UserList,
    UsersTold,
)
from beistand.protocol.peer import (
    FolderNeed,
    Greet,
    MakeRoom,
    Offer,
    PushConfig,
    PushSettings,
    Receive,
    Release,
    Resume,
)
from beistand.protocol.setup import (
    ConfirmSetup,
    FileChange,
    GetSetup,
    PlanSetup,
    SetupPlan,
    SetupView,
    StartSetup,
    UndoSetup,
)
from beistand.protocol.update import GetUpdate, PauseCycles, ResumeCycles, UpdateView

PersonRequest = (
    Hello
    | GetStatus
    | Init
    | FetchHostKey
    | StartPair
    | AcceptPair
    | StartCycle
    | PlanTakeover
    | StartTakeover
    | WatchJob
    | CancelJob
    | GetConfig
    | SetConfig
    | ListGenerations
    | RetryService
    | GetEpoch
    | ForgetEpoch
    | GetMachine
    | ConfirmMachine
    | UndoInit
    | Unpair
    | LogIn
    | LogOut
    | Authenticate
    | MakeSetupCode
    | UseSetupCode
    | ListAccounts
    | PutAccount
    | RemoveAccount
    | ChangePassword
    | MakeToken
    | RemoveToken
    | CreateBackup
    | ListBackups
    | GetBackup
    | DeleteBackup
    | ReadBackup
    | BeginUpload
    | SendUpload
    | CheckUpload
    | GetUpload
    | DropUpload
    | ImportUpload
    | GetMail
    | SetMailServer
    | SetMailText
    | SendTestMail
    | ListUsers
    | RetryMails
    | TryStandby
    | GetLicences
    | InstallLicences
    | InstallLicence
    | RemoveLicence
    | GetNetwork
    | GetCoverage
    | ReadModuleLog
    | ReadAudit
    | RemoveConfig
    | GetUpdate
    | PauseCycles
    | ResumeCycles
    | PlanSetup
    | StartSetup
    | GetSetup
    | ConfirmSetup
    | UndoSetup
)
PeerRequest = (
    Hello
    | Greet
    | PushConfig
    | PushSettings
    | Offer
    | MakeRoom
    | Receive
    | Release
    | Resume
    | EndPair
    | WatchJob
    | CancelJob
)
Request = PersonRequest | PeerRequest

TIMELESS = (GetStatus, Release, Resume)
"""Understood over every difference of protocol: they never change their meaning (F15)."""

__all__ = [
    "CHUNK_BYTES",
    "LARGEST_FRAME",
    "MOST_LINES",
    "TIMELESS",
    "AcceptPair",
    "Accepted",
    "AccountList",
    "AccountView",
    "Answer",
    "AuditLine",
    "AuditLines",
    "Authenticate",
    "Backup",
    "BackupDetails",
    "BackupList",
    "BeginUpload",
    "CancelJob",
    "ChangePassword",
    "Check",
    "CheckUpload",
    "Chunk",
    "ConfirmMachine",
    "ConfirmSetup",
    "Coverage",
    "CreateBackup",
    "DeleteBackup",
    "Done",
    "DropUpload",
    "EndPair",
    "EpochView",
    "FetchHostKey",
    "FileChange",
    "FolderNeed",
    "ForgetEpoch",
    "GenerationList",
    "GetBackup",
    "GetConfig",
    "GetCoverage",
    "GetEpoch",
    "GetLicences",
    "GetMachine",
    "GetMail",
    "GetNetwork",
    "GetSetup",
    "GetStatus",
    "GetUpdate",
    "GetUpload",
    "Greet",
    "Hello",
    "HostKey",
    "ImportUpload",
    "Init",
    "InstallLicence",
    "InstallLicences",
    "LicencesView",
    "ListAccounts",
    "ListBackups",
    "ListGenerations",
    "ListUsers",
    "LogIn",
    "LogLine",
    "LogLines",
    "LogOut",
    "MachineView",
    "MailView",
    "MakeRoom",
    "MakeSetupCode",
    "MakeToken",
    "NetworkView",
    "NewToken",
    "Offer",
    "OfferAnswer",
    "Part",
    "PauseCycles",
    "PeerRequest",
    "PeerView",
    "PersonRequest",
    "PlanSetup",
    "PlanTakeover",
    "PushConfig",
    "PushSettings",
    "PutAccount",
    "ReadAudit",
    "ReadBackup",
    "ReadModuleLog",
    "Receive",
    "Release",
    "RemoveAccount",
    "RemoveConfig",
    "RemoveLicence",
    "RemoveToken",
    "Request",
    "Resume",
    "ResumeCycles",
    "RetryMails",
    "RetryService",
    "SendTestMail",
    "SendUpload",
    "Session",
    "SetConfig",
    "SetMailServer",
    "SetMailText",
    "SetupCode",
    "SetupPlan",
    "SetupView",
    "StartCycle",
    "StartPair",
    "StartSetup",
    "StartTakeover",
    "Status",
    "TakeoverPlanAnswer",
    "Trial",
    "TrialStep",
    "TryStandby",
    "Uncovered",
    "UndoInit",
    "UndoSetup",
    "Unpair",
    "UpdateView",
    "UploadView",
    "UseSetupCode",
    "UserList",
    "UsersTold",
    "WatchJob",
    "Welcome",
    "frame",
    "open_answer",
    "read_frame",
]
