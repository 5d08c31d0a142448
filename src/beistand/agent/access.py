"""Who may ask what: one table over all requests of people (DESIGN "Security")."""

from enum import IntEnum

from beistand import protocol
from beistand.agent.caller import Caller
from beistand.domain.account import AccountRole
from beistand.domain.errors import Refused
from beistand.domain.value import Value


class Access(IntEnum):
    """From the least to the most; root may everything at the console."""

    OPEN = 0
    """Whoever reaches the socket: the group `beistand`, the web process before anybody logged in."""
    LOOK = 1
    """A viewer's session or token."""
    ACT = 2
    """An administrator's."""
    DANGEROUS = 3
    """An administrator's, and the password with it: it may stop calls, overwrite or delete data, open doors, or
    leave the pair without its copy or its people without alarms."""
    ROOT = 4
    """Root at the console only."""


ACCESS: dict[type[Value], Access] = {
    protocol.Hello: Access.OPEN,
    protocol.Authenticate: Access.OPEN,
    protocol.LogIn: Access.OPEN,
    protocol.UseSetupCode: Access.OPEN,
    protocol.GetStatus: Access.OPEN,
    protocol.GetConfig: Access.OPEN,
    protocol.ListGenerations: Access.OPEN,
    protocol.WatchJob: Access.OPEN,
    protocol.LogOut: Access.LOOK,
    protocol.ChangePassword: Access.LOOK,
    protocol.ListBackups: Access.LOOK,
    protocol.GetBackup: Access.LOOK,
    protocol.GetUpload: Access.LOOK,
    protocol.GetLicences: Access.LOOK,
    protocol.GetNetwork: Access.LOOK,
    protocol.GetCoverage: Access.LOOK,
    protocol.GetUpdate: Access.LOOK,
    protocol.GetSetup: Access.LOOK,
    protocol.GetEpoch: Access.LOOK,
    protocol.GetMachine: Access.LOOK,
    protocol.GetMail: Access.LOOK,
    protocol.ReadModuleLog: Access.LOOK,
    protocol.ReadAudit: Access.ACT,
    protocol.ListUsers: Access.ACT,
    protocol.ListAccounts: Access.ACT,
    protocol.PlanTakeover: Access.ACT,
    protocol.StartCycle: Access.ACT,
    protocol.CancelJob: Access.ACT,
    protocol.ResumeCycles: Access.ACT,
    protocol.SetConfig: Access.ACT,
    protocol.FetchHostKey: Access.ACT,
    protocol.TryStandby: Access.ACT,
    protocol.CreateBackup: Access.ACT,
    protocol.BeginUpload: Access.ACT,
    protocol.SendUpload: Access.ACT,
    protocol.CheckUpload: Access.ACT,
    protocol.DropUpload: Access.ACT,
    protocol.SetMailText: Access.ACT,
    protocol.SendTestMail: Access.ACT,
    protocol.RetryMails: Access.ACT,
    protocol.InstallLicences: Access.ACT,
    protocol.InstallLicence: Access.ACT,
    protocol.PlanSetup: Access.ACT,
    protocol.ConfirmSetup: Access.ACT,
    protocol.Init: Access.DANGEROUS,
    protocol.StartSetup: Access.DANGEROUS,
    protocol.UndoSetup: Access.DANGEROUS,
    protocol.StartPair: Access.DANGEROUS,
    protocol.Unpair: Access.DANGEROUS,
    protocol.ImportUpload: Access.DANGEROUS,
    # Passwords of phones and lines, voicemail, call records: all of it in one file.
    protocol.ReadBackup: Access.DANGEROUS,
    protocol.StartTakeover: Access.DANGEROUS,
    protocol.RetryService: Access.DANGEROUS,
    protocol.PutAccount: Access.DANGEROUS,
    protocol.RemoveAccount: Access.DANGEROUS,
    protocol.MakeToken: Access.DANGEROUS,
    protocol.RemoveToken: Access.DANGEROUS,
    # What a lost token must not be enough for: the copy, its licences and the alarms.
    protocol.PauseCycles: Access.DANGEROUS,
    protocol.RemoveConfig: Access.DANGEROUS,
    protocol.DeleteBackup: Access.DANGEROUS,
    protocol.RemoveLicence: Access.DANGEROUS,
    protocol.SetMailServer: Access.DANGEROUS,
    protocol.MakeSetupCode: Access.ROOT,
    protocol.AcceptPair: Access.ROOT,
    # Whoever says so has seen the machine, or had it opened.
    protocol.ConfirmMachine: Access.ROOT,
    protocol.UndoInit: Access.ROOT,
    protocol.ForgetEpoch: Access.ROOT,
}
"""A test finds a request that stands here not."""

WITHOUT_PASSWORD: dict[type[Value], str] = {
    protocol.LogOut: "ends nobody's session but one's own",
    protocol.ChangePassword: "carries the old password itself",
    protocol.StartCycle: "the copy becomes newer; what it replaces is kept as a restore point",
    protocol.CancelJob: "nothing is lost: a cycle comes again, and a takeover that is ended is undone",
    protocol.ResumeCycles: "turns replication on",
    protocol.SetConfig: "what makes the pair weaker in it wants the password (domain/weakening.py)",
    protocol.CreateBackup: "adds a file; one that the disk has no room for is refused",
    protocol.BeginUpload: "what is uploaded is used by an import only, which wants the password",
    protocol.SendUpload: "as its begin",
    protocol.CheckUpload: "reads what was uploaded",
    protocol.DropUpload: "its file is still where it came from",
    protocol.SetMailText: "who gets it, and through which server, wants the password",
    protocol.SendTestMail: "one mail that says that it is a test",
    protocol.RetryMails: "sends what was to be sent anyway",
    protocol.InstallLicences: "adds keys; a key that stands on both sides is refused",
    protocol.InstallLicence: "adds a key, as a file does",
    protocol.ConfirmSetup: "keeps what was begun with the password",
}
"""Why a request that changes something is no dangerous one; a test finds a request without a reason."""


def access_of(caller: Caller) -> Access:
    """Return what this connection may ask at most. Who acts for an account may what that may, root too."""
    if caller.role is AccountRole.ADMINISTRATOR:
        return Access.DANGEROUS if caller.sure_as else Access.ACT
    if caller.role is not None:
        return Access.LOOK
    return Access.ROOT if caller.is_at_console else Access.OPEN


def permit(request: Value, caller: Caller) -> None:
    """Raise Refused unless this caller may ask this.

    `needs-root` (acts for nobody), `needs-administrator`, `needs-password`, `needs-console`.
    """
    if caller.is_peer and isinstance(request, protocol.PeerRequest):
        return
    # What stands not in the table, the peer's verbs among them, is root's at most.
    needs, has = ACCESS.get(type(request), Access.ROOT), access_of(caller)
    if has >= needs and not caller.is_peer:
        return
    if isinstance(request, protocol.StartTakeover) and has is Access.ACT and caller.lately_mark:
        return
    if has is Access.OPEN or caller.is_peer:
        raise Refused("needs-root", user=caller.user)
    if needs is Access.ROOT:
        raise Refused("needs-console")
    raise Refused("needs-password" if has is Access.ACT else "needs-administrator")
